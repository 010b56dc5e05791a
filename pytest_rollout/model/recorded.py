"""What was recorded, by series and labels: each rule finds its own without looking at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from pytest_rollout.model.evidence import Seen


class Recorded:
    """Samples in the order in which they are given; sorted by a label once a rule asks for it."""

    def __init__(self, seen: Sequence[Seen]) -> None:
        self._seen = seen
        self._labelled: dict[tuple[str, str], dict[str, list[Seen]]] = {}

    @cached_property
    def _series(self) -> dict[str, list[Seen]]:
        series: dict[str, list[Seen]] = {}
        for seen in self._seen:
            series.setdefault(seen.slot.series, []).append(seen)
        return series

    def series(self, name: str) -> Sequence[Seen]:
        """Return what was recorded in a series."""
        return self._series.get(name, ())

    def by_value(self, series: str, label: str) -> Mapping[str, Sequence[Seen]]:
        """Return what was recorded in a series by the values of a label, where it has one."""
        values = self._labelled.get((series, label))
        if values is None:
            values = self._labelled[series, label] = {}
            for seen in self.series(series):
                labels = dict(seen.slot.labels)
                if label in labels:
                    values.setdefault(labels[label], []).append(seen)
        return values

    def having(self, series: str, where: Mapping[str, str]) -> Sequence[Seen]:
        """Return what was recorded in a series with some labels."""
        by_label = [self.by_value(series, label).get(value, ()) for label, value in where.items()]
        fewest = min(by_label, key=len, default=self.series(series))
        if len(by_label) < 2:
            return fewest
        wanted = where.items()
        return [seen for seen in fewest if wanted <= dict(seen.slot.labels).items()]
