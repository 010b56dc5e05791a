"""What people read: every finding says in whole sentences what was seen and what was allowed."""

from __future__ import annotations

import dataclasses

import pytest

from pytest_rollout.model.evidence import Attempt, Head, ReleaseFact, Seen
from pytest_rollout.model.finding import Estimate
from pytest_rollout.model.plan import Address, Gate
from pytest_rollout.model.verdict import Answer, State, Verdict
from pytest_rollout.report.text import attempt
from tests.judge.worlds import (
    HEADER,
    ZONE,
    criterion,
    decided,
    guardrail,
    judged,
    plan_of,
    samples,
    seen,
    text,
    told,
    world_of,
)

FAIL, ERROR, MISSING = Verdict.FAIL, Verdict.ERROR, Verdict.MISSING
INCONCLUSIVE, HOLD, WARN, PASS = Verdict.INCONCLUSIVE, Verdict.HOLD, Verdict.WARN, Verdict.PASS
RELEASED = HEADER.replace("phases:", "release: {target: api, path: /version}\nphases:")
START, END = ReleaseFact("start", "v1", "c1"), ReleaseFact("end", "v1", "c2")
SEALED = ("run.sealed", PASS, "the run ended by itself and is sealed")
WHOLE = ("run.whole", PASS, "nothing that is bound was left out")
KNOWN = ("run.release", PASS, "v1, at start and end")


def demanded(**run: object) -> list[tuple[str, Verdict, str]]:
    run = {"releases": (START, END), **run}
    plan = plan_of(criterion(), header=RELEASED)
    decision = decided(plan, world_of(plan, **run))  # type: ignore[arg-type]
    return [(one.id, one.verdict, text(one)) for one in decision.demands]


def test_a_good_run_meets_every_demand() -> None:
    assert demanded() == [SEALED, WHOLE, KNOWN]


@pytest.mark.parametrize(
    ("run", "said"),
    [
        ({"sealed": False}, "the run did not end by itself"),
        ({"sealed": False, "problems": ("killed", "twice")}, "killed; twice"),
        ({"problems": ("a worker crashed",)}, "a worker crashed"),
    ],
)
def test_a_run_that_did_not_end_by_itself(run: dict[str, object], said: str) -> None:
    assert demanded(**run) == [("run.sealed", MISSING, said), WHOLE, KNOWN]


def test_a_run_that_left_something_out() -> None:
    whole = ("run.whole", MISSING, "partial run: one; another")
    assert demanded(partial=("one", "another")) == [SEALED, whole, KNOWN]


def test_checks_that_never_reported() -> None:
    names = tuple(f"t.py::test_{n}" for n in range(5))
    said = "5 bound checks never reported: test_0; test_1; test_2; and 2 more"
    silent = {"items": {"p.one.c": names}, "checks": dict.fromkeys(names, ())}
    assert demanded(**silent) == [SEALED, WHOLE, ("run.reported", MISSING, said), KNOWN]


def test_a_gate_without_criteria() -> None:
    plan = plan_of(criterion())
    decision = decided(plan, world_of(plan), Gate.ENTRY)
    because = "nothing to judge: the plan states no criterion for this gate"
    last = decision.demands[-1]
    assert (last.id, last.verdict, text(last)) == ("gate.criteria", MISSING, because)


@pytest.mark.parametrize(
    ("facts", "verdict", "said"),
    [
        (
            (),
            MISSING,
            "the release is unknown: a rehearsal reads it from the target api when a check first "
            'asks it, and none did; let one use phase.target("api")',
        ),
        ((START,), MISSING, "the release was read only at the start of the run"),
        ((END,), MISSING, "the release was read only at the end of the run"),
        (
            (START, ReleaseFact("end", "v0")),
            MISSING,
            "more than one release was judged: v0, v1",
        ),
        (
            (START, ReleaseFact("end", None)),
            MISSING,
            "the release is unknown: the target was asked and named none",
        ),
        (
            (START, ReleaseFact("end", None, error="refused")),
            ERROR,
            "the release could not be read: refused",
        ),
    ],
)
def test_a_release_that_is_not_known_throughout(
    facts: tuple[ReleaseFact, ...], verdict: Verdict, said: str
) -> None:
    assert demanded(releases=facts) == [SEALED, WHOLE, ("run.release", verdict, said)]


def test_a_release_that_nobody_asked_for_elsewhere() -> None:
    said = "the release is unknown: no target was asked for it"
    assert demanded(releases=(), environment="prod")[-1] == ("run.release", MISSING, said)


def test_a_reference_target_elsewhere_is_told_once() -> None:
    facts = (dataclasses.replace(START, reference="plms"), dataclasses.replace(END, reference="x"))
    because = (
        "the target answers as a reference target (plms); its evidence is worth nothing in prod"
    )
    assert demanded(releases=facts, environment="prod") == [
        SEALED,
        WHOLE,
        ("run.environment", MISSING, because),
        KNOWN,
    ]


RULE = 'metric: m, take: max, pass: "< 10", warn: ">= 8", fail: "> 12"'
AT, MINUTE = "at 2025-11-10 09:01:00 EST", "2025-11-10T09:01:00-05:00"


@pytest.mark.parametrize(
    ("rule", "observed", "verdict", "said"),
    [
        (
            RULE,
            samples(1, 3),
            PASS,
            f"max of m was 3 {AT}, over 2 samples in this run; allowed < 10",
        ),
        (
            RULE,
            samples(1, 9),
            WARN,
            f"max of m was 9 {AT}, over 2 samples in this run; allowed < 10, but >= 8 is a warning",
        ),
        (
            RULE,
            samples(1, 11),
            HOLD,
            f"max of m was 11 {AT}, over 2 samples in this run; "
            "between the target < 10 and the breach > 12",
        ),
        (
            RULE,
            samples(1, 13),
            FAIL,
            f"max of m was 13 {AT}, over 2 samples in this run; allowed < 10",
        ),
        (
            'metric: m, take: mean, pass: "< 10"',
            samples(1, 3),
            PASS,
            "mean of m was 2, over 2 samples in this run; allowed < 10",
        ),
        (
            RULE,
            [seen(1), seen(2)],
            INCONCLUSIVE,
            "1 of 1 sample of m cannot be judged: recorded twice with different values",
        ),
        (
            f"{RULE}, over: [{{last: 5}}], each: {{lane: [A]}}, need: 1",
            [seen('{"bad": 0, "of": 0}', lane="A"), seen("[]", 60, lane="B")],
            MISSING,
            "lane A and lane B: no sample of m was seen among the last 5; 1 sample needed",
        ),
        (RULE, [], MISSING, "no sample of m was seen in this run; 1 sample needed"),
        (
            f"{RULE}, need: 3",
            samples(1),
            INCONCLUSIVE,
            "1 of 3 needed samples of m were seen in this run",
        ),
        (
            RULE,
            samples(1, None, "NaN"),
            INCONCLUSIVE,
            "2 of 3 samples of m cannot be judged: lost; no finite number was measured",
        ),
        (
            'metric: m, take: max, pass: "< 1", over: [{span: 5m, need: 2}]',
            [],
            MISSING,
            "no sample of m was seen in the last 5m; 2 samples needed",
        ),
        (
            'metric: m, take: rate, pass: "< 1"',
            samples(0, 2),
            INCONCLUSIVE,
            "1 of 2 samples of m cannot be judged: "
            "a rate is of outcomes between 0 and 1, and 2 was observed",
        ),
        (
            'metric: m, take: mean, pass: "< 1", each: {lane: [A], site: 2}',
            samples(0, lane="A", site="x"),
            MISSING,
            "every site of lane A: 1 of 2 expected groups of site of lane A were seen in m",
        ),
        (
            'metric: m, take: mean, pass: "< 1", each: {lane: 2}',
            samples(0, lane="A"),
            MISSING,
            "every lane: 1 of 2 expected groups of lane were seen in m",
        ),
        (
            'metric: m, take: mean, pass: "< 1", each: {lane: [A, B, C, D, E]}',
            [],
            MISSING,
            "lane A, lane B, lane C and 2 more: no sample of m was seen in this run; "
            "1 sample needed",
        ),
    ],
)
def test_what_a_rule_says(rule: str, observed: list[Seen], verdict: Verdict, said: str) -> None:
    finding = judged(rule, observed)
    assert (finding.verdict, text(finding)) == (verdict, said)


OF_WHAT = [seen(0, 0, lane="A", project=1), seen(2, 60, lane="B", project=2)]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ('take: sum, pass: "<= 1"', f"sum of m was 2, the first bad one {AT} (lane B, project 2),"),
        ('take: max, pass: "<= 1"', f"max of m was 2 {AT} (lane B, project 2), over"),
        ('take: last, pass: "<= 1"', f"last of m was 2 {AT} (lane B, project 2), over"),
        (
            'take: max, pass: "<= 1", each: {lane: [A, B]}',  # the group has its name before it
            f"lane B: max of m was 2 {AT} (project 2), over",
        ),
        (
            'take: max, pass: "<= 1", where: {project: "2"}, each: {lane: [B]}',
            f"lane B: max of m was 2 {AT}, over",
        ),
        (
            'take: max, pass: "<= 1", tolerate: {failures: 0}',
            f"1 of 2 samples of m is bad, the first {AT} (lane B, project 2); tolerated 0",
        ),
        ('take: sum, pass: ">= 3"', "sum of m was 2, over 2 samples"),  # no slot decided
    ],
)
def test_the_slot_that_decided_is_named_by_its_labels(rule: str, said: str) -> None:
    assert said in text(judged(f"metric: m, {rule}", OF_WHAT))


def test_labels_that_tell_people_nothing_are_left_out() -> None:
    observed = [seen(2, 60, scenario="two_projects", why="", lane="B")]
    assert f"was 2 {AT} (lane B), over" in text(judged(RULE, observed))
    assert f"was 2 {AT}, over" in text(judged(RULE, samples(1, 2, scenario="two_projects")))


@pytest.mark.parametrize(
    ("value", "limit", "said"),
    [
        ("0.65", "< 500ms", "650ms"),
        ("5400", "<= 2h", "1.5h"),
        ("1800.001", "<= 30m", "1800.001s"),  # in minutes it would be rounded to what is allowed
        ("3", "< 5", "3"),
    ],
)
def test_a_duration_is_said_in_the_unit_of_its_cut(value: str, limit: str, said: str) -> None:
    finding = judged(f'metric: m, take: mean, pass: "{limit}"', samples(value))
    assert f"mean of m was {said}, over" in text(finding)
    assert finding.parts[-1].estimate is not None
    assert finding.parts[-1].estimate.value == value
    assert finding.parts[-1].estimate.unit == ("" if said == "3" else "s")


def test_what_is_known_is_shown_beside_what_is_lost() -> None:
    finding = judged('metric: m, take: max, pass: "< 10"', samples(1, None))
    assert (finding.verdict, finding.samples) == (INCONCLUSIVE, 1)
    assert finding.parts[-1].estimate == Estimate("1", 1, at="2025-11-10T09:00:00-05:00")


def test_of_many_reasons_three_are_told() -> None:
    why = "is not a number to judge"
    finding = judged(RULE, samples("d", "c", "b", "a"))
    told = f"a {why}; b {why}; c {why}"
    assert text(finding) == f"4 of 4 samples of m cannot be judged: {told}"


def test_a_rule_since_a_begin_that_never_was() -> None:
    finding = judged(f"{RULE}, over: [{{since: begin}}]", samples(1), begun_us=None)
    assert text(finding) == "the phase was not begun, so no sample of m counts"


@pytest.mark.parametrize(
    ("take", "values", "expected"),
    [
        ("count", (1, 3, 2), Estimate("3", 3)),
        ("mean", (1, 3, 2), Estimate("2", 3)),
        ("sum", (0, 3, 2), Estimate("5", 3)),  # the first that counts for it says nothing
        ("sum", (0, 0), Estimate("0", 2)),
        ("rate", (0, 1, 0, 1), Estimate("0.5", 4)),
        ("min", (2, 1, 1), Estimate("1", 3, at=MINUTE)),
        ("max", (2, 3, 3), Estimate("3", 3, at=MINUTE)),
        ("last", (2, 3), Estimate("3", 2, at=MINUTE)),
        ("last", (2, '[["3", 4], ["8", 1]]'), Estimate("4", 6, at=MINUTE)),
        ("p50", (9, 2, 1), Estimate("2", 3, at=MINUTE)),
        ('{share: "> 1"}', (1, 2), Estimate("0.5", 2)),
    ],
)
def test_what_an_estimate_shows(take: str, values: tuple[object, ...], expected: Estimate) -> None:
    finding = judged(f'metric: m, take: {take}, pass: ">= -1000"', samples(*values))
    estimate = finding.parts[-1].estimate
    assert estimate is not None
    assert dataclasses.replace(estimate, catches=None) == expected
    assert finding.samples == expected.n


def test_everything_that_a_criterion_shows() -> None:
    plan = plan_of(criterion(f"says: It is fast, {RULE}", severity="soft"))
    finding = decided(plan, world_of(plan, samples(1))).criteria[0]
    assert (finding.id, finding.says, finding.severity) == ("p.one.c", "It is fast", "soft")
    assert (finding.kind, finding.allowed) == ("load", "< 10, warns >= 8, fails > 12")
    assert [(part.subject.ref, part.subject.name) for part in finding.parts] == [
        ("t.py::test_c", "test_c"),
        ("", ""),
    ]


CHECKS = {"items": {"p.one.c": ("t.py::test_a", "t.py::test_b")}}


@pytest.mark.parametrize(
    ("phase", "world", "verdict", "said"),
    [
        (criterion(), {}, PASS, "its check passed"),
        (criterion(), CHECKS, PASS, "both checks passed"),
        (
            criterion(),
            {"checks": {"t.py::test_c": [Attempt(FAIL, "it broke")]}},
            FAIL,
            "test_c: it broke",
        ),
        (
            criterion(),
            {"checks": {"t.py::test_c": [Attempt(FAIL, "it broke"), Attempt(PASS)]}},
            WARN,
            "test_c: passed only at attempt 2; before: fail: it broke",
        ),
        (
            criterion(),
            {"checks": {"t.py::test_c": [Attempt(ERROR), Attempt(PASS)]}},
            WARN,
            "test_c: passed only at attempt 2; before: error",
        ),
        (criterion(), {"checks": {"t.py::test_c": ()}}, MISSING, "test_c: it never reported"),
        (
            criterion(),
            {"checks": {"t.py::test_c": ()}, "dropped": {"t.py::test_c": "deselected by -k"}},
            MISSING,
            "test_c: deselected by -k",
        ),
        (
            criterion(),
            {"items": {"p.one.c": ()}},
            MISSING,
            "no check is bound to it (no test carries criterion('c'))",
        ),
        (
            criterion().replace("load", "manual"),
            {"items": {"p.one.c": ()}},
            MISSING,
            "nobody has attested it: attestations.embedded.yaml has no stand-in",
        ),
        (
            criterion(),
            {"sealed": False},
            MISSING,
            "test_c: not counted, because the run is not sealed",
        ),
        (
            criterion(),
            {"sealed": False, "items": {"p.one.c": ()}},
            MISSING,
            "not counted, because the run is not sealed",
        ),
        (
            criterion("when: {configured: KEY}"),
            {"configured": {"KEY": True}},
            PASS,
            "its check passed",
        ),
        (
            criterion("when: {configured: KEY}"),
            {"configured": {"KEY": False}},
            Verdict.NOT_APPLICABLE,
            "KEY is not configured",
        ),
        (
            criterion("when: {configured: KEY}"),
            {},
            MISSING,
            "whether KEY is configured was not recorded",
        ),
    ],
)
def test_what_a_criterion_says(
    phase: str, world: dict[str, object], verdict: Verdict, said: str
) -> None:
    plan = plan_of(phase)
    finding = decided(plan, world_of(plan, **world)).criteria[0]  # type: ignore[arg-type]
    assert (finding.verdict, text(finding)) == (verdict, said)


def test_a_listed_check_that_was_not_collected() -> None:
    plan = plan_of(criterion())
    world = world_of(plan, checks={"t.py::test_c": ()})
    absent = dataclasses.replace(world.manifest, absent=frozenset({"t.py::test_c"}))
    decision = decided(plan, dataclasses.replace(world, manifest=absent))
    said = "p.one.c: test_c: listed in bindings.txt, but not collected"
    assert told(decision) == [said]


def test_every_attempt_of_a_check_is_shown() -> None:
    plan = plan_of(criterion())
    tried = [Attempt(FAIL, "it broke"), Attempt(MISSING), Attempt(PASS)]
    finding = decided(plan, world_of(plan, checks={"t.py::test_c": tried})).criteria[0]
    assert [attempt(one, ZONE) for one in finding.parts[0].attempts] == [
        "fail: it broke",
        "missing",
        "pass",
    ]
    good = decided(plan, world_of(plan)).criteria[0].parts[0]
    assert (text(good), [attempt(one, ZONE) for one in good.attempts]) == ("passed", ["pass"])


WATCH = 'says: None is lost, metric: m, each: {lane: [A, B]}, take: max, fail: "> 1"'


def test_everything_that_a_guardrail_shows() -> None:
    plan = plan_of(guardrail(WATCH, "[pause]"))
    observed = [*samples(0, 2, lane="A"), seen(0, 60, lane="B")]
    decision = decided(plan, world_of(plan, observed))
    (rail,) = decision.guardrails
    assert (rail.id, rail.says, rail.kind) == ("p.one.g", "None is lost", "guardrail")
    assert (rail.severity, rail.allowed, rail.verdict) == ("hard", "<= 1", FAIL)
    tripped = f"max of m was 2 {AT}, over 2 samples since the phase began; allowed <= 1"
    quiet = f"max of m was 0 {AT}, over 1 sample since the phase began; allowed <= 1"
    assert [text(part) for part in rail.parts] == [tripped, quiet]
    assert [State.of(part.verdict) for part in rail.parts] == [State.TRIPPED, State.QUIET]
    assert text(rail) == f"lane A: tripped: {tripped}"
    assert told(decision) == [f"p.one.g: lane A: tripped: {tripped}"]


def test_what_is_worst_of_a_guardrail_is_told_first() -> None:
    plan = plan_of(guardrail(WATCH.replace("[A, B]", "[A, B, C, D]"), "[pause]"))
    blind = "blind: no sample of m was seen since the phase began; 1 sample needed"
    (reason,) = told(decided(plan, world_of(plan, samples(2, lane="C"))))
    assert reason.startswith("p.one.g: lane C: tripped: max of m was 2 at ")
    assert reason.endswith(f"; lane A, lane B and lane D: {blind}")


LANES = WATCH.replace("each", "over: [{last: 2}], each")


@pytest.mark.parametrize(
    ("observed", "said"),
    [
        (
            [seen(None, 0, lane="A"), *(seen(0, t, lane="A") for t in (3500, 3600))],
            "lane A: blind: 1 of 1 sample of m cannot be judged: lost",
        ),
        (
            [seen(0, -86_401, lane="A", recorded=-86_401)],
            "lane A: blind: everything that was seen is older than evidence may be (max_age)",
        ),
        ([], "lane A: blind: no sample of m was seen among the last 2; 1 sample needed"),
    ],
)
def test_why_a_guardrail_is_blind(observed: list[Seen], said: str) -> None:
    plan = plan_of(guardrail(LANES, "[pause]"))
    others = [seen(0, 3600, lane="B")]
    decision = decided(plan, world_of(plan, [*observed, *others], environment="prod"))
    assert told(decision) == [f"p.one.g: {said}"]


PHASES = """\
    criteria:
      - {id: c, kind: load, severity: soft}
      - {id: ok, kind: load}
      - {id: before, kind: load, severity: soft, gate: entry}
      - {id: other, kind: load, severity: soft, owner: sre, due: p.three/exit}
      - {id: really, kind: load, gate: entry}
    guardrails: [{id: g, metric: m, take: max, fail: "> 1", then: [notify]}]
  - {id: two, owners: [qa]}
  - {id: three, requires: [one]}
"""


def conditions(gate: Gate, phases: str) -> list[tuple[str, Verdict, str, str, str]]:
    plan = plan_of(phases)
    bad = [Attempt(FAIL, "it broke")]
    checks = {f"t.py::test_{name}": bad for name in ("c", "before", "other")}
    stated = decided(plan, world_of(plan, samples(2), checks=checks), gate).conditions
    return [(one.id, one.verdict, text(one), one.owner, one.due) for one in stated]


def test_a_condition_says_of_whom_and_by_when() -> None:
    trip = (
        "tripped: max of m was 2 at 2025-11-10 09:00:00 EST, "
        "over 1 sample since the phase began; allowed <= 1"
    )
    assert conditions(Gate.EXIT, PHASES) == [
        ("p.one.c", FAIL, "test_c: it broke", "engineering", "p.three/entry"),
        ("p.one.other", FAIL, "test_other: it broke", "sre", "p.three/exit"),
        ("p.one.g", FAIL, trip, "engineering", "p.three/entry"),
    ]
    ((id_, *_, due),) = conditions(Gate.ENTRY, PHASES)
    assert (id_, due) == ("p.one.before", "p.one/exit")


def test_a_condition_is_due_before_what_comes_next() -> None:
    nothing_requires = PHASES.replace(", requires: [one]", "")
    assert conditions(Gate.EXIT, nothing_requires)[0][-1] == "p.two/entry"
    alone = PHASES[: PHASES.index("  - {id: two")].replace(", due: p.three/exit", "")
    assert conditions(Gate.EXIT, alone)[0][-1] == "the end of p"


DATED = """\
    date: 2025-11-10
    title: The first
    hours: 09:00-11:00
    criteria: [{id: c, kind: load}]
"""


def test_everything_that_a_decision_shows() -> None:
    plan = plan_of(DATED, header=HEADER.replace("plan: p", "plan: p\ntitle: A plan"))
    world = world_of(plan, releases=(START, END), zone_data="2025b", drill="spike", partial=("-k",))
    decision = decided(plan, dataclasses.replace(world, looks=3), at_us=world.run.ended_us + 1)
    assert decision.address == Address("p", "one", Gate.EXIT)
    assert (decision.plan_title, decision.phase_title) == ("A plan", "The first")
    assert (decision.plan_digest, decision.environment) == (plan.digest, "embedded")
    assert (decision.run, decision.drill, decision.partial) == ("r1", "spike", ("-k",))
    assert decision.decided_at == "2025-11-10T10:00:00-05:00"
    assert decision.judged_at == "2025-11-10T10:00:00.000001-05:00"
    assert (decision.release, decision.configuration) == ("v1", "c2")
    assert decision.window == "Mon 2025-11-10 09:00-11:00 EST"
    assert decision.window_instants == (
        "2025-11-10T09:00:00-05:00",
        "2025-11-10T11:00:00-05:00",
    )
    assert (decision.looks, decision.ledger, decision.zone_data) == (3, Head(1, "h"), "2025b")


def test_reasons_of_each_answer() -> None:
    rule = 'metric: m, take: max, fail: "> 1"'
    phase = guardrail(rule, "[rollback]").replace("kind: load}", f"kind: load, {RULE}}}")
    plan = plan_of(phase)
    decision = decided(plan, world_of(plan, samples(13)))
    assert decision.answer is Answer.ROLLBACK
    assert [(cause.id, cause.answer) for cause in decision.reasons] == [
        ("p.one.g", Answer.ROLLBACK),
        ("p.one.ok", Answer.NO_GO),
    ]
    alone = plan_of(criterion(severity="soft"))
    (soft,) = told(decided(alone, world_of(alone)))
    assert soft == "no hard criterion applies: a gate that cannot say no is no gate"
    maybe = plan_of(criterion(when="{configured: KEY}"))
    (nothing,) = told(decided(maybe, world_of(maybe, configured={"KEY": False})))
    assert nothing == "nothing to judge: no criterion of this gate applies and passes"


def test_the_substance_is_of_what_was_asked_and_not_of_where_it_stands() -> None:
    def digests(phase: str) -> tuple[str, str]:
        plan = plan_of(phase)
        decision = decided(plan, world_of(plan, samples(1)))
        return decision.criteria_digest, decision.substance_digest

    before = digests(criterion(RULE))
    moved = criterion(RULE).replace("    criteria:\n", "    criteria:\n\n\n")
    assert digests(moved) == before
    assert len({before, digests(criterion(RULE.replace("10", "11")))}) == 2
    watched = criterion(RULE) + '    guardrails: [{id: g, metric: m, take: max, fail: "> 9"}]\n'
    watched = watched.replace('"> 9"', '"> 9", then: [warn]')
    assert digests(watched)[0] != before[0]
    assert digests(watched)[0] != digests(watched.replace("> 9", "> 8"))[0]
