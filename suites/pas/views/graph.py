"""The suite's own task graphs: which tasks, which dependencies, and who broke their order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pytest_rollout import Reported
from suites.pas.views.lanes import LANES

LAYERS, WIDTH = 5, 4


@dataclass(frozen=True, slots=True)
class Node:
    """A task of a graph before it is handed in."""

    name: str
    lane: str
    deps: tuple[str, ...]


def layered(offset: int) -> tuple[Node, ...]:
    """A graph of five layers; each task needs two of the layer above, of other lanes."""
    nodes = []
    for number in range(LAYERS * WIDTH):
        layer, place = divmod(number, WIDTH)
        above = [f"t{(layer - 1) * WIDTH + (place + step) % WIDTH:02d}" for step in (0, 1)]
        lane = LANES[(number + offset) % len(LANES)]
        nodes.append(Node(f"t{number:02d}", lane, tuple(above) if layer else ()))
    return tuple(nodes)


def edges(nodes: Sequence[Node]) -> list[tuple[str, str]]:
    """Each dependency: what must have finished, and what needs it."""
    return [(above, node.name) for node in nodes for above in node.deps]


def by_id(status: Reported) -> dict[str, Reported]:
    """The tasks of a run by their ids."""
    return {task.text("task_id"): task for task in status.each("tasks")}


def too_early(tasks: Mapping[str, Reported], above: str, below: str) -> bool:
    """Whether a task began before one that it needs had finished, by their times."""
    if tasks[below]["started_at"] is None:
        return False
    if tasks[above]["finished_at"] is None:
        return True
    return tasks[below].moment("started_at") < tasks[above].moment("finished_at")


def seen_early(looks: Sequence[Mapping[str, Reported]], above: str, below: str) -> bool:
    """Whether a look saw a task at work, or done, while one that it needs was not done."""
    return any(
        look[below].text("status") in ("running", "succeeded")
        and look[above].text("status") != "succeeded"
        for look in looks
    )


def at_work(statuses: Iterator[Reported] | Sequence[Reported]) -> dict[str, int]:
    """How many tasks of some runs run now, by lane."""
    counted = dict.fromkeys(LANES, 0)
    for status in statuses:
        for task in status.each("tasks"):
            if task.text("status") == "running":
                counted[task.text("lane")] = counted.get(task.text("lane"), 0) + 1
    return counted
