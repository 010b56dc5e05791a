"""Which environment each verb is about: one rule, in which a rehearsal clears nothing."""

from __future__ import annotations

from importlib import import_module

import pytest

from pytest_rollout.cli import _VERBS
from pytest_rollout.cli.project import environment_option
from tests.cli.conftest import Project
from tests.evidence.runs import ENTRY, PLAN, Writer

SEVERAL = PLAN.replace("phases:", '  lab: {targets: {api: "http://127.0.0.1:1"}}\nphases:', 1)
ALONE = PLAN.replace('  prod: {targets: {api: "http://127.0.0.1:1"}}\n', "")
BY = ("--by", "A. Person")
SHOWN = [
    ("decide", "demo.canary/entry"),
    ("report", "demo.canary/entry"),
    ("explain", "demo.canary.ready"),
    ("status",),
]
ABOUT_A_REAL_ONE = [
    ("begin", "demo.canary", *BY),
    ("end", "demo.canary", *BY),
    ("record", "demo.canary", "change", "--says", "x", *BY),
]


def rehearsed(project: Project, text: str = PLAN) -> None:
    project.plan.write_text(text)
    with project.ledger() as ledger:
        Writer(ledger, text=text).good()


def asked_in_prod(project: Project) -> None:
    with project.ledger() as ledger:
        Writer(ledger, run="p1", environment="prod", gates=(ENTRY,)).good()


def test_every_verb_spells_the_option_alike() -> None:
    def nothing() -> None: ...

    (asked,) = environment_option(nothing).__click_params__  # type: ignore[attr-defined]
    verbs = {
        verb: import_module(f"pytest_rollout.cli.{verb.replace('-', '_')}").command
        for verb in _VERBS
    }
    told = {
        verb: one.help
        for verb, command in verbs.items()
        for one in command.params
        if "--env" in one.opts
    }
    # A load is rehearsed unless somebody says otherwise, as a run of pytest is.
    assert told.pop("load") == "which environment (default: embedded)"
    assert set(told.values()) == {asked.help}
    assert {"clear", "begin", "status", "sign", "watch"} <= set(told)


@pytest.mark.parametrize("verb", SHOWN, ids=" ".join)
def test_a_rehearsal_stands_in_aloud_where_nothing_else_is_known(
    project: Project, verb: tuple[str, ...]
) -> None:
    rehearsed(project)
    answer = project.rollout(*verb)
    assert answer.err.endswith(
        ": nothing is on record in prod, so this is the rehearsal (embedded); --env shows another "
        "one\n"
    )
    assert answer.status == (11 if verb[0] == "decide" else 0)
    asked_for = project.rollout(*verb, "--env", "embedded")
    assert (asked_for.status, asked_for.err) == (0, "")


@pytest.mark.parametrize("verb", SHOWN, ids=" ".join)
def test_the_only_real_environment_is_shown_from_its_first_record_on(
    project: Project, verb: tuple[str, ...]
) -> None:
    rehearsed(project)
    asked_in_prod(project)
    answer = project.rollout(*verb)
    assert (answer.status, answer.err) == (0, "")
    assert "prod" in answer.out


def test_a_partial_run_in_the_real_one_hides_no_rehearsal_behind_it(project: Project) -> None:
    rehearsed(project)
    with project.ledger() as ledger:
        Writer(ledger, "p1", environment="prod", gates=(ENTRY,), partial=("-k",)).good()
    answer = project.rollout("decide", "demo.canary/entry")
    assert answer.status == 4
    assert "no full run has asked for demo.canary/entry in prod yet" in answer.err


def test_a_rehearsal_never_clears_a_change(project: Project) -> None:
    rehearsed(project)
    answer = project.rollout("clear", "demo.canary")
    assert answer.status == 11
    assert answer.out.splitlines()[-1] == "demo.canary/entry in prod: NOT clear (HOLD)"


@pytest.mark.parametrize("verb", [*SHOWN, *ABOUT_A_REAL_ONE, ("clear", "demo.canary")], ids=str)
def test_of_several_real_ones_none_is_guessed(project: Project, verb: tuple[str, ...]) -> None:
    rehearsed(project, SEVERAL)
    answer = project.rollout(*verb)
    assert (answer.status, answer.err) == (4, "rollout: --env: say which (known: lab, prod)\n")


def test_a_plan_of_rehearsals_alone_has_one_environment(project: Project) -> None:
    rehearsed(project, ALONE)
    for verb in (*SHOWN, ("clear", "demo.canary")):
        answer = project.rollout(*verb)
        assert (answer.status, answer.err) == (0, ""), verb
    refused = project.rollout("begin", "demo.canary", *BY)
    assert (refused.status, "no environment but the rehearsal" in refused.err) == (4, True)


def test_plans_that_share_no_environment_are_shown_each_in_its_own(project: Project) -> None:
    rehearsed(project)
    asked_in_prod(project)
    other = project.root / "suites" / "other"
    other.mkdir(parents=True)
    (other / "rollout.yaml").write_text(
        PLAN.replace("plan: demo", "plan: other").replace("prod:", "live:")
    )
    answer = project.rollout("status")
    assert "demo: A demo (prod)" in answer.out
    assert "other: A demo (live)" in answer.out
    data = project.rollout("status", "--json").json
    assert data["environment"] is None
    assert [row["environment"] for row in data["phases"]] == ["prod", "live"]
