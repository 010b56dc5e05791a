"""Print the samples of a guardrail's series: ``python -m suites.pipeline.asks.series METRIC``.

Needs ``on: [github, telemetry, records, checkout]``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from datetime import UTC, datetime

from suites.pipeline.asks.places import hub, place
from suites.pipeline.views.series import Sample, Sources
from suites.pipeline.views.watched import SERIES


def printed(samples: Iterable[Sample]) -> str:
    """The samples, a line of JSON each."""
    lines = []
    for sample in samples:
        told = {
            "at": sample.at.isoformat(),
            "value": float(sample.value),
            "labels": dict(sample.labels),
        }
        lines.append(json.dumps(told) + "\n")
    return "".join(lines)


def main(arguments: list[str]) -> None:
    """Print the series that is named."""
    if len(arguments) != 1 or arguments[0] not in SERIES:
        sys.exit(f"name one of {', '.join(SERIES)}")
    sources = Sources(
        hub(), place("telemetry"), place("records"), datetime.now(UTC), place("checkout")
    )
    sys.stdout.write(printed(SERIES[arguments[0]](sources)))


if __name__ == "__main__":
    main(sys.argv[1:])
