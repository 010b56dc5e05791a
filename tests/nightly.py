"""`python -m tests.nightly`: every full matrix, one after the other; `--list` says what there is.

Each part is a command, is ended after its time, and is followed by the next one however it ended.
What a part says is in a file of its own. The exit status is 1 where a part failed.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = "{folder}"  # stands in a part's words for the folder of the night
_LAST_LINES = 15


@dataclass(frozen=True, slots=True)
class Part:
    """A command, or several of which each needs the one before, and how long they may take."""

    name: str
    says: str
    minutes: float
    commands: Sequence[Sequence[str]]
    environ: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a part ended."""

    part: Part
    word: str  # ok, failed, not asked, or out of time
    seconds: float
    log: Path


def _pytest(*arguments: str, python: str = sys.executable) -> list[str]:
    return [python, "-m", "pytest", "-p", "no:cacheprovider", *arguments]


def _mutants(room: str, minutes: float) -> list[str]:
    kept = f"{FOLDER}/mutants-{room}"
    return [sys.executable, "benchmarks/mutants.py", room, f"--minutes={minutes}", "--in", kept]


_PACKAGING = ".venv/apart/packaging/bin"
_NOT_ASKED = 75  # of tests/packaging/audit.py: a service could not be asked
_RELEASED = f"{FOLDER}/released"
_NEWEST = f"{FOLDER}/newest"
_NEWEST_PYTHON = f"{_NEWEST}/bin/python"
_SCALED = ("monotone", "monotone_waived", "order", "future", "interruptions")

PARTS = (
    Part(
        "drills",
        "every fault that the plan names",
        180,
        [
            [
                *(sys.executable, "-m", "pytest_rollout.cli", "drill", "plms"),
                *(f"--ledger={FOLDER}/drills/ledger.db", f"--report={FOLDER}/drills/report"),
            ]
        ],
    ),
    Part(
        "rehearsals",
        "tests that are marked as nightly: each plan with further faults",
        60,
        [_pytest("-n2", "--dist=worksteal", "-mnightly", "tests")],
    ),
    Part(
        "traps",
        "every trap and honest run in every mode, with and without other plugins",
        60,
        [[sys.executable, "-m", "tests.traps", "--full"]],
    ),
    Part(
        "campaign",
        "500 runs that are struck at random",
        75,
        [[sys.executable, "-m", "tests.campaign", "--count=500", "--minutes=70"]],
    ),
    Part(
        "monotone",
        "20,000 histories that get worse and never become a GO",
        180,
        [_pytest("-n2", *(f"tests/judge/test_{name}.py" for name in _SCALED))],
        {"MONOTONE_EXAMPLES": "20000"},
    ),
    Part(
        "mutants",
        "small changes of the judge and of evidence that no test would notice",
        200,
        [
            [sys.executable, "-m", "pip", "install", "-q", "-cconstraints.txt", "mutmut"],
            _mutants("judge", 60),
            _mutants("evidence", 25),
        ],
    ),
    Part(
        "coverage",
        "how often bounds and alarms are wrong; writes docs/explanation/coverage.md",
        120,
        [[sys.executable, "-m", "benchmarks.coverage", "--write"]],
    ),
    Part(
        "newest",
        "quick tests and those of sessions on the newest pre-releases of pytest and xdist",
        60,
        [
            [sys.executable, "-m", "venv", "--clear", _NEWEST],
            [_NEWEST_PYTHON, "-m", "pip", "install", "-q", "-cconstraints.txt", "-e", ".[dev]"],
            [_NEWEST_PYTHON, "-m", "pip", "install", "-q", "--pre", "-U", "pytest", "pytest-xdist"],
            _pytest("-n2", "--dist=worksteal", "-mnot slow", "tests", python=_NEWEST_PYTHON),
            _pytest("-n2", "--dist=worksteal", "-mslow", "tests/session", python=_NEWEST_PYTHON),
        ],
    ),
    Part(
        "matrix",
        "quick tests of sessions on each Python and pytest that is supported and at hand",
        120,
        [[f"{_PACKAGING}/nox", "-f", "tests/noxfile.py", f"--envdir={FOLDER}/nox"]],
    ),
    Part(
        "install",
        "what installing takes: contents, dependencies, sizes, times",
        20,
        [[sys.executable, "-m", "benchmarks.install"]],
    ),
    Part(
        "supply",
        "a bill of materials of what a user installs, and known vulnerabilities of all pins",
        15,
        [
            [sys.executable, "-m", "venv", "--clear", _RELEASED],
            [f"{_RELEASED}/bin/pip", "install", "-q", "."],
            [
                *(f"{_PACKAGING}/cyclonedx-py", "environment", _RELEASED, "--validate"),
                *("--pyproject=pyproject.toml", f"--output-file={FOLDER}/sbom.json"),
            ],
            [sys.executable, "-m", "tests.packaging.audit", "constraints.txt"],
        ],
    ),
)


def run(part: Part, folder: Path) -> Ended:
    """Run a part to its end or to the end of its time; what it says goes to a file."""
    began = time.monotonic()
    log = folder / f"{part.name}.log"
    word = "ok"
    with log.open("wb") as said:
        for command in part.commands:
            words = [word.replace(FOLDER, str(folder)) for word in command]
            left = 60 * part.minutes - (time.monotonic() - began)
            word = _word(words, {**os.environ, **part.environ}, max(left, 0), said.fileno())
            if word != "ok":
                break
    return Ended(part, word, time.monotonic() - began, log)


def _word(command: Sequence[str], environ: Mapping[str, str], seconds: float, said: int) -> str:
    """Run one command; its process group is ended with it."""
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=said,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            return {0: "ok", _NOT_ASKED: "not asked"}.get(process.wait(seconds), "failed")
        except subprocess.TimeoutExpired:
            return "out of time"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def table(ended: Sequence[Ended]) -> str:
    """Return one line a part: how it ended, how long it took, and where it says more."""
    rows = [(one.word, f"{one.seconds / 60:.1f} min", one.part.name, str(one.log)) for one in ended]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(
        "  ".join(
            [*(cell.ljust(width) for cell, width in zip(row[:3], widths, strict=True)), row[3]]
        )
        for row in rows
    )


def _last_words(ended: Ended) -> str:
    lines = ended.log.read_text(encoding="utf-8", errors="replace").splitlines()
    return "\n".join(f"    {line}" for line in lines[-_LAST_LINES:])


def _listed(parts: Sequence[Part]) -> str:
    width = max(len(part.name) for part in parts)
    return "\n".join(
        f"{part.name:{width}}  {part.says} (at most {part.minutes:g} min)" for part in parts
    )


def main(arguments: Sequence[str] | None = None, parts: Sequence[Part] = PARTS) -> int:
    """Run the parts that are named, or all; 1 where one failed."""
    names = [part.name for part in parts]
    parser = argparse.ArgumentParser(prog="python -m tests.nightly", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(names)}")
    parser.add_argument("--list", action="store_true", help="only say what the parts are")
    parser.add_argument(
        "--in", dest="folder", type=Path, default=ROOT / ".nightly", help="keep it here"
    )
    given = parser.parse_args(arguments)
    unknown = sorted(set(given.parts) - set(names))
    if unknown:
        parser.error(f"no part is named {unknown[0]!r}; there are {', '.join(names)}")
    if given.list:
        print(_listed(parts))
        return 0
    folder = given.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    ended = []
    for part in parts:
        if not given.parts or part.name in given.parts:
            print(f"{part.name}: {part.says}", flush=True)
            ended.append(run(part, folder))
            if ended[-1].word != "ok":
                print(_last_words(ended[-1]), flush=True)
    print(table(ended))
    return int(any(one.word != "ok" for one in ended))


if __name__ == "__main__":
    sys.exit(main())
