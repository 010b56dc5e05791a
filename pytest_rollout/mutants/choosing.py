"""Choosing among mutants: a random sample, or those of lines that have changed."""

from __future__ import annotations

import hashlib
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.mutants import Mutant

_HUNK = re.compile(r"@@ -\S+ \+(\d+)(?:,(\d+))? @@")
_SECONDS = 60
_GIT = ("git", "-c", "core.quotePath=off", "-c", "diff.noprefix=false")
_DIFF = ("-U0", "--relative", "--no-color", "--no-ext-diff", "--no-textconv", "--no-renames")


def sample(mutants: Iterable[Mutant], size: int, seed: int) -> tuple[Mutant, ...]:
    """Return a uniform random sample, in random order, so that its beginning is one as well.

    The same seed gives the same mutants of the same code. A mutant that is new takes the place of
    few others, because each has a place of its own in the order, by the seed and its id.
    """

    def place(mutant: Mutant) -> bytes:
        text = f"{seed}\0{mutant.id}".encode("utf-8", "surrogatepass")
        return hashlib.sha256(text).digest()

    return tuple(sorted(mutants, key=place)[: max(size, 0)])


def changed_since(mutants: Iterable[Mutant], root: Path, rev: str) -> tuple[Mutant, ...]:
    """Return the mutants of lines that are not as they were in a revision, or in new files.

    Raises RolloutError where the root is in no repository of git, or has no such revision.
    """
    if not rev or rev.startswith("-"):
        raise RolloutError(f"{rev!r} is no revision of git")
    asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{rev}^{{commit}}")
    commit = _git(root, *asked, fails=f"{rev} is no revision that git knows here").strip()
    lines = _changed_lines(_git(root, "diff", *_DIFF, commit, "--", "."))
    new = set(_git(root, "ls-files", "--others", "--exclude-standard", "-z").split("\0"))
    return tuple(
        mutant
        for mutant in mutants
        if mutant.file in new
        or any(
            first <= (mutant.last_line or mutant.line) and mutant.line <= last
            for first, last in lines[mutant.file]
        )
    )


def _changed_lines(diff: str) -> defaultdict[str, list[tuple[int, int]]]:
    """The first and last line of each piece of a file that is new or other."""
    spans: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for file, first, count in _hunks(diff):
        if count:
            spans[file].append((first, first + count - 1))
    return spans


def _hunks(diff: str) -> Iterator[tuple[str, int, int]]:
    file, left = "", 0
    for line in diff.split("\n"):
        hunk = _HUNK.match(line) if left == 0 else None
        if hunk:
            removed = re.match(r"@@ -\d+(?:,(\d+))? ", line)
            count = int(hunk[2] or 1)
            left = count + (int(removed[1] or 1) if removed else 0)
            yield file, int(hunk[1]), count
        elif left:
            left -= line[:1] in ("+", "-")
        elif line.startswith("+++ "):
            file = _name(line[4:])


def _name(text: str) -> str:
    """A path as git writes it, which quotes some and ends others with a tab."""
    name = text.rstrip("\t")
    if name.startswith('"'):
        name = name[1:-1].encode().decode("unicode_escape").encode("latin-1").decode("utf-8")
    return name.removeprefix("b/")


def _git(root: Path, *arguments: str, fails: str = "") -> str:
    """What git prints in a folder; raises RolloutError with the reason where it fails."""
    command = (*_GIT, *arguments)
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RolloutError(f"git cannot be asked what has changed: {error}") from error
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        raise RolloutError(lines[0] if lines else fails or "git cannot say what has changed")
    return done.stdout.decode(errors="surrogateescape")
