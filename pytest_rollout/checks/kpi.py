"""KPI gates: what was promised of a run, what was measured, and no green over red."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from pytest_rollout.checks.answer import MOST_BYTES
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.errors import NoValueError, RolloutError


@dataclass(frozen=True, slots=True)
class Kpi:
    """A promise of a run: a value at least, or at most, the threshold."""

    name: str
    threshold: float
    at_most: bool = False

    def holds(self, value: float | None) -> bool:
        """Whether a value keeps it; none, or one that is no number, does not."""
        if value is None or not Decimal(str(value)).is_finite():
            return False
        seen, limit = Decimal(str(value)), Decimal(str(self.threshold))
        return seen <= limit if self.at_most else seen >= limit

    def __str__(self) -> str:
        return f"{self.name} {'<=' if self.at_most else '>='} {self.threshold:g}"


@dataclass(frozen=True, slots=True)
class KpiReceipt:
    """What the system under test wrote of one run and one KPI."""

    run: str
    kpi: str
    value: float | None
    passed: bool


def kpi_slips(
    completed: Mapping[str, str],
    receipts: Iterable[KpiReceipt],
    promises: Mapping[str, Sequence[Kpi]],
) -> list[str]:
    """Where a gate let something through, in words: a run that may not be complete but is.

    ``completed`` gives the lane (or kind) of each run that the system calls complete, ``promises``
    what each lane promises. Whatever a receipt says of itself, its value is held against the
    promise; a receipt that is missing keeps none.
    """
    by_run: dict[str, list[KpiReceipt]] = {}
    for receipt in receipts:
        by_run.setdefault(receipt.run, []).append(receipt)
    return [
        slip
        for run, lane in completed.items()
        for kpi in promises.get(lane, ())
        for slip in _slips(
            run,
            kpi,
            [kpi_receipt for kpi_receipt in by_run.get(run, ()) if kpi_receipt.kpi == kpi.name],
        )
    ]


def _slips(run: str, kpi: Kpi, receipts: Sequence[KpiReceipt]) -> Iterator[str]:
    if not receipts:
        yield f"{run} is complete without a receipt of {kpi.name}"
    for receipt in receipts:
        if not kpi.holds(receipt.value):
            green = ", which its receipt calls passed" if receipt.passed else ""
            yield f"{run} is complete with {kpi.name} {receipt.value}, promised {kpi}{green}"
        elif not receipt.passed:
            yield f"{run} is complete although its receipt of {kpi.name} says failed"


@dataclass(frozen=True, slots=True)
class RanTests:
    """What a run of tests came to: its exit status, and its own count of its tests."""

    status: int
    ran: int
    failed: int
    skipped: int

    @classmethod
    def read(cls, report: Path, status: int) -> RanTests:
        """From a report in JUnit's XML; raises RolloutError where it cannot be read as one."""
        try:
            if report.stat().st_size > MOST_BYTES:
                raise RolloutError(f"{report.name} is longer than {MOST_BYTES} bytes")
            text = report.read_text(encoding="utf-8")
            if "<!" in text.split("<testsuite", 1)[0]:
                raise RolloutError(f"{report.name} declares a document type")
            cases = list(ElementTree.fromstring(text).iter("testcase"))
        except (OSError, ValueError, ElementTree.ParseError) as error:
            raise RolloutError(f"{report.name} is no report of tests: {error}") from None
        failed = sum(_has(case, "failure", "error") for case in cases)
        skipped = sum(_has(case, "skipped") for case in cases)
        return cls(status, len(cases), failed, skipped)

    @property
    def rate(self) -> Fraction:
        """Share of the executed tests that passed; raises NoValueError where none was executed."""
        executed = self.ran - self.skipped
        if not executed:
            raise NoValueError("no test was executed, so there is no pass rate")
        return Fraction(executed - self.failed, executed)

    @property
    def contradiction(self) -> str:
        """How exit status and tests contradict each other; "" where they agree."""
        if self.status == 0 and self.failed:
            return f"exit status 0 over {self.failed} failing tests of {self.ran}"
        if self.status == 0 and self.ran == self.skipped:
            return "exit status 0 although no test was executed"
        if self.status and not self.failed:
            return f"exit status {self.status} although no test of {self.ran} failed"
        return ""


def _has(case: ElementTree.Element, *names: str) -> bool:
    return any(case.find(name) is not None for name in names)
