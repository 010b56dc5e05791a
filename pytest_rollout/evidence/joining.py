"""Joining runs that each did a part: which may be joined, and the run that holds them together."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, replace

from pytest_rollout.evidence.bodies import (
    Process,
    RunStart,
    Seal,
    StoredDecision,
    kind_of_body,
)
from pytest_rollout.evidence.decoding import UndecodableError, encoded, said, words_of
from pytest_rollout.evidence.integrity import damage
from pytest_rollout.evidence.joined_runs import (
    collected_whole,
    in_order,
    pieces,
    ran,
    start_of,
    troubles,
)
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.phase_life import begins_of
from pytest_rollout.evidence.records import Entry, Row, seal_digest
from pytest_rollout.evidence.run_facts import ending, manifest_of, partial_of
from pytest_rollout.evidence.run_log import RunLog
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.plan import EMBEDDED, Address, Gate
from pytest_rollout.model.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Choice:
    """Which runs are joined, and which are not and why."""

    logs: tuple[RunLog, ...]
    gates: tuple[str, ...]
    left_out: Mapping[str, str] = field(default_factory=dict)  # run: why


def choose(
    ledger: Ledger,
    address: Address,
    environment: str,
    named: Sequence[str] = (),
    *,
    running: Callable[[Process], bool],
) -> Choice:
    """The runs of a phase that are joined: those since its last full run, or the named ones.

    Where those since leave checks out, the last full run is one of them. Raises RolloutError
    where one of them cannot be joined, in words.
    """
    since = list(_since(ledger, address, environment))
    if not since:
        raise RolloutError(f"no run has asked for {address} in {environment}: nothing to join")
    if named:
        logs = [_named(ledger, run, address, environment) for run in named]
    else:
        logs = _default(since, address)
    gates = _gates(address, logs[0])
    left_out = {}
    for log in since:
        if log.first.run in {run_log.first.run for run_log in logs}:
            continue
        why = _unlike(address, gates, logs[0], log)
        if not why and not log.finished:
            _saw_no_failure(log, running)
            why = f"it never finished ({'; '.join(ending(log))})"
        elif not why and named and partial_of(log, address.name):
            raise RolloutError(
                f"--runs leaves out run {log.first.run}, which ran checks of the same gate, plan "
                "and release since the last full run: name it, too"
            )
        left_out[log.first.run] = why or "the others ran all of its checks again"
    logs = in_order(logs)
    _fit(ledger, address, gates, logs, running)
    return Choice(tuple(logs), gates, left_out)


def _since(ledger: Ledger, address: Address, environment: str) -> Iterator[RunLog]:
    """The runs that asked for a phase, newest first, up to its last full one that was sealed."""
    seen: set[str] = set()
    gates = [address] if address.gate else [replace(address, gate=gate) for gate in _GATES]
    records = [record for gate in gates for record in ledger.runs(str(gate), environment)]
    for record in sorted(records, key=lambda record: -record.sequence):
        if record.run in seen:
            continue
        seen.add(record.run)
        try:
            start = said(record, RunStart)
            if start.drill or not any(_is_of(address, gate) for gate in start.gates):
                continue
            log = RunLog(ledger.of_run(record.run))
            if start.joins and not log.sealed:  # a join that was killed: its runs are all here
                continue
            full = not partial_of(log, address.name)
        except UndecodableError as error:
            raise RolloutError(f"run {record.run} cannot be joined: {error}") from error
        if full and log.sealed:
            yield from (RunLog(ledger.of_run(run)) for run in reversed(start.joins))
            if not start.joins:
                yield log
            return
        yield log


def _default(since: Sequence[RunLog], address: Address) -> list[RunLog]:
    """The newest sealed run and those like it; the last full one only where it is needed."""
    sealed = [log for log in since if log.sealed]
    if not sealed:
        why = "; ".join(ending(since[0]))
        raise RolloutError(f"run {since[0].first.run} never finished ({why}): nothing to join")
    gates = _gates(address, sealed[0])
    alike = [log for log in sealed if not _unlike(address, gates, sealed[0], log)]
    parts = [log for log in alike if partial_of(log, address.name)]
    fulls = [log for log in alike if log not in parts]
    wanted = {name for log in alike for name in _bound(log, address)}
    whole = any(map(collected_whole, parts))
    return parts if whole and wanted <= ran(parts) else [*parts, *fulls]


def _named(ledger: Ledger, run: str, address: Address, environment: str) -> RunLog:
    log = RunLog(ledger.of_run(run))
    if not log.evidence or log.first.environment != environment:
        raise RolloutError(f"--runs: no run {run} in {environment} is in the ledger")
    if not any(_is_of(address, gate) for gate in log.start.gates):
        raise RolloutError(f"--runs: run {run} did not ask for {address}")
    return log


def _gates(address: Address, log: RunLog) -> tuple[str, ...]:
    return tuple(gate for gate in log.start.gates if _is_of(address, gate))


def _is_of(address: Address, gate: str) -> bool:
    asked = Address.parse(gate)
    return asked.name == address.name and address.gate in (None, asked.gate)


_GATES = tuple(Gate)


def _bound(log: RunLog, address: Address) -> set[str]:
    manifest = manifest_of(log, address.name)
    return {name for names in manifest.items.values() for name in names} - manifest.absent


def _unlike(address: Address, gates: tuple[str, ...], first: RunLog, log: RunLog) -> str:
    """Why a run is of something else than another one; empty where it is of the same."""
    plan, ours, theirs = address.plan, first.start, log.start
    if not set(gates) <= set(theirs.gates):
        return f"it asked for {', '.join(theirs.gates)}, not for {', '.join(gates)}"
    if theirs.drill:
        return "it is a drill"
    if theirs.plans.get(plan) != ours.plans.get(plan):
        return "it was judged by another text of the plan"
    if theirs.beside.get(plan) != ours.beside.get(plan):
        return "the files beside the plan were others (waivers, roles)"
    if theirs.calendars.get(plan) != ours.calendars.get(plan):
        return "the calendars of the plan were others"
    if theirs.configured != ours.configured:
        return "other variables that the plan asks for were set"
    if log.first.environment != EMBEDDED and theirs.targets.get(plan) != ours.targets.get(plan):
        return "its targets were at other addresses"
    if Gate.EXIT in _asked(gates) and log.first.environment != EMBEDDED:
        begin, other = (run_start.begins.get(address.name) for run_start in (ours, theirs))
        if begin != other:
            return _begun_otherwise(other, begin)
    return _other_release(address.name, first, log)


def _asked(gates: Sequence[str]) -> set[Gate | None]:
    return {Address.parse(gate).gate for gate in gates}


def _begun_otherwise(ran: int | None, begin: int | None) -> str:
    """How a run's begin of its phase differs from another one, by their sequences."""
    if ran is None:
        return "it ran before the phase began, or with a ledger that does not hold the begin"
    if begin is None:
        return "it ran after the phase had begun"
    return "it ran under another begin of the phase"


def _other_release(phase: str, first: RunLog, log: RunLog) -> str:
    for what in ("release", "configuration"):
        ours, theirs = (
            sorted(
                {
                    str(getattr(release.body, what))
                    for release in run.releases
                    if release.record.subject in ("", phase)
                }
            )
            for run in (first, log)
        )
        if ours != theirs:
            return f"it is of {what} {', '.join(theirs) or 'unknown'}, not {', '.join(ours)}"
    return ""


def _saw_no_failure(log: RunLog, running: Callable[[Process], bool]) -> None:
    run, process = log.first.run, log.start.process
    if process and running(process):
        raise RolloutError(f"run {run} still runs (process {process.pid}): join when it has ended")
    for item, attempts in log.checks.items():
        if attempts and attempts[-1].verdict is Verdict.FAIL:
            raise RolloutError(
                f"run {run} never finished and saw {item} fail: run all of the checks again"
            )


def _fit(
    ledger: Ledger,
    address: Address,
    gates: tuple[str, ...],
    logs: Sequence[RunLog],
    running: Callable[[Process], bool],
) -> None:
    """Raise RolloutError where runs cannot be joined."""
    newest, environment = logs[-1], logs[-1].first.environment
    begin = begins_of(ledger, [address], environment).get(address.name)
    ran = newest.start.begins.get(address.name)
    if Gate.EXIT in _asked(gates) and begin not in (None, ran):
        why = _begun_otherwise(ran, begin)
        raise RolloutError(f"run {newest.first.run} cannot be joined: {why}")
    for log in logs:
        run = log.first.run
        wrong = damage(ledger, log)
        if wrong:
            raise RolloutError(f"run {run} was damaged and cannot be joined: {wrong}")
        if not log.sealed:
            _saw_no_failure(log, running)
            why = "; ".join(ending(log))
            raise RolloutError(f"run {run} cannot be joined, it never finished: {why}")
        unlike = _unlike(address, gates, newest, log)
        if unlike:
            raise RolloutError(f"run {run} cannot be joined with run {newest.first.run}: {unlike}")
    _agree(address, logs)


def _agree(address: Address, logs: Sequence[RunLog]) -> None:
    """Raise RolloutError where it is not known what should run, or runs say otherwise."""
    whole = [log for log in logs if collected_whole(log)]
    if not whole:
        why = "; ".join(dict.fromkeys(why for log in logs for why in log.start.partial))
        raise RolloutError(
            f"none of the {len(logs)} runs collected all checks of {address.name} ({why}), so "
            "nobody knows what is missing: let each job collect all of them and leave out with "
            "-k, --deselect or a plugin that splits, or add a job that lists: "
            f'pytest -m {address.phase} --rollout-env {logs[0].first.environment} -k "not {_ANY}"'
        )
    bound = _bound(whole[0], address)
    for log in logs:
        mine = _bound(log, address)
        other = mine - bound if log not in whole else mine ^ bound
        if other:
            raise RolloutError(
                f"runs {whole[0].first.run} and {log.first.run} collected different checks, for "
                f"example {min(other)}: their code is not the same"
            )


_ANY = "test"


def join(ledger: Ledger, address: Address, choice: Choice) -> str:
    """Write the run that holds some runs together, up to its seal; returns its id.

    It has the time of the newest record, because it says nothing that is new: the same ledger
    gives the same records on every machine and at every time.
    """
    head = ledger.head()
    at_us = max(record.at_us for record in ledger.between(0))
    runs = [log.first.run for log in choice.logs]
    name = "\n".join((head.hash, *choice.gates, *runs))
    run = f"join-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
    environment = choice.logs[0].first.environment
    store = ledger.store

    def append(entry: Entry, rows: Sequence[Row] = ()) -> None:
        store.append(replace(entry, run=run), rows, at_us)

    def said_now(body: RunStart | Seal) -> Entry:
        where = ("", "", "", environment)
        return Entry(kind_of_body(body), *where, encoded(body), words_of(body))

    append(said_now(start_of(address, choice.gates, choice.logs)))
    for piece in pieces(address, choice.logs):
        append(piece.entry, ledger.rows_of(piece.source.sequence) if piece.source else ())
    records = ledger.of_run(run)
    digest = seal_digest(record.hash for record in records)
    append(said_now(Seal(troubles(choice.logs), len(records), digest)))
    return run


def keep_decision(ledger: Ledger, run: str, gate: Address, body: StoredDecision) -> None:
    """Store what a joined run decided, at the time of its seal."""
    last = ledger.of_run(run)[-1]
    entry = Entry(
        kind_of_body(body),
        run,
        gate.plan,
        str(gate),
        last.environment,
        encoded(body),
        words_of(body),
    )
    ledger.store.append(entry, (), last.at_us)
