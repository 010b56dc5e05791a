"""After a GO the terminal names the verb that follows; after anything else it names none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pytest_rollout.model.finding import Reason
from pytest_rollout.model.plan import Gate
from pytest_rollout.model.story import StepState, Story, Todo
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.report.advice import next_verb
from pytest_rollout.report.terminal import gate
from tests.report import report_decisions as given


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "rollout end plms.day3 --env production --by NAME"),
        ({"gate": Gate.ENTRY}, "rollout begin plms.day3 --env production --by NAME"),
        ({"environment": "embedded"}, ""),
        ({"drill": "slow"}, ""),
        ({"partial": ("-k",)}, ""),
        ({"decision": Answer.HOLD}, ""),
    ],
)
def test_a_go_names_the_verb_that_follows(changes: dict[str, Any], said: str) -> None:
    decision = replace(given.decision(Answer.GO, environment="production"), **changes)
    assert next_verb(decision).partition(" (")[0] == said
    lines = [line.text.strip() for line in gate(decision, follows=next_verb(decision))]
    assert (f"next: {next_verb(decision)}" in lines) == bool(said)


@pytest.mark.parametrize(
    ("environment", "drill", "said"),
    [("embedded", None, "pytest -m plms"), ("embedded", "slow", ""), ("production", None, "")],
)
def test_a_rehearsal_that_reads_other_gates_names_the_whole_rehearsal(
    environment: str, drill: str | None, said: str
) -> None:
    held = given.decision(Answer.HOLD, environment=environment)
    lacking = Reason("gate.undecided", {"gate": "plms.day2/exit"})
    first, *others = held.criteria
    read = replace(first, verdict=Verdict.MISSING, reason=lacking)
    decision = replace(held, criteria=(read, *others), drill=drill)
    assert next_verb(decision).partition(" (")[0] == said


def test_a_rollback_lists_its_steps_and_no_command_twice() -> None:
    again = "pytest -m day3 --rollout-env prod"
    steps = (
        StepState("caps are lifted", by_hand=False, outcome="done"),
        StepState("the customer is called", by_hand=True),
    )
    story = Story(todo=(Todo("sre", "roll back"), Todo("sre", "decide again", again)), steps=steps)
    lines = [line.text for line in gate(given.rollback(), follows=f"{again} (then)", story=story)]
    listed = lines.index("  rollback steps:")
    assert lines[listed + 1 :][:2] == [
        "    - caps are lifted: done",
        "    - the customer is called: by hand, not on record",
    ]
    assert [line for line in lines if again in line] == [f"     {again}"]


def test_what_follows_is_told_beside_a_task_without_a_command() -> None:
    follows = "pytest -m day3 --rollout-env prod (once what is named above is settled)"
    story = Story(todo=(Todo("sre", "see that the target answers"),))
    lines = [line.text for line in gate(given.rollback(), follows=follows, story=story)]
    assert f"  next: {follows}" in lines
