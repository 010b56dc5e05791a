"""After a GO the terminal names the verb that follows; after anything else it names none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pytest_rollout.model.finding import Reason
from pytest_rollout.model.plan import Gate
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
