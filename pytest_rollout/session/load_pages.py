"""The loads of a run for the reports of its gates, read from what its checks attached."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pytest_rollout.evidence.attached_files import attached_files
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.load.reports import is_record, load_reports
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.errors import LedgerError
from pytest_rollout.model.plan import Address
from pytest_rollout.report.load_words import LoadReport
from pytest_rollout.session.request import Request


class LoadPages:
    """The loads of each gate, read when they are first asked for; what cannot be is a note."""

    def __init__(
        self, request: Request, ledger: Callable[[], Ledger | None], notes: list[str]
    ) -> None:
        self._request, self._ledger, self._notes = request, ledger, notes
        self._read: dict[Address, Sequence[LoadReport]] = {}

    def __call__(self, decision: Decision) -> Sequence[LoadReport]:
        """The reports of the loads that the run made for a gate."""
        if decision.address not in self._read:
            self._read[decision.address] = self._reports(decision)
        return self._read[decision.address]

    def _reports(self, decision: Decision) -> Sequence[LoadReport]:
        ledger, where = self._ledger(), decision.address
        if ledger is None:
            return ()
        plan = next(plan for plan, _ in self._request.asked if plan.id == where.plan)
        try:
            attached = attached_files(ledger, decision.run, where.name, is_record)
        except LedgerError as error:
            self._notes.append(f"the loads of {where} cannot be read: {error}")
            return ()
        loads = load_reports(((file.name, file.content) for file in attached), plan, decision)
        self._notes += loads.notes
        return loads.reports
