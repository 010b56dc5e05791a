"""Hooks of pytest that this plugin calls, for a conftest.py and for other plugins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_rollout.model.decision import Decision
    from pytest_rollout.model.extension import ReportFormat


def pytest_rollout_decided(decision: Decision) -> None:
    """Hear of a gate's decision, once it is stored and before it is shown.

    Called for each gate that the run asked for, in the order in which they were decided, in the
    process that decides (under xdist, the controller). What is raised becomes a line of the
    output; it changes neither the decision nor the exit status.
    """


def pytest_rollout_reports() -> Sequence[ReportFormat]:  # type: ignore[empty-body]
    """Return formats in which each decision is written, beside those of pytest-rollout.

    The file is `report` with the format's suffix, in the folder of the decision's reports. A
    format that raises, or whose file is already written by another one, becomes a line of the
    output; it changes neither the decision nor the exit status.
    """
