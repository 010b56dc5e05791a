"""Reasons as the judge, clearances and readers of other gates give them: each code once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

from pytest_rollout.cli.status import _undecided
from pytest_rollout.evidence.history import AskingRun, GateStanding
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.records import RecordKind
from pytest_rollout.evidence.world import read_world
from pytest_rollout.judge.case import Case, criteria_digest
from pytest_rollout.judge.rules import assess
from pytest_rollout.judge.since_begin import drift_finding, statements_of
from pytest_rollout.judge.slices import Slice
from pytest_rollout.judge.tally import Terms
from pytest_rollout.load import honesty
from pytest_rollout.model.attestation import Attestation
from pytest_rollout.model.decision import Decision, OtherRun
from pytest_rollout.model.evidence import (
    Attempt,
    Brought,
    FailedBefore,
    Hole,
    Lost,
    Manifest,
    ReleaseFact,
    Rolled,
    Seen,
)
from pytest_rollout.model.finding import Fact, Reason, said
from pytest_rollout.model.ingest import ResultFacts, ResultKind
from pytest_rollout.model.life import Life, Unbelieved
from pytest_rollout.model.override import Override
from pytest_rollout.model.people import Authors, Stance
from pytest_rollout.model.plan import EMBEDDED, Address, Environment, Gate, Plan, RollsUp, Severity
from pytest_rollout.model.reset import Reset
from pytest_rollout.model.review import ReviewState
from pytest_rollout.model.rule import Bands, Cut, Rule, Scope, ScopeKind, Take, Taking, Versus
from pytest_rollout.model.settlement import Settlement
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.model.waiver import Waiver, Waives
from pytest_rollout.plan.load import parse
from pytest_rollout.report.stored import to_json
from pytest_rollout.signoff.clearance import GateFacts, clearance
from pytest_rollout.signoff.overriding import key
from tests.evidence.runs import EXIT, FAIL, Writer, opened, tamper
from tests.evidence.runs import PLAN as LEDGER_PLAN
from tests.evidence.runs import plan_of as plan_of_ledger
from tests.judge import nights
from tests.judge.lives import amendment, change, life_of, reading
from tests.judge.worlds import (
    AT,
    DAY,
    HEADER,
    NINE,
    SECOND,
    at,
    compared,
    criterion,
    decided,
    guardrail,
    plan_of,
    samples,
    seen,
    world_of,
)
from tests.load.records import BEGAN_US, RATE, closed_profile, profile_of, record_of, seconds
from tests.load.test_honesty import BOUNDS
from tests.signoff.test_reviews import DECISION, PULL
from tests.signoff.test_reviews import judged as judged_reviews
from tests.signoff.test_reviews import recorded as recorded_reviews
from tests.signoff.test_signatures import apart_findings, findings, signed, uncounted

_HERE = Path("p/rollout.yaml")
V1 = (ReleaseFact("start", "v1"), ReleaseFact("end", "v1"))
RELEASED = HEADER.replace("phases:", "release: {target: api, path: /version}\nphases:")
PROD: Mapping[str, Any] = {"environment": "prod", "releases": V1}


def reasons_in(record: object) -> Iterator[Reason]:
    """Every reason in a record, those within reasons too."""
    if isinstance(record, Reason):
        yield record
        for fact in record.facts.values():
            yield from reasons_in(fact)
    elif isinstance(record, (tuple, list)):
        for item in record:
            yield from reasons_in(item)
    elif is_dataclass(record) and not isinstance(record, type):
        for field in fields(record):
            yield from reasons_in(getattr(record, field.name))


def ruled(rule: str, *observed: Seen, **world: Any) -> Decision:
    """What is decided of a criterion with a rule."""
    plan = plan_of(criterion(rule))
    return decided(plan, world_of(plan, observed, **world))


def railed(rule: str, *observed: Seen, **world: Any) -> Decision:
    """What is decided of a guardrail."""
    plan = plan_of(guardrail(rule))
    return decided(plan, world_of(plan, observed, **world))


def of_rules() -> Iterator[Decision]:
    """Of measurements."""
    low = 'metric: m, take: max, pass: "< 10"'
    yield ruled(low, *samples(3, 4))
    yield ruled(low, *samples(3, 14))
    asked = seen(1, series="load_failed", endpoint="search")
    yield ruled('metric: load_failed, take: max, where: {endpoint: serach}, pass: "< 1"', asked)
    yield ruled(f'{low}, warn: ">= 8"', seen(9))
    yield ruled(f'{low}, fail: "> 20"', seen(15))
    yield ruled('metric: m, take: rate, pass: ">= 0.9", confidence: 95%', *samples(1, 1))
    yield ruled(f"{low}, tolerate: {{failures: 1}}", *samples(3, 4, 14))
    by_kayenta = (
        "severity: soft, metric: m, where: {v: new}, take: mean, need: 5, "
        'pass: "< 1.1", versus: {where: {v: old}, as: kayenta}'
    )
    old = samples(100, 101, 102, 103, 104, v="old")
    yield ruled(by_kayenta, *old, *samples(130, 131, 132, 133, 134, v="new"))
    yield ruled(by_kayenta, *old, *samples(100, 101, 102, 103, 104, v="new"))
    ratio = f'{compared(side=", as: ratio")}, pass: "<= 1.1"'
    yield ruled(ratio, seen(1), seen(0, series="b"))
    yield ruled(ratio, seen(-1), seen(1, series="b"))
    yield ruled(f"{low}, need: 3", seen(1))
    yield ruled(f"{low}, need: 3")
    yield ruled(f"{low}, per: day, over: [{{last: 3, need: 3}}]", seen(1, -DAY))
    yield ruled(f"{low}, over: [{{since: begin}}]", seen(1), begun_us=None)
    yield ruled(f"{low}, in_a_row: 2")
    yield ruled(low, *samples(3, None))
    yield ruled(f"{compared()}, pass: '<= 1'", seen(1), seen(None, series="b"))
    yield ruled(f"{compared('need: 2')}, pass: '<= 1'", *samples(1, 1), seen(1, series="b"))
    yield ruled(low, seen(1), seen(1, 3720, recorded=60))
    yield ruled(f"{low}, each: {{lane: 2}}", seen(1, lane="A"))
    yield ruled(f"{low}, per: day", seen(1, -2 * DAY))
    by_day = plan_of(criterion(f"{low}, per: day"))
    killed = (Lost("r0", NINE, "its run was never sealed"),)
    yield decided(by_day, replace(world_of(by_day, [seen(1, -DAY)]), lost=killed))
    for over in ("span: 7d", "last: 9"):
        reach = plan_of(criterion(f"{low}, over: [{{{over}}}]"))
        early = Lost("r0", NINE, "the run was ended by SIGTERM", ended_early=True)
        yield decided(reach, replace(world_of(reach, [seen(1)]), lost=(early,)))
    told = Settlement("r0", "A. Person", "another push", at(60), "2025-11-10T14:01:00Z")
    yield decided(reach, replace(world_of(reach, [seen(1)]), settled=(told,)))
    yield ruled(f"{low}, in_a_row: {{for: 30m, gap: 10m}}", seen(1), seen(1, 3500))
    yield ruled(f"{low}, in_a_row: 3", *samples(14, 1, 1))
    high = 'metric: m, take: max, fail: "> 5"'
    yield railed(f"{high}, in_a_row: 2", *samples(9, 9))
    yield railed(f"{high}, in_a_row: 2", *samples(9, None, 1))
    yield railed(high, seen(1, -2 * DAY), begun_us=at(-3 * DAY), **PROD)
    yield ruled(low, seen(1), seen(2))
    yield ruled('metric: m, take: rate, pass: ">= 0.9"', *samples(1, 2))
    yield ruled('metric: m, take: rate, pass: ">= 0.9", confidence: 95%', *samples(1, 0.5))
    yield ruled('metric: m, take: increase, pass: "< 9", need: 2', *samples(1, -2))
    yield ruled('metric: m, take: mean, pass: "< 1", range: [0, 1], confidence: 95%', seen(2))
    yield ruled(f"{low}, per: 1m", seen(1, -400 * DAY), seen(1))
    yield ruled(low, seen(1, recorded=-2 * DAY), **PROD)


def of_nights() -> Iterator[Decision]:
    """Of nights that are held against those of a pinned release."""
    for values in ((100,), (112,), (112, 111), (150, 150)):
        runs = [nights.night(0, value, f"r{n}", minutes=n) for n, value in enumerate(values)]
        yield nights.decision(runs, nights.pinned())
    yield nights.decision([nights.night(0, 100)], nights.pinned(nights.V1[:3]))
    yield nights.decision([nights.night(0, 100)], (), release="v1")
    yield nights.decision(
        [nights.night(0, 100, "z", minutes=9)], nights.pinned(), tried=[nights.refused("a")]
    )
    offered = [nights.labelled(one, offer="x") for one in nights.pinned()]
    yield nights.decision([nights.night(0, 100)], offered)
    plan = plan_of(criterion(nights.RULE + ", each: {lane: 1}"), header=nights.RELEASED)
    lanes = [nights.labelled(one, lane=name) for name in "AB" for one in nights.pinned()]
    yield nights.decision([nights.labelled(nights.night(0, 100), lane="A")], lanes, plan=plan)


def of_what_no_plan_asks() -> Iterator[Reason | object]:
    """Of rules that a plan may not state, and of slices that never reach a measurement."""
    scope = Scope(ScopeKind.RUN, 1)
    bands = Bands(Cut("<=", Fraction(1), "<= 1"))
    terms = Terms("UTC", 0.05)
    empty = Slice((), (), scope, 0)
    mean = Rule("m", Taking(Take.MEAN, "mean"), bands, (scope,))
    yield assess(mean, empty, terms)
    yield assess(replace(mean, versus=Versus("b")), replace(empty, own=(seen(1),)), terms)
    plan = plan_of(criterion('metric: m, take: rate, pass: ">= 0.9", confidence: 95%'))
    (rate,) = (stated.rule for stated in plan.phases[0].criteria)
    assert rate is not None
    ratio = replace(rate, versus=Versus("b", ratio=True))
    yield assess(ratio, Slice((), (seen(1),), scope, 1, other=(seen(1, series="b"),)), terms)


def of_checks() -> Iterator[Decision]:
    """Of bound checks, of groups of criteria, and of variables."""
    plan = plan_of(criterion())
    item = "t.py::test_c"
    whole = world_of(plan)
    yield decided(plan, whole)
    failing = (Attempt(Verdict.FAIL, "it broke"), Attempt(Verdict.PASS))
    yield decided(plan, world_of(plan, checks={item: failing}))
    yield decided(plan, world_of(plan, checks={item: (Attempt(Verdict.FAIL),)}))
    yield decided(plan, world_of(plan, checks={item: ()}))
    yield decided(plan, world_of(plan, items={"p.one.c": ()}))
    yield decided(plan, world_of(plan, sealed=False))
    absent = Manifest({"p.one.c": (item,)}, absent=frozenset({item}))
    yield decided(plan, replace(whole, manifest=absent, checks={}))
    naming = plan_of(criterion('binds: ["t.py::test_c"]'))
    yield decided(naming, replace(world_of(naming), manifest=absent, checks={}))
    unnamed = Manifest({"p.one.c": (item,)}, unnamed=("t.py::test_u",))
    checks = {**whole.checks, "t.py::test_u": (Attempt(Verdict.FAIL, "it broke"),)}
    yield decided(plan, replace(whole, manifest=unnamed, checks=checks))
    own = plan_of(criterion('check: {http: /, on: api}, metric: m, pass: "< 1"'))
    yield decided(own, world_of(own, items={"p.one.c": ()}))
    when = plan_of(criterion("when: {configured: PAGER}"))
    yield decided(when, world_of(when))
    yield decided(when, world_of(when, configured={"PAGER": False}))
    yield decided(when, world_of(when, checks={item: failing[:1]}, configured={"PAGER": False}))
    members = "    criteria:\n" + "".join(
        f"      - {{id: {name}, kind: load, severity: optional{more}}}\n"
        for name, more in (("a", ""), ("b", ""), ("off", ", when: {configured: X}"))
    )
    score = 'of: {a: 1, b: 1}, need: score, pass: ">= 50"'
    for group in ("of: [off], need: all", score, f"{score}, key: [a]"):
        stated = plan_of(f"{members}      - {{id: g, kind: load, {group}}}\n")
        for verdict in (Verdict.FAIL, Verdict.ERROR):
            tried = {"t.py::test_a": (Attempt(verdict, "it broke"),)}
            yield decided(stated, world_of(stated, checks=tried, configured={"X": False}))


def attestation(t: float, *, passed: bool = True, release: str = "v1") -> Attestation:
    """An answer of a person."""
    return Attestation("p.one.c", "A. Person", "pm", "seen", passed, at(t), release)


def of_people() -> Iterator[Decision]:
    """Of attestations and of what stands in for them."""
    roles = RELEASED.replace("phases:", "roles: {pm: Product}\nphases:")
    text = roles + "    criteria: [{id: c, kind: manual}]\n"

    def answered(*answers: Attestation, stand_ins: str = "", **run: Any) -> Decision:
        beside = {"attestations.embedded.yaml": stand_ins} if stand_ins else {}
        plan = parse(text, _HERE, "rollout.yaml", beside).plan
        assert plan is not None
        world = world_of(plan, items={"p.one.c": ()}, **run)
        return decided(plan, replace(world, attestations=answers))

    yield answered(attestation(60), **PROD)
    yield answered(attestation(60, passed=False), **PROD)
    yield answered(attestation(-2 * DAY), **PROD)
    yield answered(attestation(30, passed=False), attestation(60), **PROD)
    yield answered(**PROD)
    yield answered(attestation(60, release="v0"), **PROD)
    yield answered(releases=V1)
    instead = (
        "attestations: [{phase: one, criterion: c, by: x, role: pm, faults: [not-held], note: y}]\n"
    )
    yield answered(stand_ins=instead, releases=V1)
    yield answered(stand_ins=instead, releases=V1, drill="not-held")
    yield from of_signed_answers(text)


def of_signed_answers(text: str) -> Iterator[Decision]:
    """Of answers that are not believed, and of criteria that each of several roles attests."""
    people = "people: [{id: ada, roles: [pm]}, {id: A. Person, roles: [pm]}]\n"
    beside = {"roles.yaml": people, "allowed_signers": "ada ssh-ed25519 AAAA\n"}
    yes, no = attestation(60), attestation(61, passed=False)
    unsigned = Reason("attested.unsigned")
    checked = (replace(yes, verified=True, doubt=unsigned), replace(no, verified=True))
    doubtful = replace(no, verified=True, doubt=unsigned)
    each = "roles: {pm: P, sre: R}"
    others = text.replace("roles: ", "author: {variable: X}\nroles: ")
    others = others.replace("kind: manual", "kind: manual, by_others: true")
    both = text.replace("roles: {pm: Product}", each).replace(
        "manual", "manual, by: {each: [pm, sre]}"
    )
    for stated, answers in (
        (text, (yes,)),
        (text, checked),
        (text, (replace(yes, verified=True), doubtful)),
        (others, (replace(yes, verified=True),)),
        (both, tuple(replace(yes, role=role, verified=True) for role in ("pm", "sre"))),
    ):
        plan = parse(stated, _HERE, "rollout.yaml", beside).plan
        assert plan is not None
        world = world_of(plan, items={"p.one.c": ()}, **PROD)
        for authors in (None, Authors(("A. Person",))):
            run = replace(world.run, authors=authors)
            yield decided(plan, replace(world, run=run, attestations=answers))


def brought(**facts: Any) -> Brought:
    """A file that somebody brought, an hour before nine, good unless told otherwise."""
    good: dict[str, Any] = {
        **{"phase": "p.one", "kind": ResultKind.LOAD, "name": "web", "format": "k6 samples"},
        **{"file": "out.json", "digest": "d" * 64, "by": "A. Person", "release": "v1"},
        **{"release_from": "said", "times_from": "said", "requests": 100, "started": 100},
        **{"started_us": at(-3600), "ended_us": at(-3540), "unsaid": ("it says little",)},
    }
    stored = ResultFacts(**{**good, **facts})
    passed, failed = (Attempt(Verdict.PASS),), (Attempt(Verdict.FAIL, "crossed"),)
    bad = stored.digest.startswith("f")
    checks = {"a.one": failed if bad else passed, "a.two": passed}
    return Brought(f"i{stored.digest[:4]}{stored.release}", stored.ended_us, stored, (), checks)


def of_results() -> Iterator[Decision]:
    """Of files of other tools."""
    load = "load: web, cases: [a.*], lasts: 30s, rate: 1/s"
    junit = "junit: web, cases: [a.*, b], need: 3"

    def judged(asked: str, *files: Brought, releases: Any = V1, **run: Any) -> Decision:
        plan = plan_of(f"    criteria: [{{id: c, kind: load, ingest: {{{asked}}}}}]\n",
                       header=RELEASED)  # fmt: skip
        told = {"begun_us": at(-4500), **PROD, **run, "releases": releases}
        world = world_of(plan, items={"p.one.c": ()}, **told)
        return decided(plan, replace(world, brought=files))

    yield judged(load)
    yield judged(load, brought(), releases=())
    for changed in (
        {},
        {"release": "v0"},
        {"doubts": ("it was cut off",)},
        {"ended_us": at(-3 * DAY), "started_us": at(-3 * DAY - 60)},
        {"ended_us": at(3 * DAY), "started_us": at(3 * DAY - 60)},
        {"requests": 3, "started": 0},
        {"requests": 0},
        {"started_us": at(-3541)},
        {"dropped": 90},
        {"started": 3},
    ):
        yield judged(load, brought(**changed))
    yield judged(load, brought(ended_us=at(-4480), started_us=at(-4540)))
    yield judged(load, brought(), begun_us=None)
    yield judged(load, brought(), brought(release="v0"))
    yield judged(load, replace(brought(), elsewhere=("staging",)))
    before = brought(digest="f" * 64, ended_us=at(-4000), started_us=at(-4060))
    yield judged(load, before, brought())
    yield judged(junit, brought(kind=ResultKind.JUNIT))


def of_waivers() -> Iterator[Decision]:
    """Of waivers in every use."""
    plan = plan_of(criterion('metric: m, take: max, pass: "< 10"'))
    until = dt.date(2025, 11, 30)
    given = Waiver(Waives.CRITERION, "one", "c", "agreed", "A. Author", "B. Boss", until)
    limited = replace(given, limit=Cut("<", Fraction(12), "< 12"))
    bad, worse = samples(11), samples(15)
    for waiver, observed in (
        (given, bad),
        (limited, bad),
        (limited, worse),
        (replace(given, release="v0"), bad),
        (replace(given, until=dt.date(2025, 11, 9)), bad),
    ):
        stated = replace(plan, waivers=(waiver,))
        yield decided(stated, world_of(stated, observed, releases=V1))


_OTHER = """\
plan: p
timezone: America/New_York
environments: {prod: {targets: {api: "http://api"}}}
phases:
  - id: one
    criteria: [{id: a, kind: demo}]
  - id: two
    criteria: [{id: c, kind: demo, rolls_up: [one.a], valid_for: 2h}]
"""


def of_other_gates() -> Iterator[Decision]:
    """Of what other gates found, as it was read or could not be."""
    plan = plan_of("", header=_OTHER)
    of = RollsUp("one", Gate.EXIT, "a")
    asked = criteria_digest(plan.phases[0], Gate.EXIT)
    plan = replace(plan, phases=plan.phases[::-1])
    hour = 3600 * SECOND
    good = Rolled(of, Verdict.PASS, said("as it was"), "r0", AT - hour, "v1", asked)
    for rolled in (
        (),
        (good,),
        (replace(good, run="r1"),),
        (replace(good, asked="otherwise"),),
        (replace(good, release="v0"),),
        (replace(good, decided_us=AT - 3 * hour),),
        (replace(good, until="2025-11-09"),),
        (replace(good, until="2025-11-30"),),
    ):
        world = world_of(plan, items={"p.two.c": ()}, **PROD)
        yield decided(plan, replace(world, rolled=rolled))
    due = _OTHER.replace("kind: demo}", "kind: demo, severity: soft, due: p.two/exit}", 1)
    due = due.partition(" [{id: c")[0] + "\n"
    plan = plan_of("      - {id: ok, kind: demo}\n", header=due)
    good = replace(good, asked=criteria_digest(plan.phases[0], Gate.EXIT))
    plan = replace(plan, phases=plan.phases[::-1])
    for rolled in ((), (replace(good, verdict=Verdict.FAIL),)):
        yield decided(plan, replace(world_of(plan, **PROD), rolled=rolled))


def of_gates() -> Iterator[Decision]:
    """Of gates as a whole, of their runs, and of their conditions."""
    yield decided(plan_of(""), world_of(plan_of("")))
    off = plan_of(criterion("when: {configured: X}"))
    yield decided(off, world_of(off, configured={"X": False}))
    soft = plan_of(criterion(severity="soft"))
    yield decided(soft, world_of(soft))
    late = plan_of(criterion(severity="soft", due="2025-01-31"))
    yield decided(late, world_of(late, checks={"t.py::test_c": (Attempt(Verdict.FAIL, "no"),)}))
    plan = plan_of(criterion(), header=RELEASED)
    start, end = V1
    for run in (
        {"releases": V1},
        {"partial": ("-k leaves checks out",)},
        {"problems": ("a worker crashed",)},
        {"releases": (ReleaseFact("start", None, error="no answer"),)},
        {"releases": (replace(start, release=None), replace(end, release=None))},
        {"releases": (start, replace(end, release="v2"))},
        {"releases": (start,)},
        {"releases": ()},
        {"releases": (), "environment": "prod"},
        {"releases": (replace(start, reference="small"), end), "environment": "prod"},
    ):
        yield decided(plan, world_of(plan, **run))
    known = FailedBefore("r0", NINE, ("p.one.c",))
    yield decided(plan, replace(world_of(plan, **PROD), failed_before=(known,), looks=2))
    rail = plan_of(guardrail('metric: m, take: max, fail: "> 5"'), header=RELEASED)
    reset = Reset("p.one.g", "A. Person", "fixed", at(30), "2025-11-10T14:00:30Z", "tripped", "v1")
    world = world_of(rail, samples(9, 1), **PROD)
    yield decided(rail, replace(world, resets=(reset,)))


_CLEARED = """\
plan: p
timezone: America/New_York
release: {target: api, path: /version}
environments: {prod: {targets: {api: "http://api"}, max_age: 24h}}
windows:
  change: [{days: mon-fri, hours: "09:00-16:00"}]
  freeze: [{days: mon-fri, hours: "10:30-10:45", why: stand-up}]
phases:
  - id: one
    date: 2025-11-10
    requires: [zero]
    signoff: [pm]
    criteria: [{id: c, gate: entry, kind: demo}, {id: ok, gate: entry, kind: demo}]
    guardrails: [{id: g, metric: m, take: max, fail: "> 1", then: [rollback]}]
    rollback: [the customer is called]
    on_rollback: {revalidate: [one/entry]}
  - {id: zero, criteria: [{id: c, kind: demo}]}
roles: {pm: Product}
"""


def of_lives() -> Iterator[object]:
    """Of phases that have begun, and what changed since."""
    plan = plan_of(criterion())
    phase, world = plan.phases[0], world_of(plan, **PROD)
    own = statements_of(phase)["c"]
    moved = life_of(phase, reading(60, release="v2", api="http://b"))
    began = life_of(phase, change(5), reading(9), read={"release": "v0"})
    looser = amendment("c", "other", own)
    alone = Unbelieved(looser, Reason("amended.alone", {"person": looser.approved_by}))
    for life in (
        replace(life_of(phase, stated={"c": "other"}), unbelieved=(alone,)),
        *(Life(None), life_of(phase), moved, began, life_of(phase, stated={"c": "other"})),
        life_of(phase, change(5, "rollback-step")),
        life_of(phase, stated={"c": own, "dropped": "other"}),
        life_of(phase, stated={"c": "other"}, amendments=(looser,)),
    ):
        yield decided(plan, replace(world, life=life))
    silent = (ReleaseFact("start", None, error="no answer"),)
    yield decided(
        plan, replace(world, life=life_of(phase), run=replace(world.run, releases=silent))
    )
    for life in (moved, life_of(phase)):
        yield drift_finding(Case(plan, phase, replace(world, life=life), AT))
    around = (ReleaseFact("start", "v1", scenario="s"), ReleaseFact("end", "v2", scenario="s"))
    released = plan_of(criterion(), header=RELEASED)
    facts = (V1[0], *around, V1[1])
    yield decided(released, world_of(released, environment="prod", releases=facts))


def of_clearances() -> Iterator[object]:
    """Of what stands against a change, or does not."""
    plan = plan_of("", header=_CLEARED)
    waiver = Waiver(Waives.CRITERION, "one", "c", "agreed", "A", "B", dt.date(2025, 11, 11))
    waived = replace(plan, waivers=(waiver,))
    failed = {"t.py::test_c": (Attempt(Verdict.FAIL, "no"),)}
    good = decided(plan, world_of(plan, **PROD), Gate.ENTRY)
    bad = decided(plan, world_of(plan, checks=failed, **PROD), Gate.ENTRY)
    resting = decided(waived, world_of(waived, checks=failed, **PROD), Gate.ENTRY)
    where = Address("p", "one", Gate.ENTRY)

    def cleared(now: str, stated: Plan = plan, **known: Any) -> object:
        decision = known.get("decision", good)
        facts = {"run": "r1", "decision": decision, "again": decision, "release": "v1", **known}
        moment = dt.datetime.fromisoformat(f"2025-11-{now}-05:00")
        return clearance(stated, where, GateFacts(**facts), moment)

    yield cleared("10T10:10:00")
    yield cleared("10T10:40:00", release="v2", required={"zero": "GO"})
    yield cleared("10T10:10:00", required={"zero": "GO"}, required_release={"zero": "v0"})
    yield cleared("10T09:30:00", required={"zero": "NO-GO"}, release_error="no answer")
    yield cleared("15T09:00:00")
    yield cleared("10T10:10:00", begins="r1")
    since = {
        "subject": "p.one.c",
        "how": "attested",
        "by": "Ada",
        "at": "2025-11-10T14:00:00+00:00",
    }
    yield cleared("10T10:10:00", decision=bad, given={"p.one.c": Reason("clear.given", since)})
    back = "ROLLBACK at noon, run r0 decided it"
    yield cleared("10T10:10:00", rolled_back=back)
    yield cleared("10T10:10:00", rolled_back=back, revalidate={"one/entry": "it is HOLD"})
    at = "2025-11-10T09:00:00-05:00"
    taken = Reason("clear.taken-back", {"gate": "p.zero/exit", "rolled_back": back})
    yield cleared("10T10:10:00", taken_back=(taken,))
    no = Reason("clear.no-since", {"criterion": "p.one.c", "by": "ada", "at": at})
    yield cleared("10T10:10:00", noes=(no,))
    tripped_since = Reason("clear.before-trip", {"run": "r1", "guardrail": "p.one.g", "at": at})
    yield cleared("10T10:10:00", earlier_life=tripped_since)
    yield cleared("10T10:10:00", earlier_life=Reason("clear.never-begun", {"phase": "p.one"}))
    for code in ("clear.before-begin", "clear.before-end", "clear.before-rollback"):
        yield cleared("10T10:10:00", earlier_life=Reason(code, {"run": "r1", "at": at}))
    held = Reason("clear.held", {"at": at, "says": "INC-7 (A. Person)"})
    ended = Reason("clear.phase-ended", {"at": at, "says": "ended by A. Person"})
    yield cleared("10T10:10:00", ended=ended)
    tripped = Reason("clear.tripped", {"guardrail": "p.one.g", "at": at, "says": "max of m was 2"})
    yield cleared("10T10:10:00", frozen=held, tripped=(tripped,))
    renamed = Reason("clear.tripped-unstated", tripped.facts)
    yield cleared("10T10:10:00", tripped=(renamed,))
    yield cleared("10T10:10:00", decision=bad)
    yield cleared("10T10:10:00", again=bad)
    yield cleared("10T10:10:00", merged=bad)
    yield cleared("10T10:10:00", merged=replace(good, substance_digest="other"))
    for later, other in ((True, bad), (False, bad), (False, None)):
        run = OtherRun("r0", later, other, why="the run never finished")
        yield cleared("10T10:10:00", others=(run,))
    unfinished = OtherRun("r0", True, None, (("p.one.c", "it broke"),))
    yield cleared("10T10:10:00", others=(unfinished,))
    place = {"api": "http://a"}
    yield cleared("10T10:10:00", judged_at=place, runs_at={"api": "http://b"})
    yield cleared("10T10:10:00", judged_at=place)
    yield cleared("10T10:10:00", again=None)
    yield cleared("10T10:10:00", decision=None)
    yield cleared("10T10:10:00", waived, decision=resting)
    yield cleared("12T10:10:00", waived, decision=resting)
    yield cleared("10T10:10:00", plan, decision=resting)
    lasting = replace(waived, environments={"prod": Environment("prod")})
    until_waived = decided(lasting, world_of(lasting, checks=failed, **PROD), Gate.ENTRY)
    yield until_waived
    yield cleared("12T10:10:00", lasting, decision=until_waived)
    yield cleared("10T10:10:00", replace(plan, phases=plan.phases[1:]))
    first, *others = plan.phases[0].criteria
    softer = (replace(first, severity=Severity.SOFT), *others)
    changed = replace(plan.phases[0], criteria=softer)
    yield cleared("10T10:10:00", replace(plan, phases=(changed, *plan.phases[1:])))
    opened = replace(waiver, kind=Waives.WINDOW, what="freeze")
    yield cleared("10T10:40:00", replace(plan, waivers=(opened,)))
    yield from _cleared_for_long(plan, good, where)
    for stated in (replace(plan, release=None), replace(plan, release=None, no_release="a pump")):
        yield cleared("10T10:10:00", stated)
    blind = Reason("clear.blind", {"guardrail": "p.one.g", "reason": said("2 looks are lost")})
    yield cleared("10T10:10:00", blind=(blind,))
    for beyond in (False, True):
        facts: dict[str, Fact] = {
            "file": "decision.json",
            "ledger": "ledger.db",
            "sequence": 543,
            "beyond": beyond,
        }
        yield cleared("10T10:10:00", doubt=Reason("clear.other-ledger", facts))


def _cleared_for_long(plan: Plan, good: Decision, where: Address) -> Iterator[object]:
    """What ends before the change does; what people accepted."""
    now = dt.datetime.fromisoformat("2025-11-10T10:10:00-05:00")
    known = GateFacts("r1", good, good, release="v1")
    yield clearance(plan, where, known, now, for_us=25 * 60 * SECOND)
    answer = clearance(plan, where, known, now, max_age_us=15 * 60 * SECOND, for_us=600 * SECOND)
    yield answer
    accepted = tuple(map(key, answer.findings))
    override = Override("p.one/entry", "v1", "", ("ada", "bob"), "INC-7", AT, 2 * AT, accepted)
    yield clearance(plan, where, replace(known, override=override), now)
    yield decided(plan, replace(world_of(plan, **PROD), overrides=(override,)), Gate.ENTRY)
    set_up = replace(plan, configuration=plan.release)
    yield clearance(set_up, where, replace(known, configuration="d2"), now)
    nameless = replace(plan, release=None, no_release="a pump")
    yield decided(nameless, world_of(nameless, **PROD), Gate.ENTRY)


def of_signatures() -> Iterator[object]:
    """Of who has signed, who has not, and why one does not count."""
    eve = signed("eve", "operations")
    yield findings([signed("ada", "engineering"), eve])
    for person, stance in (("bob", Stance.AGAINST), ("ada", Stance.WITHDRAWN)):
        yield findings([signed(person, "engineering", stance), eve])
    for changes in ({"substance": "older"}, {"recorded_s": 999}, {"trouble": "bad key"}):
        yield findings([signed("ada", "engineering", **changes), eve])
    yield findings([signed("eve", "engineering")])
    for names in (("ada",), ("mallory",), ()):
        yield apart_findings(Authors(names), signed("ada", "engineering"))
    yield apart_findings(None)
    for answer in (Answer.GO, Answer.HOLD):
        yield uncounted(signed("ada", "engineering"), Authors(("ada",)), answer)


def of_reviews() -> Iterator[object]:
    """Of reviews of a pull request, in every way that they may count or not."""
    line = f"rollout-substance: {DECISION.substance_digest}"
    made = {"bob": PULL.reviews[0]}
    for login in ("eve", "pam", "mallory"):
        made[login] = replace(made["bob"], login=login)
    asked = replace(made["bob"], state=ReviewState.CHANGES_REQUESTED, text="too slow")
    dismissed = replace(made["bob"], state=ReviewState.DISMISSED)
    edited = replace(made["bob"], text=line, edited=True, commit="d" * 40)
    early = replace(made["bob"], submitted_at="2025-11-10T01:00:00+00:00")
    for review in (*made.values(), asked, dismissed, edited, early):
        first = judged_reviews(replace(PULL, reviews=(review,)))
        yield first
        given = recorded_reviews(first)
        for later in (review, replace(review, state=ReviewState.DISMISSED)):
            yield judged_reviews(replace(PULL, reviews=(later,)), given)
        yield findings(given)
    yield judged_reviews(replace(PULL, author="bob"))
    since = replace(PULL, text=line, text_since="2025-11-10T23:00:00+00:00", reviews=(edited,))
    yield judged_reviews(since)


_ROLLED = f"""{LEDGER_PLAN}
  - id: after
    criteria:
      - {{id: c, kind: demo, rolls_up: [canary.works, canary/exit]}}
"""
_AFTER = Address("demo", "after", Gate.EXIT)


def of_ledgers(folder: Path) -> Iterator[object]:
    """Of gates that are read from a ledger, or cannot be."""
    for number, (lay, environment) in enumerate(_LAID):
        with opened(folder / f"{number}.db") as ledger:
            lay(ledger)
            late = Writer(ledger, "late", environment, _ROLLED, gates=(_AFTER,))
            late.start()
            late.manifest(items={})
            late.seal()
            if lay is _damaged:
                tamper(folder / f"{number}.db", "UPDATE observations SET value = '9'")
            phase = plan_of_ledger(_ROLLED).phase("after")
            assert phase is not None
            rolled = read_world(ledger, "late", _AFTER, phase).world.rolled
            yield [one.verdict if isinstance(one.verdict, Hole) else one for one in rolled]
    asked = AskingRun("r1", "digest", finished=False)
    for standing in (GateStanding(asked), GateStanding(asked, damage="a record is gone")):
        yield _undecided(standing)
    yield _undecided(GateStanding(asked), process=4711)


def _nothing(_: Ledger) -> None:
    pass


def _good(ledger: Ledger) -> None:
    Writer(ledger, "r1", "prod", _ROLLED).good()


_damaged = partial(_good)


def _no(ledger: Ledger) -> None:
    Writer(ledger, "r1", "prod", _ROLLED).good(works=FAIL)


def _then_good(ledger: Ledger) -> None:
    _no(ledger)
    Writer(ledger, "r2", "prod", _ROLLED).good()


def _begun(ledger: Ledger) -> None:
    Writer(ledger, "r1", "prod", _ROLLED).start()


def _foreign(ledger: Ledger, document: str = '{"schema": 99}') -> None:
    """A run whose decision was written by something else."""
    run = Writer(ledger, "r1", "prod", _ROLLED, gates=())
    run.gates = (EXIT,)
    run.start()
    run.manifest()
    run.checks()
    run.seal()
    body = {"document": document, "look": True, "release": "v1"}
    run.append(RecordKind.DECISION, body, "demo", str(EXIT))


def _partly(ledger: Ledger) -> None:
    part = Writer(ledger, "r0", "prod", _ROLLED, partial=("-k",)).good()
    _foreign(ledger, to_json(part.decisions[1]))


def _of_older_plan(ledger: Ledger) -> None:
    text = _ROLLED.replace("id: works", "id: worked").replace("canary.works", "canary.worked")
    Writer(ledger, "r1", "prod", text).good()


_LAID: Sequence[tuple[Callable[[Ledger], None], str]] = (
    (_nothing, "prod"),
    (_nothing, EMBEDDED),
    (_good, "prod"),
    (_damaged, "prod"),
    (_no, "prod"),
    (_then_good, "prod"),
    (_begun, "prod"),
    (_foreign, "prod"),
    (_partly, "prod"),
    (_of_older_plan, "prod"),
)


def of_loads() -> Iterator[object]:
    """Of records of loads that cannot be believed."""
    yield honesty.doubts(profile_of(), None)
    for bad, *_ in BOUNDS.values():
        yield honesty.doubts(profile_of(), record_of(**bad))
    closed = closed_profile()
    gone = tuple(replace(second, users=1) for second in seconds())
    yield honesty.doubts(closed, record_of(closed, seconds=gone))
    yield honesty.doubts(profile_of(), record_of(ended_us=BEGAN_US + 3_600_000_000))
    for seconds_told in (seconds(failed=RATE), (*seconds(), *seconds(failed=RATE, many=3))):
        yield honesty.doubts_of_times(record_of(seconds=seconds_told))


def given(folder: Path) -> dict[str, list[Reason]]:
    """The reasons by their codes; ``folder`` is for ledgers."""
    found: dict[str, list[Reason]] = {}
    records = (
        *(of_rules(), of_nights(), of_what_no_plan_asks(), of_checks(), of_people(), of_waivers()),
        of_results(),
        *(
            of_other_gates(),
            of_gates(),
            of_lives(),
            of_clearances(),
            of_signatures(),
            of_reviews(),
            of_ledgers(folder),
            of_loads(),
        ),
    )
    for reason in reasons_in([record for several in records for record in several]):
        found.setdefault(reason.code, []).append(reason)
    return found
