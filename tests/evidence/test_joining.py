"""Joining runs that each did a part: what counts, what is missing, and what cannot be joined."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from pytest_rollout.evidence.bodies import StoredEvent
from pytest_rollout.evidence.history import last_full_run
from pytest_rollout.evidence.joining import choose, join
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.phase_life import PhaseLife
from pytest_rollout.evidence.records import RecordKind
from pytest_rollout.evidence.run_log import RunLog, first_of
from pytest_rollout.evidence.verify import verify
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.finding import Finding
from pytest_rollout.model.people import Authors
from pytest_rollout.model.plan import EMBEDDED, Address
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.report import sentences
from tests.evidence.runs import (
    ENTRY,
    EXIT,
    FAIL,
    ITEMS,
    PASS,
    PLAN,
    START,
    Place,
    Writer,
    append,
    copied,
    opened,
    tamper,
)
from tests.evidence.test_merging import beside
from tests.evidence.test_merging import joined as merged

READY, WORKS, ERRORS = (names[0] for names in ITEMS.values())
CANARY = Address("demo", "canary")
ONE, TWO = "r1", "r2"


def nobody(process: object) -> bool:
    """No process runs."""
    return False


@dataclass
class Part(Writer):
    """A run of some of the checks; the others are deselected."""

    environment: str = "prod"
    ran: tuple[str, ...] = (READY,)
    verdicts: tuple[tuple[str, str], ...] = PASS
    errors: tuple[object, ...] = (0, 0, 0)
    items: dict[str, tuple[str, ...]] = field(default_factory=lambda: dict(ITEMS))

    def write(self, *, sealed: bool = True) -> Part:
        self.start()
        items = [name for names in self.items.values() for name in names]
        left = {name: "deselected by -k" for name in items if name not in self.ran}
        self.manifest(items=self.items, dropped=left)
        for name in self.ran:
            if name == ERRORS:
                self.batch(name, errors=self.errors)
            else:
                self.batch(name, self.verdicts)
        if sealed:
            self.seal()
            self.decide()
        return self


def judged(ledger: Ledger, *named: str, environment: str = "prod") -> Decision:
    """The decision of the exit, of runs that are joined."""
    choice = choose(ledger, EXIT, environment, named, running=nobody)
    run = join(ledger, EXIT, choice)
    return Writer(ledger, run, environment).judged()


def verdict(decision: Decision, slug: str) -> Verdict:
    return found(decision, slug).verdict


def found(decision: Decision, slug: str) -> Finding:
    return next(one for one in decision.criteria if one.id.endswith(f".{slug}"))


def test_two_halves_are_one_decision(ledger: Ledger) -> None:
    Part(ledger, ONE, ran=(READY, WORKS)).write()
    Part(ledger, TWO, ran=(ERRORS,)).write()
    decision = judged(ledger)
    assert decision.answer is Answer.GO
    assert not decision.partial
    assert decision.looks == 1
    assert decision.run.startswith("join-")
    asked = last_full_run(ledger, EXIT, "prod")
    assert asked is not None
    assert asked.run == decision.run
    assert verify(ledger, ()).problems == ()


def test_what_none_of_them_ran_is_missing(ledger: Ledger) -> None:
    Part(ledger, ONE, ran=(READY,)).write()
    Part(ledger, TWO, ran=(ERRORS,)).write()
    decision = judged(ledger)
    assert decision.answer is Answer.HOLD
    assert verdict(decision, "works") is Verdict.MISSING
    assert verdict(decision, "errors") is Verdict.PASS
    said = [sentences.text(cause.reason, "UTC") for cause in decision.reasons]
    assert any("test_works" in one for one in said)


@pytest.mark.parametrize("worse", [0, 1], ids=["first", "last"])
def test_of_two_reports_the_worse_counts(ledger: Ledger, worse: int) -> None:
    for number, run in enumerate((ONE, TWO)):
        verdicts = FAIL if number == worse else PASS
        Part(ledger, run, ran=(READY, WORKS, ERRORS)[number:], verdicts=verdicts).write()
    decision = judged(ledger)
    assert verdict(decision, "works") is Verdict.FAIL
    assert decision.answer is Answer.NO_GO


def test_samples_of_all_of_them_are_judged(ledger: Ledger) -> None:
    Part(ledger, ONE, ran=(READY, WORKS, ERRORS), errors=(0, 0)).write()
    two = Part(ledger, TWO, ran=(ERRORS,))
    two.start()
    two.manifest(dropped={READY: "-k", WORKS: "-k"})
    two.batch(ERRORS, errors=(0, 9), t_us=50_000_000)
    two.seal()
    decision = judged(ledger)
    assert verdict(decision, "errors") is Verdict.FAIL


def test_a_rehearsal_is_joined_like_any_other(ledger: Ledger) -> None:
    Part(ledger, ONE, EMBEDDED, ran=(READY, WORKS)).write()
    Part(ledger, TWO, EMBEDDED, ran=(ERRORS,)).write()
    assert judged(ledger, environment=EMBEDDED).answer is Answer.GO


def test_the_last_full_run_takes_part_where_the_others_leave_checks_out(ledger: Ledger) -> None:
    Writer(ledger, ONE, "prod").good(works=FAIL)
    Part(ledger, TWO, ran=(READY,)).write()
    assert verdict(judged(ledger), "works") is Verdict.FAIL


def test_halves_that_ran_all_of_it_again_are_a_new_look(ledger: Ledger) -> None:
    Writer(ledger, "r0", "prod").good(works=FAIL)
    Part(ledger, ONE, ran=(READY, WORKS)).write()
    Part(ledger, TWO, ran=(ERRORS,)).write()
    choice = choose(ledger, EXIT, "prod", running=nobody)
    assert dict(choice.left_out) == {"r0": "the others ran all of its checks again"}
    decision = judged(ledger)
    assert (decision.answer, decision.looks) == (Answer.GO, 2)
    assert decision.conditions  # it failed before


def other_plan(part: Part) -> Part:
    return replace(part, text=PLAN.replace("It works", "It works well"))


def other_release(part: Part) -> Part:
    return replace(part, release="v2")


def other_gate(part: Part) -> Part:
    return replace(part, gates=(Address.parse("demo.canary/entry"),))


OTHERS: dict[str, tuple[Callable[[Part], Part], str]] = {
    "plan": (other_plan, "it was judged by another text of the plan"),
    "release": (other_release, "it is of release v1, not v2"),
}


@pytest.mark.parametrize("what", ["plan", "release"])
def test_what_is_of_something_else_is_left_out_and_refused_by_name(
    ledger: Ledger, what: str
) -> None:
    change, why = OTHERS[what]
    Part(ledger, ONE, ran=(READY, WORKS)).write()
    change(Part(ledger, TWO, ran=(ERRORS,))).write()
    choice = choose(ledger, EXIT, "prod", running=nobody)
    assert [log.first.run for log in choice.logs] == [TWO]
    assert why in choice.left_out[ONE]
    with pytest.raises(RolloutError, match=why):
        choose(ledger, EXIT, "prod", [ONE, TWO], running=nobody)


def test_a_run_of_another_gate_cannot_be_named(ledger: Ledger) -> None:
    Part(ledger, ONE, ran=(READY, WORKS)).write()
    other_gate(Part(ledger, TWO, ran=(READY,))).write()
    with pytest.raises(RolloutError, match="did not ask for"):
        choose(ledger, EXIT, "prod", [ONE, TWO], running=nobody)
    with pytest.raises(RolloutError, match="no run r9 in prod"):
        choose(ledger, EXIT, "prod", ["r9"], running=nobody)


def test_another_configuration_is_refused(ledger: Ledger) -> None:
    for run, fingerprint in ((ONE, "a"), (TWO, "b")):
        part = Part(ledger, run, ran=(READY, WORKS, ERRORS))
        part.start()
        fact = {"when": "end", "release": "v1", "configuration": fingerprint}
        part.append(
            RecordKind.RELEASE, {**fact, "reference": None, "error": None}, "demo", "demo.canary"
        )
        part.manifest()
        part.checks()
        part.seal()
    with pytest.raises(RolloutError, match="of configuration"):
        choose(ledger, EXIT, "prod", [ONE, TWO], running=nobody)


def test_a_run_that_never_finished_is_refused_by_name_and_left_out(ledger: Ledger) -> None:
    Part(ledger, "r0", ran=(READY,)).write(sealed=False)
    Part(ledger, ONE, ran=(READY, WORKS)).write()
    Part(ledger, TWO, ran=(ERRORS,)).write()
    with pytest.raises(RolloutError, match="run r0 cannot be joined, it never finished"):
        choose(ledger, EXIT, "prod", ["r0", ONE, TWO], running=nobody)
    choice = choose(ledger, EXIT, "prod", running=nobody)
    assert choice.left_out["r0"].startswith("it never finished")
    assert judged(ledger).answer is Answer.GO


def test_a_failure_of_a_run_that_never_finished_is_not_passed_over(ledger: Ledger) -> None:
    Part(ledger, "r0", ran=(WORKS,), verdicts=FAIL).write(sealed=False)
    Part(ledger, ONE, ran=(READY, WORKS, ERRORS)[:2]).write()
    Part(ledger, TWO, ran=(ERRORS,)).write()
    with pytest.raises(RolloutError, match=r"r0 never finished and saw .*test_works fail"):
        choose(ledger, EXIT, "prod", running=nobody)


def test_a_red_part_cannot_be_left_out_by_naming_the_others(ledger: Ledger) -> None:
    Part(ledger, "r0", ran=(WORKS,), verdicts=FAIL).write()
    Part(ledger, ONE, ran=(READY, WORKS)).write()
    Part(ledger, TWO, ran=(ERRORS,)).write()
    with pytest.raises(RolloutError, match="--runs leaves out run r0"):
        choose(ledger, EXIT, "prod", [ONE, TWO], running=nobody)
    assert verdict(judged(ledger), "works") is Verdict.FAIL


def test_a_run_that_still_runs_is_waited_for(ledger: Ledger) -> None:
    Part(ledger, ONE, ran=(READY, WORKS)).write()
    part = Part(ledger, TWO, ran=(ERRORS,))
    body = {**START, "plans": {"demo": part.judged_by}, "gates": [str(EXIT)], "partial": ["-k"]}
    body |= {"process": {"host": "h", "pid": 7, "began": "1"}}
    append(ledger, RecordKind.RUN, TWO, body, environment="prod")
    part.identify("start")
    with pytest.raises(RolloutError, match="run r2 still runs"):
        choose(ledger, EXIT, "prod", running=lambda process: process.pid == 7)


def test_runs_of_paths_do_not_say_what_is_missing(ledger: Ledger) -> None:
    only = ("collected only t.py, not all of .",)
    Part(ledger, ONE, partial=only, ran=(READY, WORKS)).write()
    Part(ledger, TWO, partial=only, ran=(ERRORS,)).write()
    with pytest.raises(RolloutError, match=r"none of the 2 runs collected all .*nobody knows"):
        choose(ledger, EXIT, "prod", running=nobody)
    Part(ledger, "r3", ran=()).write()  # a job that lists, and runs nothing
    assert judged(ledger).answer is Answer.GO


def test_runs_that_collected_different_checks_are_refused(ledger: Ledger) -> None:
    Part(ledger, ONE, ran=(READY, WORKS)).write()
    more = {**ITEMS, "demo.canary.works": (WORKS, "t.py::test_more")}
    Part(ledger, TWO, ran=(ERRORS,), items=more).write()
    with pytest.raises(RolloutError, match=r"collected different checks.*test_more"):
        choose(ledger, EXIT, "prod", running=nobody)


def test_a_damaged_part_is_refused(ledger: Ledger) -> None:
    Part(ledger, ONE, ran=(READY, WORKS)).write()
    Part(ledger, TWO, ran=(ERRORS,)).write()
    tamper(ledger.name, "UPDATE records SET body = body || ' ' WHERE sequence = 4")
    with pytest.raises(RolloutError, match="run r1 was damaged"):
        choose(ledger, EXIT, "prod", running=nobody)


def test_nothing_to_join(ledger: Ledger) -> None:
    with pytest.raises(RolloutError, match="nothing to join"):
        choose(ledger, EXIT, "prod", running=nobody)
    Part(ledger, ONE).write(sealed=False)
    with pytest.raises(RolloutError, match="r1 never finished"):
        choose(ledger, EXIT, "prod", running=nobody)


@pytest.mark.parametrize(
    ("one", "two", "joined"),
    [
        (None, None, None),
        (Authors(("ada",)), Authors(("bob", "ada")), Authors(("ada", "bob"))),
        (Authors(("ada",)), None, Authors(error="run r2: it did not read it")),
        (Authors(("ada",)), Authors(error="not set"), Authors(error="run r2: not set")),
        (None, Authors(("ada",)), Authors(error="run r1: it did not read it")),
    ],
)
def test_the_authors_are_those_of_every_part(
    ledger: Ledger, one: Authors | None, two: Authors | None, joined: Authors | None
) -> None:
    Part(ledger, ONE, ran=(READY, WORKS), authors=one).write()
    Part(ledger, TWO, ran=(ERRORS,), authors=two).write()
    judged(ledger)
    asked = last_full_run(ledger, EXIT, "prod")
    assert asked is not None
    assert asked.run.startswith("join-")
    assert asked.authors == joined


def test_a_join_is_as_old_as_the_oldest_run_in_it(ledger: Ledger) -> None:
    Part(ledger, ONE, ran=(READY, WORKS)).write()
    Part(ledger, TWO, ran=(ERRORS,)).write()
    judged(ledger)
    asked = last_full_run(ledger, EXIT, "prod")
    assert asked is not None
    assert asked.run.startswith("join-")
    assert first_of(ledger, asked.run) == ledger.of_run(ONE)[0]
    assert first_of(ledger, TWO) == ledger.of_run(TWO)[0]


def test_a_join_that_was_killed_stands_in_nobodys_way(ledger: Ledger) -> None:
    Part(ledger, ONE, ran=(READY, WORKS), verdicts=FAIL).write()
    Part(ledger, TWO, ran=(ERRORS,)).write()
    choice = choose(ledger, EXIT, "prod", running=nobody)
    join(ledger, EXIT, choice)
    tamper(ledger.name, "DELETE FROM records WHERE kind = 'seal' AND run LIKE 'join-%'")
    with opened(ledger.name) as other:  # by another process
        again = choose(other, EXIT, "prod", running=nobody)
        assert [log.first.run for log in again.logs] == [ONE, TWO]
        assert dict(again.left_out) == {}
        assert judged(other).answer is Answer.NO_GO


TROUBLE = {
    "a batch of the joined run": "UPDATE records SET body = replace(body, 'pass', 'warn')"
    " WHERE kind = 'batch' AND run LIKE 'join-%'",
    "a part that is gone": "DELETE FROM records WHERE run = 'r2'",
    "a part that was changed": "UPDATE observations SET value = '7' WHERE id = 1",
}


@pytest.mark.parametrize("what", TROUBLE)
def test_a_joined_run_is_worth_what_its_parts_are(ledger: Ledger, what: str) -> None:
    Part(ledger, ONE, ran=(READY, WORKS)).write()
    Part(ledger, TWO, ran=(ERRORS,)).write()
    decision = judged(ledger)
    assert decision.answer is Answer.GO
    tamper(ledger.name, TROUBLE[what])
    assert Writer(ledger, decision.run, "prod").judged().answer is Answer.HOLD


def test_a_joined_run_that_holds_something_else_is_damaged(ledger: Ledger) -> None:
    """Written whole and sealed by another program: its parts say otherwise."""
    Part(ledger, ONE, ran=(READY, WORKS), verdicts=FAIL).write()
    forged = Part(ledger, "join-1", ran=(READY, WORKS, ERRORS))
    plans = {"demo": forged.judged_by}
    gates = [str(gate) for gate in forged.gates]
    append(
        ledger,
        RecordKind.RUN,
        "join-1",
        {**START, "plans": plans, "gates": gates, "joins": [ONE]},
        environment="prod",
    )
    forged.identify("start")
    forged.manifest()
    forged.checks()
    forged.seal()
    decision = forged.judged()
    assert decision.answer is Answer.HOLD
    said = [sentences.text(one.reason, "UTC") for one in decision.demands]
    assert any("does not hold what its runs hold" in one for one in said)


def happened(ledger: Ledger, what: str) -> None:
    """The phase began, or ended."""
    event = StoredEvent(type=what, t_us=time.time_ns() // 1000, says=what)
    PhaseLife(ledger, CANARY, "prod").record(event)


@pytest.mark.parametrize("ended", [False, True], ids=["before", "in-another-life"])
def test_runs_of_an_exit_are_joined_under_one_begin_only(ledger: Ledger, *, ended: bool) -> None:
    if ended:
        happened(ledger, "begin")
    Part(ledger, ONE, ran=(READY, WORKS)).write()
    if ended:
        happened(ledger, "end")
    happened(ledger, "begin")
    why = "it ran under another begin" if ended else "it ran before the phase began"
    with pytest.raises(RolloutError, match=f"run r1 cannot be joined: {why}"):
        choose(ledger, EXIT, "prod", running=nobody)
    Part(ledger, TWO, ran=(ERRORS,)).write()
    choice = choose(ledger, EXIT, "prod", running=nobody)
    assert [log.first.run for log in choice.logs] == [TWO]
    assert choice.left_out[ONE].startswith(why)
    with pytest.raises(RolloutError, match=f"run r1 cannot be joined with run r2: {why}"):
        choose(ledger, EXIT, "prod", [ONE, TWO], running=nobody)
    decision = judged(ledger)
    assert (decision.answer, verdict(decision, "works")) == (Answer.HOLD, Verdict.MISSING)


def test_a_joined_run_is_judged_by_the_begin_of_its_parts(ledger: Ledger) -> None:
    happened(ledger, "begin")
    begin = ledger.head().sequence
    Part(ledger, ONE, ran=(READY, WORKS)).write()
    Part(ledger, TWO, ran=(ERRORS,)).write()
    decision = judged(ledger)
    assert decision.answer is Answer.GO
    assert RunLog(ledger.of_run(decision.run)).start.begins == {"demo.canary": begin}
    tamper(ledger.name, f"DELETE FROM records WHERE sequence = {begin}")
    assert Writer(ledger, decision.run, "prod").judged().answer is Answer.HOLD


def test_entries_are_joined_whenever_the_phase_began(ledger: Ledger) -> None:
    Part(ledger, ONE, gates=(ENTRY,), ran=(READY, WORKS)).write()
    happened(ledger, "begin")
    Part(ledger, TWO, gates=(ENTRY,), ran=(ERRORS,)).write()
    choice = choose(ledger, ENTRY, "prod", running=nobody)
    assert [log.first.run for log in choice.logs] == [ONE, TWO]


def test_parts_under_one_begin_are_joined_after_a_merge_that_moves_it(
    place: Place, tmp_path: Path
) -> None:
    older = beside(place, "older")
    with opened(older) as ledger:
        Writer(ledger, "r0", EMBEDDED).good()
    with opened(place) as ledger:
        happened(ledger, "begin")
    copies = [copied(place, tmp_path, f"{name}.db") for name in ("one", "two")]
    merged(copies[1], older)  # the begin has another place in it than in the others
    for copy, run, ran in zip(copies, (ONE, TWO), ((READY, WORKS), (ERRORS,)), strict=True):
        with opened(copy) as ledger:
            Part(ledger, run, ran=ran).write()
    merged(place, *copies)
    with opened(place) as ledger:
        decision = judged(ledger)
        assert len(RunLog(ledger.of_run(decision.run)).start.joins) == 2
        assert decision.answer is Answer.GO
