"""What nobody says of himself: settings that were changed, and work that is hidden."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import pairwise

from suites.plms.views.watched import Look, Seen


def reset(looks: Iterable[tuple[datetime, Look]]) -> Iterator[tuple[datetime, datetime, str]]:
    """What was set otherwise from one look to the next: both times, and what it became, in words.

    What was set back between two looks is not seen.
    """
    for (before, was), (after, now) in pairwise(looks):
        old, new = was.configuration, now.configuration
        for name in sorted({*old, *new}):
            had, has = old.get(name, "not set"), new.get(name, "not set")
            if had != has:
                yield before, after, f"{name} was {had} and became {has}"


def done_while_waiting(seen: Sequence[Seen], among: Mapping[int, str]) -> Iterator[str]:
    """Where a run has done more than it can have while so many of its tasks never ran.

    A lane that runs more than it says calls what runs beyond its cap waiting. Tasks need not be
    alike: what waits is taken for half its share. Only where a run has its lane for itself.
    """
    tasks: dict[str, int] = {}  # of a run, once all of them were there
    for now in seen:
        lanes = {lane.name: lane for lane in now.sample.lanes}
        for project in now.sample.projects:
            lane = lanes.get(among.get(project.id, ""))
            alone = lane and now.look.count(lane.name, "submitted", "executing", "paused") == 1
            if lane is None or not alone or project.status != "executing":
                continue
            many = tasks.setdefault(project.run_id, lane.running + lane.queued)
            most = 1 - lane.queued / many / 2 if many else 1
            if project.progress > most:
                yield (
                    f"{now.at.isoformat()}: project {project.id} is at {project.progress:.0%},"
                    f" and {lane.queued} of its {many} tasks are told to wait in {lane.name}"
                )
