"""The sandbox tried from inside of it: each way to change something, and reading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_rollout import Stage, scenario
from suites.pas.views.client import python_of
from suites.pas.views.running import Done, bare, call
from suites.pas.views.trees import changes, tree

TEXT = "a line\nund eine zweite\n"
WRITES: Mapping[str, Sequence[Sequence[str]]] = {
    "write": (
        ("write", "kept.txt"),
        ("append", "kept.txt"),
        ("write", "new.txt"),
        ("mkdir", "new"),
    ),
    "delete": (("delete", "kept.txt"), ("delete", "below/kept.txt")),
    "rename": (("rename", "kept.txt", "moved.txt"), ("rename", "below", "moved")),
    "symlink": (("symlink", "link.txt", "kept.txt"), ("symlink", "link", "../outside")),
    "outside": (
        ("write", "../outside/kept.txt"),
        ("delete", "below/../../outside/kept.txt"),
        ("write", "/{outside}/new.txt"),
    ),
    "through-symlink": (
        ("write", "away/kept.txt"),
        ("delete", "away/kept.txt"),
        ("write", "away.txt"),
    ),
}


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A folder with a file, a folder in it, and links that lead out; and what lies outside."""

    python: Path
    program: Path
    folder: Path

    @property
    def root(self) -> Path:
        """The folder that the sandbox is of."""
        return self.folder / "root"

    @property
    def outside(self) -> Path:
        """A folder beside it."""
        return self.folder / "outside"

    def run(self, *words: str, writable: bool = False, given: str = "changed\n") -> Done:
        """Try an operation."""
        more = ["--writable"] if writable else []
        where = ["--root", str(self.root), *more]
        environ = bare(self.folder, PYTHONDONTWRITEBYTECODE="1")
        return call(
            f"sandbox {words[0]}",
            self.python,
            self.program,
            *where,
            *words,
            environ=environ,
            given=given,
        )

    def changed(self, *words: str, writable: bool = False) -> tuple[Done, list[str]]:
        """Try an operation; what it changed, inside or outside."""
        before = tree(self.folder)
        done = self.run(*words, writable=writable)
        return done, changes(before, tree(self.folder))


def sandbox(phase: Stage, folder: Path) -> Sandbox:
    """A sandbox in a folder, as it is at first."""
    checkout = phase.file("checkout")
    made = Sandbox(python_of(checkout), checkout / "cli/sandbox.py", folder)
    for place in (made.root, made.root / "below", made.outside):
        place.mkdir()
        (place / "kept.txt").write_text(TEXT, encoding="utf-8")
    (made.root / "away").symlink_to(made.outside)
    (made.root / "away.txt").symlink_to(made.outside / "kept.txt")
    return made


@dataclass(frozen=True, slots=True)
class Attempt:
    """One operation: what it changed, and whether it was told to be refused."""

    way: str
    words: Sequence[str]
    done: Done
    changed: Sequence[str]


@dataclass(frozen=True, slots=True)
class Tried:
    """All attempts in a sandbox that only reads, and some in one that may be written to."""

    attempts: Sequence[Attempt]
    writable: Sequence[Attempt]  # those that lead out must be refused there, too
    allowed: Attempt  # one that must succeed there


@scenario()
def sandbox_tried(phase: Stage, tmp_path_factory: pytest.TempPathFactory) -> Tried:
    """Each way to change something is tried."""
    box = sandbox(phase, tmp_path_factory.mktemp("sandbox"))
    attempts, writable = [], []
    for way, each in WRITES.items():
        for words in each:
            filled = [word.format(outside=str(box.outside).lstrip("/")) for word in words]
            attempts.append(Attempt(way, filled, *box.changed(*filled)))
            if way in ("outside", "through-symlink"):
                writable.append(Attempt(way, filled, *box.changed(*filled, writable=True)))
    words = ("write", "new.txt")
    return Tried(attempts, writable, Attempt("write", words, *box.changed(*words, writable=True)))
