"""What other runs know that the last full run of a gate does not: partial and overlapping ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pytest_rollout.evidence import settlements
from pytest_rollout.evidence.bodies import Process
from pytest_rollout.evidence.decoding import UndecodableError, decision_in, value_in
from pytest_rollout.evidence.history import AskingRun, stored_decision
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.run_facts import ending, failed_of, partial_of
from pytest_rollout.evidence.run_log import RunLog, log_of
from pytest_rollout.model.decision import Decision, OtherRun
from pytest_rollout.model.plan import Address
from pytest_rollout.model.verdict import Answer


def contrary(
    ledger: Ledger,
    address: Address,
    environment: str,
    asked: AskingRun,
    release: str | None,
    *,
    running: Callable[[Process], bool],
) -> tuple[OtherRun, ...]:
    """Return the other runs of a gate that may stand against the decision of its last full run.

    Runs that began later and are partial, and runs that began earlier and went on while the last
    one ran, or whose process is still ``running``; of the same release, or of one that they could
    not read. One
    that cannot be read is passed over: the chain tells of it.
    """
    first = ledger.of_run(asked.run)[0].sequence
    names = dict.fromkeys(record.run for record in ledger.between(first) if record.run)
    names |= dict.fromkeys(_alive(ledger, address, environment, first, running))
    names.pop(asked.run, None)
    settled = settlements.known_at(ledger, address.name, environment)
    others = []
    for name in names:
        log = log_of(ledger, name)
        if not log.evidence or log.first.environment != environment or not _asks(log, address):
            continue
        other = _other(ledger, log, first, address)
        if other is not None and name in settled and _saw_nothing_bad(log, other):
            continue
        if other is not None and (
            other.decision is None or other.decision.release in (release, None)
        ):
            others.append(other)
    return tuple(others)


def _other(ledger: Ledger, log: RunLog, first: int, address: Address) -> OtherRun | None:
    decision = _decision(ledger, log, address)
    try:
        partial = bool(partial_of(log, address.name))
        return OtherRun(
            run=log.first.run,
            later=partial or log.first.sequence > first,
            decision=decision,
            failed=() if decision else tuple(failed_of(log, address.name)),
            why="" if decision else "; ".join(ending(log)),
        )
    except UndecodableError:
        return None


def _saw_nothing_bad(log: RunLog, other: OtherRun) -> bool:
    """Whether all that stands against a decision is that a run was ended early."""
    answer = other.decision.answer if other.decision else Answer.HOLD
    return log.ended_early and answer is Answer.HOLD and not other.failed


def _asks(log: RunLog, address: Address) -> bool:
    """Whether a run asked for the gate, and was no drill."""
    try:
        return str(address) in log.start.gates and not log.start.drill
    except UndecodableError:
        return False


def _decision(ledger: Ledger, log: RunLog, address: Address) -> Decision | None:
    text = stored_decision(ledger, address, log.first.run)
    try:
        return decision_in(text) if text is not None else None
    except UndecodableError:
        return None


def _alive(
    ledger: Ledger,
    address: Address,
    environment: str,
    first: int,
    running: Callable[[Process], bool],
) -> Iterator[str]:
    """Runs that began before one, have not ended, and whose process runs on this machine now."""
    for record in ledger.runs(str(address), environment):
        if record.sequence >= first:
            continue
        try:
            process = value_in(record, "process", Process)
        except UndecodableError:
            continue
        if process and running(process) and not log_of(ledger, record.run).finished:
            yield record.run
