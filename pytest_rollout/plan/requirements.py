"""What a phase requires of other phases, and where another release will do."""

from __future__ import annotations

from collections.abc import Collection

from pytest_rollout.plan.reader import Reader, nearest
from pytest_rollout.plan.spec.phase_keys import PhaseKeys


def read_requires(reader: Reader, phase: str, known: Collection[str]) -> tuple[str, ...]:
    """Return the phases that must be GO before a phase."""
    line = reader.line_of(PhaseKeys.requires)
    words = reader.get(PhaseKeys.requires) or ()
    for word in words:
        if word == phase:
            reader.problem(line, f"phase {phase} requires itself")
        elif "." in word:
            _other_plan(reader, line, phase, word)
        elif word not in known:
            problem = f"phase {phase} requires unknown phase `{word}`"
            reader.problem(line, problem, nearest(word, known))
    return words


def _other_plan(reader: Reader, line: int, phase: str, word: str) -> None:
    """A phase of another plan must be spelled as one; whether it is there is seen later."""
    plan, _, name = word.partition(".")
    if not (plan and name) or "." in name or "/" in name:
        fix = "write plan.phase, as plms.day2"
        reader.problem(line, f"phase {phase} requires `{word}`, which is no phase of a plan", fix)


def read_any_release(reader: Reader, phase: str) -> tuple[str, ...]:
    """Return the required phases whose exit may be GO for another release."""
    required = reader.get(PhaseKeys.requires) or ()
    words = reader.get(PhaseKeys.any_release) or ()
    for word in words:
        if word not in required:
            line = reader.line_of(PhaseKeys.any_release)
            problem = f"phase {phase}: `any_release` names `{word}`, which it does not require"
            reader.problem(line, problem, nearest(word, required))
    return words
