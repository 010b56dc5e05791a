"""The report that a plan asks for at the end: which figures, in which sections."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.rule import Take, Taking


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: taken from a series that was observed, counted from events, or a duration."""

    says: str
    phase: str = ""  # in which it was observed; empty: the report's own, of events any
    metric: str = ""
    taking: Taking = field(default_factory=lambda: Taking(Take.LAST, "last"))
    where: Mapping[str, str] = field(default_factory=dict)
    by: str = ""  # the label by which it is split
    percent: bool = False
    events: str = ""  # the type of those that are counted and listed
    first: str = ""  # the phases from whose begin to whose end it lasted
    last: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Figures under a title; with ``names`` a table, a row for each value of a label."""

    title: str
    figures: tuple[Figure, ...]
    label: str = ""
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportSpec:
    """A report: its title and sections; sign-off, criteria and decision always follow."""

    title: str
    sections: tuple[Section, ...]
    line: int = 0

    def phases(self) -> frozenset[str]:
        """Every phase that a figure names."""
        named = (
            name
            for section in self.sections
            for figure in section.figures
            for name in (figure.phase, figure.first, figure.last)
        )
        return frozenset(filter(None, named))
