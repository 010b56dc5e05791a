"""The generated pages of docs/reference are current, and leave nothing undocumented."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from pytest_rollout.judge.decide import _fold
from pytest_rollout.model.finding import Finding, Part, Reason, Subject, SubjectKind
from pytest_rollout.model.plan import Guardrail, Then
from pytest_rollout.model.verdict import Answer, State, Verdict
from tests.docs.generated import REFERENCE, pages
from tests.docs.verbs import verbs

current = cache(pages)
VERBS = dict(verbs())


@pytest.mark.parametrize("name", ["pytest.md", "verbs.md", "reasons.md"])
def test_a_generated_page_is_current(name: str) -> None:
    page = REFERENCE / name
    assert page.read_text("utf-8") == current()[page], "run python -m tests.docs"


@pytest.mark.parametrize("name", VERBS)
def test_a_verb_and_each_of_its_options_say_what_they_are(name: str) -> None:
    assert VERBS[name].help
    options = [option for option in VERBS[name].params if isinstance(option, click.Option)]
    assert [option.name for option in options if not (option.help or option.hidden)] == []


def test_nothing_of_pytests_side_is_without_a_meaning() -> None:
    rows = re.findall(
        r"^\| `(.*?)` \| (.*?) \|", (REFERENCE / "pytest.md").read_text("utf-8"), re.M
    )
    told = dict(rows)
    assert {"phase", "observe", "load", "criterion(*ids)", "rollout_plans"} <= told.keys()
    assert all(told.values())


def table(page: str, head: str) -> dict[str, list[str]]:
    """Return the rows of a table by their first cell."""
    text = (REFERENCE / page).read_text("utf-8").partition(head)[2].partition("\n\n")[0]
    cells = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| `")]
    return {row[0]: row[1:] for row in cells}


def test_the_page_of_json_has_every_verb_that_answers_in_it() -> None:
    told = {
        name
        for cell in table("json.md", "| `--json` of | holds |")
        for name in re.findall(r"`([\w -]+?)(?: --\w+)?`", cell)
    }
    answering = {
        name
        for name, verb in VERBS.items()
        if any("--json" in option.opts for option in verb.params)
    }
    assert told == answering


def test_the_page_of_json_has_every_field_of_a_decision() -> None:
    told = {
        name
        for cell in table("json.md", "| field | holds |")
        for name in re.findall("`(.*?)`", cell)
    }
    schema: dict[str, Any] = yaml.safe_load(
        files("pytest_rollout.report").joinpath("decision.schema.json").read_text("utf-8")
    )
    assert told == schema["$defs"]["Decision"]["properties"].keys()


def judged(verdict: Verdict, severity: str) -> tuple[Answer, Finding]:
    """Return what a gate answers with one more criterion beside a hard one that passes."""
    reason = Reason("passed")
    beside = Finding("beside", Verdict.PASS, reason, severity="hard")
    finding = Finding("it", verdict, reason, severity=severity)
    return _fold((beside, finding), (), ())[0], finding


@pytest.mark.parametrize("verdict", Verdict, ids=lambda verdict: verdict.value)
def test_the_table_says_what_a_verdict_does_to_the_decision(verdict: Verdict) -> None:
    row = table("outcomes.md", "| verdict | means |")[f"`{verdict.value}`"]
    for severity, said in zip(("hard", "soft", "optional"), row[1:], strict=True):
        blocks = said if said in ("NO-GO", "HOLD") else "GO"
        assert judged(verdict, severity)[0].value == blocks


@pytest.mark.parametrize("state", State, ids=lambda state: state.value)
def test_the_table_says_what_a_guardrail_does_to_the_decision(state: State) -> None:
    rows = table("outcomes.md", "| guardrail |")
    (row,) = [cells for name, cells in rows.items() if name.startswith(f"`{state.value}`")]
    verdict = {State.TRIPPED: Verdict.FAIL, State.BLIND: Verdict.MISSING, State.QUIET: Verdict.PASS}
    part = Part(Subject(SubjectKind.GROUP, "g"), verdict[state], Reason("passed"))
    finding = Finding("g", verdict[state], Reason("passed"), parts=(part,))
    for then, said in zip((Then.ROLLBACK, Then.PAUSE, Then.WARN), row, strict=True):
        effect = Guardrail("g", "", (), (then,)).effect(finding)
        assert effect.value == ("GO" if said == "condition" else said)


def test_the_exit_statuses_are_those_of_answers() -> None:
    page = (REFERENCE / "outcomes.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| (\d+) \| ([A-Z-]+) ", page, re.MULTILINE))
    assert rows == {str(answer.exit_status): answer.value for answer in Answer}


def test_no_page_is_written_elsewhere() -> None:
    assert {path.parent for path in current()} == {Path(REFERENCE)}
