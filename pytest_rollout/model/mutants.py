"""Small changes of a target's code and data, and what became of each in a rehearsal."""

from __future__ import annotations

from enum import StrEnum

from pytest_rollout.late_dataclass import dataclass


class MutantOutcome(StrEnum):
    """What became of one mutant: the strongest kind of criterion that noticed it, or why none."""

    HARD = "noticed by a hard criterion"
    SOFT = "noticed by a soft criterion"
    OPTIONAL = "noticed by an optional criterion"
    SURVIVED = "survived"
    EQUIVALENT = "equivalent"  # a person says, with a reason, that it changes nothing
    NOT_RUN_THROUGH = "no phase runs through it"
    HUNG = "hung"
    BROKEN = "did not start"


@dataclass(frozen=True, slots=True)
class Equivalent:
    """A mutant that changes nothing, as a person has reviewed it.

    It is named by its id, or by its file and the lines before and after the change.
    """

    id: str
    file: str
    before: str
    after: str
    reason: str
    by: str
    line: int  # of the file that names it


@dataclass(frozen=True, slots=True)
class Mutant:
    """One small change of one file."""

    id: str  # the file, and a digest of the change and the place around it
    file: str  # relative to the root, with slashes
    line: int  # of the file, from 1; where the change begins
    operator: str  # the kind of change, as people read it: "comparison", "number", "SQL constant"
    before: str  # the lines that are changed, without outer spaces, shortened
    after: str  # the same lines with the change
    start: int  # the first changed character of the file's text
    end: int  # the first character behind the changed ones
    replacement: str  # what stands there instead
    replaced: str = ""  # what stands there now
    last_line: int = 0  # of the file, from 1; where the change ends
