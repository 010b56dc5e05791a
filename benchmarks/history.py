"""What deciding costs as a ledger grows: processor time, time, memory and bytes an observation.

Run as ``python -m benchmarks.history``. It writes ledgers of 10,000, 100,000 and 1,000,000
observations, each by many sealed runs, and asks each for the same: `rollout decide`,
`rollout clear`, and a new small run. ``--sizes`` chooses others, as 10000000, which takes minutes
and gigabytes. ``--releases one`` has all of a ledger be of one release; by default each
release has ten runs. Each figure is the least of some processes of their own. ``--postgres`` copies
each ledger into a PostgreSQL of its own and asks that; its server's processor time is not counted.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from benchmarks.history_in_postgres import moved
from pytest_rollout.evidence import sqlite
from pytest_rollout.evidence.bodies import PhaseBegun, StoredDecision
from pytest_rollout.evidence.ledger import Draft, Ledger
from pytest_rollout.evidence.looks import stored
from pytest_rollout.evidence.records import Batch, Entry, Observation, Row
from pytest_rollout.evidence.sqlite import connection
from pytest_rollout.evidence.sqlite.sqlite_store import SqliteStore
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.evidence import Head, labels_of
from pytest_rollout.model.plan import Plan
from pytest_rollout.report.stored import to_json
from tests.evidence.postgres import place_of, serving
from tests.evidence.runs import EXIT, Writer, plan_of
from tests.targets.test_identity import answering, saying

_SECOND = 1_000_000
_HOUR = 3_600 * _SECOND
_BATCHES, _EACH = 10, 100  # of a run
_OF_RELEASE = 10  # runs
PLAN = """\
plan: demo
release: {target: api, path: /version, json: version}
environments:
  prod: {targets: {api: "URL"}}
phases:
  - id: canary
    criteria:
      - {id: own, kind: load, metric: latency, take: p95, pass: "< 900", need: 5}
      - {id: lately, kind: slo, metric: latency, take: max, pass: "< 2000",
         over: [{span: 3h, need: 5}]}
      - {id: newest, kind: slo, metric: errors, take: sum, pass: "<= 5",
         over: [{last: 10, need: 10}]}
      - {id: in-phase, kind: slo, metric: errors, take: rate, pass: "<= 0.5",
         over: [{since: begin, need: 5}]}
    guardrails:
      - {id: spike, metric: latency, take: max, fail: "> 100000", then: [pause]}
"""
NAMES = ("own", "lately", "newest", "in-phase")
_SUITE = "import pytest\n" + "".join(
    f"\n@pytest.mark.canary\n@pytest.mark.criterion({name!r})\ndef test_{n}(observe):\n"
    "    for number in range(10):\n"
    "        observe('latency', 100 + number, node=str(number))\n"
    "        observe('errors', 0, node=str(number))\n"
    for n, name in enumerate(NAMES)
)
_ITEMS: dict[str, tuple[str, ...]] = {
    f"demo.canary.{name}": (f"test_it.py::test_{n}",) for n, name in enumerate(NAMES)
}


class DatedStore(SqliteStore):
    """A store that dates what it appends, without a transaction for each record."""

    at_us = 0

    def append(self, entry: Entry, rows: Sequence[Row], at_us: int | None = None) -> Head:
        """Chain one record in the transaction that is open."""
        self.at_us += 1
        self.last = self._append(entry, rows, self.at_us)
        self._wrote = True
        return self.last

    def keep_text(self, digest: str, text: str) -> None:
        """Keep a text in the transaction that is open."""
        self._db.execute("INSERT OR IGNORE INTO texts VALUES (?, ?)", (digest, text))


@cache
def _plan(text: str) -> Plan:
    return plan_of(text)


class Run(Writer):
    """A run of many observations."""

    @property
    def plan(self) -> Plan:
        """What it judges by."""
        return _plan(self.text)

    def work(self, at_us: int) -> None:
        """All batches, ten a check, their observations a second apart."""
        for number in range(_BATCHES):
            item = _ITEMS[f"demo.canary.{NAMES[number % len(NAMES)]}"][0]
            first = number * _EACH // 2
            seen = tuple(
                Observation("demo", "canary", metric, labels_of({"node": "a"}), at, at, 0, value)
                for second in range(first, first + _EACH // 2)
                for at in [at_us - _HOUR // 2 + second * _SECOND]
                for metric, value in (("latency", str(100 + second % 50)), ("errors", "0"))
            )
            batch = Batch(item, "demo.canary", (("pass", ""),), seen)
            self.ledger.append_batch(self.run, self.environment, batch, "main")


@dataclass(frozen=True, slots=True)
class Made:
    """A decision that was judged, and the body of its record."""

    decision: Decision
    body: StoredDecision


def lay(folder: Path, url: str, size: int, *, one_release: bool) -> Path:
    """Write a project with a ledger of so many observations; returns the ledger's path."""
    text = PLAN.replace("URL", url)
    (folder / "rollout.yaml").write_text(text)
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_it.py").write_text(_SUITE)
    path = folder / ".rollout" / "ledger.db"
    sqlite.to_write(str(path)).close()
    db = connection.to_write(path)
    store = DatedStore(path, db)
    runs = size // (_BATCHES * _EACH)
    started_us = time.time_ns() // 1000 - (runs + 1) * _HOUR
    made: Made | None = None
    with connection.transaction(db):
        for number in range(runs):
            age = 0 if one_release else (runs - number - 1) // _OF_RELEASE
            store.at_us = started_us + number * _HOUR
            if number == max(0, runs - _OF_RELEASE):
                _begin(Ledger(store), store.at_us)
            run = Run(
                Ledger(store), f"r{number}", "prod", text, gates=(EXIT,), release=f"v{1000 - age}"
            )
            like = None if number == runs - 1 else made  # the last one is judged itself
            made = _whole(run, started_us + (number + 1) * _HOUR, like)
    store.close()
    return path


def _begin(ledger: Ledger, at_us: int) -> None:
    body = PhaseBegun(
        type=PhaseBegun.TYPE,
        t_us=at_us,
        by="ann",
        release=None,
        configuration=None,
        entry="0" * 64,
        asked="0" * 64,
    )
    ledger.append(Draft(body, "", "demo", "demo.canary", "prod"))


def _whole(run: Run, end_us: int, made: Made | None) -> Made:
    """A sealed run; its decision is as one that was made, but for what is of the run."""
    run.start()
    run.manifest(items=_ITEMS)
    run.work(end_us)
    run.ledger.store.at_us = end_us  # type: ignore[attr-defined]
    run.seal()
    sealed = run.ledger.last
    assert sealed is not None
    if made is None:
        decision = run.judged(EXIT)
        made = Made(decision, stored(decision, "", run.read(EXIT).world))
    own = replace(made.decision, run=run.run, release=run.release, ledger=sealed)
    body = replace(made.body, document=to_json(own), release=run.release)
    run.ledger.append(Draft(body, run.run, "demo", str(EXIT), "prod"))
    return made


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process used."""

    cpu_s: float
    wall_s: float
    peak_mb: float
    status: int


def cost(folder: Path, *arguments: str) -> Cost:
    """What a command costs in a process of its own."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    took = time.perf_counter() - started
    return Cost(used.ru_utime + used.ru_stime, took, used.ru_maxrss / 1024, process.returncode)


ASKED = {
    "decide": ("pytest_rollout.cli", "decide", "demo.canary/exit", "--env", "prod"),
    "clear": ("pytest_rollout.cli", "clear", "demo.canary/exit", "--env", "prod"),
    "new run": ("pytest", "-q", "-m", "canary", "--rollout-env", "prod", "-p", "no:cacheprovider"),
}


@contextmanager
def project(size: int, *, one_release: bool, url: str = "") -> Iterator[tuple[Path, int]]:
    """A project whose ledger holds so many observations, and the bytes of the ledger.

    With the URL of a PostgreSQL server the ledger is there.
    """
    with (
        tempfile.TemporaryDirectory(prefix="rollout-") as name,
        answering(saying('{"version": "v1000"}')) as target,
    ):
        path = lay(Path(name), target, size, one_release=one_release)
        held = moved(path, place_of(url, size)) if url else path.stat().st_size
        cost(Path(name), "pytest_rollout.cli", "report", "demo.canary/exit", "--env", "prod")
        yield Path(name), held


def main() -> None:
    """Print a row for each command and size."""
    parser = argparse.ArgumentParser(description=__doc__)
    sizes = (10_000, 100_000, 1_000_000)
    parser.add_argument("--sizes", type=int, nargs="+", default=sizes)
    parser.add_argument("--releases", choices=("many", "one"), default="many")
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--only", choices=list(ASKED), action="append")
    parser.add_argument("--postgres", action="store_true")
    given = parser.parse_args()
    with serving() if given.postgres else nullcontext() as server:
        _ask(given, server.url if server else "")


def _ask(given: argparse.Namespace, url: str) -> None:
    print("observations  asked      cpu s  wall s  peak MB  status  bytes an observation")
    for size in given.sizes:
        with project(size, one_release=given.releases == "one", url=url) as (folder, held):
            for name in given.only or ASKED:
                cost(folder, *ASKED[name])  # what is compiled once
                costs = [cost(folder, *ASKED[name]) for _ in range(given.times)]
                cpu, wall = min(one.cpu_s for one in costs), min(one.wall_s for one in costs)
                peak = min(one.peak_mb for one in costs)
                print(
                    f"{size:>12,}  {name:<8} {cpu:>7.2f} {wall:>7.2f} {peak:>8.1f}"
                    f" {costs[0].status:>7}  {held / size:.0f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
