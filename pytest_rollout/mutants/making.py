"""All mutants of files and folders, and what is said of the files that have none."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from pytest_rollout.extras import needs_extra
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.errors import Problem, RolloutError
from pytest_rollout.model.mutants import Mutant
from pytest_rollout.mutants.edits import UnreadableError, as_mutants

_LIBRARIES = ("mutmut", "libcst", "sqlglot", "tree_sitter", "tree_sitter_bash")
_MAX_BYTES = 1_000_000
_LEFT_OUT = ("__pycache__", "node_modules")
_SHOWN = 3  # names of files in a note


@dataclass(frozen=True, slots=True)
class Survey:
    """The mutants of some files, and notes about files that were passed over."""

    mutants: tuple[Mutant, ...]
    notes: tuple[Problem, ...] = ()


def survey(paths: Iterable[Path], root: Path) -> Survey:
    """Return every mutant of files, and of all files in folders, in the order of their places.

    Paths are relative to the root or absolute, and below it. In folders, hidden folders and caches
    are passed over; files of other kinds, and those that cannot be read, are named in notes.
    Raises RolloutError for a path that is not there, and MissingToolError without the libraries.
    """
    needs_extra("mutants", *_LIBRARIES)
    from pytest_rollout.mutants import kinds  # it needs the libraries

    mutants: list[Mutant] = []
    notes: list[Problem] = []
    unknown: dict[str, list[str]] = {}
    for path in _files(paths, root):
        file = path.relative_to(root.resolve()).as_posix()
        text = _text(path, file, notes)
        make = None if text is None else kinds.of_file(file, text)
        if text is None:
            continue
        if make is None:
            unknown.setdefault(PurePosixPath(file).suffix, []).append(file)
            continue
        try:
            mutants += as_mutants(file, text, make(text))
        except UnreadableError as error:
            notes.append(Problem(file, error.line, str(error), "it gives no mutants"))
        except RecursionError:
            notes.append(Problem(file, 1, "is nested too deeply", "it gives no mutants"))
    notes += [_passed_over(ending, unknown[ending]) for ending in sorted(unknown)]
    return Survey(tuple(mutants), tuple(notes))


def _passed_over(ending: str, files: list[str]) -> Problem:
    """The note about files of a kind that is not known."""
    named = f"that end with {ending}" if ending else "without an ending"
    shown = ", ".join(PurePosixPath(file).name for file in files[:_SHOWN])
    more = f" and {len(files) - _SHOWN} more" if len(files) > _SHOWN else ""
    return Problem(files[0], 1, f"files {named} give no mutants: {shown}{more}")


def _files(paths: Iterable[Path], root: Path) -> Iterator[Path]:
    """Every file, once; those of a folder by name."""
    seen: set[Path] = set()
    top = root.resolve()
    for given in paths:
        path = (root / given).resolve()
        if not path.exists():
            raise RolloutError(f"{given}: there is no such file or folder to make mutants of")
        if not path.is_relative_to(top):
            raise RolloutError(f"{given}: mutants are made of files below {top.name}")
        for file in [path] if path.is_file() else _below(path):
            if file not in seen:
                seen.add(file)
                yield file


def _below(folder: Path) -> Iterator[Path]:
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and name not in _LEFT_OUT
        )
        for name in sorted(files):
            path = Path(here, name)
            if path.is_file() and not path.is_symlink() and name != ".gitignore":
                yield path


def read_text(path: Path) -> str:
    """Return a file's text as mutants count it: UTF-8, and every newline as it is.

    Raises UnicodeDecodeError and OSError.
    """
    return path.read_bytes().decode("utf-8")


def write_text(path: Path, text: str) -> None:
    """Write a text so that :func:`read_text` gives it again; raises OSError."""
    path.write_bytes(text.encode("utf-8"))


def _text(path: Path, file: str, notes: list[Problem]) -> str | None:
    """The text of a file; None with a note where it cannot be read, and where it is none."""
    try:
        if path.stat().st_size > _MAX_BYTES:
            notes.append(Problem(file, 1, f"is larger than {_MAX_BYTES} bytes"))
            return None
        text = read_text(path)
    except UnicodeDecodeError as error:
        notes.append(Problem(file, 1, f"is no text in UTF-8: {error.reason}"))
        return None
    except OSError as error:
        notes.append(Problem(file, 1, f"cannot be read: {error.strerror}"))
        return None
    if "\0" in text:
        notes.append(Problem(file, 1, "is no text: it holds zeros"))
        return None
    return text
