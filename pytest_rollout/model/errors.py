"""Errors that a user can meet; their text is one clear message."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.finding import Fact


class RolloutError(Exception):
    """Something the user can fix; shown as its message, never as a traceback.

    The code and its facts say for programs what the message says for people.
    """

    code = "refused"

    def __init__(self, message: str = "", *, code: str = "", **facts: Fact) -> None:
        super().__init__(message)
        self.code = code or self.code
        self.facts: Mapping[str, Fact] = facts


class EffectRefusedError(RolloutError):
    """A check would change or disrupt a target where it may not."""

    code = "effect-refused"


class ReferenceTargetError(RolloutError):
    """A reference target (or mocked HTTP) answered where a real target was asked."""

    code = "reference-target"


class NoValueError(RolloutError):
    """A check was answered, but without the value it asks for: missing, never zero."""

    code = "no-value"


class TooLittleError(RolloutError):
    """A check was answered, but by too little to be judged: inconclusive."""

    code = "too-little"


class LedgerError(RolloutError):
    """The ledger cannot be read or written, or was made by something else."""

    code = "ledger"


class UnknownNameError(RolloutError):
    """A plan, or the project, has nothing of that name."""

    code = "unknown"

    def __init__(self, message: str, kind: str, name: str, known: Iterable[str]) -> None:
        super().__init__(message, kind=kind, name=name, known=tuple(sorted(known)))


class OptionError(RolloutError):
    """The value of an option of a verb is none."""

    code = "option"

    def __init__(self, option: str, why: str) -> None:
        super().__init__(f"{option}: {why}", option=option)


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
        if text.isprintable():
            return text
        return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
