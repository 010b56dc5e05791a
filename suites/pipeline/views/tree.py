"""Main as it was: commits of the checkout, and the files at a commit."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pytest_rollout import NoValueError, RolloutError


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit of main."""

    sha: str
    at: datetime
    author: str
    subject: str


@dataclass(frozen=True, slots=True)
class Tree:
    """The files of main at one commit."""

    checkout: Path
    sha: str

    def files(self, below: str) -> list[str]:
        """The paths of files below a folder, however deep."""
        return _git(
            self.checkout, "ls-tree", "-r", "--name-only", self.sha, f"{below}/"
        ).splitlines()

    def text(self, path: str) -> str:
        """The text of a file; raises NoValueError where it is not there."""
        try:
            return _git(self.checkout, "show", f"{self.sha}:{path}")
        except RolloutError:
            raise NoValueError(f"there is no {path} at {self.sha[:12]}") from None


def commits(checkout: Path, *paths: str) -> list[Commit]:
    """The commits of main that changed something below the paths, the newest first."""
    said = _git(checkout, "log", "--format=%H%x09%aI%x09%an%x09%s", "--", *paths)
    rows = [line.split("\t", 3) for line in said.splitlines()]
    return [Commit(sha, datetime.fromisoformat(at), who, what) for sha, at, who, what in rows]


def tree_at(checkout: Path, moment: datetime) -> Tree:
    """Main as it was at a moment; raises NoValueError where it was not there yet."""
    for commit in commits(checkout):
        if commit.at <= moment:
            return Tree(checkout, commit.sha)
    raise NoValueError(f"main has no commit from before {moment}")


def head(checkout: Path) -> Tree:
    """Main as it is committed now."""
    return Tree(checkout, _git(checkout, "rev-parse", "HEAD").strip())


def _git(checkout: Path, *words: str) -> str:
    command = ["git", "-c", "safe.directory=*", "-C", str(checkout), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    if done.returncode:
        raise RolloutError(f"git {words[0]} in the checkout: {done.stderr.strip()[:200]}")
    return done.stdout
