"""Which mutants change nothing, as the file beside a plan says."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import field
from pathlib import Path

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.errors import Problem, RolloutError
from pytest_rollout.model.mutants import Equivalent, Mutant
from pytest_rollout.plan.equivalents import NAME as NAME
from pytest_rollout.plan.equivalents import parse


@dataclass(frozen=True, slots=True)
class Reviewed:
    """The mutants that change nothing: why, by their ids; and what fits no mutant any more."""

    reasons: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[Problem, ...] = ()


def read(path: Path, mutants: Iterable[Mutant], shown: str = "") -> Reviewed:
    """Return which of all mutants a file names; none where there is no such file.

    ``shown`` is its name in messages. Raises RolloutError with every offence.
    """
    file = shown or path.name
    if not path.exists():
        return Reviewed()
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise RolloutError(f"{file}:1: is no text in UTF-8: {error.reason}") from error
    except OSError as error:
        raise RolloutError(f"{file}:1: cannot be read: {error.strerror}") from error
    entries, problems = parse(text, file)
    if problems:
        raise RolloutError("\n".join(map(str, problems)))
    return fitting(entries, mutants, file)


def fitting(entries: Iterable[Equivalent], mutants: Iterable[Mutant], file: str) -> Reviewed:
    """Return the mutants that entries of a file name, with a note for each that names none.

    Of files that gave no mutant at all nothing is said: they were perhaps not asked about.
    """
    ids: dict[str, list[str]] = defaultdict(list)
    changes: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    files: set[str] = set()
    for mutant in mutants:
        files.add(mutant.file)
        ids[mutant.id].append(mutant.id)
        changes[mutant.file, mutant.before, mutant.after].append(mutant.id)
    reasons: dict[str, str] = {}
    notes: list[Problem] = []
    for entry in entries:
        before, after = (" ".join(text.split()) for text in (entry.before, entry.after))
        named = ids.get(entry.id, []) if entry.id else changes.get((entry.file, before, after), [])
        reasons |= dict.fromkeys(named, f"{entry.reason} ({entry.by})")
        if not named and (entry.file or entry.id.rpartition(":")[0]) in files:
            problem = f"{entry.id or entry.file}: no longer fits any mutant"
            notes.append(
                Problem(file, entry.line, problem, "remove it, or name the change as it is")
            )
    return Reviewed(reasons, tuple(notes))
