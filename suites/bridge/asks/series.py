"""Print the samples of a guardrail's series: ``python -m suites.bridge.asks.series METRIC``.

Needs ``on: [bridge, secret, repository, runtime, logs]``.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import httpx

from pytest_rollout import RolloutError
from suites.bridge.views.service import Bridge
from suites.bridge.views.watched import SERIES, Sample, Sources


def stated(target: str) -> str:
    """The address or path of a target; ends the program where the plan did not hand it on."""
    place = os.environ.get(f"ROLLOUT_TARGET_{target.upper()}", "")
    if not place:
        sys.exit(f"the plan hands on no target {target}: say `on: [{target}]`")
    return place


def printed(samples: Iterable[Sample]) -> str:
    """The samples, a line of JSON each."""
    lines = (
        {"at": sample.at.isoformat(), "value": sample.value, "labels": dict(sample.labels)}
        for sample in samples
    )
    return "".join(json.dumps(line) + "\n" for line in lines)


def main(arguments: list[str]) -> None:
    """Print the series that is named."""
    if len(arguments) != 1 or arguments[0] not in SERIES:
        sys.exit(f"name one of {', '.join(SERIES)}")
    secret = Path(stated("secret"))
    if not secret.is_file():
        sys.exit(f"there is no secret of the issuer at {secret.name}")
    repository, runtime, logs = (Path(stated(name)) for name in ("repository", "runtime", "logs"))
    with httpx.Client(base_url=stated("bridge"), timeout=20, trust_env=False) as client:
        bridge = Bridge(client, secret.read_text(encoding="utf-8").strip())
        sources = Sources(bridge, repository, runtime, logs, datetime.now(UTC))
        try:
            sys.stdout.write(printed(SERIES[arguments[0]](sources)))
        except (RolloutError, httpx.HTTPError) as error:
            sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv[1:])
