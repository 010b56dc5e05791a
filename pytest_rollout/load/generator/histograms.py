"""HDR histograms of three digits, from 1 us to one hour: made, counted into, merged, and read.

Requests are counted by the index of their bucket, a few shifts in place of the twenty calls that
the library takes a value; the layout is the library's, so that its arrays are added exactly: a
bucket of 2048 values one apart, then 1024 values for each next power of two.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

from hdrh.histogram import HdrHistogram

LARGEST_US = 3_600_000_000
_DIGITS = 3

Counts = Mapping[int, int]  # index of a bucket to how many


def new() -> HdrHistogram:
    """Return an empty histogram of the one layout that all parts of a load share."""
    return HdrHistogram(1, LARGEST_US, _DIGITS)


def index_of(microseconds: int) -> int:
    """Return the index of the bucket that holds a value; what is out of reach lies at the edge."""
    if microseconds < 2048:
        return microseconds if microseconds > 0 else 0
    if microseconds > LARGEST_US:
        microseconds = LARGEST_US
    shift = microseconds.bit_length() - 11
    return (shift << 10) + (microseconds >> shift)


def largest_in(index: int) -> int:
    """Return the largest value of a bucket: what a percentile in it is, as the library has it."""
    shift = max(0, (index >> 10) - 1)
    return ((index - (shift << 10) + 1) << shift) - 1


def of_counts(counts: Counts) -> HdrHistogram:
    """Return a histogram with these counts."""
    histogram = new()
    if counts:
        held = histogram.counts
        for index, count in counts.items():
            held[index] = count
        total = sum(counts.values())
        histogram.set_internal_tacking_values(min(counts), max(counts), total)
    return histogram


def values(histogram: HdrHistogram) -> dict[str, int]:
    """Return the counts of a histogram by the largest value of each bucket, in microseconds."""
    if not histogram.total_count:
        return {}
    last = index_of(histogram.get_max_value())
    held = histogram.counts[: last + 1]
    return {_text(index): count for index, count in enumerate(held) if count}


@cache
def _text(index: int) -> str:
    return str(largest_in(index))


def percentiles(counts: Counts, shares: Iterable[float]) -> list[int | None]:
    """Return the nearest-rank percentiles of counts, in microseconds; None where there are none."""
    total = sum(counts.values())
    ordered = sorted(counts.items())
    return [_at_rank(ordered, max(1, -(-share * total // 1))) for share in shares]


def _at_rank(ordered: list[tuple[int, int]], rank: float) -> int | None:
    passed = 0
    for index, count in ordered:
        passed += count
        if passed >= rank:
            return largest_in(index)
    return None
