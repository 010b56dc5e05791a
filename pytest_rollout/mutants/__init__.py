"""Mutants: small changes of a target's code and data, made, chosen and put into a text."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pytest_rollout.model.mutants import Mutant
from pytest_rollout.mutants import equivalents
from pytest_rollout.mutants.choosing import changed_since, sample
from pytest_rollout.mutants.edits import apply
from pytest_rollout.mutants.making import Survey, read_text, survey, write_text

__all__ = [
    "Survey",
    "apply",
    "changed_since",
    "equivalents",
    "of",
    "read_text",
    "sample",
    "survey",
    "write_text",
]


def of(paths: Iterable[Path], root: Path) -> tuple[Mutant, ...]:
    """Return every mutant of files and folders below a root; :func:`survey` says what has none."""
    return survey(paths, root).mutants
