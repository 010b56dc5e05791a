"""A checker of invariants: exit status, status and count must all say that everything holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_rollout.checks.answer import parsed
from pytest_rollout.checks.command import run
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.check import Check, CheckMeans
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.jsonpath import NothingThereError, at

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Checked:
    """What a checker said: its own exit status, and the status and count in its JSON."""

    exit_status: int
    status: str
    violations: int
    details: tuple[str, ...]
    output: str
    good: str = "OK"

    @property
    def problems(self) -> tuple[str, ...]:
        """What speaks against the invariants, in words; none where all three are well."""
        problems = []
        if self.exit_status:
            problems.append(f"the checker exits {self.exit_status}, not 0")
        if self.status != self.good:
            problems.append(f"its status is {self.status!r}, not {self.good!r}")
        if self.violations:
            shown = "".join(f"; {detail}" for detail in self.details[:_SHOWN])
            problems.append(f"it counts {self.violations} violations{shown}")
        return tuple(problems)

    def demand(self) -> None:
        """Raise AssertionError unless exit status, status and count agree that all holds."""
        if self.problems:
            raise AssertionError(", ".join(self.problems))


def run_checker(
    command: Sequence[str | Path],
    *,
    good: str = "OK",
    status: str = "status",
    violations: str = "violations",
    details: str = "details",
    timeout_s: float = 60,
) -> Checked:
    """Run a checker that prints one JSON object, without a shell or a pipe in between.

    ``status``, ``violations`` and ``details`` are paths in its JSON, as ``summary.status``;
    ``violations`` leads to a number or to a list, ``details`` to a list, if to anything. Raises
    RolloutError where there is no answer: it cannot start, is not done in time, or prints
    anything else.
    """
    words = tuple(map(str, command))
    check = Check(
        CheckMeans.COMMAND, " ".join(words), words, timeout_us=round(timeout_s * 1_000_000)
    )
    answer = run(check, Path.cwd(), {})
    if answer.trouble:
        raise RolloutError(f"{words[0]}: {answer.trouble}")
    printed = parsed(answer.said["stdout"], _name(answer.status, answer.said["stderr"].text))
    counted = _at(printed, violations)
    listed = _at(printed, details, needed=False)
    return Checked(
        exit_status=answer.status,
        status=str(_at(printed, status)),
        violations=_count(counted, violations),
        details=tuple(map(_line, listed)) if isinstance(listed, list) else (),
        output=answer.said["stdout"].text,
        good=good,
    )


def _name(status: int, stderr: str) -> str:
    said = " ".join(stderr.split())[:120]
    return f"what the checker printed (exit {status}{', ' + said if said else ''})"


def _at(printed: object, path: str, *, needed: bool = True) -> object:
    try:
        return at(printed, path)
    except ValueError as error:
        raise RolloutError(str(error)) from None
    except NothingThereError as error:
        if needed:
            lacking = f"the checker's JSON has no {error.path}"
            raise RolloutError(f"{lacking}; {error.there}") from None
        return None


def _count(counted: object, path: str) -> int:
    if isinstance(counted, list):
        return len(counted)
    if isinstance(counted, int) and not isinstance(counted, bool) and counted >= 0:
        return counted
    raise RolloutError(
        f"{path} in the checker's JSON is {counted!r:.40}, neither a count nor a list"
    )


def _line(violation: object) -> str:
    if isinstance(violation, Mapping):
        return ": ".join(map(str, violation.values()))
    return str(violation)
