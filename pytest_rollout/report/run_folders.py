"""The reports of each run of a gate, kept beside those of the last full one.

A gate's folder holds the files of its last full run: ``decision.json``, ``report.md`` and so on.
``runs/RUN/`` holds those of each run, partial ones too, and ``latest`` points to the last full
run's there.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pytest_rollout.model.decision import stored_values

RUNS, LATEST = "runs", "latest"
MOST_RUNS = 20  # of one gate
_MOST_BYTES = 64_000_000


def of_run(folder: Path, run: str) -> Path:
    """Return where the reports of one run stand below a gate's folder."""
    return folder / RUNS / run


def run_in(folder: Path) -> str | None:
    """Return the run whose decision.json a folder holds; None where there is none to be read."""
    try:
        path = folder / "decision.json"
        if path.stat().st_size > _MOST_BYTES:
            return None
        run = stored_values(path.read_text(encoding="utf-8"), "run")["run"]
    except (OSError, ValueError, RecursionError):
        return None
    return run if isinstance(run, str) and run and "/" not in run and run[0] != "." else None


def keep(folder: Path) -> None:
    """Copy the reports that a gate's folder holds to their run's own; raises OSError."""
    run = run_in(folder)
    if run is None:
        return
    run_folder = of_run(folder, run)
    run_folder.mkdir(parents=True, exist_ok=True)
    for path in _files(folder):
        shutil.copy2(path, run_folder / path.name)


def restore(folder: Path, run: str, before: str | None) -> None:
    """Put back the reports of the run ``before``, where those of a partial one took their place.

    That a run is partial is known at its end only. Raises OSError.
    """
    if run_in(folder) != run:
        return
    for path in _files(folder):
        path.unlink(missing_ok=True)
    if before is not None:
        for path in _files(of_run(folder, before)):
            shutil.copy2(path, folder / path.name)


def point(folder: Path, run: str) -> None:
    """Let ``latest`` name a run's reports; where there are no links there is none."""
    link = folder / LATEST
    with suppress(OSError):
        if link.is_symlink():
            link.unlink()
        link.symlink_to(Path(RUNS, run), target_is_directory=True)


def prune(folder: Path) -> None:
    """Remove the reports of all but the newest runs, and of the last full one; raises OSError."""
    stands = run_in(folder)
    folders = sorted((path for path in (folder / RUNS).glob("*") if path.is_dir()), reverse=True)
    for old in folders[MOST_RUNS:]:
        if old.name != stands:
            shutil.rmtree(old)


def decisions(root: Path) -> Iterator[Path]:
    """Yield each decision.json below a report folder, of what runs left the newest of a gate.

    The place in the chain that it notes is beyond those of the others.
    """
    for path in sorted(root.glob("**/decision.json")):
        if path.parent.parent.name != RUNS:
            yield path
    for folder in sorted(root.glob(f"**/{RUNS}")):
        newest = next(_newest(folder.parent), None)
        if newest is not None:
            yield newest / "decision.json"


def _newest(folder: Path) -> Iterator[Path]:
    """The folders of runs with a decision, newest first: the names of runs begin with a time."""
    for path in sorted((folder / RUNS).glob("*/decision.json"), reverse=True):
        yield path.parent


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_file() and not path.is_symlink() and path.suffix != ".part":
            yield path
