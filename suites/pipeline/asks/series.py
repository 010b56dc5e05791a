"""Print the samples of a guardrail's series: ``python -m suites.pipeline.asks.series METRIC``.

Needs ``on: [github, telemetry, records, checkout]``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import UTC, datetime

from pytest_rollout import Sample, print_series
from suites.pipeline.asks.places import hub, place
from suites.pipeline.views.series import Sources
from suites.pipeline.views.watched import SERIES


def samples_of(metric: str) -> Iterable[Sample]:
    """The samples of a series until now."""
    kept = (place("telemetry"), place("records"), datetime.now(UTC), place("checkout"))
    return SERIES[metric](Sources(hub(), *kept))


if __name__ == "__main__":
    sys.exit(print_series(SERIES, samples_of, sys.argv[1:]))
