"""Which runs and decisions the ledger holds about a gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from pytest_rollout.evidence import settlements
from pytest_rollout.evidence.bodies import RunStart
from pytest_rollout.evidence.decoding import UndecodableError, decision_in, said
from pytest_rollout.evidence.integrity import damage, damage_since
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.phase_life import PhaseLife
from pytest_rollout.evidence.run_facts import partial_of
from pytest_rollout.evidence.run_log import RunLog, log_of
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.people import Authors
from pytest_rollout.model.plan import Address


@dataclass(frozen=True, slots=True)
class AskingRun:
    """A run that asked for a gate."""

    run: str
    plan_digest: str
    finished: bool  # sealed, or stopped and said so
    beside: Mapping[str, str] = field(default_factory=dict)  # the plan's other files, by digest
    targets: Mapping[str, str] = field(default_factory=dict)  # where the plan's targets were
    authors: Authors | None = None  # of the change that it judged; None: nobody asked


@dataclass(frozen=True, slots=True)
class GateStanding:
    """Where a gate stands: its last full run, and what that run decided."""

    asked: AskingRun
    damage: str | None = None  # what keeps the decision from being believed
    text: str | None = None  # the decision's stored form
    decision: Decision | None = None


def last_full_run(
    ledger: Ledger, address: Address, environment: str, until: int | None = None
) -> AskingRun | None:
    """The newest run that set out to judge a gate whole: no drill, and no partial run.

    One that never finished counts: what it would have seen is not known. Runs whose records
    cannot be read are passed over: :func:`integrity.damage_since` tells of them. With ``until``
    the ledger is read as it was when the record of that sequence had just been written.
    A run that was ended early and that somebody settled is passed over: its rest was not run.
    """
    settled = settlements.known_at(ledger, address.name, environment, until and until + 1)
    for record in ledger.runs(str(address), environment):
        if until is not None and record.sequence > until:
            continue
        try:
            start = said(record, RunStart)
            if str(address) not in start.gates or start.drill or address.plan not in start.plans:
                continue
            records = ledger.of_run(record.run)
            log = RunLog(part for part in records if until is None or part.sequence <= until)
            if not log.evidence or partial_of(log, address.name):
                continue
            if record.run in settled and log.ended_early:
                continue
        except UndecodableError:
            continue
        return _asking(log, address)
    return None


def asking_run(ledger: Ledger, address: Address, run: str) -> AskingRun | None:
    """A run that asked for a gate, whole or in part; None where it did not, or is not here."""
    log = log_of(ledger, run)
    try:
        if not log.evidence or address.plan not in log.start.plans:
            return None
        return _asking(log, address)
    except UndecodableError:
        return None


def _asking(log: RunLog, address: Address) -> AskingRun:
    start, plan = log.start, address.plan
    beside, targets = dict(start.beside.get(plan, {})), dict(start.targets.get(plan, {}))
    digest, authors = start.plans[plan], start.authors.get(plan)
    return AskingRun(log.first.run, digest, log.finished, beside, targets, authors)


def begun(ledger: Ledger, address: Address, environment: str) -> bool:
    """Whether a phase was begun in a real environment and has not ended; raises LedgerError."""
    return PhaseLife(ledger, address, environment).begin() is not None


def stored_decision(ledger: Ledger, address: Address, run: str) -> str | None:
    """The stored form of the decision that a run made of a gate."""
    return _document(log_of(ledger, run), address)


def _document(log: RunLog, address: Address) -> str | None:
    try:
        stored = log.decision(str(address))
    except UndecodableError:
        return None
    return stored.document if stored else None


class History:
    """What the ledger says of gates; each run is checked for damage once."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._damage: dict[str, str | None] = {}

    def standing(self, address: Address, environment: str) -> GateStanding | None:
        """Where a gate stands; None where no full run has asked for it."""
        asked = last_full_run(self._ledger, address, environment)
        if asked is None:
            return None
        log = log_of(self._ledger, asked.run)
        wrong = self._wrong(log)
        text = _document(log, address)
        if wrong or text is None:
            return GateStanding(asked, wrong)
        try:
            return GateStanding(asked, None, text, decision_in(text))
        except UndecodableError as error:
            return GateStanding(asked, str(error))

    def _wrong(self, log: RunLog) -> str | None:
        run = log.first.run
        if run not in self._damage:
            wrong = damage(self._ledger, log)
            self._damage[run] = wrong or damage_since(self._ledger, log.last.sequence)
        return self._damage[run]
