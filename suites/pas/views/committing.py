"""Committing as people do: hooks run, and nobody waits for what they leave in the background."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from suites.pas.views.running import bare
from suites.pas.views.source import git

MOST_S = 5.0  # that anybody waits for a commit
_HINT_S = 5.0  # that a hook in the background may take to say something


@dataclass(frozen=True, slots=True)
class Committed:
    """One commit: its status (None: it had to be ended), how long it took, what was said."""

    status: int | None
    seconds: float
    said: str


def identity() -> dict[str, str]:
    """Who commits, for git."""
    who = {"NAME": "Acceptance suite", "EMAIL": "suite@example.com"}
    return {
        f"GIT_{role}_{key}": said for role in ("AUTHOR", "COMMITTER") for key, said in who.items()
    }


def commit(
    repository: Path, texts: Mapping[str, str | None], says: str, log: Path, *, hooks: bool = True
) -> Committed:
    """Write or delete files and commit them; ``log`` gets what commit and hook say."""
    for name, text in texts.items():
        path = repository / name
        if text is None:
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    git(repository, "add", "--all", "--", *texts)
    off = [] if hooks else ["-c", "core.hooksPath=/dev/null"]
    words = ["git", "-C", str(repository), *off, "commit", "--quiet", "-m", says, "--", *texts]
    began = time.monotonic()
    with log.open("w") as out:
        process = subprocess.Popen(
            words,
            env=bare(log.parent, **identity()),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
        try:
            status: int | None = process.wait(MOST_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            status = None
    return Committed(status, time.monotonic() - began, log.read_text(errors="replace"))


def hinted(log: Path, word: str) -> bool:
    """Whether the hook says a word, also a little later."""
    until = time.monotonic() + _HINT_S
    while word not in log.read_text(errors="replace").lower():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def scratch(folder: Path) -> Path:
    """A repository of its own, with one commit."""
    folder.mkdir()
    git(folder, "init", "--quiet", "-b", "main")
    (folder / "README").write_text("A repository to try hooks in.\n")
    git(folder, "add", "README")
    git(folder, "commit", "--quiet", "-m", "Begin", environ=bare(folder.parent, **identity()))
    return folder
