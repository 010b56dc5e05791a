"""Marked tests outside of the folder of their plan, which a run of its phases does not collect."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path

from pytest_rollout.model.plan import Plan

_SKIPPED = (".*", "venv", "node_modules", "build", "dist", "*.egg", "__pycache__")
_OTHER_ROOTS = {"rollout.yaml", "pytest.ini"}  # plans and projects of their own
MODULES = ("test_*.py", "*_test.py")


def strays(root: Path, plans: Sequence[Plan]) -> Iterator[str]:
    """What is marked as a check of a plan in a module that no plan of that mark stands above.

    A module is read as text, not imported, so a mark that is set in another way is not seen.
    """
    marks = {mark: plan for plan in plans for mark in plan.marks()}
    folders = {plan.id: (root / plan.path).parent for plan in plans}
    for module in _modules(root):
        if any(module.is_relative_to(folder) for folder in folders.values()):
            continue
        for line, mark in _marks_in(module, [*marks, "criterion"]):
            where = f"{module.relative_to(root).as_posix()}:{line}: marked `{mark}`, but not below"
            plan = marks.get(mark)
            shown = folders[plan.id].relative_to(root).as_posix() if plan else "any plan"
            name = plan.id if plan else "one"
            yield f"{where} {shown}, so no check of {name} (`binds:` can name it)"


def _modules(root: Path) -> Iterator[Path]:
    for folder, inner, files in os.walk(root):
        if Path(folder) != root and not _OTHER_ROOTS.isdisjoint(files):
            inner.clear()
            continue
        inner[:] = sorted(name for name in inner if not _any(name, _SKIPPED))
        yield from (Path(folder, name) for name in sorted(files) if _any(name, MODULES))


def _any(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)


def _marks_in(module: Path, marks: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Where a module says ``mark.NAME``, in its code; nothing where it cannot be read."""
    try:
        text = module.read_bytes()
        if not any(f"mark.{mark}".encode() in text for mark in marks):
            return
        tree = ast.parse(text)
    except (OSError, ValueError, SyntaxError, RecursionError):
        return
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or node.attr not in marks:
            continue
        if ast.unparse(node.value).rpartition(".")[2] == "mark":
            yield node.lineno, node.attr
