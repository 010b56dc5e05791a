"""From a line of the plan's document to its proof: source, statement, tests, faults, drills."""

from __future__ import annotations

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.drill import DrillOutcome
from pytest_rollout.model.plan import Source


@dataclass(frozen=True, slots=True)
class TestPlace:
    """A check of a criterion, and where it is written."""

    __test__ = False

    node: str
    file: str
    line: int | None = None  # None: the file, or the function in it, is not there any more

    def __str__(self) -> str:
        """The file with the line, as editors open it."""
        return self.file if self.line is None else f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class FaultProof:
    """A fault that a criterion names, and what became of it in the last drill."""

    fault: str
    outcome: DrillOutcome | None = None  # None: no drill planted it yet
    at: str = ""  # RFC 3339, UTC
    outdated: bool = False  # by another text of the plan


@dataclass(frozen=True, slots=True)
class Proof:
    """How what a plan states is proven."""

    stated: str  # file and line of the plan
    source: Source | None = None
    document: str = ""
    tests: tuple[TestPlace, ...] = ()
    faults: tuple[FaultProof, ...] = ()
