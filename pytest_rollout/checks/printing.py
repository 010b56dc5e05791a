"""For programs that a `check:` starts: where their targets are, and samples as it reads them."""

from __future__ import annotations

import json
import math
import os
import re
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import field
from datetime import datetime

import httpx

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.errors import RolloutError


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a series, when it was so, and what it is of.

    A value that is None or no number is a hole: something happened, and nobody knows what.
    """

    at: datetime  # with its zone
    value: float | None
    labels: Mapping[str, str] = field(default_factory=dict)


def target_variable(target: str) -> str:
    """Return the environment variable in which a command finds a target: ``ROLLOUT_TARGET_WEB``."""
    return f"ROLLOUT_TARGET_{re.sub(r'[^A-Z0-9]', '_', target.upper())}"


def handed_on(target: str) -> str:
    """Return the URL or path of a target that the check names (`on:`); raises RolloutError."""
    place = os.environ.get(target_variable(target), "")
    if not place:
        raise RolloutError(f"the plan hands on no target {target}: say `on: [{target}]`")
    return place


def print_series(
    names: Collection[str],
    samples_of: Callable[[str], Iterable[Sample]],
    arguments: Sequence[str],
) -> int:
    """Print the samples of the series that the arguments name; return the exit status.

    2 where they name none of them, 1 where it cannot be measured: a target does not answer, a
    file is not there, or `samples_of` raised RolloutError. Then nothing is printed but the
    reason, to stderr: half of a series would be read as all of it.
    """
    if len(arguments) != 1 or arguments[0] not in names:
        sys.stderr.write(f"name one of {', '.join(names)}\n")
        return 2
    try:
        lines = [_line(sample) for sample in samples_of(arguments[0])]
    except (RolloutError, httpx.HTTPError, OSError) as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    sys.stdout.write("".join(lines))
    return 0


def _line(sample: Sample) -> str:
    value = None if sample.value is None else float(sample.value)
    value = value if value is not None and math.isfinite(value) else None
    shown = {"at": sample.at.isoformat(), "value": value, "labels": dict(sample.labels)}
    return json.dumps(shown) + "\n"
