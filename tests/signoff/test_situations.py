"""Situations before a change, one a row: the right answer, and the words that go with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from pytest_rollout import calendar
from pytest_rollout.model.decision import Decision, OtherRun
from pytest_rollout.model.evidence import Attempt, FailedBefore, ReleaseFact
from pytest_rollout.model.finding import Finding, Reason, said
from pytest_rollout.model.override import Override
from pytest_rollout.model.people import Authors, Deputy, Person, Roster, Signature, Stance
from pytest_rollout.model.plan import Address, Gate, Plan
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.model.waiver import Waiver, Waives
from pytest_rollout.model.windows import CalendarUse, Occurrence, SharedCalendar
from pytest_rollout.report import sentences, statements
from pytest_rollout.signoff import receipt
from pytest_rollout.signoff.clearance import Clearance, GateFacts, clearance
from pytest_rollout.signoff.overriding import key, why_not_by
from pytest_rollout.signoff.signatures import Signed
from tests.judge.worlds import decided, plan_of, world_of

ZONE = "America/New_York"
HEADER = f"""\
plan: p
timezone: {ZONE}
release: {{target: api, path: /version, json: version}}
environments:
  embedded: {{targets: {{api: {{serve: "a:b"}}}}}}
  prod: {{targets: {{api: "http://api"}}}}
WINDOWS
phases:
  - {{id: zero, criteria: [{{id: c, kind: operational}}]}}
  - id: one
    owners: [engineering]
"""
CRITERIA = """\
    criteria:
      - {id: ready, gate: entry, kind: operational}
      - {id: there, gate: entry, kind: operational}
      - {id: done, kind: operational}
    guardrails: [{id: g, metric: m, take: max, fail: "> 1", then: [rollback]}]
    rollback: [the customer is called]
    on_rollback: {revalidate: [one/entry]}
"""
RELEASES = (ReleaseFact("start", "v1"), ReleaseFact("end", "v1"))
MONDAY = "2025-11-10T11:00:00-05:00"  # an hour after the gate was decided
MINUTE = 60_000_000
HOURS = 'windows: {change: [{days: mon-thu, hours: "09:00-16:00"}]}'
STAND_UP = 'windows: {freeze: [{days: mon-fri, hours: "11:30-11:45", why: daily stand-up}]}'
NIGHT = 'windows: {change: [{days: mon-sun, hours: "01:00-02:00"}]}'
FROZEN_NIGHT = 'windows: {freeze: [{days: mon-sun, hours: "01:30-01:45", why: backup}]}'
SKIPPED = 'windows: {change: [{days: mon-sun, hours: "02:00-03:00"}]}'
LONG_NIGHT = 'windows: {change: [{days: mon-sun, hours: "00:00-04:00"}]}'
DATED = '    date: 2025-11-10\n    hours: "09:00-11:30"\n'
TRIP = Reason("clear.tripped", {"guardrail": "p.one.g", "at": MONDAY, "says": "max of m was 2"})
BACK = "ROLLBACK at noon, run r0 decided it"
PEOPLE = Roster(
    people=(Person("ada", "Ada", ("sre",)), Person("bob", "Bob", ("pm", "sre"))),
    deputies=(Deputy("pm", "ada", date(2025, 11, 1), date(2025, 11, 12)),),
)


@dataclass(frozen=True)
class Situation:
    """What is so before a change, and what must be said."""

    name: str
    answer: str  # of the clearance
    says: str  # a part of one line, with its demand
    more: str = ""  # of the phase
    windows: str = ""
    now: str = MONDAY
    for_us: int = 0
    max_age_us: int | None = None
    checks: dict[str, str] = field(default_factory=dict)  # other verdicts than pass
    stated: Callable[[Plan], Plan] = lambda plan: plan  # the plan as it is now
    judged: Callable[[Plan], Plan] = lambda plan: plan  # the plan of the decision, and of now
    known: dict[str, Any] = field(default_factory=dict)
    facts: Callable[[Decision], dict[str, Any]] = lambda decision: {}


def waiver(kind: Waives, what: str, until: str = "2025-11-30") -> Waiver:
    return Waiver(kind, "one", what, "agreed", "A. One", "B. Two", date.fromisoformat(until))


def with_waiver(kind: Waives, what: str, until: str = "2025-11-30") -> Callable[[Plan], Plan]:
    return lambda plan: replace(plan, waivers=(waiver(kind, what, until),))


def staffed(plan: Plan) -> Plan:
    return replace(plan, roster=PEOPLE)


def signed(
    *given: tuple[str, str],
    stance: Stance = Stance.FOR,
    substance: str = "",
    trouble: str = "",
    day: int = 10,
) -> Callable[[Decision], dict[str, Any]]:
    """Signatures of people in roles, over the decision unless told."""
    at = datetime(2025, 11, day, 15, 30, tzinfo=UTC)

    def facts(decision: Decision) -> dict[str, Any]:
        found = [
            Signed(
                Signature(
                    gate="p.one/entry",
                    environment="prod",
                    release="v1",
                    decision="GO",
                    substance=substance or decision.substance_digest,
                    role=role,
                    person=person,
                    stance=stance,
                    at=at.isoformat(),
                    why="the disk is full",
                ),
                calendar.to_us(at),
                trouble,
            )
            for person, role in given
        ]
        return {"signed": tuple(found)}

    return facts


def nameless(decision: Decision) -> dict[str, Any]:
    """The decision of a run that read no release."""
    decision = replace(decision, release=None)
    return {"decision": decision, "again": decision}


def events(file: str, since: str, until: str) -> Callable[[Plan], Plan]:
    """A shared calendar with one event that is a freeze."""
    edges = [calendar.to_us(datetime.fromisoformat(edge)) for edge in (since, until)]
    shared = SharedCalendar(
        *(file, "digest", CalendarUse.FREEZE, (0, 2**52)),
        occurrences=(Occurrence(edges[0], edges[1], "quarter's end"),),
    )
    return lambda plan: replace(plan, calendars=(shared,))


SIGNOFF = "    signoff: [sre, pm]\n"
REQUIRES = "    requires: [zero]\n"
NO = "NO-GO"
SITUATIONS = [
    Situation("a GO that still holds", "GO", "yes decision: GO of run"),
    Situation("one check failed", NO, "no decision: NO-GO: p.one.ready", checks={"ready": "fail"}),
    Situation(
        "P12: all that stands in the way is listed",
        NO,
        "no decision: NO-GO: p.one.there: test_there: no reason was given",
        checks={"ready": "fail", "there": "missing"},
    ),
    Situation(
        "evidence is missing", "HOLD", "no decision: HOLD: p.one.ready", checks={"ready": "missing"}
    ),
    Situation(
        "the last full run was killed",
        "HOLD",
        "no decision: run r2 never finished",
        known={"doubt": Reason("run.unfinished", {"run": "r2"})},
    ),
    Situation(
        "no decision", "HOLD", "no decision: run r1 stored no decision", known={"decision": None}
    ),
    Situation(
        "what else is missing is listed beside a run that was killed",
        "HOLD",
        "no trips: p.one.g tripped at 2025-11-10 11:00:00 EST and was not reset",
        known={"doubt": Reason("run.unfinished", {"run": "r2"}), "tripped": (TRIP,)},
    ),
    Situation(
        "the ledger was damaged",
        "HOLD",
        "no decision: the ledger was damaged: record 5 is gone",
        known={"doubt": Reason("ledger.damaged", {"damage": "record 5 is gone"})},
    ),
    Situation(
        "P16: a report of another ledger",
        "HOLD",
        "no decision: d.json belongs to another ledger than l.db: it names record 7",
        known={
            "doubt": Reason(
                "clear.other-ledger", {"file": "d.json", "ledger": "l.db", "sequence": 7}
            )
        },
    ),
    Situation(
        "the plan that was judged by is lost",
        "HOLD",
        "no decision: GO was stored, but recomputed it is not the same (its plan is not in",
        known={"again": None},
    ),
    Situation(
        "the gate asks for something else now",
        "HOLD",
        "no plan: the gate's criteria or guardrails were changed since",
        stated=lambda plan: plan_of(CRITERIA.replace("ready", "up"), header=header()),
    ),
    Situation(
        "the phase is gone",
        "HOLD",
        "no plan: the plan has no phase one any more",
        stated=lambda plan: replace(plan, phases=plan.phases[:1]),
    ),
    Situation(
        "the decision is too old",
        "HOLD",
        "no age: decided at 2025-11-10 10:00:00 EST, longer ago than 30m",
        max_age_us=30 * MINUTE,
    ),
    Situation(
        "P7: the decision gets too old before the change is done",
        "HOLD",
        "no age: holds until 2025-11-10 11:15:00 EST, which is less than 25 min; then: decided at",
        max_age_us=75 * MINUTE,
        for_us=25 * MINUTE,
    ),
    Situation(
        "it stays young enough", "GO", "yes age: ", max_age_us=90 * MINUTE, for_us=25 * MINUTE
    ),
    Situation(
        "a clock is wrong",
        "HOLD",
        "no age: decided at 2025-11-10 10:00:00 EST, which is still to come",
        now="2025-11-10T09:59:00-05:00",
    ),
    Situation(
        "a waiver that the GO rests on has expired",
        "HOLD",
        "no waivers: the waiver of p.one.ready expired at the end of 2025-11-10",
        checks={"ready": "fail"},
        judged=with_waiver(Waives.CRITERION, "ready", "2025-11-10"),
        now="2025-11-11T00:00:00-05:00",
    ),
    Situation(
        "a waiver ends before the change does",
        "HOLD",
        "no waivers: holds until 2025-11-10 23:59:59 EST, which is less than 25 min",
        checks={"ready": "fail"},
        judged=with_waiver(Waives.CRITERION, "ready", "2025-11-10"),
        now="2025-11-10T23:50:00-05:00",
        for_us=25 * MINUTE,
    ),
    Situation(
        "a waiver was withdrawn",
        "HOLD",
        "no waivers: the waiver of p.one.ready was changed or withdrawn since",
        checks={"ready": "fail"},
        judged=with_waiver(Waives.CRITERION, "ready"),
        stated=lambda plan: replace(plan, waivers=()),
    ),
    Situation(
        "another release runs",
        "HOLD",
        "no release: v1 was judged, v2 runs now",
        known={"release": "v2"},
    ),
    Situation(
        "the target does not answer",
        "HOLD",
        "no release: the release could not be read: refused",
        known={"release": None, "release_error": "refused"},
    ),
    Situation(
        "the target names none",
        "HOLD",
        "no release: v1 was judged, no release runs",
        known={"release": None},
    ),
    Situation(
        "F6, P20: nobody can say which release it is",
        "HOLD",
        "no release: nobody knows which release was judged and which one runs: the plan states no "
        "`release:` (where to read it), and no `no_release:` (why there is none)",
        judged=lambda plan: replace(plan, release=None),
        known={"release": None},
    ),
    Situation(
        "the plan says that there is no release",
        "GO",
        "yes release: no release is read, so none is compared (no_release: a pump)",
        judged=lambda plan: replace(plan, release=None, no_release="a pump"),
        known={"release": None},
        facts=nameless,
    ),
    Situation(
        "a release was judged, and the plan says since that there is none",
        "HOLD",
        "no release: nobody knows which release was judged and which one runs",
        judged=lambda plan: replace(plan, release=None, no_release="a pump"),
        known={"release": None},
    ),
    Situation(
        "the same release at another address",
        "HOLD",
        "no target: api was judged at the address http://a, it is http://b now",
        known={"judged_at": {"api": "http://a"}, "runs_at": {"api": "http://b"}},
    ),
    Situation(
        "an address that is not known now",
        "HOLD",
        "no target: api was judged at the address http://a, which is not known now",
        known={"judged_at": {"api": "http://a"}},
    ),
    Situation(
        "a required phase was never asked",
        "HOLD",
        "no requires: zero/exit is undecided",
        more=REQUIRES,
    ),
    Situation(
        "a required phase is HOLD",
        "HOLD",
        "no requires: zero/exit is HOLD",
        more=REQUIRES,
        known={"required": {"zero": "HOLD"}},
    ),
    Situation(
        "P9: a required phase was done for another release",
        "HOLD",
        "no requires: p.zero/exit is GO for v0, and v1 runs now",
        more=REQUIRES,
        known={"required": {"zero": "GO"}, "required_release": {"zero": "v0"}},
    ),
    Situation(
        "any release of it will do",
        "GO",
        "yes requires: zero/exit is GO",
        more=REQUIRES + "    any_release: [zero]\n",
        known={"required": {"zero": "GO"}, "required_release": {"zero": "v0"}},
    ),
    Situation(
        "a required phase of another plan",
        "HOLD",
        "no requires: web.done/exit is undecided",
        more="    requires: [web.done]\n",
    ),
    Situation(
        "a required phase was rolled back",
        "HOLD",
        "no requires: zero/exit is ROLLBACK",
        more=REQUIRES,
        known={"required": {"zero": "ROLLBACK"}},
        judged=with_waiver(Waives.REQUIRES, "zero"),
    ),
    Situation(
        "what is required is waived",
        "GO",
        "waived requires: zero/exit is NO-GO",
        more=REQUIRES,
        known={"required": {"zero": "NO-GO"}},
        judged=with_waiver(Waives.REQUIRES, "zero"),
    ),
    Situation(
        "P1: a guardrail tripped",
        "HOLD",
        "no trips: p.one.g tripped at 2025-11-10 11:00:00 EST and was not reset: max of m was 2",
        known={"tripped": (TRIP,)},
    ),
    Situation(
        "P2: revalidated, but not reset",
        "HOLD",
        "no trips: p.one.g tripped",
        known={"tripped": (TRIP,), "rolled_back": BACK},
    ),
    Situation(
        "P2: reset, but not revalidated",
        "HOLD",
        "no revalidated: one/entry must be GO anew (ROLLBACK at noon, run r0 decided it): it is",
        known={"rolled_back": BACK, "revalidate": {"one/entry": "it is HOLD"}},
    ),
    Situation(
        "reset and revalidated",
        "GO",
        "yes revalidated: one/entry is GO anew since ROLLBACK",
        known={"rolled_back": BACK},
    ),
    Situation(
        "a guardrail is blind",
        "HOLD",
        "no blind: p.one.g is blind, because its watch left holes; it was not reset: 2 are lost",
        known={
            "blind": (
                Reason("clear.blind", {"guardrail": "p.one.g", "reason": said("2 are lost")}),
            )
        },
    ),
    Situation(
        "somebody recorded a freeze",
        "HOLD",
        "no freeze: frozen on record since 2025-11-10 11:00:00 EST: INC-7",
        known={"frozen": Reason("clear.held", {"at": MONDAY, "says": "INC-7"})},
    ),
    Situation(
        "before the phase's hours",
        "HOLD",
        "is outside of Mon 2025-11-10 09:00-11:30 EST; its window is over",
        more=DATED,
        now="2025-11-10T11:30:00-05:00",
    ),
    Situation(
        "in a freeze of the calendar",
        "HOLD",
        "no window: 2025-11-10 11:40:00 EST is in a freeze: daily stand-up; opens Monday "
        "2025-11-10 11:45 EST (in 5 min)",
        windows=STAND_UP,
        now="2025-11-10T11:40:00-05:00",
    ),
    Situation(
        "in an event of a shared calendar",
        "HOLD",
        "is in a freeze: quarter's end; opens Tuesday 2025-11-11 00:00 EST",
        judged=events("c.ics", "2025-11-10T00:00:00-05:00", "2025-11-11T00:00:00-05:00"),
    ),
    Situation(
        "outside of every change window",
        "HOLD",
        "no window: no change window admits a change at 2025-11-10 16:00:00 EST; opens Tuesday",
        windows=HOURS,
        now="2025-11-10T16:00:00-05:00",
    ),
    Situation(
        "the change window closes before the change is done",
        "HOLD",
        "no window: 2025-11-10 15:50:00 EST: open until 2025-11-10 16:00:00 EST, which is less "
        "than 25 min (then: its change window is over); for as long as that it opens Tuesday "
        "2025-11-11 09:00 EST",
        windows=HOURS,
        now="2025-11-10T15:50:00-05:00",
        for_us=25 * MINUTE,
    ),
    Situation(
        "a freeze begins before the change is done",
        "HOLD",
        "open until 2025-11-10 11:30:00 EST, which is less than 35 min (then: a freeze: daily "
        "stand-up); for as long as that it opens Monday 2025-11-10 11:45 EST",
        windows=STAND_UP,
        for_us=35 * MINUTE,
    ),
    Situation(
        "the phase's own hours end before the change does",
        "HOLD",
        "(then: its window is over); for as long as that it never opens for 35 min at a stretch",
        more=DATED,
        for_us=35 * MINUTE,
    ),
    Situation("the change fits", "GO", "yes window: ", windows=STAND_UP, for_us=30 * MINUTE),
    Situation(
        "a freeze in the middle of the change is waived",
        "GO",
        "waived window: ",
        windows=STAND_UP,
        for_us=35 * MINUTE,
        judged=with_waiver(Waives.WINDOW, "freeze"),
    ),
    Situation(
        "clocks go back: the hour that comes twice is open twice",
        "GO",
        "yes window: 2026-11-01 01:30:00 EST: open now, for 30 min",
        windows=NIGHT,
        now="2026-11-01T01:30:00-05:00",
    ),
    Situation(
        "clocks go back: a freeze holds from its first reading to its last",
        "HOLD",
        "no window: 2026-11-01 01:10:00 EST is in a freeze: backup",
        windows=FROZEN_NIGHT,
        now="2026-11-01T01:10:00-05:00",
    ),
    Situation(
        "clocks go back: four hours fit between 0 and 4",
        "GO",
        "yes window: ",
        windows=LONG_NIGHT,
        now="2026-11-01T00:00:00-04:00",
        for_us=300 * MINUTE,
    ),
    Situation(
        "clocks go forward: the hour that is skipped never opens",
        "HOLD",
        "no window: no change window admits a change at 2026-03-08 03:00:00 EDT; opens Monday "
        "2026-03-09 02:00 EDT",
        windows=SKIPPED,
        now="2026-03-08T03:00:00-04:00",
    ),
    Situation(
        "clocks go forward: four hours do not fit between 0 and 4",
        "HOLD",
        "open until 2026-03-08 04:00:00 EDT, which is less than 4 h",
        windows=LONG_NIGHT,
        now="2026-03-08T00:00:00-05:00",
        for_us=240 * MINUTE,
    ),
    Situation(
        "F5: a run that began earlier has not finished",
        "HOLD",
        "no decision: run r0, which began earlier, has not finished",
        known={"others": (OtherRun("r0", later=False, decision=None, why="it runs"),)},
    ),
    Situation(
        "a partial run saw it fail since",
        "HOLD",
        "no decision: partial run r2, which began later, saw it fail: p.one.ready: it broke",
        known={"others": (OtherRun("r2", True, None, (("p.one.ready", "it broke"),)),)},
    ),
    Situation(
        "a partial run since saw nothing bad",
        "GO",
        "yes decision: ",
        known={"others": (OtherRun("r2", True, None),)},
    ),
    Situation(
        "a role has not signed",
        "HOLD",
        "no signatures pm: nobody has signed as pm; can be given by ada, bob",
        more=SIGNOFF,
        judged=staffed,
        facts=signed(("ada", "sre")),
    ),
    Situation(
        "a role that nobody holds",
        "HOLD",
        "no signatures sre: nobody has signed as sre; roles.yaml names nobody who holds it today",
        more=SIGNOFF,
    ),
    Situation(
        "both have signed",
        "GO",
        "yes signatures pm: bob signed as pm at 2025-11-10 10:30:00 EST",
        more=SIGNOFF,
        judged=staffed,
        facts=signed(("ada", "sre"), ("bob", "pm")),
    ),
    Situation(
        "a deputy signs in time",
        "GO",
        "yes signatures pm: ada signed as pm",
        more=SIGNOFF,
        judged=staffed,
        facts=signed(("ada", "pm"), ("bob", "sre")),
    ),
    Situation(
        "a deputy signs after the last day",
        "HOLD",
        "ada: did not hold the role pm on 2025-11-13",
        more=SIGNOFF,
        judged=staffed,
        now="2025-11-13T11:00:00-05:00",
        facts=signed(("ada", "pm"), ("bob", "sre"), day=13),
    ),
    Situation(
        "one person signs for both",
        "HOLD",
        "bob signed, but counts for another role",
        more=SIGNOFF,
        judged=staffed,
        facts=signed(("bob", "sre"), ("bob", "pm")),
    ),
    Situation(
        "a key that was not valid",
        "HOLD",
        "(ada: not signed by ada: key is expired)",
        more=SIGNOFF,
        judged=staffed,
        facts=signed(("ada", "sre"), trouble="not signed by ada: key is expired"),
    ),
    Situation(
        "somebody signed against it",
        "HOLD",
        "ada signed against it as sre at 2025-11-10 10:30:00 EST: the disk is full",
        more=SIGNOFF,
        judged=staffed,
        facts=signed(("ada", "sre"), stance=Stance.AGAINST),
    ),
    Situation(
        "somebody objected, and roles.yaml names them no more",
        "HOLD",
        "cyd signed against it as sre at 2025-11-10 10:30:00 EST: the disk is full (roles.yaml "
        "does not give them this role any more, but an objection is not ignored",
        more=SIGNOFF,
        judged=staffed,
        facts=signed(("cyd", "sre"), stance=Stance.AGAINST),
    ),
    Situation(
        "other settings run than were judged",
        "HOLD",
        "no configuration: another configuration was judged than runs now",
        judged=lambda plan: replace(plan, configuration=plan.release),
        known={"configuration": "d2"},
    ),
    Situation(
        "an older state was signed",
        "HOLD",
        "ada: signed at 2025-11-10 10:30:00 EST, but the decision is another one since: sign again",
        more=SIGNOFF,
        judged=staffed,
        facts=signed(("ada", "sre"), substance="older"),
    ),
]


def header(windows: str = "") -> str:
    return HEADER.replace("WINDOWS\n", f"{windows}\n" if windows else "")


def decision_of(plan: Plan, checks: dict[str, str], **world: Any) -> Decision:
    phase = plan.phase("one")
    assert phase is not None
    first = replace(plan, phases=(phase, plan.phases[0]))  # worlds are of the first phase
    seen = {
        f"t.py::test_{one.id}": [Attempt(Verdict(checks.get(one.id, "pass")))]
        for one in phase.criteria
    }
    known = world_of(first, checks=seen, environment="prod", releases=RELEASES, **world)
    return decided(first, known, Gate.ENTRY)


def answered(asked: Situation, **known: Any) -> Clearance:
    plan = asked.judged(plan_of(asked.more + CRITERIA, header=header(asked.windows)))
    decision = decision_of(plan, asked.checks)
    facts: dict[str, Any] = {"run": "r1", "decision": decision, "again": decision}
    facts["release"] = "v1"
    facts |= {"environment": "prod", **asked.facts(decision), **asked.known, **known}
    return clearance(
        asked.stated(plan),
        Address("p", "one", Gate.ENTRY),
        GateFacts(**facts),
        datetime.fromisoformat(asked.now),
        asked.max_age_us,
        asked.for_us,
    )


def lines(answer: Clearance) -> list[str]:
    marks = {True: "no", False: "yes"}
    return [
        f"{'waived' if one.verdict is Verdict.WAIVED else marks[one.verdict.holds_back]} "
        f"{' '.join(one.id.split('.')[1:])}: {sentences.text(one.reason, ZONE)}"
        for one in answer.findings
    ]


@pytest.mark.parametrize("asked", SITUATIONS, ids=lambda asked: asked.name)
def test_the_right_answer_in_the_right_words(asked: Situation) -> None:
    answer = answered(asked)
    found = lines(answer)
    assert answer.answer.value == asked.answer, found
    assert any(asked.says in line for line in found), found
    against = [one.verdict.holds_back for one in answer.findings]
    assert against == sorted(against, reverse=True), "what stands against it comes first"
    assert any(against) is (answer.answer is not Answer.GO)


def override(answer: Clearance, until: str = "2025-11-10T12:00:00-05:00") -> Override:
    accepted = tuple(key(one) for one in answer.findings if one.verdict.holds_back)
    at, end = (calendar.to_us(datetime.fromisoformat(one)) for one in (MONDAY, until))
    return Override("p.one/entry", "v1", "", ("ada", "bob"), "INC-7", at, end, accepted)


HELD = {one.name: one for one in SITUATIONS if one.answer != "GO"}
FIRM = {
    *("the last full run was killed", "no decision", "the ledger was damaged", "the phase is gone"),
    *("P16: a report of another ledger", "the plan that was judged by is lost"),
    *("what else is missing is listed beside a run that was killed", "another release runs"),
    *("the target does not answer", "the target names none", "an address that is not known now"),
    *("F6, P20: nobody can say which release it is", "the same release at another address"),
    "other settings run than were judged",
    "a release was judged, and the plan says since that there is none",
}


@pytest.mark.parametrize("name", HELD)
def test_what_two_people_may_accept(name: str) -> None:
    asked = HELD[name]
    under = answered(asked, override=override(answered(asked), "2027-01-01T00:00:00+00:00"))
    assert (under.answer is Answer.GO) is (name not in FIRM), lines(under)
    if name not in FIRM:
        assert any(
            "OVERRIDDEN by ada and bob at 2025-11-10 11:00:00 EST (INC-7): " in line
            for line in lines(under)
        )


def test_an_override_is_of_what_was_known_then_and_for_an_hour() -> None:
    asked = HELD["P1: a guardrail tripped"]
    given = override(answered(asked))
    assert answered(asked, override=given).answer is Answer.GO
    more = answered(asked, override=given, frozen=Reason("clear.held", {"at": MONDAY, "says": "x"}))
    assert [line for line in lines(more) if line.startswith("no ")] == [
        "no freeze: frozen on record since 2025-11-10 11:00:00 EST: x"
    ]
    later = replace(asked, now="2025-11-10T12:00:00-05:00")
    assert answered(later, override=given).answer is Answer.HOLD


def test_an_override_covers_no_objection_and_no_drift_that_comes_later() -> None:
    asked = HELD["somebody signed against it"]
    given = override(answered(asked))
    assert answered(asked, override=given).answer is Answer.GO
    both = replace(asked, facts=signed(("ada", "sre"), ("bob", "sre"), stance=Stance.AGAINST))
    held = [line for line in lines(answered(both, override=given)) if line.startswith("no ")]
    assert [line for line in held if "bob signed against it" in line]
    known, other = (
        Finding(
            "clearance.drift",
            Verdict.MISSING,
            Reason("begin.drift", {"what": "release", "target": "", "read": read}),
        )
        for read in ("v2", "v3")
    )
    assert key(known) != key(other)


def test_nobody_overrides_for_their_own_change() -> None:
    day = date(2025, 11, 10)
    assert why_not_by(PEOPLE, ("ada", "bob"), day, Authors(("cyd",))) == ""
    assert "bob made the change" in why_not_by(PEOPLE, ("ada", "bob"), day, Authors(("bob",)))


def test_a_signature_for_an_override_is_no_signature_of_a_role() -> None:
    asked = HELD["an older state was signed"]
    given = replace(asked, facts=signed(("ada", "sre"), stance=Stance.OVERRIDE))
    assert any("nobody has signed as sre" in line for line in lines(answered(given)))


def test_no_override_makes_a_decision_pass() -> None:
    plan = plan_of(CRITERIA, header=header())
    first = replace(plan, phases=plan.phases[::-1])
    given = override(answered(HELD["one check failed"]))
    for verdict, yes in ((Verdict.PASS, True), (Verdict.FAIL, False), (Verdict.MISSING, False)):
        seen = {f"t.py::test_{one}": [Attempt(verdict)] for one in ("ready", "there", "done")}
        world = world_of(first, checks=seen, environment="prod", releases=RELEASES)
        decision = decided(first, replace(world, overrides=(given,)), Gate.ENTRY)
        assert "overridden" in [one.reason.code for one in decision.conditions]
        assert statements.passed(decision) is yes


def test_a_go_after_failures_of_the_same_release_says_so_and_is_clear() -> None:
    """F3: the decision carries them as a condition; they void no clearance."""
    plan = plan_of(CRITERIA, header=header())
    before = (FailedBefore("r0", 1, ("p.one.ready",)),)
    decision = decision_of(plan, {})
    first = replace(plan, phases=plan.phases[::-1])
    seen = {f"t.py::test_{one}": [Attempt(Verdict.PASS)] for one in ("ready", "there", "done")}
    world = world_of(first, checks=seen, environment="prod", releases=RELEASES)
    decision = decided(first, replace(world, failed_before=before, looks=2), Gate.ENTRY)
    assert [one.reason.code for one in decision.conditions] == ["failed-before"]
    known = GateFacts("r1", decision, decision, release="v1", environment="prod")
    now = datetime.fromisoformat(MONDAY)
    assert clearance(plan, Address("p", "one", Gate.ENTRY), known, now).answer is Answer.GO


@pytest.mark.parametrize(
    ("more", "until"),
    [
        ({}, "2025-11-10T11:35:00-05:00"),
        ({"windows": STAND_UP}, "2025-11-10T11:30:00-05:00"),
        ({"max_age_us": 81 * MINUTE}, "2025-11-10T11:21:00-05:00"),
        ({"known": {"frozen": Reason("clear.held", {"at": MONDAY, "says": "x"})}}, "now"),
    ],
)
def test_a_receipt_ends_with_the_first_thing_that_does(more: dict[str, Any], until: str) -> None:
    now = "2025-11-10T11:20:00-05:00"
    asked = Situation("", "", "", now=now, for_us=receipt.LIFE_US, **more)
    moment = datetime.fromisoformat(now)
    wanted = moment if until == "now" else datetime.fromisoformat(until)
    assert receipt.until(moment, answered(asked)) == wanted
