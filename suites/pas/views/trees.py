"""The suite's own fingerprint of a folder: each file's path, mode, link and content."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

LEFT_OUT = frozenset({".git", ".venv", "artifacts", "__pycache__"})  # what services write to


def tree(folder: Path, without: Collection[str] = LEFT_OUT) -> dict[str, str]:
    """The fingerprint of each entry below a folder, by its path there."""
    return dict(_entries(folder, folder, without))


def _entries(folder: Path, root: Path, without: Collection[str]) -> Iterator[tuple[str, str]]:
    for entry in sorted(os.scandir(folder), key=lambda found: found.name):
        if entry.name in without:
            continue
        path = Path(entry.path)
        name = str(path.relative_to(root))
        mode = entry.stat(follow_symlinks=False).st_mode
        if entry.is_symlink():
            yield name, f"link to {path.readlink()}"
        elif entry.is_dir():
            yield name, f"folder {mode:o}"
            yield from _entries(path, root, without)
        else:
            yield name, f"{mode:o} {hashlib.sha256(path.read_bytes()).hexdigest()}"


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """The entries that were added, removed or changed."""
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
