"""A production in which nothing has happened yet: a check that finds nothing to look at says so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_rollout.evidence.opening import to_read
from pytest_rollout.evidence.run_log import log_of
from pytest_rollout.model.verdict import Verdict
from tests.eros.by_hand import Ramp, by_hand

PHASES = (
    *("flags", "shadow", "canary", "early_adopters", "percent25", "percent50", "percent75"),
    *("ops", "cutover", "final", "learning_day1", "learning_manual", "learning_auto", "learning"),
)
_FIRST = "target-healthy"  # all that a begin waits for here
# Checks that need no run, no change and no record: they ask what is deployed, or try it.
OF_WHAT_IS_DEPLOYED = {
    "rollout.yaml": {"no-rollback-in-force"},
    "test_flags.py": {
        "test_the_router_decides_for_the_whole_roster",
        "test_v5_is_off",
        "test_shadow_mode_is_off",
        "test_the_percentage_is_zero",
        "test_the_list_is_empty",
        "test_the_fallback_is_on",
    },
    "test_ops_logs.py": {
        "test_a_sample_is_logged_each_five_minutes",
        "test_who_was_not_reached_counts_as_told_by_nobody",  # of the messages that it had sent
    },
    "test_ops_contract.py": {  # of addresses that answer, and of lines that are there, as decisions
        "test_an_answer_has_each_of_its_fields",
        "test_a_line_of_a_log_has_each_of_its_fields",
    },
    "test_shadow.py": {"test_v5_serves_nobody_before_the_week"},
    "test_canary.py": {"test_alexia_is_a_typical_creator", "test_alexia_does_not_earn_the_most"},
    "test_early_adopters.py": {"test_an_adopter_is_registered_as_described"},
    "test_rollback_by_itself.py": {
        "test_rows_that_are_too_short_fire_nothing",
        "test_what_is_left_out_of_a_run_is_healthy",
    },
    "test_cutover_v4.py": {"test_the_code_of_v4_is_there"},
    "test_final.py": {"test_the_orchestrator_has_three_phases"},
    "test_learning_day1.py": {
        "test_learnings_have_their_structure",
        "test_reflect_can_be_called",
        "test_a_learning_can_be_committed",
        "test_capture_is_on_without_being_switched_on",
        "test_status_says_that_it_is_active",
        "test_document_is_committed",
        "test_figures_are_those_of_what_came_rose_and_went",  # in a sandbox of the command
    },
    "test_learning_manual.py": {  # in a sandbox of the deployed command
        "test_only_a_yes_commits",
        "test_learnings_are_counted_as_what_they_are",
    },
    "test_learning_auto.py": {  # in a sandbox, too
        "test_one_signal_is_enough",
        "test_confirmation_is_required",
        "test_reset_gives_the_initial_file",
    },
    "test_learning_care.py": {"test_runbook_has_its_section"},
}


@pytest.mark.nightly
def test_a_check_that_sees_nothing_does_not_pass(tmp_path: Path) -> None:
    with by_hand(tmp_path) as ramp:
        _begin_each(ramp)
        ramp.pytest("eros", "--rollout-gate=exit")
        passed: dict[str, set[str]] = {}
        for file, name in _passed_unseen(ramp):
            passed.setdefault(file, set()).add(name)
    assert passed == OF_WHAT_IS_DEPLOYED


def _begin_each(ramp: Ramp) -> None:
    """Begin all phases at once, so that no check is refused what it does."""
    plan = ramp.project.folder / "suites/eros/rollout.yaml"
    plan.write_text(_waiting_for_nothing(plan.read_text(encoding="utf-8")), encoding="utf-8")
    ramp.pytest("eros", "--rollout-gate=entry")
    for phase in PHASES:
        began = ramp.rollout("begin", f"eros.{phase}", "--env", "prod", "--by", "Olga")
        assert began.status == 0, began.said


def _waiting_for_nothing(plan: str) -> str:
    """The plan with entry gates that ask the health alone; exit gates ask the rest."""
    plan = re.sub(r"(?m)^    (?:requires|signoff): .*\n", "", plan)
    before, *criteria = re.split(r"(?m)^(?=      - id: )", plan)
    late = [
        text
        if text.startswith(f"      - id: {_FIRST}\n")
        else text.replace("        gate: entry\n", "")
        for text in criteria
    ]
    return "".join([before, *late])


def _passed_unseen(ramp: Ramp) -> Iterator[tuple[str, str]]:
    """Each check that passed in the last run and observed nothing, by file and name."""
    ledger = to_read(str(ramp.project.folder / ".rollout/ledger.db"))
    newest = next(ledger.runs("eros.learning/exit", "prod"))
    for report in log_of(ledger, newest.run).batches:
        said = report.body
        if said.attempts[-1][0] is Verdict.PASS and not said.observations:
            file, _, name = said.item.removeprefix("suites/eros/").partition("::")
            yield file, re.sub(r"^\w+:|\[.*$", "", name)
