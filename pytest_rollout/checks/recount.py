"""What a system says of itself, held against what was counted from an independent source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from pytest_rollout.late_dataclass import dataclass

Figure = int | float | str | None
Figures = Figure | Mapping[str, Figure]
_SHOWN = 3  # differences that a reason names; the rest is counted


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure that the system states otherwise than it was counted."""

    at: object
    group: str  # what of; empty where a sample has one figure
    said: Figure
    counted: Figure

    @property
    def words(self) -> str:
        """The difference in a line."""
        at = self.at.isoformat(timespec="seconds") if isinstance(self.at, datetime) else self.at
        of = f", {self.group}" if self.group else ""
        said = "nothing" if self.said is None else _short(self.said)
        counted = "nothing" if self.counted is None else _short(self.counted)
        return f"{at}{of}: said {said}, counted {counted}"


@dataclass(frozen=True, slots=True)
class Recount:
    """How what was said compares with what was counted, over all samples."""

    what: str
    compared: int  # figures that were said or counted
    counted: frozenset[Figure]  # the values that the count came to
    differences: tuple[Difference, ...]

    def demand(self, at_least: int = 1, *, varied: bool = False) -> None:
        """Raise AssertionError where both differ, or where too little was compared.

        With ``varied`` the count must come to two values at least: a constant agrees with a
        figure that never moves.
        """
        enough = f"{self.what}: {self.compared} of {at_least} needed figures were compared"
        assert self.compared >= at_least, enough
        shown = "; ".join(difference.words for difference in self.differences[:_SHOWN])
        many = f"{len(self.differences)} of {self.compared} figures are not what was counted"
        assert not self.differences, f"{self.what}: {many}: {shown}"
        moved = f"{self.what}: the count never moved, so agreeing with it shows nothing"
        assert not varied or len(self.counted) > 1, moved


def recount(
    what: str, samples: Iterable[tuple[object, Figures, Figures]], *, within: float = 0.0
) -> Recount:
    """Compare samples of (moment, what the system says, what was counted).

    Both are a figure, or a mapping of figures by group (lane, project): groups that only one of
    them knows differ. Numbers may differ by ``within``; None is a figure that is not there, and
    agrees with None alone. NaN agrees with nothing.
    """
    compared, values, differences = 0, set(), []
    for at, said, counted in samples:
        left, right = _by_group(said), _by_group(counted)
        for group in dict.fromkeys([*left, *right]):
            mine, theirs = left.get(group), right.get(group)
            if mine is None and theirs is None:
                continue
            compared += 1
            if theirs is not None:
                values.add(theirs)
            if not _agree(mine, theirs, within):
                differences.append(Difference(at, group, mine, theirs))
    return Recount(what, compared, frozenset(values), tuple(differences))


def _by_group(figures: Figures) -> Mapping[str, Figure]:
    return figures if isinstance(figures, Mapping) else {"": figures}


def _agree(said: Figure, counted: Figure, within: float) -> bool:
    if isinstance(said, str) or isinstance(counted, str) or said is None or counted is None:
        return said == counted
    return abs(said - counted) <= within


def _short(figure: int | float | str) -> str:
    return f"{figure:.4g}" if isinstance(figure, float) else str(figure)
