"""A load record as it is stored: read, and where its report stands beside a gate's."""

from __future__ import annotations

import json

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.coding import decode
from pytest_rollout.model.load import LoadRecord
from pytest_rollout.report.load_figures import QUANTILES
from pytest_rollout.report.load_words import (
    NO_TIMES,
    LoadReport,
    rate_words,
    share_words,
    time_words,
)


@dataclass(frozen=True, slots=True)
class LoadLink:
    """A load as the reports of its gate name it, with the page that stands beside them."""

    name: str
    file: str  # without its suffix
    says: str
    believed: bool


def record_of(content: bytes | str) -> LoadRecord:
    """Return the record in a stored text; raises ValueError where there is none."""
    try:
        record: LoadRecord = decode(LoadRecord, json.loads(content))
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    return record


def link_of(report: LoadReport, file: str) -> LoadLink:
    """Return how the reports of its gate speak of a load."""
    name = report.record.profile
    if not report.believed:
        return LoadLink(name, file, report.reasons[0], believed=False)
    answered = f"{rate_words(report.rates.answered)} answered without a failure"
    failed = f"{share_words(report.total.failed_share)} failed"
    failed += f"; rests on {report.rests_on}" if report.rests_on else ""
    if report.of_times:
        says = f"{answered}, {failed}; {NO_TIMES[0].lower()}{NO_TIMES[1:]}: {report.of_times[0]}"
        return LoadLink(name, file, says, believed=True)
    latency = report.total.latency if report.record.open_loop else report.total.service_time
    times = ", ".join(
        f"{quantile} {time_words(latency.at(QUANTILES[quantile]))}" for quantile in ("p50", "p99")
    )
    return LoadLink(name, file, f"{times}; {answered}, {failed}", believed=True)
