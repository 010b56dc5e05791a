"""Which tests are slow: what `-m "not slow"` leaves to `bash tests/run`.

A test is slow where it is marked with `slow`, which it is once it takes more than a second of
processor time. These are slow without a mark:

- tests of a module that starts whole rehearsals, traps or interruptions;
- tests that run pytest with workers (`-n2` is a parameter or a word of the test).

The mark `quick` keeps one of those with the quick tests, so that they try each room.
"""

from __future__ import annotations

import pytest

# What starts whole runs, and the module that it is imported from.
_STARTERS = {
    "campaign": "tests.campaign.play",
    "rehearse": "tests.plms.rehearsal",
    "spring": "tests.traps.run",
}
_WORKERS = "-n2"


def is_slow(item: pytest.Item) -> bool:
    """Whether a test is slow without a mark."""
    if not isinstance(item, pytest.Function) or item.get_closest_marker("quick"):
        return False
    return _starts_runs(item) or _with_workers(item)


def _starts_runs(item: pytest.Function) -> bool:
    names = vars(item.module)
    return any(
        getattr(names.get(name), "__module__", "") == module for name, module in _STARTERS.items()
    )


def _with_workers(item: pytest.Function) -> bool:
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    words = getattr(item.function, "__code__", None)
    return any(value in (_WORKERS, [_WORKERS]) for value in parameters) or (
        words is not None and _WORKERS in words.co_consts
    )
