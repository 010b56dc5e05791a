"""What a run's log comes to: the run itself, what should run, what each check did."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from pytest_rollout.evidence.bodies import LAST_US, StoredEvent, WorkerManifest
from pytest_rollout.evidence.decoding import UndecodableError, encoded, labels_in
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.records import Row
from pytest_rollout.evidence.run_log import RunLog, Told
from pytest_rollout.model.evidence import (
    Attempt,
    Manifest,
    ReleaseFact,
    Run,
    Seen,
    Slot,
    decode,
)
from pytest_rollout.model.finding import Labels
from pytest_rollout.model.node_id import NodeId
from pytest_rollout.model.tried import Tried
from pytest_rollout.model.verdict import Verdict


def run_of(log: RunLog, phase: str, wrong: str | None = None) -> Run:
    """The run as a phase's evidence sees it; ``wrong`` is its damage, if any."""
    manifest = manifest_of(log, phase)
    problems = [_damaged(wrong)] if wrong else []
    problems += ending(log)
    problems += [f"could not be collected: {module}" for module in manifest.broken]
    if not log.manifests and log.start.watch is None:
        problems.append("no worker said what should run")
    return Run(
        id=log.first.run,
        environment=log.first.environment,
        started_us=log.first.at_us,
        ended_us=log.last.at_us,
        sealed=log.sealed and not wrong,
        problems=tuple(problems),
        partial=(*log.start.partial, *_left_out(manifest)),
        drill=log.start.drill,
        releases=_releases(log, phase),
        configured=log.start.configured,
        zone_data=log.start.zone_data,
        versions=log.start.versions,
        producer=log.start.producer,
        authors=log.start.authors.get(phase.partition(".")[0]),
    )


def damaged_run(log: RunLog, phase: str, wrong: str) -> tuple[Run, Manifest]:
    """As much as can be said of a damaged run: nothing of it is evidence."""
    environment = str(log.first.environment)
    with suppress(UndecodableError):
        run = run_of(log, phase, wrong)
        if all(_instant(moment) == moment for moment in (run.started_us, run.ended_us)):
            return replace(run, environment=environment), manifest_of(log, phase)
    last = _instant(log.last.at_us)
    run = Run(log.first.run, environment, last, last, False, (_damaged(wrong),))
    return run, Manifest()


def _damaged(wrong: str) -> str:
    return f"the evidence was damaged: {wrong}"


def _instant(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value <= LAST_US else 0


def ending(log: RunLog) -> list[str]:
    """Why the run's end does not let its evidence be trusted whole; empty where it does."""
    problems = [stop.why for stop in log.stops]
    if log.seal is not None:
        return [*problems, *log.seal.problems]
    return problems[-1:] or ["the run never finished, or its seal is gone"]


def lost_of(log: RunLog, phase: str) -> str:
    """Why a run that set out to look at a phase may have seen what it did not record; or empty."""
    if log.start.joins:  # what was lost in its runs, they say themselves
        return ""
    watch = log.start.watch
    if watch is not None:
        mine = watch.phase == phase and (not log.sealed or ending(log))
        return "; ".join(ending(log)) if mine else ""
    asked = any(gate.partition("/")[0] == phase for gate in log.start.gates)
    if not asked or not log.manifests:
        return ""
    if log.cancelled:
        return _unfinished(log, phase)
    if not log.sealed or ending(log):
        return "; ".join(ending(log))
    silent = manifest_of(log, phase).unreported(log.checks)
    return f"{len(silent)} of its checks never reported" if silent else ""


def _unfinished(log: RunLog, phase: str) -> str:
    """What a cancelled run did not finish of a phase, in words; empty where it finished all.

    A check that neither passed nor failed may be the one that was broken off.
    """
    checks = log.checks
    manifest = manifest_of(log, phase)
    broken = [item for item in manifest.bound if checks.get(item) and _broken_off(checks[item])]
    n = len(manifest.unreported(checks)) + len(broken)
    return f"{log.cancelled}; {n} of its checks did not finish" if n else ""


def _broken_off(attempts: tuple[Attempt, ...]) -> bool:
    return attempts[-1].verdict in (Verdict.ERROR, Verdict.MISSING)


def whole_until_cancelled(log: RunLog) -> bool:
    """Whether what a cancelled run recorded is evidence: nothing else is wrong with it.

    Without a reading of the release at its end, nobody knows that it looked at one.
    """
    seal = log.seal
    read = {fact.body.when for fact in log.releases}
    return (
        seal is not None
        and seal.problems == (seal.cancelled,)
        and read in (set(), {"start", "end"})
    )


def partial_of(log: RunLog, phase: str) -> tuple[str, ...]:
    """What a run left out of a phase on purpose."""
    return (*log.start.partial, *_left_out(manifest_of(log, phase)))


def _left_out(manifest: Manifest) -> tuple[str, ...]:
    if not manifest.dropped:
        return ()
    names = sorted(manifest.dropped)
    shown = ", ".join(NodeId.parse(name).name for name in names[:5])
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    why = sorted(set(manifest.dropped.values()))
    checks = "1 bound check" if len(names) == 1 else f"{len(names)} bound checks"
    return (f"{checks} did not run ({'; '.join(why)}): {shown}{more}",)


def _releases(log: RunLog, phase: str) -> tuple[ReleaseFact, ...]:
    return tuple(release.body for release in log.releases if release.record.subject in ("", phase))


def manifest_of(log: RunLog, phase: str) -> Manifest:
    """What the workers say should run for a phase; where they differ, all of it.

    Which worker spoke first is of no weight.
    """
    items: dict[str, tuple[str, ...]] = {}
    dropped: dict[str, str] = {}
    broken: set[str] = set()
    absent: set[str] = set()
    unnamed: set[str] = set()
    rehearsed: dict[str, set[str]] = {}
    plan, _, _ = phase.partition(".")
    several = len(log.manifests) > 1
    for manifest in sorted(log.manifests, key=_without_its_worker) if several else log.manifests:
        for criterion, names in manifest.items.items():
            if criterion.rpartition(".")[0] == phase:
                items[criterion] = tuple(dict.fromkeys((*items.get(criterion, ()), *names)))
        for criterion, names in manifest.rehearsed.items():
            if criterion.startswith(f"{phase}."):
                rehearsed.setdefault(criterion, set()).update(names)
        broken.update(what for where, what in manifest.broken if where == plan)
        dropped.update(manifest.dropped)
        absent.update(manifest.absent)
        unnamed.update(manifest.unnamed.get(phase, ()))
    bound = {name for names in items.values() for name in names} | unnamed
    left = {name: why for name, why in dropped.items() if name in bound}
    lost, gone = tuple(sorted(broken)), frozenset(absent & bound)
    left_out = {key: tuple(sorted(names)) for key, names in sorted(rehearsed.items())}
    return Manifest(items, left, lost, gone, tuple(sorted(unnamed)), left_out)


def _without_its_worker(manifest: WorkerManifest) -> str:
    return encoded(replace(manifest, worker=""))


def failed_of(log: RunLog, phase: str) -> Iterator[tuple[str, str]]:
    """The criteria of a phase of which a check failed, each with why."""
    checks = log.checks
    for criterion, items in manifest_of(log, phase).items.items():
        for item in items:
            attempts = checks.get(item, ())
            if attempts and attempts[-1].verdict is Verdict.FAIL:
                yield criterion, attempts[-1].reason


def tried_of(log: RunLog, phase: str) -> tuple[Tried, ...]:
    """The run and the criteria of a phase of which a check ran, whatever came of it; or nothing.

    What a joined run holds, the runs that it joins did.
    """
    checks = {} if log.start.joins else log.checks
    criteria = frozenset(
        criterion
        for criterion, items in manifest_of(log, phase).items.items()
        if any(checks.get(item) for item in items)
    )
    return (Tried(log.first.run, log.last.at_us, criteria),) if criteria else ()


def doubt(log: RunLog, *, same: bool, settled: bool) -> str:
    """Why what a run saw is holes; empty where it is evidence.

    ``same`` says whether it is of the release that is judged. What a settled run recorded counts,
    good or bad: only its rest is taken as not run.
    """
    if not log.sealed and not settled:
        return "its run was never sealed"
    if not same:
        return "its run cannot say of which release it is"
    if not log.sealed or (log.cancelled and whole_until_cancelled(log)):
        return ""
    return "; ".join(ending(log))


def observed(log: RunLog, phase: str) -> bool:
    """Whether a run observed anything in a phase, by its records: the observations may be out."""
    return any(batch.body.observations and batch.body.phase == phase for batch in log.batches)


def observations_of(ledger: Ledger, log: RunLog, phase: str) -> tuple[Seen, ...]:
    """What was observed in a phase, in order."""
    if not any(batch.body.observations for batch in log.batches):
        return ()
    mine = {batch.record.sequence for batch in log.batches if batch.body.phase == phase}
    stored = ledger.store.rows_of_run(log.first.run)
    return tuple(seen_in((row for batch, row in stored if batch in mine), log.first.run))


def seen_in(rows: Iterable[Row], run: str) -> list[Seen]:
    """What stored rows say was seen by a run; labels that many rows have are read once."""
    known: dict[object, Labels] = {}
    seen = []
    for _, _, metric, text, t_us, seen_us, seq, value in rows:
        labels = known.get(text)
        if labels is None:
            labels = known[text] = labels_in(text)
        seen.append(Seen(Slot(metric, labels, t_us, seq), decode(value), seen_us, run))
    return seen


def begun_us(events: Sequence[Told[StoredEvent]], *, embedded: bool) -> int | None:
    """The event time at which a phase was begun, from its events in order; None once it ended.

    A rehearsal ends its phase before it is judged, and is judged as begun all the same.
    """
    begun: int | None = None
    for event in events:
        if event.body.type == "begin":
            begun = event.body.t_us
        elif event.body.type == "end" and not embedded:
            begun = None
    return begun
