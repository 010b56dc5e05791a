"""A load is made: locust runs as a process of its own, bounded in time, and leaves a record."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from pytest_rollout.extras import needs_extra
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.load import files, locust_process
from pytest_rollout.load.locust_process import READY_S, STOP_S, command_of, surroundings
from pytest_rollout.load.tied_process import Tied, tied
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.load import LoadProfile, LoadRecord

START_S = 30.0 + READY_S  # for locust to start, and its users to be ready
WORKERS_S = 120.0  # for workers of other machines to connect
GRACE_S = 15.0  # for the record to be written, once no request is under way
_PAUSE_S, _LOOK_S = 0.05, 0.5

Seen = Callable[[LoadRecord], None]


def make(
    profile: LoadProfile,
    host: str,
    root: Path,
    *,
    may_go_on: Callable[[], None] = lambda: None,
    seen: Seen = lambda record: None,
) -> LoadRecord:
    """Return the record of a load that is made now.

    ``may_go_on`` is asked again and again, and ends the load by raising; ``seen`` is given what
    there is so far. Of a load that broke off the record says so. Raises RolloutError where it left
    none, with what locust said.
    """
    needs_extra("load", "locust", "hdrh")
    locustfile = root / profile.locustfile
    if not locustfile.is_file():
        raise RolloutError(f"load {profile.id}: there is no locustfile {profile.locustfile}")
    waits = WORKERS_S if profile.generators.workers else 0.0
    bounds = Bounds(START_S + waits, profile.offer.duration_us / 1_000_000 + STOP_S + GRACE_S)
    below = os.environ.get(files.FOLLOWED)
    with tempfile.TemporaryDirectory(prefix="rollout-load-", dir=below) as temporary:
        folder = Path(temporary)
        files.write_profile(folder / files.PROFILE_FILE, profile)
        command, environment = command_of(profile, root, waits), surroundings(host, folder)
        log, grace_s = folder / "locust.log", locust_process.GRACE_S
        with tied(command, root, environment, log, grace_s) as locust:
            trouble = _to_its_end(locust, folder, bounds, may_go_on, seen)
            return _record(profile, locust, folder, trouble)


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long it is waited for a load."""

    begin_s: float  # until it has begun
    end_s: float  # from then on


def _to_its_end(
    locust: Tied, folder: Path, bounds: Bounds, may_go_on: Callable[[], None], seen: Seen
) -> str:
    """Why it was not waited for any longer; empty where it ended by itself."""
    look = time.monotonic()
    until, late = look + bounds.begin_s, f"begin within {bounds.begin_s:g} s"
    begun = False
    while locust.status is None:
        now = time.monotonic()
        if now > until:
            return f"locust did not {late}; it said last: {locust_process.said_last(locust)}"
        if now >= look:
            look = now + _LOOK_S
            may_go_on()
            partial = _so_far(folder)
            if partial is not None:
                seen(partial)
                if not begun:
                    begun, until = True, now + bounds.end_s
                    late = f"end within {bounds.end_s:g} s of its begin"
        time.sleep(_PAUSE_S)
    return ""


def _so_far(folder: Path) -> LoadRecord | None:
    with suppress(RolloutError):
        return files.read_record(folder / files.STATUS_FILE)
    return None


def _record(profile: LoadProfile, locust: Tied, folder: Path, trouble: str) -> LoadRecord:
    final = files.read_record(folder / files.RECORD_FILE)
    if final is not None:
        return replace(final, completed=False, trouble=trouble) if trouble else final
    why = trouble or locust_process.how_it_ended(locust)
    partial = _so_far(folder)
    if partial is None:
        raise RolloutError(f"load {profile.id} left no record: {why}", code="load.no-record")
    return replace(partial, completed=False, trouble=partial.trouble or why)
