"""Which phases run through a line, and for which of their criteria, as coverage.py measured it."""

from __future__ import annotations

import ast
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from pathlib import Path

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.mutants.workshop import Workshop

_SIZE = 4096  # of the file in which a rehearsal notes what it does
_RC = """\
[run]
parallel = true
sigterm = true
patch = _exit
plugins = rollout_measured
data_file = {folder}/measured
include =
{include}
"""
_CONTEXTS = "contexts"
_FIXTURE = "fixture "


class NotThePlantedError(Exception):
    """Code of the user's own tree ran instead of the workshop's; the message names the file."""


@dataclass(frozen=True, slots=True)
class PhaseLines:
    """What one phase ran: ``lines`` by file and line the contexts, ``files`` what was read."""

    lines: Mapping[str, Mapping[int, frozenset[str]]] = field(default_factory=dict)
    files: frozenset[str] = frozenset()
    needs: Mapping[str, frozenset[str]] = field(default_factory=dict)  # fixtures by item

    def runs(self, file: str, lines: Iterable[int]) -> frozenset[str] | None:
        """The contexts that ran one of some lines; None where the phase runs none of them."""
        ran = self.lines.get(file, {})
        contexts = [ran[line] for line in lines if line in ran]
        return frozenset().union(*contexts) if contexts else None

    def criteria(self, contexts: frozenset[str], items: Mapping[str, Sequence[str]]) -> list[str]:
        """The criteria whose checks ran something, by the items of each.

        What ran before any check, as when a module is imported, ran for all of them. So did what
        is not of any check that is known.
        """
        items_of = {
            item
            for item, fixtures in self.needs.items()
            if item in contexts or any(f"{_FIXTURE}{name}" in contexts for name in fixtures)
        }
        mine = [name for name, bound in items.items() if not items_of.isdisjoint(bound)]
        return list(items) if "" in contexts or not mine else mine


def environ(shop: Workshop, folder: Path, files: Sequence[str]) -> dict[str, str]:
    """Make ready to measure a rehearsal in a folder; what its child needs. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _CONTEXTS).write_bytes(b"\0" * _SIZE)
    roots = (shop.copy, shop.root)
    include = "\n".join(f"    {root / file}" for root in roots for file in files)
    rc = folder / "coveragerc"
    rc.write_text(_RC.format(folder=folder, include=include), encoding="utf-8")
    measured = os.pathsep.join(str(shop.copy / file) for file in files)
    return {
        "COVERAGE_PROCESS_START": str(rc),
        "COVERAGE_CORE": "ctrace",  # the only one that knows contexts in every Python
        "ROLLOUT_CONTEXTS": str(folder / _CONTEXTS),
        "ROLLOUT_MEASURED": measured,
    }


def measured(
    shop: Workshop, folder: Path, files: Iterable[str], *, reads_noted: bool
) -> PhaseLines:
    """Return what a rehearsal ran of some files; raises NotThePlantedError.

    Where the file system does not note reads, every file may have been read.
    """
    import coverage  # an extra

    lines: dict[str, dict[int, set[str]]] = {}
    for part in sorted(folder.glob("measured.*")):
        data = coverage.CoverageData(basename=str(part))
        data.read()
        for path in sorted(data.measured_files()):
            if not Path(path).is_relative_to(shop.copy):
                raise NotThePlantedError(str(Path(path).relative_to(shop.root)))
            ran = lines.setdefault(Path(path).relative_to(shop.copy).as_posix(), {})
            for line, contexts in data.contexts_by_lineno(path).items():
                ran.setdefault(line, set()).update(contexts)
    listing = (folder / _CONTEXTS).with_suffix(".json")
    needs = json.loads(listing.read_text(encoding="utf-8")) if listing.is_file() else {}
    return PhaseLines(
        lines={
            file: {line: frozenset(seen) for line, seen in ran.items()}
            for file, ran in lines.items()
        },
        files=frozenset(file for file in files if not reads_noted or shop.was_read(file)),
        needs={item: frozenset(names) for item, names in needs.items()},
    )


def lines_of(text: str, line: int) -> range:
    """Return the lines of the statement that a line of a module is of, which run together.

    Of a compound statement these are the lines before its body.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return range(line, line + 1)
    lines = range(line, line + 1)
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case):
            mine = _own_lines(node)
            if line in mine:  # inner statements come later than those around them
                lines = mine
    return lines


def _own_lines(node: ast.stmt | ast.ExceptHandler | ast.match_case) -> range:
    if isinstance(node, ast.match_case):
        return range(node.pattern.lineno, node.body[0].lineno)
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    body = getattr(node, "body", None)
    last = body[0].lineno - 1 if body else node.end_lineno or node.lineno
    return range(first, max(first, last) + 1)
