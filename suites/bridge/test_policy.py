"""Each cell of the table of roles, tried; and the default policy as it is in force."""

from __future__ import annotations

from datetime import datetime

import pytest

from pytest_rollout import Observe, Reported
from suites.bridge.views import oracle
from suites.bridge.views.service import Bridge

pytestmark = pytest.mark.bridge_phase1


@pytest.mark.criterion("unit-policy")
def test_each_cell_is_as_the_table_says(
    policy_cells: dict[tuple[str, str, str], str],
    bridge: Bridge,
    observe: Observe,
    moment: datetime,
) -> None:
    said = bridge.operator.get("/v1/policy").inner("roles")
    for cell, became in policy_cells.items():
        operation, state, role = cell
        wrong = became != oracle.allowed(*cell)
        observe(
            "policy_cell_wrong", int(wrong), operation=operation, state=state, role=role, at=moment
        )
        told = told_of(said, operation, state, role)
        assert told in ("", became), (
            f"{role} {operation} in {state}: {told} is said, it is {became}"
        )


def told_of(said: Reported, operation: str, state: str, role: str) -> str:
    """What the policy page says of a cell; nothing where it names the operation otherwise."""
    states = (said.get(operation) or {}).get(role) or {}
    return str(states.get(state) or "")


@pytest.mark.criterion("unauthorized-role")
def test_a_member_may_do_no_more_than_the_role(
    policy_cells: dict[tuple[str, str, str], str], observe: Observe, moment: datetime
) -> None:
    for (operation, state, role), became in policy_cells.items():
        if oracle.allowed(operation, state, role) == "deny":
            labels = {"operation": operation, "state": state, "role": role}
            observe("role_exceeded", int(became != "deny"), **labels, at=moment)
    granted = [cell for cell, became in policy_cells.items() if became == "allow"]
    assert granted, "nobody may do anything, so a refusal shows nothing"


# The default policy, as the service says that it is in force

DEFAULTS = {
    "policy-poll-interval": ("supervisor_poll_interval_s", 5),
    "policy-ack-timeout": ("trigger_ack_timeout_s", 8),
    "policy-trigger-retries": ("trigger_retries_before_fallback", 2),
    "policy-quiet-window": ("human_quiet_window_s", 20),
    "policy-recheck-interval": ("deferred_recheck_interval_s", 5),
    "policy-max-defer": ("max_defer_window_s", 60),
    "policy-no-progress-turns": ("no_progress_autoblock_turns", 20),
    "policy-identical-findings": ("identical_finding_autoblock_cycles", 3),
    "policy-resume-attempts": ("resume_attempts_before_spawn", 2),
    "policy-stale-cutoff": ("stale_session_cutoff_h", 12),
}


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        pytest.param(*default, marks=pytest.mark.criterion(criterion), id=criterion)
        for criterion, default in DEFAULTS.items()
    ],
)
def test_a_default_is_in_force(bridge: Bridge, name: str, wanted: int) -> None:
    said = bridge.operator.get("/v1/policy").inner("config").number(name)
    assert said == wanted, f"{name} is {said:g}, not {wanted}"
