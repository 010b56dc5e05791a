"""Which tests are slow (`-m "not slow"` leaves them to `bash tests/run`), and which are nightly.

A test is slow where it is marked with `slow`, which it is once it takes more than a second of
processor time. These are slow without a mark:

- tests of a module that starts whole rehearsals, traps or interruptions;
- tests that run pytest with workers (`-n2` is a parameter or a word of the test).

The mark `quick` keeps one of those with the quick tests, so that they try each room.

Of the faults that a test rehearses with, all but the first are nightly: `bash tests/run` leaves
them to `bash tests/nightly`, so that a plan more costs it a rehearsal a phase and a fault.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest

# What starts whole runs, and the module that it is imported from.
_STARTERS = {
    "campaign": "tests.campaign.play",
    "rehearse": "tests.plms.rehearsal",
    "spring": "tests.traps.run",
}
_WORKERS = "-n2"


def mark(items: Iterable[pytest.Item]) -> None:
    """Give tests the marks that rules give them."""
    faulty: set[str] = set()
    for item in items:
        if item.get_closest_marker("nightly") or _is_later_fault(item, faulty):
            item.add_marker(pytest.mark.nightly)
            item.add_marker(pytest.mark.slow)
        elif _is_slow(item):
            item.add_marker(pytest.mark.slow)


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


def _is_slow(item: pytest.Item) -> bool:
    if not isinstance(item, pytest.Function) or item.get_closest_marker("quick"):
        return False
    return _starts_runs(item, *_STARTERS) or _with_workers(item)


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
