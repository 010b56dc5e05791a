"""`rollout amend`: what a criterion asks after the begin, by the word of two people."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from pytest_rollout.evidence.ledger import Ledger
from tests.cli.conftest import Answer, Project
from tests.cli.test_phase_life import PLAN, begun, decided, verb
from tests.evidence.runs import ENTRY, EXIT, Writer
from tests.targets.test_identity import answering, saying

LOOSER = ('pass: "<= 0"', 'pass: "<= 4"')
TWO = ("--by", "Ada", "--approved-by", "Bob", "--why", "the old limit was a guess, INC-9")
ROLES = """\
people:
  - {id: ada@example.com, name: Ada, roles: [sre]}
  - {id: bob@example.com, name: Bob, roles: [sre, product]}
  - {id: cleo@example.com, name: Cleo, roles: [product]}
"""


@pytest.fixture
def served(project: Project) -> Iterator[Project]:
    with answering(saying('{"version": "v1"}')) as url:
        project.plan.write_text(PLAN.replace("URL", url))
        yield project


def edit(project: Project, *pair: str) -> None:
    text = project.plan.read_text()
    assert pair[0] in text
    project.plan.write_text(text.replace(pair[0], pair[1]))


def run(project: Project, name: str, *errors: int) -> Writer:
    """A run of the exit, which is decided and stored."""
    with project.ledger() as ledger:
        return of(ledger, project, name).good(errors=errors or (0, 0), t_us=_just_now())


def of(ledger: Ledger, project: Project, name: str) -> Writer:
    text = project.plan.read_text()
    return Writer(ledger, run=name, environment="prod", text=text, gates=(EXIT,))


def _just_now() -> int:
    return time.time_ns() // 1000 - 3_000_000


def amend(project: Project, slug: str = "errors", *more: str) -> Answer:
    return project.rollout("amend", f"demo.canary.{slug}", *(more or TWO))


def report(project: Project, name: str) -> Any:
    """What a report of the exit says: the text of a file."""
    done = project.rollout("report", "demo.canary/exit", "--env", "prod")
    assert done.status == 0, done.err
    (found,) = project.root.glob(f"rollout-report/demo/prod/canary/exit/{name}")
    return found.read_text()


def test_a_criterion_that_was_changed_and_not_amended_holds(served: Project) -> None:
    begun(served)
    assert run(served, "r1", 3, 3).decisions[0].answer.value == "NO-GO"
    edit(served, *LOOSER)
    (held,) = run(served, "r2", 3, 3).decisions
    assert held.answer.value == "HOLD"
    (cause,) = held.reasons
    assert (cause.id, cause.reason.code) == ("phase.stated", "begin.unamended")
    shown = report(served, "report.md")
    assert "errors was changed since the phase began, and nobody amended it" in shown
    assert "at the begin it was: No request fails: the largest of errors" in shown
    assert "rollout amend demo.canary.errors" in shown


def test_an_amendment_is_a_condition_and_says_what_was_seen_before(served: Project) -> None:
    begun(served)
    run(served, "r1", 3, 3)
    edit(served, *LOOSER)
    answer = amend(served)
    assert answer.status == 0, answer.err
    assert "as stated:  No request fails: the largest of errors" in answer.out
    assert "must be at most 0" in answer.out
    assert "must be at most 4" in answer.out
    assert "seen before: 1 looks, 1 did not pass; the last was fail (" in answer.out
    (decision,) = run(served, "r2", 3, 3).decisions
    assert decision.answer.value == "GO"
    (amendment,) = decision.amendments
    assert (amendment.by, amendment.approved_by, amendment.failed) == ("Ada", "Bob", 1)
    told = [(one.id, one.reason.code) for one in decision.conditions]
    assert told == [("demo.canary.errors", code) for code in ("failed-before", "amended")]
    for name in ("report.md", "report.html"):
        shown = report(served, name)
        assert "approved by Bob" in shown, name
        assert "AFTER IT HAD NOT PASSED in 1 look" in shown, name
        assert "as stated: No request fails: the largest of errors" in shown, name
        assert "at most 4" in shown, name
    (stored,) = json.loads(report(served, "decision.json"))["amendments"]
    assert (stored["criterion"], stored["verdict"]) == ("demo.canary.errors", "fail")


@pytest.mark.parametrize(
    ("pair", "how", "slug"),
    [
        (("id: works,", "id: works, severity: soft,"), "changed", "works"),
        (("      - {id: works, kind: demo, says: It works}\n", ""), "dropped", "works"),
        (("id: works, kind", "id: works2, kind"), "added", "works2"),
        (('fail: "> 9"', 'fail: "> 99"'), "changed", "rail"),
        (("id: works,", "id: works, gate: entry,"), "dropped", "works"),
    ],
)
def test_whatever_changed_of_the_exit_is_amended(
    served: Project, pair: tuple[str, str], how: str, slug: str
) -> None:
    begun(served)
    edit(served, *pair)
    with served.ledger() as ledger:
        found = of(ledger, served, "r1")
        held = found.good(t_us=_just_now()).decisions[0]
    told = [c.reason.facts for c in held.reasons if c.reason.code == "begin.unamended"]
    assert [(one["criterion"], one["how"]) for one in told if one["criterion"] == slug] == [
        (slug, how)
    ]
    assert amend(served, slug).status == 0
    with served.ledger() as ledger:
        after = of(ledger, served, "r2").good(t_us=_just_now()).decisions[0]
    left = [c.reason.facts for c in after.reasons if c.reason.code == "begin.unamended"]
    assert slug not in [one["criterion"] for one in left]


def test_a_comment_is_no_change(served: Project) -> None:
    begun(served)
    edit(served, "phases:", "phases:  # in order")
    assert run(served, "r1").decisions[0].answer.value == "GO"


def test_a_change_that_was_taken_back_needs_no_amendment(served: Project) -> None:
    begun(served)
    before = served.plan.read_text()
    edit(served, *LOOSER)
    assert run(served, "r1").decisions[0].answer.value == "HOLD"
    served.plan.write_text(before)
    (decision,) = run(served, "r2").decisions
    assert (decision.answer.value, decision.amendments) == ("GO", ())


def test_a_change_after_an_amendment_needs_another(served: Project) -> None:
    begun(served)
    edit(served, *LOOSER)
    assert amend(served).status == 0
    edit(served, 'pass: "<= 4"', 'pass: "<= 5"')
    assert run(served, "r1").decisions[0].answer.value == "HOLD"
    answer = amend(served)
    assert "as stated:  No request fails: the largest of errors" in answer.out
    assert "must be at most 4" in answer.out
    assert len(run(served, "r2").decisions[0].amendments) == 2


def test_an_amendment_ends_with_its_phase(served: Project) -> None:
    begun(served)
    edit(served, *LOOSER)
    assert amend(served).status == 0
    run(served, "r1")
    assert served.rollout("end", "demo.canary", "--by", "Ada").status == 0
    decided(served, ENTRY, "entry2")
    assert verb(served, "begin").status == 0
    (decision,) = run(served, "r2").decisions
    assert (decision.answer.value, decision.amendments) == ("GO", ())


@pytest.mark.parametrize(
    ("slug", "more", "why"),
    [
        ("errors", TWO, "demo.canary.errors asks what it asked when the phase began"),
        ("error", TWO, "the exit of demo.canary states no `error` (did you mean `errors`?)"),
    ],
)
def test_mistakes_are_one_message(
    served: Project, slug: str, more: tuple[str, ...], why: str
) -> None:
    begun(served)
    answer = amend(served, slug, *more)
    assert answer.status == 4
    assert why in answer.err


def test_what_is_amended_is_named_in_full(served: Project) -> None:
    for name in ("errors", "demo.canary", "demo.canary/exit.errors"):
        answer = served.rollout("amend", name, *TWO)
        assert (answer.status, "is not plan.phase.criterion" in answer.err) == (4, True), name


def test_before_the_begin_a_plan_is_changed_without_amending(served: Project) -> None:
    run(served, "r1")
    edit(served, *LOOSER)
    assert "demo.canary has not begun in prod" in amend(served).err


@pytest.mark.parametrize(
    ("by", "approved_by", "why"),
    [
        ("Ada", "ada ", "Ada cannot approve an amendment of their own"),
        ("Ada", " ", "--approved-by: says nothing"),
    ],
)
def test_it_takes_two_people(served: Project, by: str, approved_by: str, why: str) -> None:
    begun(served)
    edit(served, *LOOSER)
    answer = amend(served, "errors", "--by", by, "--approved-by", approved_by, "--why", "x")
    assert answer.status == 4
    assert why in answer.err


@pytest.mark.parametrize(
    ("by", "approved_by", "why"),
    [
        ("Ada", "ada@example.com", "Ada cannot approve an amendment of their own"),
        ("Zoe", "Bob", "--by: roles.yaml names no `Zoe`"),
        ("Ada", "Cleo", "cleo@example.com is not sre today; ada@example.com, bob@example.com can"),
        ("Ada", "Bob", ""),
        ("cleo@example.com", "bob@example.com", ""),
    ],
)
def test_where_the_plan_names_its_people_they_are_of_them(
    served: Project, by: str, approved_by: str, why: str
) -> None:
    begun(served)
    edit(served, *LOOSER)
    edit(served, "    owners: [sre]", "    owners: [sre, product]\n    signoff: [sre]")
    served.plan.with_name("roles.yaml").write_text(ROLES)
    answer = amend(served, "errors", "--by", by, "--approved-by", approved_by, "--why", "x")
    assert (answer.status, why in answer.err) == (4 if why else 0, True), answer.err
