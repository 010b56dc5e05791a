"""The default policy, as the service says that it is in force."""

from __future__ import annotations

import pytest

from suites.bridge.views.service import Bridge

pytestmark = [pytest.mark.bridge_wake, pytest.mark.bridge_phase1]

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
    "loop-guard": ("loop_limit_turns", 10),
}
LEVELS = ((1, "operator", 0), (2, "platform engineer", 900), (3, "security owner", 3600))


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


@pytest.mark.criterion("loop-escalation")
def test_whom_an_escalation_reaches_is_told(bridge: Bridge) -> None:
    config = bridge.operator.get("/v1/policy").inner("config")
    told = tuple(
        (level.whole("level"), level.text("to"), level.number("after_s"))
        for level in config.each("escalation_levels")
    )
    assert told == LEVELS, f"escalations are said to reach {told}"
