"""A step to more creators: three of them by percentage, the last one to all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path

from pytest_rollout import Reported, Stage, scenario
from suites.eros.views.conditions import Outcome
from suites.eros.views.deliveries import Deliveries
from suites.eros.views.journal import GIVEN_UP, Run, runs, served
from suites.eros.views.records import logged, noted
from suites.eros.views.routing import ADOPTERS, Flags, bucket
from suites.eros.views.said import not_done
from suites.eros.views.service import Service
from suites.eros.views.steadiness import figures_hold

PERCENTAGES = {"percent25": 25, "percent50": 50, "percent75": 75, "cutover": 100}
LISTED = {**dict.fromkeys(PERCENTAGES, frozenset(ADOPTERS)), "cutover": frozenset[str]()}
BEFORE = {"percent25": 0, "percent50": 25, "percent75": 50, "cutover": 75}
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Step:
    """A step of the rollout, read from what the service did and kept."""

    service: Service
    name: str
    now: datetime
    logs: Path
    records: Path

    @property
    def wanted(self) -> Flags:
        """The flags that the plan sets for it."""
        return Flags(enabled=True, percentage=PERCENTAGES[self.name], creators=LISTED[self.name])

    @property
    def wanted_before(self) -> Flags:
        """The flags of the step before."""
        share = BEFORE[self.name]
        return Flags(enabled=True, percentage=share, creators=frozenset(ADOPTERS))

    @cached_property
    def changes(self) -> tuple[Reported, ...]:
        """Every change of flags, the oldest first."""
        return self.service.get("/flags/changes").each("changes")

    @cached_property
    def rollbacks(self) -> tuple[datetime, ...]:
        """When a rollback was made, by hand or by itself."""
        return tuple(
            rollback.moment("at") for rollback in self.service.get("/rollback").each("history")
        )

    # When it was

    @cached_property
    def change(self) -> Reported | None:
        """The change that began it; none where it has not begun."""
        reached = [change for change in self.changes if self._reaches(change)]
        return reached[-1] if reached else None

    def _reaches(self, change: Reported) -> bool:
        after, before = flags_in(change, "after"), flags_in(change, "before")
        share = PERCENTAGES[self.name]
        return after.enabled and after.percentage == share != before.percentage

    @cached_property
    def before(self) -> Flags:
        """The flags before the change: as they stand now, where it has not begun."""
        if self.change is None:
            return Flags.of(_texts(self.service.get("/flags").inner("raw")))
        return flags_in(self.change, "before")

    @cached_property
    def begun(self) -> datetime:
        """When its flags were set; raises NoValueError where they were not."""
        if self.change is None:
            share = PERCENTAGES[self.name]
            not_done(f"nobody set the percentage to {share}", "set it, and let 48 h pass")
        return self.change.moment("at")

    @property
    def until(self) -> datetime:
        """When it began, or now where it has not."""
        return self.now if self.change is None else self.begun

    @cached_property
    def real_rollbacks(self) -> list[datetime]:
        """Rollbacks that nobody recorded as a drill within the hour."""
        drills = noted(self.records, "drill") if self.records.is_file() else []
        ends = [drill.moment("at") for drill in drills]
        return [at for at in self.rollbacks if not any(at <= end <= at + _HOUR for end in ends)]

    @cached_property
    def disturbed(self) -> tuple[datetime, ...]:
        """When flags were changed, or v5 rolled back, since it began."""
        changed = [change.moment("at") for change in self.changes]
        return tuple(sorted(at for at in (*changed, *self.rollbacks) if at > self.begun))

    @cached_property
    def decisions(self) -> Sequence[Reported]:
        """Every decision of the router, by its log."""
        return logged(self.logs, "eros.router", "decision")

    @cached_property
    def decisions_since(self) -> Sequence[Reported]:
        """The decisions since it began."""
        return [decision for decision in self.decisions if decision.moment("at") >= self.begun]

    # What ran in it

    @cached_property
    def runs(self) -> Sequence[Run]:
        """Runs of v5 for creators that ended since it began."""
        return served_since(self.service, self.begun, None)

    @cached_property
    def roster(self) -> dict[str, Reported]:
        """The creators by name."""
        return {creator.text("name"): creator for creator in self.service.roster}

    @cached_property
    def journal(self) -> Sequence[Run]:
        """Runs of both pipelines that began since it began, or a while before."""
        return runs(self.service, since=self.begun - GIVEN_UP)

    @cached_property
    def drafts(self) -> dict[str, Reported]:
        """What each of these runs made before the gate cut it, by the run."""
        made = self.service.get("/drafts", since=self.begun - GIVEN_UP).each("drafts")
        return {draft.text("run_id"): draft for draft in made}

    @cached_property
    def schedules(self) -> Sequence[Reported]:
        """What was delivered and stored since it began."""
        return self.service.get("/schedules", since=self.begun).each("schedules")

    @cached_property
    def deliveries(self) -> Deliveries:
        """What was delivered since it began, and what logs say of it."""
        return Deliveries(
            self.begun,
            self.roster,
            self.journal,
            self.drafts,
            self.schedules,
            self.service.get("/effects", since=self.begun).each("effects"),
            self.decisions,
            logged(self.logs, "eros.orchestrator", "run"),
        )

    def due(self, creator: str) -> str:
        """The pipeline that a creator must get, computed here and not asked of the router."""
        return "v5" if creator in selected([creator], self.wanted) else "v4"

    def broken(self, run: Run) -> frozenset[str]:
        """The hard gates that a run broke: those on record, and those that its draft breaks."""
        return run.broken(self.drafts.get(run.run_id), self.roster)

    def outcomes(self) -> list[Outcome]:
        """Its runs as rollback conditions see them."""
        return [run.outcome(broken=len(self.broken(run))) for run in self.runs]

    @cached_property
    def earlier(self) -> Sequence[Run]:
        """Runs of v5 in the step before."""
        entered = [
            change.moment("at") for change in self.changes if change.moment("at") < self.begun
        ]
        if not entered:
            not_done("the step before was never entered", "enter it first")
        return served_since(self.service, entered[-1], self.begun)

    def steady(self) -> Iterator[tuple[datetime, bool]]:
        """Each run with whether the conditions held then; what disturbs the step breaks it.

        The step begins as it should with its flags, and lasts until now.
        """
        yield self.begun, flags_in(self.change, "after") == self.wanted if self.change else False
        window: list[Run] = []
        breaks = list(self.disturbed)
        for run in self.runs:
            while breaks and breaks[0] <= run.ended:
                yield breaks.pop(0), False
                window = []
            broken = self.broken(run)
            window = [] if broken else [*window[-19:], run]
            yield run.ended, not broken and figures_hold(window)
        yield from ((at, False) for at in breaks)
        standing = Flags.of(_texts(self.service.get("/flags").inner("raw")))
        yield self.now, standing == self.wanted and figures_hold(window)


def served_since(service: Service, since: datetime, until: datetime | None) -> Sequence[Run]:
    """Runs of v5 for creators that ended in a stretch of time, by their end."""
    ran = served(runs(service, since=since - GIVEN_UP, until=until, pipeline="v5"))
    return [run for run in ran if since <= run.ended and (until is None or run.ended < until)]


def flags_in(change: Reported, side: str) -> Flags:
    """The flags before or after a change."""
    return Flags.of(_texts(change.inner(side)))


def selected(names: Iterable[str], flags: Flags) -> frozenset[str]:
    """Who is on v5 by hash and list, computed here and not asked of the router."""
    by_hash = {name for name in names if bucket(name) < flags.percentage}
    return frozenset(by_hash) | flags.creators


def _texts(said: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in said.items() if value is not None}


@scenario()
def widened(phase: Stage) -> Step:
    """The step is made and its days pass; elsewhere people make it, and it is read."""
    name = phase.id.rpartition(".")[2]
    phase.operate("eros", "rollout", before=name)
    phase.operate("eros", "phase", id=name)
    if name == "cutover":
        phase.operate("eros", "close")
    service = Service(phase.target("eros").client)
    return Step(service, name, phase.now(), phase.file("logs"), phase.file("records"))
