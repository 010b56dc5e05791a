"""Print the samples of a guardrail's series: ``python -m suites.bridge.asks.series METRIC``.

Needs ``on: [bridge, secret, repository, runtime, logs]``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx

from pytest_rollout import NoValueError, Sample, handed_on, print_series
from suites.bridge.views.service import Bridge
from suites.bridge.views.watched import SERIES, Sources


def samples_of(metric: str) -> Iterator[Sample]:
    """The samples of a series until now."""
    secret = Path(handed_on("secret"))
    if not secret.is_file():
        raise NoValueError(f"there is no secret of the issuer at {secret.name}")
    places = (Path(handed_on(name)) for name in ("repository", "runtime", "logs"))
    repository, runtime, logs = places
    with httpx.Client(base_url=handed_on("bridge"), timeout=20, trust_env=False) as client:
        bridge = Bridge(client, secret.read_text(encoding="utf-8").strip())
        yield from SERIES[metric](Sources(bridge, repository, runtime, logs, datetime.now(UTC)))


if __name__ == "__main__":
    sys.exit(print_series(SERIES, samples_of, sys.argv[1:]))
