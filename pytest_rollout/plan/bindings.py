"""The reviewed list of what each criterion's checks are, `bindings.txt` beside the plan.

A check that silently stops being collected (a renamed file, a shadowed function) is seen
only by comparison with a list that a person has looked at.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from pytest_rollout.model.errors import Problem, RolloutError
from pytest_rollout.model.node_id import NodeId

NAME = "bindings.txt"
_HEAD = (
    "# The checks of each criterion; written by `rollout check --write-bindings`, to be reviewed.\n"
)
_MAX_BYTES = 10_000_000


def listed(plan_file: Path, root: Path) -> dict[str, tuple[str, ...]] | None:
    """The items of each criterion (full id) as listed beside a plan; None without a list.

    The list has ids as seen from the plan's folder, so that it is the same whichever folder above
    is the root of a run; what comes back is as seen from ``root``.

    Raises RolloutError, with the line, where it cannot be read.
    """
    if not plan_file.with_name(NAME).is_file():
        return None
    items_of: dict[str, list[str]] = {}
    for _, criterion, item in _lines(plan_file.with_name(NAME)):
        node = _from_the_plan(NodeId.parse(item), plan_file.parent.resolve())
        items_of.setdefault(criterion, []).append(str(node.below(_folder(plan_file, root))))
    return {criterion: tuple(items) for criterion, items in items_of.items()}


def unknown(plan_file: Path, stated: Container[str], shown: str) -> Iterator[Problem]:
    """Yield a problem for each criterion of a plan's list that the plan does not state.

    ``stated`` are the full ids of its criteria, ``shown`` is the list's path in messages. Raises
    RolloutError, with the line, where the list cannot be read.
    """
    told: set[str] = set()
    for number, criterion, item in _lines(plan_file.with_name(NAME)):
        if criterion not in stated and criterion not in told:
            told.add(criterion)
            problem = f"{criterion} is listed with {item}, and the plan states no such criterion"
            fix = "state it again, or write the list anew: `rollout check --write-bindings`"
            yield Problem(shown, number, problem, fix)


def _lines(path: Path) -> Iterator[tuple[int, str, str]]:
    """Yield each binding with the number of its line."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise RolloutError(f"{path}: larger than {_MAX_BYTES} bytes")
        text = path.read_text(encoding="utf-8-sig")  # editors may begin a file with a mark
    except UnicodeDecodeError as error:
        raise RolloutError(f"{path}: cannot be read: it is no UTF-8 text ({error})") from error
    except OSError as error:
        raise RolloutError(f"{path}: cannot be read: {error}") from error
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        criterion, space, item = line.partition(" ")
        if not (space and item.strip() and criterion.count(".") == 2):
            rule = "write plan.phase.criterion, a space and the item's node id"
            raise RolloutError(f"{path}:{number}: {line[:80]!r} is no binding ({rule})")
        yield number, criterion, item


def _from_the_plan(node: NodeId, folder: Path) -> NodeId:
    """An id as seen from the plan's folder; older lists have ids as seen from some root above."""
    if (folder / node.path).exists():
        return node
    steps = PurePosixPath(node.path).parts
    for count in range(len(steps) - 1, 0, -1):
        if folder.parts[-count:] == steps[:count]:
            return replace(node, path="/".join(steps[count:]))
    return node


def _folder(plan_file: Path, root: Path) -> str:
    return plan_file.parent.relative_to(root).as_posix()


def write(plan_file: Path, root: Path, plan: str, items: Mapping[str, list[str]]) -> Path:
    """Write the list of a plan's bindings, whose ids are as seen from ``root``; raises OSError."""
    folder = _folder(plan_file, root)
    mine = {
        name: [str(NodeId.parse(node).seen_from(folder)) for node in nodes]
        for name, nodes in items.items()
        if name.startswith(f"{plan}.")
    }
    lines = [f"{name} {node}\n" for name, nodes in sorted(mine.items()) for node in sorted(nodes)]
    path = plan_file.with_name(NAME)
    path.write_text(_HEAD + "".join(lines), encoding="utf-8")
    return path
