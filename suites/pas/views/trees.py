"""The suite's own fingerprint of a folder: each file's path, mode, link and content.

In large folders, as `.git`, the time of a file's last change stands for its content. Nothing is
left out but what `without` names, for a program that edits files may do so anywhere.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

_LARGE = frozenset({".git", ".venv"})


def tree(folder: Path, without: Collection[str] = ()) -> dict[str, str]:
    """The fingerprint of each entry below a folder, by its path there.

    ``without`` has paths below the folder that somebody else writes to.
    """
    return dict(_entries(folder, folder, without))


def _entries(
    folder: Path, root: Path, without: Collection[str], *, large: bool = False
) -> Iterator[tuple[str, str]]:
    for entry in sorted(os.scandir(folder), key=lambda child: child.name):
        path = Path(entry.path)
        name = str(path.relative_to(root))
        if name in without:
            continue
        status = entry.stat(follow_symlinks=False)
        if entry.is_symlink():
            yield name, f"link to {path.readlink()}"
        elif entry.is_dir():
            yield name, f"folder {status.st_mode:o}"
            yield from _entries(path, root, without, large=large or entry.name in _LARGE)
        elif large:
            yield name, f"{status.st_mode:o} {status.st_size} at {status.st_mtime_ns}"
        else:
            yield name, f"{status.st_mode:o} {hashlib.sha256(path.read_bytes()).hexdigest()}"


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """The entries that were added, removed or changed."""
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
