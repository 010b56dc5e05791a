"""How far back a decision looks: which observations of earlier runs its rules can reach.

The edges are those by which the judge cuts. Nothing is recorded before it happened, so a run
that recorded nothing after an edge saw nothing after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from heapq import nlargest

from pytest_rollout import calendar
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.evidence import Run
from pytest_rollout.model.plan import EMBEDDED, Phase
from pytest_rollout.model.recorded import Recorded
from pytest_rollout.model.rule import PerUnit, Rule, ScopeKind, Versus

_ALL_TIME = -(2**62)
_DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest samples of a series, whenever they happened."""

    series: str
    where: Mapping[str, str]
    n: int

    def oldest_us(self, recorded: Recorded, at_us: int) -> int | None:
        """Return when the oldest of them happened; None where there are not so many."""
        samples = recorded.having(self.series, self.where)
        slots = {seen.slot for seen in samples if seen.slot.t_us <= at_us}
        newest = nlargest(self.n, (slot.t_us for slot in slots))
        return newest[-1] if len(newest) == self.n else None


@dataclass(frozen=True, slots=True)
class Reach:
    """What of earlier runs matters at a moment."""

    at_us: int
    edge_us: int | None = None  # what was observed after it; None: nothing for its time alone
    newest: tuple[Newest, ...] = field(default=())


def reach_of(run: Run, phase: Phase, at_us: int, begun_us: int | None) -> Reach:
    """Return what of earlier runs the rules of a phase can reach.

    A rehearsal reads its own run alone. What looks at many moments may reach any of them.
    """
    if run.environment == EMBEDDED:
        return Reach(at_us)
    stated = [criterion.rule for criterion in phase.criteria if criterion.rule is not None]
    guards = [rule for guardrail in phase.guardrails for rule in guardrail.rules]
    # Which groups another series names depends on all that is read of it.
    counted = not any(each.source for rule in (*stated, *guards) for each in rule.each)
    bounded: list[Rule] = []
    by_run: list[Rule] = []
    others = [*guards]
    for rule in stated:
        once = counted and _looks_once(rule)
        (bounded if once else by_run if _looks_at_runs(rule) else others).append(rule)
    edges = [edge for rule in (*bounded, *by_run) for edge in _edges(rule, at_us, begun_us)]
    edges += [edge for rule in others for edge in _all_edges(rule, at_us, begun_us)]
    edges += [_ALL_TIME for criterion in phase.criteria if criterion.ingest is not None]
    edges += [begun_us - 1] if phase.guardrails and begun_us is not None else []
    # Of a run without a seal nothing counts, so no newest samples are looked for.
    newest = tuple(samples for rule in bounded for samples in _newest(rule)) if run.sealed else ()
    return Reach(at_us, min(edges, default=None), newest)


def _looks_once(rule: Rule) -> bool:
    """Whether a rule has one look, now, at one group, so that its newest samples are enough.

    A group that the plan does not list is judged by its newest samples, too, however old.
    """
    frozen = rule.versus is not None and rule.versus.frozen
    many = rule.streak is not None or rule.per is not None or rule.nightly is not None
    return not (many or rule.each or frozen)


def _all_edges(rule: Rule, at_us: int, begun_us: int | None) -> Iterator[int]:
    """The edges of a rule that looks at many moments, or at groups that nobody lists."""
    if rule.streak is not None or rule.per is not None:
        yield _ALL_TIME
    if any(scope.kind is ScopeKind.LAST for scope in rule.scopes):
        yield _ALL_TIME
    yield from _edges(rule, at_us, begun_us)


def _looks_at_runs(rule: Rule) -> bool:
    """Whether a criterion looks at one group by the run, and at none before its scopes.

    What was lost before them counts where looks are days or nights: nobody knows of which one.
    """
    if rule.per is None or rule.per.unit is not PerUnit.RUN or rule.each:
        return False
    frozen = rule.versus is not None and rule.versus.frozen
    return not frozen and all(
        scope.kind in (ScopeKind.SPAN, ScopeKind.SINCE) for scope in rule.scopes
    )


def _edges(rule: Rule, at_us: int, begun_us: int | None) -> Iterator[int]:
    """The edges of its stretches of time."""
    if rule.nightly is not None:
        yield at_us - calendar.nights_reach_us(rule.nightly)
    for scope in rule.scopes:
        if scope.kind in (ScopeKind.DAYS, ScopeKind.NIGHTS):
            yield at_us - (scope.last + 2) * _DAY_US
        elif scope.kind not in (ScopeKind.RUN, ScopeKind.AGE, ScopeKind.LAST):
            edge, _ = calendar.bounds(scope, at_us, begun_us, "UTC")
            yield _ALL_TIME if edge is None else edge


def _newest(rule: Rule) -> Iterator[Newest]:
    """The newest samples that it looks at, of both sides of a comparison within the world."""
    for scope in rule.scopes:
        if scope.kind is ScopeKind.LAST:
            yield Newest(rule.metric, rule.where, scope.last)
            if rule.versus is not None and rule.versus.release is None:
                yield Newest(rule.versus.metric, rule.versus.where, scope.last)


def only_nights(compared: Sequence[Versus], releases: set[str | None]) -> set[str]:
    """Return the series of which only nights of some releases are compared with, nothing else."""
    named = [versus for versus in compared if versus.release in releases]
    nights = {versus.metric for versus in named if versus.nightly is not None}
    return nights - {versus.metric for versus in named if versus.nightly is None}
