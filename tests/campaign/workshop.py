"""What is made once before the cases: the projects they begin with, and how long a run takes."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from tests.campaign import storage
from tests.campaign.child import Child, Gate, start
from tests.campaign.project import SHAPES, write
from tests.campaign.scene import Workshop, template_path
from tests.campaign.witness import Witness


def build(folder: Path, templates: Iterable[tuple[str, str]]) -> Workshop:
    """Make the templates; every shape's good one is always made, and measured."""
    lengths: dict[str, float] = {}
    statements: dict[tuple[str, str], int] = {}
    wanted = dict.fromkeys(templates)
    wanted |= dict.fromkeys((shape, "good") for shape, _ in wanted)
    for shape, prior in wanted:
        last = _template(template_path(folder, shape, prior), shape, prior)
        if prior == "good" and last is not None:
            lengths[shape] = last.length
            side = template_path(folder, shape, prior) / "side"
            for line in Witness(side).of(last.name, "unconfigure"):
                statements[shape, line.role] = int(line.facts["statements"])
    return Workshop(folder, lengths, statements, storage.possible())


def _template(folder: Path, name: str, prior: str) -> Child | None:
    """A project after a good run and one of the kind that was asked for."""
    root, side, shape = folder / "project", folder / "side", SHAPES[name]
    side.mkdir(parents=True)
    write(root, shape)
    if not prior:
        return None
    _whole(start("P0", root, side, shape, {}), good=True)
    shutil.copy(root / ".rollout" / "ledger.db", side / "older.db")
    if prior == "killed":
        _killed(root, side, name)
        return None
    bad = prior.removeprefix("bad ") if prior != "good" else ""
    write(root, shape, bad)
    last = start("P1", root, side, shape, {})
    _whole(last, good=not bad)
    return last


def _whole(child: Child, *, good: bool) -> None:
    child.end()
    if child.said_go != good:
        raise RuntimeError(f"an undisturbed run did not answer as it must:\n{child.output}")


def _killed(root: Path, side: Path, shape: str) -> None:
    """A run that was killed, and left its log behind."""
    role = "gw0" if shape == "workers" else "controller"
    order = {"role": role, "place": ["start", 4], "act": "wait"}
    gate = Gate(side)
    child = start("P1", root, side, SHAPES[shape], order)
    struck = gate.wait(child, child.kill_all)
    gate.close()
    child.end()
    if not struck:
        raise RuntimeError(f"a run could not be killed:\n{child.output}")
