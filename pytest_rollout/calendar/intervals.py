"""Sets of instants as sorted spans that neither overlap nor touch; ends are excluded."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Span = tuple[int, int]


def union(spans: Iterable[Span]) -> list[Span]:
    """What lies in any of the spans; empty ones vanish."""
    found: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def intersect(some: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """What lies in both sets."""
    found: list[Span] = []
    left = right = 0
    while left < len(some) and right < len(others):
        start = max(some[left][0], others[right][0])
        end = min(some[left][1], others[right][1])
        if start < end:
            found.append((start, end))
        if some[left][1] <= others[right][1]:
            left += 1
        else:
            right += 1
    return found


def minus(some: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """What lies in the first set and not in the second."""
    if not some:
        return []
    edges = [some[0][0], *(edge for span in others for edge in span), some[-1][1]]
    gaps = union(zip(edges[::2], edges[1::2], strict=True))
    return intersect(some, gaps)
