"""Errors that a user can meet; their text is one clear message."""

from __future__ import annotations

from dataclasses import dataclass


class RolloutError(Exception):
    """Something the user can fix; shown as its message, never as a traceback."""


class EffectRefusedError(RolloutError):
    """A check would change or disrupt a target where it may not."""


class ReferenceTargetError(RolloutError):
    """A reference target (or mocked HTTP) answered where a real target was asked."""


class NoValueError(RolloutError):
    """A check was answered, but without the value it asks for: missing, never zero."""


class LedgerError(RolloutError):
    """The ledger cannot be read or written, or was made by something else."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One offence in a file: where it is, which rule it breaks, how to fix it."""

    file: str
    line: int
    what: str
    fix: str = ""

    def __str__(self) -> str:
        fix = f" ({self.fix})" if self.fix else ""
        text = f"{self.file}:{self.line}: {self.what}{fix}"
        return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
