"""What installing the package takes: contents of the wheel, dependencies, sizes, times.

Run as ``python -m benchmarks.install``; ``--extras`` resolves each extra as well. The wheel is
built from this folder and installed into an environment that holds nothing else.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
_STARTS = 5
_LARGEST = 8


def _said(*command: str | Path, folder: Path | None = None) -> str:
    return subprocess.run(
        command, cwd=folder, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL
    ).stdout


def _took(*command: str | Path, folder: Path | None = None) -> float:
    began = time.perf_counter()
    _said(*command, folder=folder)
    return time.perf_counter() - began


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def wheel_into(folder: Path) -> Path:
    """Build the wheel, from a copy of what it is built from."""
    copy = folder / "source"
    copy.mkdir()
    shutil.copytree(ROOT / "pytest_rollout", copy / "pytest_rollout")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    _said(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, copy)
    (wheel,) = folder.glob("*.whl")
    return wheel


def contents(wheel: Path) -> str:
    """Return how large the wheel is, packed and not, and its largest rooms."""
    rooms: Counter[str] = Counter()
    with zipfile.ZipFile(wheel) as packed:
        for member in packed.infolist():
            parts = member.filename.split("/")
            rooms["/".join(parts[:2]) if len(parts) > 2 else parts[0]] += member.file_size
        files = len(packed.infolist())
    whole, unpacked = wheel.stat().st_size, sum(rooms.values())
    rows = [f"  {size / 1000:7.0f} kB  {name}" for name, size in rooms.most_common(_LARGEST)]
    head = f"{wheel.name}: {files} files, {whole / 1e6:.2f} MB, unpacked {unpacked / 1e6:.2f} MB"
    return "\n".join([head, *rows])


def _resolved(python: Path, wanted: str) -> set[str]:
    """The names of all that would be installed, from the index, into an empty environment."""
    report = _said(
        *(python, "-m", "pip", "install", "-q", "--dry-run", "--ignore-installed"),
        *("--report", "-", wanted),
    )
    return {one["metadata"]["name"].lower() for one in json.loads(report)["install"]}


def installed(wheel: Path, folder: Path) -> tuple[Path, str]:
    """Return the Python of a fresh environment with the wheel, and what that took."""
    place = folder / "environment"
    _said(sys.executable, "-m", "venv", place)
    python = place / "bin/python"
    (packages,) = place.glob("lib/python*/site-packages")
    _said(python, "-m", "compileall", "-q", packages)
    before = _bytes(packages)
    seconds = _took(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", wheel)
    _said(python, "-m", "compileall", "-q", packages)
    listed = json.loads(_said(python, "-m", "pip", "list", "--format=json"))
    names = sorted(one["name"] for one in listed if one["name"] not in ("pip", "setuptools"))
    added = (_bytes(packages) - before) / 1e6
    head = f"pip install pytest-rollout: {seconds:.1f} s, {len(names)} packages"
    return python, f"{head}, {added:.1f} MB with bytecode\n  {', '.join(names)}"


def starts(python: Path, folder: Path) -> str:
    """Return how long an empty run of pytest takes with the plugin and without it."""
    empty = folder / "empty"
    empty.mkdir()
    command = (python, "-m", "pytest", "-q", "--collect-only", "-p", "no:cacheprovider")
    (empty / "test_one.py").write_text("def test_one(): pass\n", encoding="utf-8")
    runs = [
        (_took(*command, folder=empty), _took(*command, "-p", "no:rollout", folder=empty))
        for _ in range(_STARTS)
    ]
    with_it, without = (statistics.median(pair[side] for pair in runs) for side in (0, 1))
    return (
        f"pytest in a project without a plan: {with_it:.2f} s, without the plugin {without:.2f} s"
    )


def extras(python: Path, wheel: Path) -> str:
    """Return what each extra adds to the bare wheel, in packages."""
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    bare = _resolved(python, str(wheel))
    rows = []
    for name in document["project"]["optional-dependencies"]:
        more = sorted(_resolved(python, f"{wheel}[{name}]") - bare)
        shown = ", ".join(more[:_LARGEST]) + (", ..." if len(more) > _LARGEST else "")
        rows.append(f"  {name:12} +{len(more):<3} {shown}")
    return "\n".join([f"extras, beside {len(bare)} packages:", *rows])


def main(arguments: Sequence[str] | None = None) -> None:
    """Print all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--extras", action="store_true", help="resolve each extra (minutes)")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as kept:
        folder = Path(kept)
        wheel = wheel_into(folder)
        print(contents(wheel), flush=True)
        python, words = installed(wheel, folder)
        print(words, flush=True)
        print(starts(python, folder), flush=True)
        if given.extras:
            print(extras(python, wheel))


if __name__ == "__main__":
    main()
