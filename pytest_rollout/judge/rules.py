"""The finding of one rule over the observations of a world."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pytest_rollout.judge import looks, words
from pytest_rollout.judge.assess import Assessed, Terms, assess
from pytest_rollout.judge.lost import fails_anyway, other_is_lost
from pytest_rollout.judge.slices import (
    Absent,
    Groups,
    Reach,
    Slice,
    cut,
    grouped,
    matching,
    of_series,
    opportunities,
    slices,
)
from pytest_rollout.model.decision import Part
from pytest_rollout.model.evidence import Seen, World
from pytest_rollout.model.plan import Plan
from pytest_rollout.model.rule import Each, Rule, ScopeKind
from pytest_rollout.model.verdict import Verdict


def judge(stated: Rule, world: World, at_us: int, plan: Plan) -> tuple[Part, ...]:
    """One part for each group of the rule; never empty."""
    rule = resolved(stated, world.seen)
    items = matching(rule, world)
    if rule.per is None and all(one.kind is ScopeKind.RUN for one in rule.scopes):
        items = [item for item in items if item.run == world.run.id]
    reach = Reach(at_us, world.begun_us, world.run.id, plan.timezone, plan.nights)
    level = level_of(rule, world.looks)
    groups, others = grouped(rule, items), other_side(rule, world)
    terms = Terms(plan.timezone, level)
    if rule.per is None and rule.streak is None:
        found, absent = slices(rule, groups, reach)
        parts = [judge_slice(rule, one, against(rule, one, others, reach, terms)) for one in found]
    else:
        parts, absent = looks.fold(rule, groups, reach, _judged(rule, others, terms))
    parts = [*parts, *(absent_part(rule, item) for item in absent)]
    if rule.in_theorem:
        return tuple(parts)
    return tuple(replace(one, because=words.outside(one.because)) for one in parts)


def resolved(rule: Rule, seen: Sequence[Seen]) -> Rule:
    """The rule with the groups that it expects because another series has them."""
    if not any(one.source for one in rule.each):
        return rule
    return replace(rule, each=tuple(_resolved(one, seen) for one in rule.each))


def _resolved(each: Each, seen: Sequence[Seen]) -> Each:
    if each.source is None:
        return each
    labels = (dict(one.slot.labels) for one in seen if one.slot.series == each.source)
    names = tuple(sorted({found[each.label] for found in labels if each.label in found}))
    enough = len(names) >= each.at_least
    return Each(each.label, names) if enough else Each(each.label, at_least=each.at_least)


def level_of(rule: Rule, looks_: int) -> float:
    """The level of the k-th look: halved with each, so that looking again buys nothing."""
    if rule.confidence is None:
        return 0.0
    return float(rule.confidence.level) * 2.0 ** -(max(1, looks_) - 1)


def other_side(rule: Rule, world: World) -> Groups:
    """The slots of the other side of a comparison, by group."""
    versus = rule.versus
    if versus is None:
        return {}
    seen: Sequence[Seen] = world.seen
    if versus.release is not None:
        seen = [one for one in world.past if one.release == versus.release]
    elif versus.frozen:
        seen = [*world.past, *world.seen]
    return grouped(rule, of_series(versus.metric, versus.where, seen))


def against(rule: Rule, slice_: Slice, others: Groups, reach: Reach, terms: Terms) -> Terms:
    """The terms with what a slice is compared with: frozen at the begin, or of its own scope."""
    if rule.versus is None:
        return terms
    items = others.get(slice_.group, ())
    if rule.versus.frozen:
        begun = reach.begun_us
        kept = tuple(one for one in items if begun is not None and one.slot.t_us <= begun)
    elif rule.versus.release is not None:
        kept = tuple(items)
    else:
        kept = cut(slice_.scope, items, reach)
    return replace(terms, other={slice_.group: kept})


def _judged(rule: Rule, others: Groups, terms: Terms) -> looks.Judging:
    def judged(slice_: Slice, reach: Reach) -> Part:
        return judge_slice(rule, slice_, against(rule, slice_, others, reach, terms))

    return judged


def judge_slice(rule: Rule, slice_: Slice, terms: Terms) -> Part:
    """The part of one group; a hole caps it at inconclusive, unless it fails anyway."""
    group = words.name(slice_.group)
    if slice_.n < slice_.need:
        verdict = Verdict.INCONCLUSIVE if slice_.n else Verdict.MISSING
        return Part(group, verdict, words.short_of(rule, slice_))
    lacking = _other_lacks(rule, slice_, terms)
    if lacking:
        return Part(group, lacking[0], lacking[1])
    found = assess(rule, slice_.group, slice_.seen, terms, slice_.scope.kind)
    if isinstance(found, str):
        verdict = Verdict.INCONCLUSIVE if slice_.holes else Verdict.ERROR
        return Part(group, verdict, words.holes(rule, slice_) if slice_.holes else found)
    seen = words.shown(rule, found, terms)
    if slice_.holes and not fails_anyway(rule, slice_, terms):
        return Part(group, Verdict.INCONCLUSIVE, words.holes(rule, slice_), seen)
    if slice_.holes:
        found = Assessed(Verdict.FAIL, found.point, found.bound, found.difference)
    return Part(group, found.verdict, words.because(rule, slice_, found, terms), seen)


def _other_lacks(rule: Rule, slice_: Slice, terms: Terms) -> tuple[Verdict, str] | None:
    """What keeps the other side from being compared with."""
    if rule.versus is None:
        return None
    name = rule.versus.metric
    if other_is_lost(slice_, terms):
        return Verdict.INCONCLUSIVE, f"of the other side, {name}, samples cannot be judged"
    n = sum(opportunities(one) or 0 for one in terms.other.get(slice_.group, ()))
    if n >= slice_.need:
        return None
    what = f"{n} of {slice_.need} needed samples of the other side, {name}, were seen"
    return (Verdict.INCONCLUSIVE if n else Verdict.MISSING), what


def absent_part(rule: Rule, absent: Absent) -> Part:
    """The part of expected groups that nothing was seen of."""
    within = f" of {words.name(absent.within)}" if absent.within else ""
    because = (
        f"{absent.found} of {absent.expected} expected groups of {absent.label}{within} "
        f"were seen in {rule.metric}"
    )
    return Part(f"every {absent.label}{within}", Verdict.MISSING, because)
