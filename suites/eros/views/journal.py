"""The run journal: what ran, for whom, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from functools import cached_property

from pytest_rollout import Reported
from suites.eros.views import oracle
from suites.eros.views.conditions import Baseline, Outcome, mean
from suites.eros.views.service import Service

GIVEN_UP = timedelta(seconds=600)  # after so long nobody waits for a run any more


class Run:
    """A run of a pipeline; a field that the journal lacks is an error of what reads it."""

    def __init__(self, said: Reported) -> None:
        self.said = said

    @cached_property
    def run_id(self) -> str:
        """Its id."""
        return self.said.text("run_id")

    @cached_property
    def request_id(self) -> str:
        """The id of the request, which the runs of both pipelines share."""
        return self.said.text("request_id")

    @cached_property
    def creator(self) -> str:
        """For whom it ran."""
        return self.said.text("creator")

    @cached_property
    def pipeline(self) -> str:
        """v4 or v5."""
        return self.said.text("pipeline")

    @cached_property
    def shadow(self) -> bool:
        """Whether its result is discarded."""
        return self.said.flag("shadow")

    @cached_property
    def fallback(self) -> bool:
        """Whether it is a v4 run in place of a v5 run that failed."""
        return self.said.flag("fallback")

    @cached_property
    def delivered(self) -> bool:
        """Whether its schedule went to the caller."""
        return self.said.flag("delivered")

    @cached_property
    def started(self) -> datetime:
        """When it began."""
        return self.said.moment("started")

    @cached_property
    def ended(self) -> datetime:
        """When it ended, or was given up on."""
        return self.started + GIVEN_UP if self.said["ended"] is None else self.said.moment("ended")

    @cached_property
    def seconds(self) -> float:
        """What it took, by its times; of one that never ended until it was given up on."""
        return (self.ended - self.started).total_seconds()

    @cached_property
    def told_seconds(self) -> float | None:
        """What the journal says that it took."""
        return self.said.number_or_none("duration_s")

    @cached_property
    def ok(self) -> bool:
        """Whether it succeeded by itself, before any fallback."""
        return self.said.text("outcome") == "ok"

    @cached_property
    def quality(self) -> float | None:
        """Its score; None where it failed."""
        return self.said.number_or_none("quality")

    @cached_property
    def violations(self) -> tuple[str, ...]:
        """The hard gates that its draft broke."""
        return tuple(map(str, self.said["violations"]))

    def broken(self, draft: Reported | None, roster: Mapping[str, Reported]) -> frozenset[str]:
        """The hard gates that it broke: those on record, and those that its draft breaks."""
        creator = roster.get(self.creator)
        by_rule = oracle.broken(draft.each("draft"), creator) if draft and creator else ()
        return frozenset((*self.violations, *by_rule))

    def outcome(self, *, broken: int | None = None, regression: bool = False) -> Outcome:
        """The run as rollback conditions see it, with so many broken gates, or the journal's."""
        score = None if self.quality is None else exact(self.quality)
        many = len(self.violations) if broken is None else broken
        return Outcome(
            self.ended, self.creator, self.ok, exact(self.seconds), score, many, regression
        )


def exact(number: float) -> Fraction:
    """A number as it is written, so that 69.9 is 699/10."""
    return Fraction(str(number))


def runs_of(answer: Reported) -> tuple[Run, ...]:
    """The runs in an answer of the journal, by the time they ended."""
    return tuple(sorted(map(Run, answer.each("runs")), key=lambda run: (run.ended, run.run_id)))


def runs(
    service: Service, since: datetime | None = None, until: datetime | None = None, **which: object
) -> tuple[Run, ...]:
    """The runs of a stretch of time."""
    return runs_of(service.get("/runs", since=since, until=until, **which))


def served(journal: Iterable[Run]) -> list[Run]:
    """The runs of v5 that were to serve a creator."""
    return [run for run in journal if run.pipeline == "v5" and not run.shadow]


def shadows(journal: Iterable[Run]) -> list[Run]:
    """The runs of v5 beside v4."""
    return [run for run in journal if run.pipeline == "v5" and run.shadow]


def regressed(run: Run, by_request: dict[str, Run]) -> bool:
    """Whether a shadow run broke a hard gate that v4 kept on the same input."""
    other = by_request.get(run.request_id)
    return other is not None and bool(run.violations) and other.ok and not other.violations


def of_v4(journal: Iterable[Run]) -> dict[str, Run]:
    """The runs of v4 by the request that they answer."""
    return {run.request_id: run for run in journal if run.pipeline == "v4"}


def shadow_outcomes(journal: Sequence[Run]) -> list[Outcome]:
    """The shadow runs as rollback conditions see them."""
    before = of_v4(journal)
    return [run.outcome(regression=regressed(run, before)) for run in shadows(journal)]


def baseline(journal: Iterable[Run]) -> Baseline:
    """What v4 scored on average, by creator."""
    scores: dict[str, list[Fraction]] = {}
    for run in journal:
        if run.pipeline == "v4" and run.quality is not None:
            scores.setdefault(run.creator, []).append(exact(run.quality))
    means = {creator: mean(held) for creator, held in scores.items()}
    return {creator: value for creator, value in means.items() if value is not None}
