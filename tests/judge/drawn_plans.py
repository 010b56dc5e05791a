"""Generated plans of one phase, most of which depend on one rule."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from pytest_rollout.model.plan import Gate, Phase, Plan
from pytest_rollout.model.rule import PerUnit, Rule, ScopeKind
from tests.judge.worlds import HEADER, plan_of

TAKES = (
    *("count", "sum", "mean", "mean", "min", "max", "last", "rate", "rate", "rate", "p50", "p90"),
    "increase",
    '{share: "< 2"}',
    '{share: ">= 2"}',
)
OVER = (
    "",
    "[{span: 10m}]",
    "[{span: 5m, need: 2}, {last: 3}]",
    "[{last: 1, need: 1}]",
    "[{last: 2, need: 2}]",
    "[{since: begin}]",
    "[{since: begin, until: 20m}]",
    "[{span: 1m, need: 4}, {span: 20m, need: 2}, {last: 1, need: 1}]",
)
# What is bad leaves a window again, so that a guardrail may be quiet although it tripped.
MOVING = ("[{last: 1, need: 1}]", "[{last: 2, need: 2}]", "[{span: 1m}]", "[{last: 1, need: 1}]")
AGES = ("[{age: 4m}]", "[{age: 4m, need: 3}, {last: 2}]")  # they read one run: of criteria only
CLOSED = (
    "over: [{days: 1}]",
    "over: [{days: 2, need: 2}]",
    "over: [{days: 1, need: 3}, {last: 2}]",
    "over: [{nights: 1}]",
    "over: [{days: 1}], in_a_row: 2",
    "per: day",
    "per: day, over: [{last: 1, need: 1}]",
    "per: day, over: [{last: 2, need: 2}], in_a_row: 2",
    "per: day, over: [{span: 40h}]",
    "per: day, in_a_row: 2",
    "per: night, over: [{last: 1, need: 1}]",
    "per: night, in_a_row: {n: 2, gaps: skip}",
)
SPANS = ("per: 10m, over: [{last: 1, need: 1}]", "per: 5m, in_a_row: 2", "per: 5m")
RUNS = (
    "per: run",
    "per: run, over: [{last: 1, need: 1}]",
    "per: run, over: [{last: 2, need: 2}]",
    "per: run, over: [{since: begin}]",
    "per: run, in_a_row: 2",
)
LASTING = "for: 40s, gap: 40s"
ROWS = ("in_a_row: 2", "in_a_row: {n: 2, gaps: skip}", f"in_a_row: {{{LASTING}}}")
SOAK = f"soak: {{{LASTING}}}"
TOLERATED = ("tolerate: {failures: 1}", "tolerate: {failures: 3, in_a_row: 1}")
EACH = ("", "", "", "{lane: [A]}", "{lane: [A, B]}", "{lane: 2}", "{lane: [A], site: 1}")
COMPARED = (*EACH[:3], *EACH[:-1])  # the site tells the sides apart, so it makes no groups
WHERE = ("", "", "", "{site: x}")
BASE = "z"  # the site that others are compared with
OTHER = "_o"  # ends the name of a series that others are compared with
RELEASE = "1.4"
PREVIOUS = "release: previous"
RATIOS = ("sum", "mean", "min", "max", "last", "rate", "p50", "p90")
BOUNDED = ("rate", "share", "p50", "p90")
RELEASED = HEADER.replace("phases:", "release: {target: api, path: /version, json: v}\nphases:")


@st.composite
def rules(draw: st.DrawFn, series: str, *, guardrail: bool) -> str:
    """A rule in flow style, with limits among the values that are drawn."""
    take = draw(st.sampled_from(TAKES))
    kinds = ("", "reach", "row", "versus", "versus", "bound")
    kind = draw(st.sampled_from(kinds))
    versus = draw(comparisons(series, take)) if kind == "versus" and take != "count" else ""
    ratio = "ratio" in versus
    keys = draw(cuts(take, versus=bool(versus), ratio=ratio, guardrail=guardrail))
    keys += [versus] if versus else []
    if versus and "site" in versus:
        keys.append("where: {site: x}")
    elif where := draw(st.sampled_from(WHERE)):
        keys.append(f"where: {where}")
    if each := draw(st.sampled_from(COMPARED if versus else EACH)):
        keys.append(f"each: {each}")
    if kind == "bound" or (versus and not guardrail and draw(st.integers(0, 3)) == 0):
        keys += [bound(take, versus=bool(versus), ratio=ratio, guardrail=guardrail)]
    deep = kind in ("row", "reach") or (versus and draw(st.booleans()))
    keys += [draw(reaches(take, deep=bool(deep), alone=not versus, guardrail=guardrail))]
    keys.append(f"need: {2 if take == 'increase' else draw(st.sampled_from((1, 1, 2)))}")
    if not guardrail and draw(st.integers(0, 9)) == 0:
        keys.append("max_age: 20m")
    return ", ".join([f"metric: {series}", f"take: {take}", *(key for key in keys if key)])


@st.composite
def cuts(draw: st.DrawFn, take: str, *, versus: bool, ratio: bool, guardrail: bool) -> list[str]:
    """Where a rule passes, warns and fails: near to what good values come to."""
    up = take == "count" or draw(st.booleans())
    if ratio:
        limits = ("1", "0.5") if up else ("1", "1.5", "2")
    elif take == "rate" or "share" in take:
        limits = ("0", "0.25", "0.5")
        if up:
            limits = ("0", "-0.5") if versus else ("1", "0.75", "0.5")
    elif up and take != "count":
        limits = ("0", "-1", "-2") if versus else ("4", "3", "2")
    else:
        limits = ("1", "2", "3") if up else ("0", "1", "2")
    limit = draw(st.sampled_from(limits))
    if guardrail:
        # What it must not be: a guardrail's own cut is where it fails.
        return [f'fail: "{"<" if up else ">"} {limit}"']
    found = [f'pass: "{">=" if up else "<="} {limit}"']
    if draw(st.booleans()):
        far = "-3" if versus and not ratio else "0.1"
        found.append(f'fail: "{"<" if up else ">"} {far if up else "4"}"')
    if draw(st.booleans()):
        found.append(f'warn: "{"<=" if up else ">="} {limit}"')
    return found


@st.composite
def comparisons(draw: st.DrawFn, series: str, take: str) -> str:
    """Another side: of the same series at another site, or another series."""
    keys = [draw(st.sampled_from((f"where: {{site: {BASE}}}", f"metric: {series}{OTHER}")))]
    if take in RATIOS and draw(st.booleans()):
        keys.append("as: ratio")
    of_the_past = ("frozen: begin", f'release: "{RELEASE}"', PREVIOUS)
    keys += draw(st.sampled_from(([], [], *([one] for one in of_the_past))))
    return f"versus: {{{', '.join(keys)}}}"


def bound(take: str, *, versus: bool, ratio: bool, guardrail: bool) -> str:
    """A confidence where the take has a bound, else nothing."""
    if versus:
        # The ratio of two rates has none, the difference of other quantiles neither.
        known = take in ("mean", "p50") or (not ratio and (take == "rate" or "share" in take))
        return "confidence: 60%" if known and not guardrail else ""
    if any(one in take for one in BOUNDED):
        return f"confidence: {'{level: 60%, windows: 3}' if guardrail else '60%'}"
    if take == "mean" and not guardrail:
        return "confidence: 60%, range: [0, 4]"
    return ""


@st.composite
def reaches(draw: st.DrawFn, take: str, *, deep: bool, alone: bool, guardrail: bool) -> str:
    """Which slots are looked at, and how often; what is ``deep`` looks more than once."""
    grows = take == "increase"  # which takes two samples

    def enough(texts: Sequence[str]) -> list[str]:
        return [one for one in texts if not (grows and "need: 1" in one)]

    if not deep:
        over = draw(st.sampled_from(enough((*OVER, *(MOVING * 2 if guardrail else AGES)))))
        return f"over: {over}" if over else ""
    kinds = [CLOSED, RUNS, SPANS, ROWS if guardrail else (*ROWS, SOAK)]
    if alone and take not in ("count", "increase") and "share" not in take:  # one has none
        kinds.append(TOLERATED)
    chosen = draw(st.sampled_from(enough(draw(st.sampled_from(kinds)))))
    if "over" in chosen or "per" in chosen:
        return chosen
    over = draw(st.sampled_from(enough(("", *OVER))))
    return f"{chosen}, over: {over}" if over else chosen


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
    if gate == "exit" and draw(st.integers(0, 3)) == 0:
        lines += draw(roll_ups())
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


@st.composite
def roll_ups(draw: st.DrawFn) -> list[str]:
    """A criterion that reads what the entry of its own phase found."""
    named = draw(st.sampled_from(("[one.e]", "[one/entry]", "[one.e, one/entry]")))
    return [
        f"      - {{id: r, kind: load, rolls_up: {named}}}",
        "      - {id: e, kind: load, gate: entry}",
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
    if draw(st.integers(0, 4)) < 2:
        return criterion_phase(draw(rules("c0", guardrail=False)))
    then = draw(st.sampled_from(("pause", "rollback")))
    return guardrail_phase(draw(rules("g0", guardrail=True)), then)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """A plan with one phase; some ask for the release."""
    narrow = draw(st.integers(0, 3)) > 0
    text = draw(narrow_phases() if narrow else phases())
    header = HEADER if narrow else draw(st.sampled_from((HEADER, RELEASED)))
    return planned(text, header=header)


def planned(text: str, *, header: str = HEADER) -> Plan:
    """The plan of a drawn phase; what compares with the previous release reads its own."""
    return plan_of(text, header=RELEASED if PREVIOUS in text else header)


def phase_of(plan: Plan) -> Phase:
    """The phase that is judged."""
    return plan.phases[0]


def gate_of(plan: Plan) -> Gate:
    """The gate that the plan's criteria belong to."""
    return phase_of(plan).criteria[0].gate


def rules_of(plan: Plan) -> list[Rule]:
    """The rules of a plan's one phase."""
    phase = phase_of(plan)
    stated = [one.rule for one in phase.criteria if one.rule is not None]
    return [*stated, *(rule for one in phase.guardrails for rule in one.rules)]


def by_days(rule: Rule) -> bool:
    """Whether a rule looks at days or nights that are over."""
    closed = (ScopeKind.DAYS, ScopeKind.NIGHTS)
    return unit_of(rule) in (PerUnit.DAY, PerUnit.NIGHT) or rule.scopes[0].kind in closed


def unit_of(rule: Rule) -> PerUnit | None:
    """What the buckets of a rule are; None where it has none."""
    return rule.per.unit if rule.per is not None else None
