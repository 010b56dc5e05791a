"""Change points of a series by Apache Otava, as a program of its own.

E-divisive means with Student's t test over windows (Fleming et al. 2023, "Hunter"). It is a
remark of where a level changed, found by looking back, and never a verdict. Otava asks for
versions of numpy and scipy of its own, so it is installed apart: ``pipx install apache-otava``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from pytest_rollout.late_dataclass import dataclass

PROGRAM = "otava"
_TIMEOUT = 120
_DAY = 86_400
_BEGIN = 1_000_000_000  # nights are told apart by made-up days: it orders by them, and no more
_CONFIG = """\
tests:
  nights:
    type: csv
    file: {file}
    time_column: time
    metrics: [value]
    csv_options: {{delimiter: ","}}
"""


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """From one place of a series on its values are of another level."""

    index: int
    before: float  # the mean of the stretch before
    after: float


class ChangePointError(Exception):
    """Otava did not say what was asked."""


def program() -> str | None:
    """Return the path of Otava, beside this Python or on the path; None where there is none."""
    here = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return shutil.which(PROGRAM, path=here)


def change_points(
    values: Sequence[float], *, level: float = 0.001, window: int = 30, least: float = 0.0
) -> list[ChangePoint]:
    """Return the change points of values in their order.

    ``level`` is Otava's highest p-value, ``window`` its window, ``least`` the smallest change, as a
    share. Raises ChangePointError where it is not installed or fails.
    """
    asked = program()
    if asked is None:
        raise ChangePointError(f"{PROGRAM} is not installed (pipx install apache-otava)")
    with TemporaryDirectory(prefix="rollout-trend-") as folder:
        config = _written(Path(folder), values)
        command = [asked, "analyze", "nights", "--config-file", str(config), "--output", "json"]
        command += ["--since", "2000-01-01", "--window", str(window)]
        command += ["-P", f"{level:.10f}", "-M", f"{least:g}"]
        return _read(_said(command, folder))


def _written(folder: Path, values: Sequence[float]) -> Path:
    rows = [f"{_BEGIN + place * _DAY},{value!r}" for place, value in enumerate(values)]
    data, config = folder / "nights.csv", folder / "otava.yaml"
    data.write_text("\n".join(["time,value", *rows, ""]), encoding="utf-8")
    config.write_text(_CONFIG.format(file=json.dumps(str(data))), encoding="utf-8")
    return config


def _said(command: Sequence[str], folder: str) -> str:
    environment = {key: text for key, text in os.environ.items() if key in ("PATH", "HOME", "LANG")}
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ChangePointError(f"{PROGRAM}: {error}") from error
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines() or ["nothing"]
        raise ChangePointError(f"{PROGRAM} ended with {done.returncode}: {last[-1][:200]}")
    return done.stdout


def _read(text: str) -> list[ChangePoint]:
    try:
        nights = json.loads(text)["nights"]
        return [
            ChangePoint(change["index"], float(change["mean_before"]), float(change["mean_after"]))
            for at in nights
            for change in at["changes"]
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise ChangePointError(f"{PROGRAM} said something else: {text[:80]!r}") from error
