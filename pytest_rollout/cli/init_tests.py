"""The project's existing tests, as a collection in a process of its own finds them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.errors import OptionError, RolloutError
from pytest_rollout.model.node_id import NodeId
from pytest_rollout.model.plan import Plan
from pytest_rollout.scaffold.binds import chosen
from pytest_rollout.session import listing

_LONGEST_S = 600


@dataclass(frozen=True, slots=True)
class FoundTests:
    """What can be bound, by id, and what its own marks keep from passing here."""

    nodes: tuple[str, ...]
    barred: tuple[str, ...]
    left: tuple[str, ...] = ()  # what patterns do not mean, barred or not
    taken: tuple[str, ...] = ()  # what another plan binds

    @property
    def others(self) -> tuple[str, ...]:
        """What no pattern of the new plan may mean."""
        return (*self.barred, *self.left, *self.taken)

    @property
    def by_file(self) -> Mapping[str, int]:
        """How many tests can be bound in each file."""
        counts: dict[str, int] = {}
        for node in self.nodes:
            path = NodeId.parse(node).path
            counts[path] = counts.get(path, 0) + 1
        return counts

    def narrowed(self, patterns: tuple[str, ...]) -> FoundTests:
        """Return the tests that patterns mean; raises OptionError where they mean none."""
        if not patterns:
            return self
        nodes = chosen(self.nodes, patterns)
        if not nodes:
            files = ", ".join(list(self.by_file)[:5]) or "none"
            raise OptionError("--select", f"{' '.join(patterns)} means no test (files: {files})")
        barred = chosen(self.barred, patterns)
        taken = {*nodes, *barred}
        left = tuple(node for node in (*self.nodes, *self.barred) if node not in taken)
        return FoundTests(tuple(nodes), tuple(barred), left)

    def without_those_of(self, plans: Iterable[Plan]) -> FoundTests:
        """Return the tests that none of these plans binds."""
        patterns = [
            text for plan in plans for _, c in plan.criteria() for text in plan.bound_ids(c)
        ]
        taken = dict.fromkeys(chosen(self.nodes, patterns))
        nodes = tuple(node for node in self.nodes if node not in taken)
        return replace(self, nodes=nodes, taken=tuple(taken))


def existing_tests(root: Path, plans: list[Path]) -> FoundTests:
    """Return the tests that pytest collects in a project, without those of its plans.

    Raises RolloutError where pytest cannot collect.
    """
    with tempfile.TemporaryDirectory(prefix="rollout-") as folder:
        listed = Path(folder, "tests.json")
        command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
        command += ["-p", listing.__name__, "--rootdir", str(root)]
        environ = {**os.environ, listing.FILE: str(listed)}
        done = subprocess.run(
            command, cwd=root, env=environ, capture_output=True, text=True, timeout=_LONGEST_S
        )
        if not listed.is_file() or done.returncode not in (0, 5):
            lines = [line for line in done.stdout.splitlines() if line.startswith("ERROR ")]
            shown = lines or (done.stderr or done.stdout).strip().splitlines()[-1:] or ["nothing"]
            raise RolloutError(f"pytest could not collect the project's tests: {shown[0]}")
        outcomes: dict[str, bool] = json.loads(listed.read_text(encoding="utf-8"))
    folders = [path.parent.relative_to(root) for path in plans if path.parent != root]
    mine = {
        node: passes
        for node, passes in outcomes.items()
        if not any(Path(NodeId.parse(node).path).is_relative_to(folder) for folder in folders)
    }
    return FoundTests(
        tuple(node for node, passes in mine.items() if passes),
        tuple(node for node, passes in mine.items() if not passes),
    )
