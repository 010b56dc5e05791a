"""A project in git, of the files that a page describes."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path


def laid(folder: Path, files: Mapping[str, str]) -> Path:
    """Write files below a folder, commit them, and return the folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    person = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    for words in (("init", "-q"), ("add", "."), (*person, "commit", "-qm", "What the page says")):
        subprocess.run(["git", *words], cwd=folder, check=True)
    return folder
