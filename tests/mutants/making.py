"""Mutants of texts that tests write, shortly put."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pytest_rollout import mutants
from pytest_rollout.model.mutants import Mutant


def made(folder: Path, name: str, text: str) -> tuple[Mutant, ...]:
    """All mutants of one file with a text."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return mutants.of([Path(name)], folder)


def changes(found: Iterable[Mutant], operator: str = "") -> set[tuple[str, str]]:
    """What stands where a change is, and what takes its place."""
    return {
        (mutant.replaced, mutant.replacement)
        for mutant in found
        if operator in ("", mutant.operator)
    }


def texts(text: str, found: Iterable[Mutant]) -> set[str]:
    """The text with each mutant in it."""
    return {mutants.apply(text, mutant) for mutant in found}
