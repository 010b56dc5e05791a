"""Samples of k6, a JSON line each, as `k6 run --out json=FILE` writes them.

Each request leaves a point of `http_req_duration` when it ended, and one of `http_req_failed`
with the same tags. Both are counted by endpoint, and must be as many.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.load.results.figures import (
    CUT_OFF,
    SECOND,
    EndpointTimes,
    Figures,
    Tally,
    UnreadableError,
    twice,
)
from pytest_rollout.load.results.json_values import mapping, number, parsed
from pytest_rollout.load.results.k6_summary import NO_CONNECTING, NO_FAILURES

FORMAT = "k6 samples"
_NO_DROPPED = "it names no dropped iteration: none was, or no arrival rate was planned"
_WHEN = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)")
_BEFORE = ("http_req_blocked", "http_req_connecting", "http_req_tls_handshaking")
_COUNTED = ("http_req_duration", "http_req_failed", "iterations", "dropped_iterations")


@dataclass(slots=True)
class _Request:
    """A request whose points are read: k6 writes them one after the other."""

    when: Any
    ended_us: int
    endpoint: str
    took: float  # milliseconds
    line: int
    before: dict[str, float]

    @property
    def took_us(self) -> int:
        """What it took with its connection: waiting for one (`blocked`) holds making it."""
        made = self.before.get(_BEFORE[1], 0.0) + self.before.get(_BEFORE[2], 0.0)
        return -int(-(self.took + max(made, self.before.get(_BEFORE[0], 0.0))) * 1000 // 1)


class _Points:
    """What the points of a file come to."""

    def __init__(self) -> None:
        self.tally = Tally(failures=False)
        self.failed: Counter[str] = Counter()
        self.told: Counter[str] = Counter()  # whether they failed
        self.counts: Counter[str] = Counter()
        self.good: Counter[int] = Counter()
        self.open: _Request | None = None
        self.bare = 0  # requests of which nobody knows what connecting took

    def take(self, metric: str, data: Mapping[str, Any], line: int) -> None:
        value, tags = number(data.get("value")), mapping(data.get("tags"))
        if value is None:
            raise UnreadableError(f"a point of {metric} has no value", line=line)
        if metric in ("iterations", "dropped_iterations"):
            self.counts[metric] += round(value)
            return
        when, endpoint = data.get("time"), _endpoint(tags)
        if metric in _BEFORE:
            if self.open and (self.open.when, self.open.endpoint) == (when, endpoint):
                self.open.before[metric] = value
            return
        ended_us = _instant(when, line)
        if metric == "http_req_duration":
            self.close()
            self.open = _Request(when, ended_us, endpoint, value, line, {})
            return
        if value not in (0, 1):
            raise UnreadableError("http_req_failed is 0 or 1", line=line)
        self.told[endpoint] += 1
        self.failed[endpoint] += int(value)
        if not value:
            self.good[ended_us // SECOND] += 1

    def close(self) -> None:
        """Count the request whose points were read."""
        if self.open is not None:
            request, self.open = self.open, None
            self.bare += _BEFORE[0] not in request.before
            start_us = request.ended_us - request.took_us
            self.tally.add(request.endpoint, start_us, request.took_us, request.line, failed=False)


def read(text: str) -> Figures:
    """Return the figures of the points in a file; raises UnreadableError."""
    points, taken = _Points(), 0
    seen: set[int] = set()
    for line, words in enumerate(text.splitlines(), 1):
        if not words.strip() or _of_no_use(words):
            continue
        entry = mapping(parsed(words, line))
        kind, metric = entry.get("type"), entry.get("metric")
        if kind not in ("Metric", "Point"):
            raise UnreadableError("it is no line of k6's JSON output", line=line)
        if kind == "Point" and metric in (*_COUNTED, *_BEFORE):
            points.take(str(metric), mapping(entry.get("data")), line)
        if kind == "Point" and metric in _COUNTED:
            taken += 1
            seen.add(hash(words))
    points.close()
    doubts = [] if text.endswith("\n") else [CUT_OFF]
    doubts += [why] if (why := twice(taken, len(seen))) else []
    return _figures(points, doubts)


def _of_no_use(words: str) -> bool:
    """Whether a line is of another metric: most are, and need not be taken apart."""
    whole = words.startswith('{"') and words.endswith("}")
    return whole and not any(metric in words for metric in (*_COUNTED, *_BEFORE))


def _figures(points: _Points, doubts: list[str]) -> Figures:
    tally = points.tally
    dropped = points.counts.get("dropped_iterations")
    unsaid = ((_NO_DROPPED, not dropped), (NO_CONNECTING, points.bare))
    figures = tally.made(FORMAT, doubts, [note for note, unknown in unsaid if unknown])
    whole = all(points.told[endpoint.name] == endpoint.requests for endpoint in figures.endpoints)
    if figures.requests and not points.told:
        figures = figures.doubted(NO_FAILURES)
    if points.told and not whole:
        figures = figures.doubted("its points of http_req_failed are not as many as its requests")
    known = bool(points.told) and whole
    endpoints = (
        EndpointTimes(
            endpoint.name,
            endpoint.times,
            endpoint.requests,
            points.failed[endpoint.name] if known else None,
        )
        for endpoint in figures.endpoints
    )
    tally.good = points.good
    return replace(
        figures,
        endpoints=tuple(endpoints),
        seconds=tally.seconds() if known else {},
        started=points.counts["iterations"],
        dropped=dropped,
    )


def _endpoint(tags: Mapping[str, Any]) -> str:
    name = tags.get("name") or tags.get("url")
    return name if isinstance(name, str) else "unnamed"


def _instant(value: Any, line: int) -> int:
    """Return microseconds of an RFC 3339 text with nanoseconds."""
    stamp = _WHEN.fullmatch(value) if isinstance(value, str) else None
    try:
        if stamp is None:
            raise ValueError
        moment = datetime.fromisoformat(stamp[1] + stamp[3].replace("Z", "+00:00"))
        whole = int(moment.timestamp()) * SECOND
    except (ValueError, OverflowError):
        what = f"{value!s:.40} is no time with an offset"
        raise UnreadableError(what, line=line) from None
    return whole + int((stamp[2] or "0")[:6].ljust(6, "0"))
