"""The finding of one rule over the observations of a world."""

from __future__ import annotations

from fractions import Fraction

from pytest_rollout.judge import words
from pytest_rollout.judge.estimate import Point, estimate
from pytest_rollout.judge.slices import Absent, Slice, slices
from pytest_rollout.model.decision import Part
from pytest_rollout.model.evidence import World
from pytest_rollout.model.rule import Bands, Rule, Take
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
    found, absent = slices(rule, world.seen, at_us, world.begun_us, world.run.id)
    parts = [judge_slice(rule, slice_, zone) for slice_ in found]
    parts += [_absent(rule, item) for item in absent]
    return tuple(parts)


def judge_slice(rule: Rule, slice_: Slice, zone: str) -> Part:
    """The part of one group."""
    group = words.name(slice_.group)
    if slice_.n < slice_.need:
        verdict = Verdict.INCONCLUSIVE if slice_.n else Verdict.MISSING
        return Part(group, verdict, words.short_of(rule, slice_))
    point = estimate(slice_, rule.take)
    if isinstance(point, str):
        verdict = Verdict.INCONCLUSIVE if slice_.holes else Verdict.ERROR
        return Part(group, verdict, words.holes(rule, slice_) if slice_.holes else point)
    seen = words.shown(point, zone)
    verdict = band(rule.bands, point.value)
    if slice_.holes and not (verdict is Verdict.FAIL and _settled(rule)):
        return Part(group, Verdict.INCONCLUSIVE, words.holes(rule, slice_), seen)
    return Part(group, verdict, _because(rule, slice_, point, verdict, zone), seen)


def _settled(rule: Rule) -> bool:
    """Whether a value that is seen to fail fails however holes are filled."""
    upward = rule.bands.passes.upward
    return rule.take.take is (Take.MIN if upward else Take.MAX)


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


def _absent(rule: Rule, absent: Absent) -> Part:
    because = (
        f"{absent.found} of {absent.expected} expected groups of {absent.label} "
        f"were seen in {rule.metric}"
    )
    return Part(f"every {absent.label}", Verdict.MISSING, because)
