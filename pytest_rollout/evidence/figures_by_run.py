"""What each run of a phase saw of a series, for a trend over runs; no evidence of a decision."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_rollout.evidence import run_facts
from pytest_rollout.evidence.decoding import UndecodableError, decision_in
from pytest_rollout.evidence.integrity import damage
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.run_log import RunLog
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.evidence import Run, Seen
from pytest_rollout.model.plan import Address


@dataclass(frozen=True, slots=True)
class RunFigures:
    """One run of a gate: what it saw of the phase, and what was decided, if it was."""

    run: Run
    seen: tuple[Seen, ...]
    decision: Decision | None
    doubt: str = ""  # why its figures are not to be believed


def figures_by_run(ledger: Ledger, address: Address, environment: str) -> list[RunFigures]:
    """Return the runs that asked for a gate, oldest first; drills are none.

    A run whose records cannot be read is left out: `rollout verify` tells of it.
    """
    runs = [figures for figures in _runs(ledger, address, environment) if figures is not None]
    return sorted(runs, key=lambda figures: figures.run.started_us)


def _runs(ledger: Ledger, address: Address, environment: str) -> Iterator[RunFigures | None]:
    for record in ledger.runs(str(address), environment):
        log = RunLog(ledger.of_run(record.run))
        try:
            yield _of_run(ledger, log, address) if log.evidence else None
        except UndecodableError:
            yield None


def _of_run(ledger: Ledger, log: RunLog, address: Address) -> RunFigures | None:
    if str(address) not in log.start.gates or log.start.drill:
        return None
    run = run_facts.run_of(log, address.name)
    seen = run_facts.observations_of(ledger, log, address.name)
    stored = log.decision(str(address))
    decision = decision_in(stored.document) if stored else None
    wrong = damage(ledger, log) or ("" if log.sealed else "it was never sealed")
    return RunFigures(run, seen, decision, wrong or "; ".join(run.problems))
