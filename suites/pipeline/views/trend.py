"""Whether a series grows: the slopes between each two of its points."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import combinations

DAY = timedelta(days=1)


def slopes(series: Sequence[tuple[datetime, float]]) -> Iterator[tuple[datetime, float]]:
    """The change a day between each two points, at the later one; the median is Theil and Sen's."""
    for (early, before), (late, after) in combinations(series, 2):
        yield late, (after - before) / ((late - early) / DAY)
