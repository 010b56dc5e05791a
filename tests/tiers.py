"""Which tests are slow (`-m "not slow"` leaves them to `bash tests/run`), and which are nightly.

A test is slow where it is marked with `slow`, which it is once it takes more than a second of
processor time. These are slow without a mark:

- tests of a module that starts whole rehearsals, traps or interruptions, and of those listed here,
  which start a pytest for each test;
- tests that run pytest with workers (`-n2` is a parameter or a word of the test).

The mark `quick` keeps one of those with the quick tests, so that they try each room.

Of the faults that a test rehearses with, all but the first are nightly: `bash tests/run` leaves
them to `bash tests/nightly`, so that a plan more costs it a rehearsal a phase and a fault. So are
tests of evidence on PostgreSQL, but those of the store itself: nothing above it knows the database.
So are, of a slow test with several parameters, all with workers but the first: each takes seconds
for processes that start, and shows once more that workers change nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

# What starts whole runs, and the module that it is imported from.
_STARTERS = {
    "campaign": "tests.campaign.play",
    "rehearse": "tests.plms.rehearsal",
    "spring": "tests.traps.run",
}
_WORKERS = "-n2"
_WORKED = (_WORKERS, "-n0")  # flags of pytest-xdist
# Modules of which most tests start a pytest of their own, one after the other.
_SLOW_MODULES = frozenset(
    {
        *("session/test_bindings.py", "session/test_cancelled.py"),
        *("session/test_collecting.py", "session/test_drills.py", "session/test_effects.py"),
        *("session/test_extending.py", "session/test_hostile.py", "session/test_interruptions.py"),
        *("session/test_phase_in_prod.py", "session/test_plan_checks.py"),
        *("session/test_rolling.py", "session/test_seams.py", "session/test_joined.py"),
        "session/test_load_pages.py",
        *("session/test_secrets.py", "session/test_waivers.py", "session/runs/test_checks.py"),
        *("session/runs/test_clearing.py", "session/runs/test_late.py"),
        *("session/runs/test_marked.py", "session/runs/test_mocked.py"),
        *("session/runs/test_shell.py", "cli/test_check.py", "plms/test_stated.py"),
        *("bridge/test_stated.py", "pipeline/test_stated.py"),
        *("targets/test_bounded.py", "targets/test_documented.py"),
    }
)
_TESTS = Path(__file__).parent
_STORE_MODULES = ("test_store.py", "test_ledger.py")


def mark(items: Iterable[pytest.Item]) -> None:
    """Give tests the marks that rules give them."""
    faulty: set[str] = set()
    parallel: set[str] = set()
    for item in items:
        nightly = item.get_closest_marker("nightly") or _is_later_fault(item, faulty)
        if nightly or _is_later_with_workers(item, parallel) or _is_above_the_store(item):
            item.add_marker(pytest.mark.nightly)
            item.add_marker(pytest.mark.slow)
        elif _is_slow(item):
            item.add_marker(pytest.mark.slow)


def _is_above_the_store(item: pytest.Item) -> bool:
    """Whether a test of evidence runs on PostgreSQL, and is not about the store itself."""
    on_postgres = isinstance(item, pytest.Function) and _parameters(item).get("place") == "postgres"
    return on_postgres and item.path.name not in _STORE_MODULES


def _is_later_fault(item: pytest.Item, faulty: set[str]) -> bool:
    """Whether a rehearsal with another fault came before; ``faulty`` remembers which did."""
    if not isinstance(item, pytest.Function) or not _starts_runs(item, "rehearse"):
        return False
    if "fault" not in _parameters(item):
        return False
    test = item.nodeid.partition("[")[0]
    came_before = test in faulty
    faulty.add(test)
    return came_before


def _is_later_with_workers(item: pytest.Item, parallel: set[str]) -> bool:
    """Whether a slow test ran with workers and other parameters before; ``parallel`` remembers."""
    if not isinstance(item, pytest.Function) or not _is_slow(item):
        return False
    flags = [word for word in _WORKED if _has_flag(item, word)]
    if not flags:
        return False
    test = item.nodeid.partition("[")[0] + flags[0]
    came_before = test in parallel
    parallel.add(test)
    return came_before


def _has_flag(item: pytest.Function, flag: str) -> bool:
    return any(value in (flag, [flag]) for value in _parameters(item).values())


def _is_slow(item: pytest.Item) -> bool:
    if not isinstance(item, pytest.Function) or item.get_closest_marker("quick"):
        return False
    here = item.path.is_relative_to(_TESTS)
    listed = here and item.path.relative_to(_TESTS).as_posix() in _SLOW_MODULES
    return listed or _starts_runs(item, *_STARTERS) or _with_workers(item)


def _starts_runs(item: pytest.Function, *starters: str) -> bool:
    names = vars(item.module)
    return any(getattr(names.get(name), "__module__", "") == _STARTERS[name] for name in starters)


def _with_workers(item: pytest.Function) -> bool:
    code = getattr(item.function, "__code__", None)
    values = [*_parameters(item).values(), *(code.co_consts if code else ())]
    return any(value in (_WORKERS, [_WORKERS]) for value in values)


def _parameters(item: pytest.Function) -> Mapping[str, object]:
    callspec = getattr(item, "callspec", None)
    return callspec.params if callspec else {}
