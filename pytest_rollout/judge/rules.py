"""The finding of one rule over the observations of a world."""

from __future__ import annotations

from fractions import Fraction

from pytest_rollout.judge import words
from pytest_rollout.judge.estimate import Point, estimate
from pytest_rollout.judge.lost import fails_anyway
from pytest_rollout.judge.slices import Absent, Reach, Slice, grouped, matching, slices
from pytest_rollout.model.decision import Part
from pytest_rollout.model.evidence import World
from pytest_rollout.model.rule import Bands, Rule, ScopeKind
from pytest_rollout.model.verdict import Verdict


def band(bands: Bands, value: Fraction) -> Verdict:
    """Where a value lies: pass, warn, fail, or hold between pass and fail."""
    if bands.passes.holds(value):
        return Verdict.WARN if bands.warn and bands.warn.holds(value) else Verdict.PASS
    if bands.fail is None or bands.fail.holds(value):
        return Verdict.FAIL
    return Verdict.HOLD


def judge(rule: Rule, world: World, at_us: int, zone: str) -> tuple[Part, ...]:
    """One part for each group of the rule; never empty."""
    items = matching(rule, world)
    if all(scope.kind is ScopeKind.RUN for scope in rule.scopes):
        items = [item for item in items if item.run == world.run.id]
    reach = Reach(at_us, world.begun_us, world.run.id)
    found, absent = slices(rule, grouped(rule, items), reach)
    parts = [judge_slice(rule, slice_, zone) for slice_ in found]
    return (*parts, *(absent_part(rule, item) for item in absent))


def judge_slice(rule: Rule, slice_: Slice, zone: str) -> Part:
    """The part of one group; a hole caps it at inconclusive, unless it fails anyway."""
    group = words.name(slice_.group)
    if slice_.n < slice_.need:
        verdict = Verdict.INCONCLUSIVE if slice_.n else Verdict.MISSING
        return Part(group, verdict, words.short_of(rule, slice_))
    point = estimate(slice_.seen, rule.take)
    if isinstance(point, str):
        verdict = Verdict.INCONCLUSIVE if slice_.holes else Verdict.ERROR
        return Part(group, verdict, words.holes(rule, slice_) if slice_.holes else point)
    seen = words.shown(point, zone)
    if slice_.holes and not fails_anyway(rule, slice_):
        return Part(group, Verdict.INCONCLUSIVE, words.holes(rule, slice_), seen)
    verdict = Verdict.FAIL if slice_.holes else band(rule.bands, point.value)
    return Part(group, verdict, _because(rule, slice_, point, verdict, zone), seen)


def _because(rule: Rule, slice_: Slice, point: Point, verdict: Verdict, zone: str) -> str:
    seen = words.taken(rule, slice_, point, zone)
    match verdict:
        case Verdict.HOLD:
            assert rule.bands.fail is not None
            fail = rule.bands.fail.text
            return f"{seen}; between the target {rule.bands.passes.text} and the breach {fail}"
        case Verdict.WARN:
            assert rule.bands.warn is not None
            warn = rule.bands.warn.text
            return f"{seen}; allowed {rule.bands.passes.text}, but {warn} is a warning"
        case _:
            return f"{seen}; allowed {rule.bands.passes.text}"


def absent_part(rule: Rule, absent: Absent) -> Part:
    """The part of expected groups that nothing was seen of."""
    within = f" of {words.name(absent.within)}" if absent.within else ""
    because = (
        f"{absent.found} of {absent.expected} expected groups of {absent.label}{within} "
        f"were seen in {rule.metric}"
    )
    return Part(f"every {absent.label}{within}", Verdict.MISSING, because)
