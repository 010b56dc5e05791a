"""The reports of the loads that a run made, from what its checks attached; pure."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.load import honesty
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.load import LoadProfile, LoadRecord
from pytest_rollout.model.plan import EMBEDDED, Plan
from pytest_rollout.report import sentences
from pytest_rollout.report.load_cuts import cuts_of
from pytest_rollout.report.load_stored import record_of
from pytest_rollout.report.load_words import LoadReport

_UNSTATED = "the plan states no load of this name"


@dataclass(frozen=True, slots=True)
class LoadReports:
    """What there is to report of a gate's loads, and what could not be read."""

    reports: tuple[LoadReport, ...] = ()
    notes: tuple[str, ...] = ()


def is_record(name: str) -> bool:
    """Whether a file of that name is an attached record of a load."""
    return name.endswith(".load.json") or (name.startswith("load.") and name.endswith(".json"))


def load_reports(
    attached: Iterable[tuple[str, bytes | None]], plan: Plan, decision: Decision
) -> LoadReports:
    """Return the reports of a gate's loads; ``attached`` are names and contents of records.

    A load belongs to the gates whose criteria judge it; one that no criterion judges by a rule
    belongs to both gates of its phase.
    """
    reports, notes = [], []
    for name, content in attached:
        try:
            if content is None:
                raise ValueError("it is gone, or was changed after it was attached")
            report = _report(record_of(content), plan, decision)
        except ValueError as error:
            notes.append(f"the load record {name:.80} cannot be shown: {error}")
            continue
        if _belongs(report, plan, decision):
            reports.append(report)
    return LoadReports(tuple(reports), tuple(notes))


def _report(record: LoadRecord, plan: Plan, decision: Decision) -> LoadReport:
    stated = plan.load(record.profile)
    profile = stated.rehearsed() if stated and decision.environment == EMBEDDED else stated
    phases = [phase for phase in plan.phases if phase.id == decision.phase]
    zone = decision.timezone
    report = LoadReport(
        record,
        profile,
        doubts_said(profile, record, zone),
        cuts_of(plan, record.profile, phases),
        f"{decision.address.name} in {decision.environment}",
        decision.run,
        decision.release or "",
        zone,
        {finding.id: finding.verdict for finding in decision.criteria},
        of_times=tuple(
            sentences.text(doubts_of_time, zone)
            for doubts_of_time in honesty.doubts_of_times(record)
        ),
    )
    _ = report.total, report.start_delay  # that raises where a histogram holds no numbers
    return report


def doubts_said(
    profile: LoadProfile | None, record: LoadRecord, zone: str = "UTC"
) -> tuple[str, ...]:
    """Return why a record is not to be believed, a sentence each; none where it is."""
    if profile is None:
        return (_UNSTATED,)
    return tuple(sentences.text(reason, zone) for reason in honesty.doubts(profile, record))


def _belongs(report: LoadReport, plan: Plan, decision: Decision) -> bool:
    phase = plan.phase(decision.phase)
    judging = {cut.criterion for cut in report.cuts}
    gates = {
        criterion.gate
        for criterion in (phase.criteria if phase else ())
        if decision.address.full(criterion.id) in judging
    }
    return not gates or decision.gate in gates
