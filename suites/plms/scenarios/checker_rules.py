"""Day 1: the rules of the invariants checker, each with rows that break it."""

from __future__ import annotations

import json
import re
import sqlite3
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from pytest_rollout import Checked, RolloutError, Stage, run_checker, scenario
from suites.plms.views.answers import not_done
from suites.plms.views.formats import PAGE
from suites.plms.views.host import Host, run

_AT_ONCE = 4  # checkers


@dataclass(frozen=True, slots=True)
class Broken:
    """One violation of a rule: the statements that write it, and what a report of it names."""

    breaks: str
    names: tuple[str, ...]
    repair: str = ""


@dataclass(frozen=True, slots=True)
class CheckerRule:
    """A rule of the checker, and each way to break it."""

    says: str
    ways: tuple[Broken, ...]
    strict: bool = False  # it is checked with --strict only


def _row(table: str, **values: object) -> str:
    written = ", ".join("NULL" if value is None else repr(value) for value in values.values())
    return f"INSERT INTO {table} ({', '.join(values)}) VALUES ({written});"


def run_row(run: str | None, **values: object) -> str:
    """A run that keeps every rule but for what is said otherwise."""
    sound = {"run_id": run, "project_id": 990, "run_kind": "baseline", "lane_name": "Code-API"}
    sound |= {"status": "completed", "validation_pass": 1, "write_sandbox": 0}
    return _row("project_runs", **(sound | values))


def _prior(run: str | None, **values: object) -> str:
    return _row("estimate_versions", **({"run_id": run, "lane_name": "Code-API"} | values))


def _receipt(run: str | None, **values: object) -> str:
    sound = {"run_id": run, "lane_name": "Code-API", "kpi_name": "test_pass_rate"}
    return _row("kpi_receipts", **(sound | {"value": 1.0, "threshold": 0.95, "passed": 1} | values))


def _learnt(run: str, **values: object) -> Broken:
    return Broken(run_row(run, **values) + _prior(run, phase_name="execution"), (run,))


RULES: Mapping[str, CheckerRule] = {
    "run-kind": CheckerRule(
        "a run is of a known kind",
        (
            Broken(run_row("probe-kind", project_id=9901, run_kind="INVALID"), ("9901", "INVALID")),
            Broken(run_row("probe-case", project_id=9902, run_kind="Baseline"), ("9902",)),
            Broken(run_row("probe-none", project_id=9903, run_kind=None), ("9903",)),
            Broken(run_row("probe-void", project_id=9904, run_kind=""), ("9904",)),
        ),
    ),
    "run-id": CheckerRule(
        "a run has an id",
        (
            Broken(run_row(None, project_id=9911), ("9911",)),
            Broken(run_row("", project_id=9912), ("9912",)),
        ),
    ),
    "receipt": CheckerRule(
        "a receipt of a KPI is whole",
        (
            Broken(_receipt("probe-r1", kpi_name=None), ("probe-r1",)),
            Broken(_receipt(None, kpi_name="probe-kpi"), ("probe-kpi",)),
            Broken(_receipt("probe-r2", value=None), ("probe-r2",)),
            Broken(_receipt("probe-r3", threshold=None), ("probe-r3",)),
            Broken(_receipt("probe-r4", passed=None), ("probe-r4",)),
            Broken(_receipt("probe-r5", passed=2), ("probe-r5",)),
        ),
    ),
    "baseline-sandbox": CheckerRule(
        "no baseline writes to a sandbox",
        (Broken(run_row("probe-box", write_sandbox=1), ("probe-box",)),),
    ),
    "prior-validated": CheckerRule(
        "a prior comes from a validated baseline or hotfix that was no sandbox",
        (
            _learnt("probe-p1", status="needs_review", validation_pass=0),
            _learnt("probe-p2", status="needs_review", validation_pass=None),
            _learnt("probe-p3", run_kind="rehearsal"),
            _learnt("probe-p4", run_kind="hotfix", write_sandbox=1),
            Broken(_prior("probe-nowhere", phase_name="execution"), ("probe-nowhere",)),
            Broken(_prior(None, id=990_001, phase_name="execution"), ("990001",)),
        ),
    ),
    "lane-cap": CheckerRule(
        "a lane has a cap of one at least",
        tuple(
            Broken(_row("lane_configs", lane_name=lane, max_concurrent=cap), (lane,))
            for lane, cap in (("probe-l0", 0), ("probe-l1", -1), ("probe-l2", None))
        ),
    ),
    "completed-valid": CheckerRule(
        "a completed baseline or hotfix was validated",
        (
            Broken(run_row("probe-c1", validation_pass=0), ("probe-c1",)),
            Broken(run_row("probe-c2", validation_pass=None), ("probe-c2",)),
            Broken(run_row("probe-c3", run_kind="hotfix", validation_pass=0), ("probe-c3",)),
        ),
        strict=True,
    ),
    "prior-of-drill": CheckerRule(
        "no prior comes from a drill",
        (_learnt("probe-d1", tags="drill"),),
        strict=True,
    ),
    "interval-order": CheckerRule(
        "no interval is upside down",
        (
            Broken(run_row("probe-i1", tokens_ci_lower=2, tokens_ci_upper=1), ("probe-i1",)),
            Broken(run_row("probe-i2", duration_ci_lower=2, duration_ci_upper=1), ("probe-i2",)),
        ),
        strict=True,
    ),
}
_TEACH: Mapping[str, Mapping[str, object]] = {  # runs that priors may come from
    "taught-1": {},
    "taught-2": {"run_kind": "hotfix"},
    "taught-3": {"write_sandbox": None},
    "taught-4": {"tags": "demo"},
}
# What looks like a violation and is none.
_SOUND = "".join(
    (
        *(run_row(f"probe-ok-{kind}", run_kind=kind) for kind in ("hotfix", "rehearsal", "replay")),
        run_row("probe-ok-1", run_kind="rehearsal", write_sandbox=1, validation_pass=0),
        run_row("probe-ok-2", write_sandbox=None, status="needs_review", validation_pass=0),
        run_row("probe-ok-3", tokens_ci_lower=1, tokens_ci_upper=1),
        run_row("probe-ok-6", duration_ci_lower=1, duration_ci_upper=1),
        *(
            run_row(f"probe-ok-{name}", **values)
            + _prior(f"probe-ok-{name}", phase_name="execution")
            for name, values in _TEACH.items()
        ),
        _prior(None, phase_name="default"),
        _receipt("probe-ok-5", value=0.0, passed=0),
        _row("lane_configs", lane_name="probe-ok", max_concurrent=1),
    )
)
STRICT_PROBE = Broken(
    run_row("probe-unit", tokens_ci_lower=2, tokens_ci_upper=1),
    ("probe-unit",),
    "DELETE FROM project_runs WHERE run_id = 'probe-unit';",
)


def write(registry: Path, statements: str) -> None:
    """Write rows; raises RolloutError where the registry does not take them."""
    try:
        with closing(sqlite3.connect(registry, timeout=30)) as db:
            db.executescript(statements)
    except sqlite3.Error as problem:
        raise RolloutError(f"a row for the checker cannot be written: {problem}") from None


@dataclass(frozen=True, slots=True)
class CheckerTried:
    """What the checker said of copies of the registry."""

    clean: Checked
    clean_strict: Checked
    sound: Checked  # --strict, with rows that only look like violations
    strict: Mapping[str, Checked]  # --strict, by the one rule that is broken
    all_plain: Checked  # every rule broken, without --strict
    all_strict: Checked
    words: Mapping[str, tuple[int, str]]  # exit status and text of answers without --json


@scenario()
def checker_tried(phase: Stage) -> CheckerTried:
    """The checker is asked about copies of the registry, in each of which a rule is broken."""
    host = Host.of(phase)
    every = [way for rule in RULES.values() for way in rule.ways]
    asked: dict[str, tuple[str, tuple[str, ...]]] = {
        name: (_statements(rule.ways), ("--strict",)) for name, rule in RULES.items()
    }
    asked |= {
        "clean": ("", ()),
        "clean_strict": ("", ("--strict",)),
        "sound": (_SOUND, ("--strict",)),
        "all_plain": (_statements(every), ()),
        "all_strict": (_statements(every), ("--strict",)),
    }
    with tempfile.TemporaryDirectory(prefix="checker-") as folder:

        def ask(name: str) -> Checked:
            statements, flags = asked[name]
            copy = Path(folder) / f"{name}.db"
            _copy(host.registry, copy)
            write(copy, statements)
            return run_checker([host.checker, "--db", copy, *flags, "--json"])

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            answers = dict(zip(asked, pool.map(ask, asked), strict=True))
        words = {}
        for name in ("clean_strict", "all_strict"):
            done = run(host.checker, "--db", Path(folder) / f"{name}.db", "--strict")
            words[name] = (done.returncode, done.stdout)
    strict = {name: answers.pop(name) for name in RULES}
    return CheckerTried(strict=strict, words=words, **answers)


def _statements(ways: Sequence[Broken]) -> str:
    return "".join(way.breaks for way in ways)


def _copy(registry: Path, copy: Path) -> None:
    uri = f"{registry.resolve().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as source, closing(sqlite3.connect(copy)) as to:
        source.backup(to)
        to.execute("PRAGMA journal_mode = DELETE")


def unlike(checked: Checked, ways: Sequence[Broken]) -> str:
    """How an answer differs from one that tells exactly these violations; empty: not at all."""
    expected = ("FAIL", 1) if ways else ("OK", 0)
    if (checked.status, checked.exit_status) != expected:
        return f"it says {checked.status} and exits with {checked.exit_status}, not {expected}"
    if checked.violations != len(ways):
        return f"it counts {checked.violations} violations, there are {len(ways)}"
    missing = unnamed(" ; ".join(checked.details), ways)
    return f"it does not name {', '.join(missing)}" if missing else ""


def unnamed(text: str, ways: Sequence[Broken]) -> list[str]:
    """What a text should name of these violations and does not, each as a word by itself."""
    names = [name for way in ways for name in way.names]
    return [n for n in names if not re.search(rf"(?<![\w-]){re.escape(n)}(?![\w-])", text)]


def counted_by(checked: Checked) -> dict[str, int]:
    """What each check of the checker counts, by its name, as its answer tells."""
    told = json.loads(checked.output).get("checks")
    if not told:
        not_done("the checker does not tell its checks", f"{PAGE}#the-release")
    return {name: int(check.get("violations", -1)) for name, check in told.items()}
