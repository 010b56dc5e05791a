"""A figure of a report, taken from what was seen; a hole makes it unknown, not smaller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from pytest_rollout.judge.domain import admitted
from pytest_rollout.judge.takes import tallied
from pytest_rollout.judge.tally import Terms
from pytest_rollout.model.evidence import Hole, Seen
from pytest_rollout.model.numbers import decimal
from pytest_rollout.model.reporting import Figure
from pytest_rollout.model.rule import Bands, Cut, Rule, Scope, ScopeKind

NOTHING = "N/A"
_ALL = Scope(ScopeKind.RUN, 1)
_ANY = Bands(Cut(">=", Fraction(0), ""))  # a figure is held against no cut


def value_of(figure: Figure, seen: Sequence[Seen], where: Mapping[str, str]) -> str:
    """Return the figure as text, with how many samples it is made of; ``N/A`` without any.

    ``where`` are labels besides those that the figure names.
    """
    wanted = {**figure.where, **where}
    samples = [
        sample
        for sample in seen
        if sample.slot.series == figure.metric and _matches(sample, wanted)
    ]
    samples.sort(key=lambda sample: (sample.slot.t_us, sample.slot.seq))
    said = _taken(figure, samples)
    if not figure.by or said == NOTHING:
        return said
    labels = (dict(sample.slot.labels).get(figure.by) for sample in samples)
    groups = dict.fromkeys(label for label in labels if label is not None)
    split = (
        f"{name}: {_taken(figure, [o for o in samples if _matches(o, {figure.by: name})], n=False)}"
        for name in sorted(groups)
    )
    return f"{said} ({', '.join(split)})"


def _matches(seen: Seen, wanted: Mapping[str, str]) -> bool:
    labels = dict(seen.slot.labels)
    return all(labels.get(key) == value for key, value in wanted.items())


def _taken(figure: Figure, samples: Sequence[Seen], *, n: bool = True) -> str:
    rule = Rule(figure.metric, figure.taking, _ANY, (_ALL,))
    taken = admitted(rule, samples)
    lost = sum(isinstance(seen.value, Hole) for seen in taken)
    if lost:
        return f"{NOTHING} ({lost} of {len(taken)} samples cannot be read)"
    point = tallied(rule, taken, _ALL, Terms("UTC")).point()
    if point is None:
        return NOTHING
    said = _percent(point.value) if figure.percent else decimal(point.value)
    return f"{said}, n = {point.n}" if n and not figure.by else said


def _percent(value: Fraction) -> str:
    """With one decimal; 99.96 % is not called 100 %."""
    tenths = value * 1000
    whole = round(tenths)
    if whole in (0, 1000) and tenths != whole:
        return f"{decimal(value * 100)} %"
    return f"{whole / 10:.1f} %"
