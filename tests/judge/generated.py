"""Generated plans, worlds and steps for the worse.

A world's slots are drawn first, then its values. Slots stay: to add or to take away one is not
for the worse, because it may complete a `need` or make room for an older value.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from fractions import Fraction

from hypothesis import strategies as st

from pytest_rollout.judge.series import opportunities
from pytest_rollout.model.evidence import Attempt, Hole, Lost, ReleaseFact, Sample, Seen, World
from pytest_rollout.model.plan import Gate, Plan
from pytest_rollout.model.rule import Rule, Take
from pytest_rollout.model.verdict import Verdict
from tests.judge.worlds import AT, HEADER, NINE, SECOND, plan_of, seen, world_of

END = (AT - NINE) // SECOND
BAD = (Verdict.FAIL, Verdict.ERROR, Verdict.MISSING)
TAKES = (
    *("count", "sum", "mean", "min", "max", "last", "rate", "p50", "p90"),
    '{share: "< 2"}',
    '{share: ">= 2"}',
)
OVER = (
    "",
    "[{span: 10m}]",
    "[{span: 5m, need: 2}, {last: 3}]",
    "[{last: 2, need: 2}]",
    "[{since: begin}]",
    "[{span: 1m, need: 4}, {span: 20m, need: 2}, {last: 1, need: 1}]",
)
EACH = ("", "", "", "{lane: [A]}", "{lane: [A, B]}", "{lane: 2}", "{lane: [A], site: 1}")
WHERE = ("", "", "", "{site: x}")
ROWS = (
    "in_a_row: 2",
    "in_a_row: {n: 2, gaps: skip}",
    "in_a_row: {for: 40s, gap: 40s}",
    "per: run",
    "per: run, in_a_row: 2",
    "tolerate: {failures: 1}",
    "tolerate: {failures: 3, in_a_row: 1}",
)
TOLERATE = "tolerate"
BASE = "z"  # the site that others are compared with
VERSUS = (
    f"versus: {{where: {{site: {BASE}}}}}",
    f"versus: {{where: {{site: {BASE}}}, frozen: begin}}",
)
SHARES = ("rate", "share", "p50", "p90")
RELEASED = HEADER.replace("phases:", "release: {target: api, path: /version, json: v}\nphases:")


@st.composite
def rules(draw: st.DrawFn, series: str, *, guardrail: bool) -> str:
    """A rule in flow style, with limits among the values that are drawn."""
    take = draw(st.sampled_from(TAKES))
    shares = take == "rate" or "share" in take
    limit = draw(st.sampled_from(("0.25", "0.5") if shares else ("1", "2", "3")))
    parts = [f"metric: {series}", f"take: {take}"]
    up = take == "count" or draw(st.booleans())
    if guardrail:
        # What it must not be: a guardrail's own cut is where it fails.
        parts.append(f'fail: "{"<" if up else ">"} {limit}"')
    else:
        parts.append(f'pass: "{">=" if up else "<="} {limit}"')
        if draw(st.booleans()):
            parts.append(f'fail: "{"<" if up else ">"} {"0.1" if up else "4"}"')
        if draw(st.booleans()):
            parts.append(f'warn: "{"<=" if up else ">="} {limit}"')
    kind = draw(st.sampled_from(("", "", "row", "versus", "bound")))
    where = ("{site: x}",) if kind == "versus" else WHERE
    for key, choices in (("over", OVER), ("each", EACH), ("where", where)):
        if chosen := draw(st.sampled_from(choices)):
            parts.append(f"{key}: {chosen}")
    parts.append(f"need: {draw(st.sampled_from((1, 1, 2)))}")
    bounded = any(one in take for one in SHARES)
    if kind == "row":
        whole = take == "count" or "share" in take  # what one sample has none of
        parts.append(
            draw(st.sampled_from([one for one in ROWS if not (whole and TOLERATE in one)]))
        )
    elif kind == "versus" and take != "count":
        parts.append(draw(st.sampled_from(VERSUS)))
    elif kind == "bound" and bounded:
        windows = "{level: 60%, windows: 3}" if guardrail else "60%"
        parts.append(f"confidence: {windows}")
    elif kind == "bound" and take == "mean" and not guardrail:
        parts.append("confidence: 60%, range: [-20, 20]")
    return ", ".join(parts)


@st.composite
def phases(draw: st.DrawFn) -> str:
    """A phase with plain checks, criteria with rules and guardrails, each on its own series."""
    lines = ["    criteria:"]
    gate = draw(st.sampled_from(("exit", "exit", "exit", "entry")))
    for index in range(draw(st.integers(1, 2))):
        severity = "hard" if index == 0 else draw(st.sampled_from(("hard", "soft", "optional")))
        rule = draw(rules(f"c{index}", guardrail=False)) if draw(st.booleans()) else ""
        when = "when: {configured: KEY}, " if draw(st.integers(0, 7)) == 0 else ""
        stated = f"id: c{index}, kind: load, gate: {gate}, severity: {severity}"
        lines.append(f"      - {{{stated}, {when}{rule}}}")
    if draw(st.integers(0, 4)) == 0:
        lines += draw(groups(gate))
    lines.append("    guardrails:")
    for index in range(draw(st.integers(0, 1))):
        rule = draw(rules(f"g{index}", guardrail=True))
        then = draw(st.sampled_from(("warn", "notify", "pause", "rollback")))
        lines.append(f"      - {{id: g{index}, {rule}, then: [{then}]}}")
    return "\n".join(lines) + "\n"


@st.composite
def groups(draw: st.DrawFn, gate: str) -> list[str]:
    """A criterion that is made of two others."""
    need = draw(st.sampled_from(("all", "any", 'score, pass: ">= 70", fail: "< 40"')))
    key = draw(st.sampled_from(("", ", key: [m0]"))) if need.startswith("score") else ""
    member = f"kind: load, gate: {gate}, severity: optional"
    return [
        *(f"      - {{id: m{index}, {member}}}" for index in (0, 1)),
        f"      - {{id: g, kind: load, gate: {gate}, of: {{m0: 2, m1: 1}}, need: {need}{key}}}",
    ]


def criterion_phase(rule: str) -> str:
    """A phase in which all depends on the rule of one criterion."""
    return f"    criteria:\n      - {{id: c0, kind: load, {rule}}}\n"


def guardrail_phase(rule: str, then: str = "pause") -> str:
    """A phase in which all depends on one guardrail."""
    check = "    criteria: [{id: c0, kind: load}]\n"
    return f"{check}    guardrails:\n      - {{id: g0, {rule}, then: [{then}]}}\n"


@st.composite
def narrow_phases(draw: st.DrawFn) -> str:
    """A phase in which all depends on one rule."""
    if draw(st.booleans()):
        return criterion_phase(draw(rules("c0", guardrail=False)))
    then = draw(st.sampled_from(("pause", "rollback")))
    return guardrail_phase(draw(rules("g0", guardrail=True)), then)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """A plan with one phase; some ask for the release."""
    if draw(st.integers(0, 2)):
        return plan_of(draw(narrow_phases()))
    header = draw(st.sampled_from((HEADER, RELEASED)))
    return plan_of(draw(phases()), header=header)


def rules_of(plan: Plan) -> list[Rule]:
    """The rules of a plan's one phase."""
    phase = plan.phases[0]
    stated = [one.rule for one in phase.criteria if one.rule is not None]
    return [*stated, *(rule for one in phase.guardrails for rule in one.rules)]


def harmful_is_up(rule: Rule) -> bool:
    """Whether larger values are worse for a rule."""
    upward = rule.bands.passes.upward
    share = rule.take.share_of
    return upward is not share.upward if share is not None else not upward


@st.composite
def values(draw: st.DrawFn, rule: Rule, *, good: bool = False) -> str | None:
    """A stored value that a rule can take, good ones more often than bad.

    A rate is of values from 0 to 1, and where it has a bound, of outcomes that are 0 or 1.
    """
    if not good and draw(st.integers(0, 15)) == 0:
        return None
    rate = rule.take.take is Take.RATE
    if rate and draw(st.booleans()):
        of = draw(st.sampled_from((0, 1, 4)))
        return f'{{"bad": {0 if good else draw(st.integers(0, of))}, "of": {of}}}'
    partly = ("0.5", "1") if rule.confidence is None else ("1",)
    bad = draw(st.sampled_from(partly if rate else ("1", "2", "3", "4")))
    one = Fraction("0" if good else bad)
    if not harmful_is_up(rule):
        one = (1 if rate else 4) - one
    if draw(st.integers(0, 7)) == 0:
        return f'[["{one}", {draw(st.integers(1, 4))}]]'
    return str(one)


@st.composite
def slots(draw: st.DrawFn, rule: Rule, *, good: bool = False) -> Seen:
    """One slot of a rule's series with a value; most are recent and of the deciding run."""
    recent = (END - 60, END - 40, END - 20, END)
    t = draw(st.sampled_from((0, 60, END - 600, END - 300, *recent, *recent)))
    run = draw(st.sampled_from(("r1", "r1", "r1", "r0")))
    late = draw(st.sampled_from((0, 0, 0, 700)))
    labels = {}
    if draw(st.integers(0, 19)):
        labels["site"] = draw(st.sampled_from("xxxxxxxxxy"))
        if rule.versus is not None and draw(st.booleans()):
            labels["site"], t = BASE, draw(st.sampled_from((0, t)))
        if rule.each:
            labels["lane"] = draw(st.sampled_from("AAABBBBC"))
    seq = draw(st.integers(0, 3))
    value = draw(values(rule, good=good))
    return seen(value, t, rule.metric, seq=seq, run=run, recorded=t + late, **labels)


@st.composite
def observations(draw: st.DrawFn, rule: Rule) -> list[Seen]:
    """What was seen of a rule's series: in most worlds one slot at most is not good."""
    flaws = draw(st.sampled_from((0, 1, 1, 1, 2, 6)))
    return [draw(slots(rule, good=index >= flaws)) for index in range(draw(st.integers(2, 6)))]


@st.composite
def worlds(draw: st.DrawFn, plan: Plan) -> World:
    """Evidence of a plan, for the most part good; in a calm world all but observations is."""
    observed = [one for rule in rules_of(plan) for one in draw(observations(rule))]
    environment = draw(st.sampled_from(("embedded", "prod")))
    facts = (ReleaseFact("start", "v1"), ReleaseFact("end", "v1"))
    if draw(st.integers(0, 3)):
        return world_of(
            plan, observed, environment=environment, configured={"KEY": True}, releases=facts
        )
    verdicts = st.sampled_from((Verdict.PASS,) * 12 + BAD)
    checks = {
        f"t.py::test_{one.id}": [
            Attempt(v) for v in draw(st.lists(verdicts, min_size=1, max_size=2))
        ]
        for one in plan.phases[0].criteria
    }
    if draw(st.integers(0, 5)) == 0:
        facts = (ReleaseFact("start", None), ReleaseFact("end", None))
    configured = {"KEY": draw(st.booleans())}
    return world_of(
        plan,
        observed,
        checks=checks,
        environment=environment,
        configured=configured,
        releases=facts,
    )


def gate_of(plan: Plan) -> Gate:
    """The gate that the plan's criteria belong to."""
    return plan.phases[0].criteria[0].gate


def worsened(draw: st.DrawFn, rule: Rule, sample: Sample, *, harmful: bool = True) -> Sample:
    """The sample with each of its values moved in the harmful direction.

    Of what others are compared with that is the other direction.
    """
    step = draw(st.sampled_from((Fraction(1, 2), Fraction(1), Fraction(3))))
    step = step if harmful_is_up(rule) is harmful else -step
    moved = tuple((value + step, count) for value, count in sample)
    if rule.take.take is Take.RATE and rule.confidence is not None:
        moved = tuple((Fraction(step > 0), count) for _, count in sample)
    elif rule.take.take is Take.RATE:
        moved = tuple((min(max(value, Fraction(0)), Fraction(1)), count) for value, count in moved)
    return moved


@st.composite
def changed_slot(draw: st.DrawFn, plan: Plan, world: World, *, lose: bool) -> World:
    """The world with one value lost or worsened in place; of a lost one the weight may be too.

    A slot that was recorded twice with different values holds none that could be worsened.
    """
    chosen = draw(st.sampled_from(world.seen))
    rule = next(one for one in rules_of(plan) if one.metric == chosen.slot.series)
    value = chosen.value
    copies = [one for one in world.seen if one.slot == chosen.slot]
    if lose:
        value = Hole("lost", draw(st.sampled_from((opportunities(chosen), None))))
    elif not isinstance(value, Hole) and all(one.value == value for one in copies):
        base = rule.versus is not None and dict(chosen.slot.labels).get("site") == BASE
        value = worsened(draw, rule, value, harmful=not base)
    else:
        return world
    changed = copies if draw(st.booleans()) else [chosen]
    seen_now = tuple(
        dataclasses.replace(one, value=value) if one in changed else one for one in world.seen
    )
    return dataclasses.replace(world, seen=seen_now)


def hole(draw: st.DrawFn, plan: Plan, world: World) -> World:
    """A value becomes a hole."""
    return draw(changed_slot(plan, world, lose=True)) if world.seen else world


def harm(draw: st.DrawFn, plan: Plan, world: World) -> World:
    """A value moves in its harmful direction."""
    return draw(changed_slot(plan, world, lose=False)) if world.seen else world


def _attempts(world: World, item: str, attempts: list[Attempt]) -> World:
    return dataclasses.replace(world, checks={**world.checks, item: tuple(attempts)})


def spoilt_attempt(draw: st.DrawFn, plan: Plan, world: World) -> World:
    """An attempt turns bad."""
    item = draw(st.sampled_from(sorted(world.checks)))
    attempts = list(world.checks[item])
    if attempts:
        place = draw(st.integers(0, len(attempts) - 1))
        attempts[place] = Attempt(draw(st.sampled_from(BAD)))
    return _attempts(world, item, attempts)


def failing_attempt(draw: st.DrawFn, plan: Plan, world: World) -> World:
    """A failing attempt is added somewhere."""
    item = draw(st.sampled_from(sorted(world.checks)))
    attempts = list(world.checks[item])
    attempts.insert(draw(st.integers(0, len(attempts))), Attempt(draw(st.sampled_from(BAD))))
    return _attempts(world, item, attempts)


def lost_report(draw: st.DrawFn, plan: Plan, world: World) -> World:
    """A check never reported, and what it observed in the run is gone without a trace."""
    item = draw(st.sampled_from(sorted(world.checks)))
    left = tuple(one for one in world.seen if one.run != world.run.id or draw(st.booleans()))
    return dataclasses.replace(_attempts(world, item, []), seen=left)


def lost_run(draw: st.DrawFn, plan: Plan, world: World) -> World:
    """An earlier run was killed, and all that it saw is gone."""
    left = tuple(one for one in world.seen if one.run == world.run.id)
    killed = Lost("r0", NINE + END * SECOND, "its run was never sealed")
    return dataclasses.replace(world, seen=left, lost=(killed,))


def unsealed(draw: st.DrawFn, plan: Plan, world: World) -> World:
    """The run never finished."""
    return dataclasses.replace(world, run=dataclasses.replace(world.run, sealed=False))


def spoilt_run(draw: st.DrawFn, plan: Plan, world: World) -> World:
    """Something was left out of the run, or went wrong in it."""
    key = draw(st.sampled_from(("partial", "problems")))
    changed = dataclasses.replace(world.run, **{key: ("lost",)})  # type: ignore[arg-type]
    return dataclasses.replace(world, run=changed)


def lost_fact(draw: st.DrawFn, plan: Plan, world: World) -> World:
    """What the target or the environment said of itself is lost, or reads otherwise."""
    run = world.run
    if draw(st.booleans()):
        return dataclasses.replace(world, run=dataclasses.replace(run, configured={}))
    facts = list(run.releases)
    if facts:
        place = draw(st.integers(0, len(facts) - 1))
        bad = draw(
            st.sampled_from(
                (
                    None,
                    dataclasses.replace(facts[place], release=None),
                    dataclasses.replace(facts[place], release="v2"),
                    dataclasses.replace(facts[place], release=None, error="no answer"),
                )
            )
        )
        facts[place : place + 1] = [bad] if bad else []
    return dataclasses.replace(world, run=dataclasses.replace(run, releases=tuple(facts)))


def another_look(draw: st.DrawFn, plan: Plan, world: World) -> World:
    """The release was looked at once more."""
    return dataclasses.replace(world, looks=world.looks + 1)


Step = Callable[[st.DrawFn, Plan, World], World]
STEPS: tuple[Step, ...] = (
    *((hole,) * 8),
    *((harm,) * 8),
    *(spoilt_attempt, failing_attempt, lost_report, lost_run),
    *(unsealed, spoilt_run, lost_fact, another_look),
)


@st.composite
def degradations(
    draw: st.DrawFn, plan: Plan, world: World, steps: Sequence[Step] = STEPS
) -> tuple[str, World]:
    """One step for the worse: its name, and the world after it."""
    step = draw(st.sampled_from(steps))
    return step.__name__, step(draw, plan, world)


@st.composite
def pairs(draw: st.DrawFn, plan: Plan, steps: Sequence[Step] = STEPS) -> tuple[World, World]:
    """A world, and that world after a few steps for the worse."""
    world = worse = draw(worlds(plan))
    for _ in range(draw(st.integers(1, 3))):
        _, worse = draw(degradations(plan, worse, steps))
    return world, worse
