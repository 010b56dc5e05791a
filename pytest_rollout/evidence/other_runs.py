"""What other runs saw of a phase: earlier ones of the release, and those to compare with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

from pytest_rollout.evidence import inputs, run_facts, settlements
from pytest_rollout.evidence.accepting import accepted_in, asks_to_confirm, release_accepted
from pytest_rollout.evidence.bodies import Process, StoredEvent
from pytest_rollout.evidence.decoding import said
from pytest_rollout.evidence.integrity import chain_problems, condition
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.reach import Newest, Reach, only_nights
from pytest_rollout.evidence.records import Record, RecordKind, as_written
from pytest_rollout.evidence.release_readings import first_of_release, last_before, releases_of
from pytest_rollout.evidence.results import brought_by
from pytest_rollout.evidence.run_log import RunLog
from pytest_rollout.model.evidence import Brought, Hole, Lost, Run, Seen
from pytest_rollout.model.life import Life
from pytest_rollout.model.plan import EMBEDDED, Address
from pytest_rollout.model.provenance import Input
from pytest_rollout.model.recorded import Recorded
from pytest_rollout.model.rule import PREVIOUS, Versus
from pytest_rollout.model.settlement import Settlement
from pytest_rollout.model.tried import Tried

_STRETCH = 64  # records
_OF_A_RUN = (
    RecordKind.RUN,
    RecordKind.MANIFEST,
    RecordKind.BATCH,
    RecordKind.RELEASE,
    RecordKind.SEAL,
    RecordKind.STOP,
)


class Others:
    """Earlier runs of the same phase, environment and release.

    They are found by when they were recorded, never by the rows of what they saw, so that
    lost rows cannot make a run vanish: nothing is recorded before it happened.
    """

    def __init__(
        self, ledger: Ledger, last: int, run: Run, phase: str, life: Life | None = None
    ) -> None:
        self._ledger = ledger
        self._last = last  # what was recorded before it counts
        self._run = run
        self._phase = phase
        self._releases = releases_of(run, life)  # of which runs count
        self.previous: str | None = None  # the release that comparisons call previous
        self._settlements = settlements.known_at(ledger, phase, run.environment, last)
        self._forget()
        self._compacted: dict[str, str] = {}  # runs whose observations are out, and by what act
        self._nights = False  # whether nights are counted, also those that saw nothing
        self._passed_over = False  # an accepted run that cannot be the previous one
        self._accepted_before = last  # what was accepted before it may be compared with

    def _forget(self) -> None:
        """Start with nothing."""
        self.seen: list[Seen] = []
        self.lost: list[Lost] = []
        self.brought: list[Brought] = []  # files of other tools, whole, of whatever release
        self.open: list[Seen] = []  # what runs without a seal or a stop saw, as it is: no evidence
        self.watches: dict[str, Process] = {}  # of watches without a seal or a stop, by run
        self.tried: list[Tried] = []  # which runs looked, whatever came of it
        self.problems: list[str] = []  # what keeps all of it from being trusted
        self.settled: list[Settlement] = []  # of runs in reach
        self.inputs: list[Input] = []  # the runs of which something counts

    def read(self, reach: Reach, own: Sequence[Seen] = (), *, nights: bool = False) -> None:
        """What they saw, and what of it is lost; raises UndecodableError.

        ``own`` is what the deciding run saw. Where a rule looks at the newest samples, it is read
        further back until there are enough. ``nights``: a run counts that saw nothing, too.
        """
        self._nights = nights
        edge_us = reach.edge_us
        first = None if edge_us is None else self._ledger.first_after(edge_us)
        if first is None and not reach.newest:
            return
        lowest = first_of_release(self._ledger, self._run, self._phase, self._releases)
        wanted = max(min(first or self._last, self._last), lowest)
        first = self._last + 1
        while wanted < first:
            first = wanted
            self._forget()
            for log in self._whole(first):
                self._take(log)
            recorded = Recorded([*own, *self.seen])
            starts = [self._starts(newest, reach, recorded, first) for newest in reach.newest]
            wanted = max(min(starts, default=first), lowest)

    def _starts(self, newest: Newest, reach: Reach, recorded: Recorded, first: int) -> int:
        """From where on the newest samples of a series are read whole, or to look for them."""
        oldest_us = newest.oldest_us(recorded, reach.at_us)
        if oldest_us is None:
            return self._last - 2 * (self._last - first) - _STRETCH
        return self._ledger.first_after(oldest_us - 1) or first

    def past(
        self,
        compared: Sequence[Versus],
        begun_us: int | None,
        address: Address,
        frozen_at: int | None = None,
    ) -> tuple[Seen, ...]:
        """What comparisons read: of any release until the phase began, or of accepted runs of one.

        It is no evidence of what is judged, and stays apart from it. Which release is the
        previous one stands in ``previous`` afterwards. What was accepted counts where it was so
        before ``frozen_at``, the sequence of a begin that froze baselines, if there is one. The
        first nights of a pinned release are the same whenever they were accepted.
        """
        if not compared or self._run.environment == EMBEDDED:
            return ()
        self._accepted_before = min(self._last, frozen_at or self._last)
        if any(versus.release == PREVIOUS for versus in compared):
            self.previous = self._newest_accepted(address)
        seen: list[Seen] = []
        waiting: list[tuple[RunLog, list[Seen]]] = []
        for log in self._whole(self._first_compared(compared)):
            if not log.sealed:
                continue
            before = list(self._before(log, compared, begun_us, address))
            if not before:
                waiting += self._suspicious(log, compared, address)
                continue
            release = before[0].release
            for source, nights in [(log, before), *waiting]:
                if source is log or nights[0].release == release:
                    seen += nights
                    self.inputs.append(inputs.of_run(source))
            waiting = [pair for pair in waiting if pair[1][0].release != release]
        return tuple(seen)

    def _first_compared(self, compared: Sequence[Versus]) -> int:
        """From where on runs may be compared with: all, where not all releases are known."""
        named = {self._named(versus) for versus in compared}
        if self._passed_over or None in named or any(versus.frozen for versus in compared):
            return 1
        return max(1, min(last_before(self._ledger, self._run, self._phase, (n,)) for n in named))

    def _suspicious(
        self, log: RunLog, compared: Sequence[Versus], address: Address
    ) -> Iterator[tuple[RunLog, list[Seen]]]:
        """What a run saw of nights that asked for another run; it counts once one is accepted.

        Were such runs left out, the nights of a release would seem less noisy than they are.
        """
        run = run_facts.run_of(log, self._phase)
        series = only_nights(compared, {fact.release for fact in run.releases})
        if not series or run.release is None or run.drill or run.problems:
            return
        asks = (link for link in log.decisions if link.sequence < self._last and as_written(link))
        if any(record.subject == str(address) and asks_to_confirm(record) for record in asks):
            every = self._observations(log)
            seen = [replace(obs, release=run.release) for obs in every if obs.slot.series in series]
            yield from [(log, seen)] if seen else []

    def _before(
        self,
        log: RunLog,
        compared: Sequence[Versus],
        begun_us: int | None,
        address: Address,
    ) -> Iterator[Seen]:
        run = run_facts.run_of(log, self._phase)
        if run.drill or run.problems or log.start.result is not None:
            return
        releases = {fact.release for fact in run.releases}
        wanted = {self._named(versus) for versus in compared}
        accepted = {release for release in wanted if {release} == releases}
        series: set[str] | None = None  # None: all of them
        if accepted and not accepted_in(log, address, self._accepted_before):
            series = only_nights(compared, accepted)
            if not series or not accepted_in(log, address, self._last):
                accepted = set()
        frozen = begun_us is not None and any(versus.frozen for versus in compared)
        if not (accepted or frozen):
            return
        for seen in self._observations(log):
            early = frozen and begun_us is not None and seen.slot.t_us <= begun_us
            counts = accepted and (series is None or seen.slot.series in series)
            if early or counts:
                yield replace(seen, release=next(iter(accepted)) if counts else None)

    def _named(self, versus: Versus) -> str | None:
        return self.previous if versus.release == PREVIOUS else versus.release

    def _newest_accepted(self, address: Address) -> str | None:
        """Return the other release whose run a gate accepted last; None where there is none.

        Other than what the run is known to be of: one that cannot say it has no previous one.
        A damaged run is passed over here, and noted where what it saw is read. Decisions are
        found by walking the chain, so that an index that lies cannot make an older one newest.
        """
        ours = {fact.release for fact in self._run.releases} or {None}
        if None in ours:
            return None
        accepted = [
            (release, record.run)
            for record in self._ledger.between(1, self._accepted_before - 1)
            if record.kind is RecordKind.DECISION
            and (record.subject, record.environment) == (str(address), self._run.environment)
            and (release := release_accepted(record)) not in (None, *ours)
        ]
        for release, run in reversed(accepted):
            if self._release_of(run) == release:
                return release
            self._passed_over = True
        return None

    def _log_of(self, name: str) -> RunLog:
        """What a run left before the deciding run's last record."""
        return RunLog(part for part in self._ledger.of_run(name) if part.sequence < self._last)

    def _release_of(self, name: str) -> str | None:
        """Return the one release of a whole run that may be compared with, else None."""
        log = self._log_of(name)
        if condition(self._ledger, log).damage or not log.sealed:
            return None
        run = run_facts.run_of(log, self._phase)
        return None if run.drill or run.problems else run.release

    def _observations(self, log: RunLog) -> tuple[Seen, ...]:
        """What a run observed in the phase; notes where that was taken out of the ledger."""
        self._note_compacted(log)
        return run_facts.observations_of(self._ledger, log, self._phase)

    def _note_compacted(self, log: RunLog) -> None:
        problem = self._compacted.get(log.first.run)
        if problem and problem not in self.problems and run_facts.observed(log, self._phase):
            self.problems.append(problem)

    def _whole(self, first: int) -> Iterator[RunLog]:
        """The log of each run that left a record since a first; notes those that are damaged."""
        for name in self._names(first):
            log = self._log_of(name)
            state = condition(self._ledger, log)
            if state.compacted:
                self._compacted[name] = f"earlier run {name}: {state.compacted.says}"
            if state.damage:
                self.problems.append(f"earlier run {name} was damaged: {state.damage}")
            else:
                yield log

    def _names(self, first: int) -> list[str]:
        """The runs in the environment that left a record since one; notes the chain's breaks."""
        names: dict[str, None] = {}
        before = max(1, first - 1)  # a run that was cut off just before leaves this one missing
        if next(self._ledger.between(before, before), None) is None:
            self.problems.append(f"records are missing before {first}")
            return []

        def noted() -> Iterator[Record]:
            for record in self._ledger.between(before, self._last):
                mine = record.kind in _OF_A_RUN and record.run != self._run.id
                if mine and record.environment == self._run.environment:
                    names[record.run] = None
                yield record

        self.problems += islice(chain_problems(noted()), 1)
        return list(names)

    def _take(self, log: RunLog) -> None:
        """One run: what it saw, as holes where it is in doubt, and what it may have seen."""
        if log.start.result is not None:
            self._bring(log)
            return
        run = run_facts.run_of(log, self._phase)
        ours, read = self._releases, {fact.release for fact in self._run.releases}
        theirs = {fact.release for fact in run.releases}
        if run.drill or (theirs and theirs.isdisjoint({None, *ours})):
            return
        settled = self._settlements.get(run.id) if log.ended_early else None
        why = run_facts.doubt(log, same=theirs in (ours, read), settled=settled is not None)
        seen = self._observations(log)
        if not log.finished:
            self.open += seen
            if log.start.watch is not None and log.start.process is not None:
                self.watches[run.id] = log.start.process
        self.seen += (replace(sample, value=Hole(why)) for sample in seen) if why else seen
        lost = run_facts.lost_of(log, self._phase)
        if settled and (seen or lost):
            self.settled.append(settled)
        elif lost:
            watch = log.start.watch
            series = frozenset(watch.series) if watch else None
            early = log.ended_early and watch is None
            self.lost.append(Lost(run.id, self._until(log.last), lost, series, early))
        tried = run_facts.tried_of(log, self._phase) if self._nights else ()
        self.tried += tried
        if seen or lost or tried:
            self.inputs.append(inputs.of_run(log))

    def _bring(self, log: RunLog) -> None:
        """A file that somebody brought: never a part of what runs saw."""
        brought = brought_by(self._ledger, log, self._phase)
        if brought is not None:
            self._note_compacted(log)
            self.brought.append(brought)
            self.inputs.append(inputs.of_run(log))

    def _until(self, last: Record) -> int:
        """Up to when a run that left a last record may have seen something: before the next one.

        Where a run was cut off is so of no weight. What begins anew begins after it.
        """
        following = next(self._ledger.between(last.sequence + 1), None)
        if following is None:  # looked at from outside, while nothing else was recorded
            return last.at_us
        moments = [following.at_us]
        if following.kind is RecordKind.EVENT:
            moments.append(said(following, StoredEvent).t_us)
        return max(last.at_us, min(moments) - 1)
