"""Sets of instants as sorted spans that neither overlap nor touch; ends are excluded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Span = tuple[int, int]


def union(spans: Iterable[Span]) -> list[Span]:
    """What lies in any of the spans; empty ones vanish."""
    joined: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def intersect(first: Sequence[Span], second: Sequence[Span]) -> list[Span]:
    """What lies in both sets."""
    shared: list[Span] = []
    left = right = 0
    while left < len(first) and right < len(second):
        start = max(first[left][0], second[right][0])
        end = min(first[left][1], second[right][1])
        if start < end:
            shared.append((start, end))
        if first[left][1] <= second[right][1]:
            left += 1
        else:
            right += 1
    return shared


def minus(first: Sequence[Span], second: Sequence[Span]) -> list[Span]:
    """What lies in the first set and not in the second."""
    if not first:
        return []
    edges = [first[0][0], *(edge for span in second for edge in span), first[-1][1]]
    gaps = union(zip(edges[::2], edges[1::2], strict=True))
    return intersect(first, gaps)
