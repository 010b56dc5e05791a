"""PLMS as it is started by hand, with projects 101 and 102 of a minute and a half.

`uvicorn tests.plms.small_projects:app`: nobody steps its clock, so what runs takes that long.
"""

from __future__ import annotations

from dataclasses import replace

from fixtures.plms import app as plms
from fixtures.plms.service.runs import CATALOGUE
from pytest_rollout.targets.reference import AsgiApp

_TASK_S = 45


def app() -> AsgiApp:
    """The application with small projects."""
    for project in (101, 102):
        CATALOGUE[project] = replace(CATALOGUE[project], task_seconds=_TASK_S)
    return plms()
