"""The loads that the run of a stored decision made, to be reported beside it."""

from __future__ import annotations

from collections.abc import Callable

from pytest_rollout.evidence.attached_files import attached_files
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.load.reports import LoadReports, is_record, load_reports
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.plan import Phase, Plan


def loads_beside(
    ledger: Ledger, decision: Decision, asked: Callable[[], tuple[Plan, Phase]]
) -> LoadReports:
    """Return the reports of a decision's loads; what cannot be read of them is a note.

    ``asked`` gives the plan that its run was judged by, and raises RolloutError where nobody
    knows it any more.
    """
    where = decision.address
    try:
        attached = attached_files(ledger, decision.run, where.name, is_record)
        if not attached:
            return LoadReports()
        plan, _ = asked()
    except RolloutError as error:
        return LoadReports((), (f"the loads of {where} are not reported: {error}",))
    return load_reports(((file.name, file.content) for file in attached), plan, decision)
