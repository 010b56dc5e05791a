"""Which profile a locust process follows, and where its record goes.

The environment says so where `rollout load` or a run of a phase started it. Otherwise it is the
load of a plan of the project whose locustfile this is; `ROLLOUT_LOAD=plan.load` says which.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.load.files import PROFILE, RECORD, STATUS
from pytest_rollout.model.coding import decode
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.load import LoadProfile
from pytest_rollout.model.plan import Plan
from pytest_rollout.plan import find
from pytest_rollout.roots import patterns_of, root_and_ini

LOAD = "ROLLOUT_LOAD"


@dataclass(frozen=True, slots=True)
class Order:
    """What a load is to be, and where what came of it is written."""

    profile: LoadProfile
    record: Path | None = None
    status: Path | None = None
    plan: Plan | None = None  # whose criteria give the exit status; None: others judge it


def order_of(locustfile: Path, here: Path, environ: Mapping[str, str] = os.environ) -> Order | None:
    """Return what is ordered of a locustfile; None where no plan of the project has it.

    Raises RolloutError where nobody can say which load is meant.
    """
    record, status = (Path(environ[key]) if key in environ else None for key in (RECORD, STATUS))
    if PROFILE in environ:
        text = Path(environ[PROFILE]).read_text(encoding="utf-8")
        return Order(decode(LoadProfile, json.loads(text)), record, status)
    wanted = environ.get(LOAD, "")
    loads = dict(_loads(locustfile.resolve(), here.resolve()))
    if wanted and wanted not in loads:
        known = ", ".join(loads) or "none"
        raise RolloutError(f"{LOAD}={wanted}: no such load of {locustfile} (there is: {known})")
    if len(loads) > 1 and not wanted:
        raise RolloutError(f"{locustfile} is that of {', '.join(loads)}: say which by {LOAD}")
    if not loads:
        return None
    plan, profile = loads[wanted] if wanted else next(iter(loads.values()))
    return Order(profile, record, status, plan)


def _loads(locustfile: Path, here: Path) -> Iterator[tuple[str, tuple[Plan, LoadProfile]]]:
    """The loads of the project that have a locustfile, by plan and id."""
    for root in (here, *here.parents):
        patterns = _patterns(root)
        if not patterns or not find.files(root, patterns):
            continue
        for loaded in find.load_all(root, patterns):
            plan = None if loaded.problems else loaded.plan
            for profile in plan.loads if plan else ():
                if (root / profile.locustfile).resolve() == locustfile:
                    assert plan is not None
                    yield f"{plan.id}.{profile.id}", (plan, profile)
        return


def _patterns(root: Path) -> list[str]:
    """Where the plans of a project are, as its own configuration of pytest says."""
    place, ini = root_and_ini(None, root)
    stated = patterns_of(ini) if place == root else None
    return list(find.DEFAULT_PATTERNS) if stated is None else stated
