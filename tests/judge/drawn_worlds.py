"""Generated worlds, for the most part good, so that what is drawn is often close to GO.

A world's slots are drawn first, then its values. Slots stay: to add or to take away one is not
for the worse, because it may complete a `need` or make room for an older value.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from pytest_rollout.judge.case import criteria_digest
from pytest_rollout.model.evidence import Attempt, ReleaseFact, Rolled, Seen, World
from pytest_rollout.model.finding import said
from pytest_rollout.model.life import Life
from pytest_rollout.model.plan import Gate, Plan, RollsUp
from pytest_rollout.model.reset import Reset
from pytest_rollout.model.rule import PerUnit, Rule, ScopeKind
from pytest_rollout.model.verdict import Verdict
from tests.judge.drawn_plans import BASE, RELEASE, by_days, phase_of, rules_of, unit_of
from tests.judge.drawn_values import values
from tests.judge.lives import amendment, change, life_of, reading
from tests.judge.worlds import AT, NINE, SECOND, seen, world_of

END = (AT - NINE) // SECOND
DAY = 86_400
RECENT = (END - 60, END - 40, END - 20, END)
EARLY = (0, 60, END - 600, END - 300)
AHEAD = (END + 30, END + DAY)  # somebody's clock is wrong
NOONS = tuple(3 * 3600 - DAY * ago for ago in (2, 1))
NIGHTS = tuple(14 * 3600 - DAY * ago for ago in (2, 1))  # at eleven in the evening
PAST = "p0"  # the run of what only comparisons may read
BAD = (Verdict.FAIL, Verdict.ERROR, Verdict.MISSING)


def moments(rule: Rule) -> tuple[int, ...]:
    """Times at which a rule looks, in seconds after nine; frequent ones stand there twice."""
    if by_days(rule):
        return (*NOONS, *NOONS, *NIGHTS, *NIGHTS, *RECENT[-2:])
    if _early(rule):
        return (*EARLY, *EARLY, END)
    return (*EARLY, *RECENT, *RECENT)


def _early(rule: Rule) -> bool:
    """Whether a rule looks at what is old, or at the begin of the phase."""
    scope = rule.scopes[0]
    return scope.kind is ScopeKind.AGE or (scope.kind is ScopeKind.SINCE and scope.span_us > 0)


def by_nights(rule: Rule) -> bool:
    """Whether a rule looks at nights that are over."""
    return unit_of(rule) is PerUnit.NIGHT or rule.scopes[0].kind is ScopeKind.NIGHTS


def places(rule: Rule) -> list[tuple[int, str]]:
    """The times and runs of which a rule asks for something."""
    if by_days(rule):
        return [(t, "r1") for t in (NIGHTS if by_nights(rule) else NOONS)]
    times = EARLY[:2] if _early(rule) else RECENT[1:]
    if unit_of(rule) is PerUnit.SPAN:
        return [(t, "r1") for t in EARLY[2:]]
    if unit_of(rule) is PerUnit.RUN:
        return [(times[0], "r0"), (times[1], "r1")]
    return [(t, "r1") for t in times] if rule.streak is not None else [(times[0], "r1")]


def before(rule: Rule) -> tuple[int, ...]:
    """Times until the phase began, the last of them its begin."""
    begin = -2 * DAY if by_days(rule) else 0
    return (begin - DAY, begin - 60, begin)


@st.composite
def slots(draw: st.DrawFn, rule: Rule, *, good: bool = False) -> Seen:
    """One slot of a rule's series, or of the other side, with a value.

    Most are of the deciding run, and seldom one is from the future.
    """
    ahead = draw(st.integers(0, 19)) == 0
    t = draw(st.sampled_from(AHEAD if ahead else moments(rule)))
    run = draw(st.sampled_from(("r1", "r1", "r1", "r0")))
    labels = {}
    if draw(st.integers(0, 19)):
        labels["site"] = draw(st.sampled_from("xxxxxxxxxy"))
        if rule.each:
            labels["lane"] = draw(st.sampled_from("AAABBBBC" if rule.versus is None else "AB"))
    seq = draw(st.integers(0, 3))
    late = draw(st.sampled_from((0, 0, 0, 700)))
    if rule.versus is not None and draw(st.booleans()):
        return draw(others(rule, t, run, labels, seq=seq, good=good))
    value = draw(values(rule, good=good))
    recorded = min(t + late, END)
    return seen(value, t, rule.metric, seq=seq, run=run, recorded=recorded, **labels)


@st.composite
def others(
    draw: st.DrawFn,
    rule: Rule,
    t: int,
    run: str,
    labels: dict[str, Any],
    *,
    seq: int = 0,
    good: bool = False,
) -> Seen:
    """One slot of the other side: of the same time, or of one before the phase began."""
    assert rule.versus is not None
    release = None
    if rule.versus.frozen:
        t = draw(st.sampled_from(before(rule) if good else (*before(rule), t)))
        run = draw(st.sampled_from((run, PAST)))
    elif rule.versus.release is not None:
        t, run = draw(st.sampled_from(before(rule))), PAST
        release = draw(st.sampled_from((RELEASE,) * 9 + ("1.3",)))
    if rule.versus.where:
        labels = {**labels, "site": BASE}
    value = draw(values(rule, good=good, other=True))
    recorded = min(t, END)
    item = seen(value, t, rule.versus.metric, seq=seq, run=run, recorded=recorded, **labels)
    return dataclasses.replace(item, release=release)


@st.composite
def covering(draw: st.DrawFn, rule: Rule) -> list[Seen]:
    """Good slots of both sides in all places of a rule and in each group, as many as it needs."""
    labels: list[dict[str, Any]]
    labels = [{"site": "x", "lane": lane} for lane in "AB"] if rule.each else [{"site": "x"}]
    needed = rule.need if rule.per is not None else rule.scopes[0].need
    found = []
    for mine in labels:
        for t, run in places(rule):
            for seq in range(4, 4 + needed):
                value = draw(values(rule, good=True))
                found.append(seen(value, t, rule.metric, seq=seq, run=run, **mine))
                if rule.versus is not None:
                    found.append(draw(others(rule, t, run, mine, seq=seq, good=True)))
    return found


@st.composite
def observations(draw: st.DrawFn, rule: Rule) -> list[Seen]:
    """What was seen of a rule's series: in most worlds one slot at most is not good."""
    covered = draw(covering(rule)) if draw(st.integers(0, 3)) else []
    flaws = draw(st.sampled_from((0, 1, 1, 1, 2, 6)))
    drawn = range(draw(st.integers(1, 3)) if covered else draw(st.integers(2, 6)))
    return covered + [draw(slots(rule, good=index >= flaws)) for index in drawn]


@st.composite
def worlds(draw: st.DrawFn, plan: Plan, *, begun: bool = True) -> World:
    """Evidence of a plan, for the most part good; in a calm world all but observations is.

    ``begun`` is whether there may be records of a phase that somebody began.
    """
    rules = rules_of(plan)
    observed = [one for rule in rules for one in draw(observations(rule))]
    days = any(by_days(rule) for rule in rules)
    # In `prod` what is older than a day is stale.
    environment = draw(st.sampled_from(("embedded",) * (6 if days else 1) + ("prod",)))
    facts = (ReleaseFact("start", "v1"), ReleaseFact("end", "v1"))
    calm = bool(draw(st.integers(0, 3)))
    checks, configured = {}, {"KEY": True}
    if not calm:
        checks = draw(attempts(plan))
        configured = {"KEY": draw(st.booleans())}
        if draw(st.integers(0, 5)) == 0:
            facts = (ReleaseFact("start", None), ReleaseFact("end", None))
    world = world_of(
        plan,
        [one for one in observed if one.run != PAST],
        checks=checks,
        items={f"{plan.id}.one.r": ()},
        environment=environment,
        configured=configured,
        releases=facts,
        begun_us=NINE - 2 * DAY * SECOND if days else NINE,
    )
    return dataclasses.replace(
        world,
        looks=draw(st.sampled_from((1, 1, 1, 2, 3, 4))),
        past=tuple(one for one in observed if one.run == PAST),
        resets=tuple(draw(resets(plan))),
        rolled=tuple(draw(rolled(plan, calm=calm))),
        previous=draw(st.sampled_from((RELEASE,) * 9 + (None,))),
        life=draw(lives(plan)) if begun and environment == "prod" else None,
    )


@st.composite
def lives(draw: st.DrawFn, plan: Plan) -> Life | None:
    """Mostly one in which all that changed was recorded and amended."""
    phase = phase_of(plan)
    if draw(st.integers(0, 3)) == 0:
        return None
    steps = {
        "as it was": (reading(1),),
        "a change": (change(1), reading(2, configuration="c2"), reading(3, configuration="c2")),
        "a change, told late": (reading(2, configuration="c2"), change(3), reading(4)),
        "and back": (change(1), reading(2, configuration="c2"), change(3), reading(4)),
        "nobody told": (reading(1), reading(2, configuration="c2")),
    }
    life = life_of(phase, *steps[draw(st.sampled_from(sorted(steps)))])
    assert life.begin is not None
    stated = dict(life.begin.stated)
    if not stated or draw(st.booleans()):
        return life
    slug = draw(st.sampled_from(sorted(stated)))
    now, stated[slug] = stated[slug], "first"
    amended = (amendment(slug, "first", "second"), amendment(slug, "second", now))
    begin = dataclasses.replace(life.begin, stated=stated)
    return dataclasses.replace(life, begin=begin, amendments=amended[draw(st.integers(0, 1)) :])


@st.composite
def attempts(draw: st.DrawFn, plan: Plan) -> dict[str, list[Attempt]]:
    """Attempts of every check, most of them good."""
    verdicts = st.sampled_from((Verdict.PASS,) * 12 + BAD)
    return {
        f"t.py::test_{one.id}": [
            Attempt(v) for v in draw(st.lists(verdicts, min_size=1, max_size=2))
        ]
        for one in phase_of(plan).criteria
        if not one.rolls_up
    }


@st.composite
def resets(draw: st.DrawFn, plan: Plan) -> list[Reset]:
    """Mostly none; else one of each guardrail, before, between or after its slots."""
    found = []
    for one in phase_of(plan).guardrails:
        if draw(st.integers(0, 4)) == 0:
            t = draw(st.sampled_from((-60, 30, END - 400, END - 50, END - 30, END - 10)))
            id_ = f"{plan.id}.one.{one.id}"
            found.append(Reset(id_, "A", "because", NINE + t * SECOND, f"{t} s", "tripped"))
    return found


@st.composite
def rolled(draw: st.DrawFn, plan: Plan, *, calm: bool) -> list[Rolled]:
    """What was found of all that the plan rolls up, in a calm world good."""
    asked = criteria_digest(phase_of(plan), Gate.ENTRY)
    verdicts = (Verdict.PASS,) if calm else (Verdict.PASS, Verdict.PASS, *Verdict)
    return [
        Rolled(one, draw(st.sampled_from(verdicts)), said("so"), "r0", NINE, "v1", asked)
        for one in _named(plan)
    ]


def _named(plan: Plan) -> Iterator[RollsUp]:
    for criterion in phase_of(plan).criteria:
        yield from criterion.rolls_up
