"""What pytest would bind, from a collection in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from pytest_rollout.cli.project import Project
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.plan.load import Loaded
from pytest_rollout.session.places import places_of

_Done = TypeVar("_Done")


def collected_while(
    project: Project, chosen: list[Loaded], more: Sequence[str], work: Callable[[], _Done]
) -> tuple[dict[str, Any], _Done]:
    """Return what is collected of some plans and of more files, and what is done meanwhile."""
    with ThreadPoolExecutor(1) as beside:
        collecting = beside.submit(_collected, project, chosen, more)
        done = work()
    return collecting.result(), done


def _collected(project: Project, chosen: list[Loaded], more: Sequence[str]) -> dict[str, Any]:
    places = dict.fromkeys(str(place) for loaded in chosen for place in places_of(loaded))
    places |= dict.fromkeys(str(project.root / path) for path in more)
    with tempfile.TemporaryDirectory(prefix="rollout-") as folder:
        listing = Path(folder, "bindings.json")
        command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
        command += ["--rootdir", str(project.root), f"--rollout-bindings={listing}", *places]
        here = Path.cwd()  # plans on the way from it to the root are found from there only
        where = here if here.is_relative_to(project.root) else project.root
        done = subprocess.run(command, cwd=where, capture_output=True, text=True, check=False)
        if not listing.is_file():
            lines = (done.stderr or done.stdout).strip().splitlines() or ["nothing"]
            raise RolloutError(f"pytest could not collect: {lines[-1]}")
        data: dict[str, Any] = json.loads(listing.read_text(encoding="utf-8"))
    broken = [line for line in done.stdout.splitlines() if line.startswith("ERROR ")]
    data["offences"] += [f"{line.removeprefix('ERROR ')}: not collected" for line in broken]
    return data
