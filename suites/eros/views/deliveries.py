"""What was delivered: by whose run, of which day, to whom, and how long its caller waited."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

from pytest_rollout import Reported
from suites.eros.views import oracle
from suites.eros.views.journal import Run

_SOON = timedelta(seconds=5)  # between what two logs say of the same moment
_DAY = timedelta(days=1)
WRITES = ("save_schedule", "enqueue_posts", "notify_creator")  # the tools that write


@dataclass(frozen=True)
class Deliveries:
    """Runs of a stretch of time, what was stored of them, and what three logs say of both."""

    begun: datetime
    roster: Mapping[str, Reported]
    runs: Sequence[Run]  # of both pipelines
    drafts: Mapping[str, Reported]  # by run
    schedules: Sequence[Reported]
    effects: Sequence[Reported]  # what tools that write really did
    decisions: Sequence[Reported]  # by the router's log
    ended: Sequence[Reported]  # runs by the orchestrator's log

    @cached_property
    def _by_run(self) -> dict[str, Run]:
        return {run.run_id: run for run in self.runs}

    @cached_property
    def _failed(self) -> set[str]:
        return {run.request_id for run in self.runs if run.pipeline == "v5" and not run.ok}

    def judged(self, due: Callable[[str], str]) -> Iterable[tuple[Reported, str]]:
        """Each schedule that was asked for since the begin, with what is wrong; empty: nothing.

        ``due`` says which pipeline a creator must get; v4 may stand in for a v5 that failed.
        """
        for schedule in self.schedules:
            run = self._by_run.get(schedule.text("run_id"))
            if run is not None and run.started < self.begun:
                continue
            yield schedule, self._wrong(schedule, run, due(schedule.text("creator")))

    def _wrong(self, schedule: Reported, run: Run | None, due: str) -> str:
        if run is None:
            return f"is of run {schedule['run_id']}, which the journal does not know"
        if due == "v5" and schedule.text("request_id") in self._failed:
            due = "v4"
        made_by = (run.pipeline, schedule.text("pipeline"))
        if made_by != (due, due):
            return f"is of {run.pipeline} and said to be of {made_by[1]}; {due} is due"
        if run.creator != schedule.text("creator"):
            return f"was made for {run.creator}"
        return self._other_than_drafted(schedule, run)

    def _other_than_drafted(self, schedule: Reported, run: Run) -> str:
        draft, creator = self.drafts.get(run.run_id), self.roster.get(run.creator)
        if draft is None or creator is None:
            return f"is of run {run.run_id}, which drafted nothing"
        items, day = schedule.each("schedule"), date.fromisoformat(schedule.text("day"))
        if not items or not oracle.within(items, draft.each("draft"), creator):
            return f"is not what run {run.run_id} drafted"
        if broken := oracle.broken(items, creator):
            return f"breaks {', '.join(broken)}"
        asked = run.started.date()
        drafted = date.fromisoformat(draft.text("day"))
        days = {drafted, *(item.moment("at").date() for item in items)}
        if days != {day} or day not in (asked, asked + _DAY):
            return f"is of {', '.join(map(str, sorted(days)))}, said to be of {day}, asked {asked}"
        late = abs(schedule.moment("stored_at") - run.ended)
        return "" if late <= _SOON else f"was stored {late} away from the end of its run"

    def demand_served(self, due: Callable[[str], str], days: Iterable[date]) -> None:
        """Raise AssertionError where a delivery is wrong, or a creator has none on a whole day."""
        self.demand_planned()
        got: dict[date, set[str]] = {}
        for schedule, wrong in self.judged(due):
            assert not wrong, f"what {schedule['creator']} got at {schedule['stored_at']} {wrong}"
            got.setdefault(schedule.moment("stored_at").date(), set()).add(schedule.text("creator"))
        for day in days:
            without = sorted(set(self.roster) - got.get(day, set()))
            assert not without, f"on {day} nothing was delivered to {', '.join(without)}"

    def demand_planned(self) -> None:
        """Raise AssertionError where a day was planned in two ways, or all days in one."""
        drafts = self.drafts.values()
        for problem in (*oracle.unlike(drafts), *oracle.copied(drafts)):
            raise AssertionError(problem)

    def demand_delivered(self, served: Iterable[Run]) -> None:
        """Raise AssertionError where a run that succeeded was not delivered, or one is in no log.

        What a run took must be what its times say, and a run that failed leaves v4's schedule.
        """
        stored = {schedule.text("run_id") for schedule in self.schedules}
        saved = {run.request_id for run in self.runs if run.fallback and run.delivered}
        logged = {line.text("run_id") for line in self.ended}
        for run in served:
            if run.ok:
                there = run.delivered and run.run_id in stored
                assert there, f"run {run.run_id} succeeded, and nobody got its schedule"
            else:
                assert run.request_id in saved, f"run {run.run_id} failed, and v4 did not step in"
            told = run.told_seconds
            right = told is None or abs(told - run.seconds) < 0.05
            assert right, f"run {run.run_id} took {run.seconds:g} s, the journal says {told}"
            assert run.run_id in logged or told is None, f"run {run.run_id} is in no log"

    def demand_effects(self) -> None:
        """Raise AssertionError where a delivery was not saved, queued and told, each once.

        Nothing else may have an effect: no run in the shadow, none that failed.
        """
        done = Counter((effect.text("run_id"), effect.text("tool")) for effect in self.effects)
        delivered = {schedule.text("run_id") for schedule in self.schedules}
        for run_id in sorted(delivered):
            for tool in WRITES:
                times = done[run_id, tool]
                assert times == 1, f"run {run_id} was delivered, and {tool} was done {times} times"
        others = sorted({run_id for run_id, _ in done} - delivered)
        assert not others, f"run {others[0]} delivered nothing, and its tools wrote all the same"

    def demand_waiting_counts(self, served: Iterable[Run]) -> None:
        """Raise AssertionError where a run began later than the router sent its request on."""
        sent = {line.text("request_id"): line.moment("at") for line in self.decisions}
        for run in served:
            at = sent.get(run.request_id)
            assert at is not None, f"the router logged no decision for run {run.run_id}"
            waited = abs(run.started - at)
            assert waited <= _SOON, (
                f"run {run.run_id} is said to begin at {run.started}; its request was sent to it "
                f"at {at}, so {waited.total_seconds():g} s of waiting are in no figure"
            )
