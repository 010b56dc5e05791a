"""What is said of items and modules that were not collected as they should be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest

from pytest_rollout.model.errors import Problem
from pytest_rollout.model.node_id import NodeId
from pytest_rollout.redact import cap, hide, unmistakable


def hold_a_secret(items: Sequence[pytest.Item]) -> bool:
    """Whether an id among those of items may hold a secret, looked for in all of them at once."""
    return any(unmistakable("\n".join(item.nodeid for item in items)))


def secret_id(item: pytest.Item) -> Iterable[Problem]:
    """An id stands in every report and in the ledger, and is not redacted: it is refused."""
    for what, _ in unmistakable(item.nodeid):
        file, line, _ = item.location
        name = hide(NodeId.parse(item.nodeid).function)
        fix = "give its parameter an id: pytest.param(..., id=...)"
        yield Problem(file, (line or 0) + 1, f"the id of {name} holds {what}", fix)
        return


def moved(item: pytest.Item, before: str, now: str) -> Problem:
    """A hook of the collection gave a test to another phase."""
    file, line, _ = item.location
    what = f"a hook moved a test from {before} to {now}"
    return Problem(file, (line or 0) + 1, what, "bind each test to one phase")


def why_dropped(item: pytest.Item) -> str:
    """What an item was dropped by."""
    config = item.config
    keyword = config.getoption("keyword", "")
    if keyword:
        return f"deselected by -k {keyword!r}"
    if any(item.nodeid.startswith(prefix) for prefix in config.getoption("deselect", None) or []):
        return "deselected by --deselect"
    return f"deselected by -m {config.getoption('markexpr', '')!r} or a plugin"


def last_line(report: pytest.CollectReport) -> str:
    """What kept a module from being collected, from the end of what pytest shows of it."""
    if report.skipped and isinstance(report.longrepr, tuple):
        return f"skipped as a whole: {cap(report.longrepr[2].removeprefix('Skipped: '), 300)}"
    lines = [line.strip() for line in str(report.longrepr).splitlines() if line.strip()]
    raised = [line.removeprefix("E ").strip() for line in lines if line.startswith("E  ")]
    return cap((raised or lines or ["collection failed"])[-1], 300)
