"""`rollout amend`: what a criterion asks after the begin, by the word of two people."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_rollout.evidence.bodies import StatementAmended
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.phase_life import PhaseLife
from pytest_rollout.judge.since_begin import statements_of
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.plan import Address
from pytest_rollout.report import sentences
from tests.cli.conftest import Answer, Project
from tests.cli.test_phase_life import PLAN, begun, decided, verb
from tests.evidence.runs import ENTRY, EXIT, Writer
from tests.signoff.test_ssh import allowed, new_key
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
    return judging(ledger, project, name, EXIT)


def judging(ledger: Ledger, project: Project, name: str, gate: Address) -> Writer:
    """A run of a gate by the plan as it is, and the files beside it."""
    names = ("roles.yaml", "allowed_signers", "revoked_keys")
    files = [project.plan.with_name(one) for one in names]
    beside = {file.name: file.read_text() for file in files if file.exists()}
    text = project.plan.read_text()
    return Writer(ledger, name, environment="prod", text=text, gates=(gate,), beside=beside)


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
    run(served, "nobody amended it yet", 3, 3)
    answer = amend(served)
    assert answer.status == 0, answer.err
    assert "as stated:  No request fails: the largest of errors" in answer.out
    assert "must be at most 0" in answer.out
    assert "must be at most 4" in answer.out
    assert "seen before: 1 look, 1 did not pass; the last was fail (" in answer.out
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
    edit(served, 'pass: "<= 4"', 'pass: "<= 5"')
    assert "seen before: 1 look, 0 did not pass" in amend(served).out, "r1 was before this begin"


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


@pytest.fixture
def signed(served: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with keys of Ada and Bob, who are people with keys of a phase that has begun."""
    folder = tmp_path_factory.mktemp("keys")
    edit(served, "    owners: [sre]", "    owners: [sre, product]\n    signoff: [sre]")
    pairs = [(name, new_key(folder, name)) for name in ("ada", "bob")]
    lines = [allowed(key, f"{name}@example.com").strip() for name, key in pairs]
    served.plan.with_name("roles.yaml").write_text(ROLES)
    served.plan.with_name("allowed_signers").write_text("\n".join(lines) + "\n")
    begun_signed(served, folder)
    edit(served, *LOOSER)
    return folder


def begun_signed(project: Project, keys: Path) -> None:
    with project.ledger() as ledger:
        judging(ledger, project, "entry", ENTRY).good(t_us=_just_now())
    where = ("demo.canary/entry", "--env", "prod", "--by", "ada@example.com")
    key = ("--as", "sre", "--key", str(keys / "ada"))
    assert project.rollout("sign", *where, *key).status == 0
    answer = verb(project, "begin")
    assert answer.status == 0, answer.out + answer.err


def codes(decision: Decision) -> list[str]:
    return [cause.reason.code for cause in decision.reasons]


def test_where_people_have_keys_the_approver_signs(served: Project, signed: Path) -> None:
    answer = amend(served)
    assert answer.status == 4
    assert "--key: roles.yaml beside rollout.yaml has keys" in answer.err
    answer = amend(served, "errors", *TWO, "--key", str(signed / "ada"))
    assert (answer.status, "not signed by bob@example.com" in answer.err) == (4, True), answer.err
    assert codes(run(served, "r1", 3, 3).decisions[0]) == ["begin.unamended"], "none was recorded"
    answer = amend(served, "errors", *TWO, "--key", str(signed / "bob"))
    assert answer.status == 0, answer.err
    assert "approved by bob@example.com, signed" in answer.out
    (decision,) = run(served, "r2", 3, 3).decisions
    assert (decision.answer.value, len(decision.amendments)) == ("GO", 1)


def stored(project: Project, **changes: Any) -> None:
    """Put the newest amendment on record again, with another text."""
    with project.ledger() as ledger:
        life = PhaseLife(ledger, EXIT, "prod")
        told = life.told_since_begin()
        (amended,) = [one for one in told if isinstance(one, StatementAmended)]
    edit(project, 'pass: "<= 4"', 'pass: "<= 5"')
    with project.ledger() as ledger:
        plan = of(ledger, project, "unused").plan
        now = statements_of(plan.phases[0])["errors"]
        PhaseLife(ledger, EXIT, "prod").record(replace(amended, now=now, **changes))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, "not signed by bob@example.com"),
        ({"armour": ""}, "it is not signed, and roles.yaml has keys"),
        ({"approved_by": "ada@example.com"}, "not signed by ada@example.com"),
    ],
)
def test_an_amendment_that_is_not_its_approvers_is_none(
    served: Project, signed: Path, changes: dict[str, str], why: str
) -> None:
    assert amend(served, "errors", *TWO, "--key", str(signed / "bob")).status == 0
    stored(served, **changes)
    (decision,) = run(served, "r1", 3, 3).decisions
    assert (decision.answer.value, codes(decision)) == ("HOLD", ["begin.unamended"])
    text = sentences.text(decision.reasons[0].reason, "UTC")
    assert "its amendment by ada@example.com, approved by" in text
    assert f"does not count: {why}" in text
    cleared = served.rollout("clear", "demo.canary", "--env", "prod")
    assert cleared.status == 11
    assert f"does not count: {why}" in cleared.out
    amended = amend(served, "errors", *TWO, "--key", str(signed / "bob"))
    assert amended.status == 0, amended.err
    assert run(served, "r2", 3, 3).decisions[0].answer.value == "GO"


def test_a_key_that_was_revoked_takes_its_amendments_with_it(served: Project, signed: Path) -> None:
    assert amend(served, "errors", *TWO, "--key", str(signed / "bob")).status == 0
    assert run(served, "r1", 3, 3).decisions[0].answer.value == "GO"
    revoked = (signed / "bob.pub").read_text()
    served.plan.with_name("revoked_keys").write_text(revoked)
    cleared = served.rollout("clear", "demo.canary", "--env", "prod")
    assert "signed with a key of bob@example.com that was revoked" in cleared.out


def test_without_keys_nobody_could_verify_one(served: Project, tmp_path: Path) -> None:
    begun(served)
    edit(served, *LOOSER)
    answer = amend(served, "errors", *TWO, "--key", str(new_key(tmp_path, "bob")))
    assert (answer.status, "nobody could verify it" in answer.err) == (4, True)


def test_clear_says_that_an_amendment_counts_from_the_next_run_on(served: Project) -> None:
    begun(served)
    edit(served, *LOOSER)
    run(served, "r1", 3, 3)
    assert amend(served).status == 0
    told = served.rollout("clear", "demo.canary", "--env", "prod").out
    assert "-> demo.canary.errors was amended by Ada at" in told
    assert "`rollout join demo.canary/exit --env prod` decides the last run anew" in told
    joined = served.rollout("join", "demo.canary", "--env", "prod")
    assert joined.status == 0, joined.out
