"""Gatling's simulation.log where it is text, which it was up to 3.10, and its stats.json.

Later versions write a binary log. What stands before the times differs between versions: a
request is known by two instants and OK or KO that follow each other, its name by its place before.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pytest_rollout.load.results.figures import (
    CUT_OFF,
    NO_DELAY,
    SECOND,
    EndpointTimes,
    Figures,
    Single,
    Tally,
    UnreadableError,
    out_of_order,
    seconds,
)
from pytest_rollout.load.results.json_values import mapping, number, parsed, whole
from pytest_rollout.model.load import SERVICE_TIME, THROUGHPUT

LOG, STATS = "Gatling simulation.log", "Gatling stats.json"
ALL = "all"
_ERRORS = "ERROR"  # the endpoint of what failed before it was sent
_ROUNDED = 0.02  # rates are written with two digits
_KINDS = ("RUN", "REQUEST", "USER", "GROUP", "ERROR", "ASSERTION")
_INSTANT = re.compile(r"[0-9]{12,14}")
_SINGLES = {  # which percentiles they are, gatling.conf says, and no file of the report
    **{f"percentiles{n}": f"percentiles{n}" for n in range(1, 5)},
    **{"maxResponseTime": "max", "meanResponseTime": "mean"},
}
_NO_SAMPLES = "it holds no samples: its percentiles carry no confidence"


def read(text: str) -> Figures:
    """Return the figures of a text log; raises UnreadableError."""
    tally, starts, ends, runs = Tally(), 0, 0, 0
    errors: list[str] = []
    lines = text.split("\n")
    cut = [CUT_OFF] if lines[-1] else []
    for line, words in enumerate(lines, 1):
        fields = [field.strip(" ") for field in words.rstrip("\r").split("\t")]
        if fields == [""]:
            continue
        if fields[0] not in _KINDS:
            raise UnreadableError("it is no line of Gatling's log", "was it cut or merged?", line)
        runs += fields[0] == "RUN"
        if fields[0] == "USER":
            starts += "START" in fields
            ends += "END" in fields
        if fields[0] == "REQUEST":
            _request(tally, fields, line)
        if fields[0] == "ERROR":
            errors.append(" ".join(fields[1:]))
    if runs != 1:
        raise UnreadableError(f"it holds {runs} runs, not one")
    open_ = starts - ends
    unsaid = (f"{open_} of its {starts} users have no end in it",) if open_ > 0 else ()
    figures = tally.made(LOG, cut, unsaid)
    return _with_errors(figures, errors) if errors else figures


def _with_errors(figures: Figures, errors: Sequence[str]) -> Figures:
    """Return figures with what was to be asked and never was: it failed, and did not start."""
    names = {endpoint.name for endpoint in figures.endpoints}
    failed = Counter(name if (name := words.partition(":")[0]) in names else _ERRORS
                     for words in errors)  # fmt: skip
    by_name = {endpoint.name: endpoint for endpoint in figures.endpoints}
    for name, n in failed.items():
        times = by_name.get(name, EndpointTimes(name, {}, 0, 0))
        by_name[name] = replace(
            times, requests=times.requests + n, failures=(times.failures or 0) + n
        )
    return replace(
        figures,
        endpoints=tuple(by_name[name] for name in sorted(by_name)),
        started=figures.requests,
        dropped=len(errors),
        unsaid=(*figures.unsaid, f"{len(errors)} requests were not sent: ERROR in its log"),
    )


def _request(tally: Tally, fields: list[str], line: int) -> None:
    for at in range(2, len(fields) - 2):
        first, last, status = fields[at : at + 3]
        if _INSTANT.fullmatch(first) and _INSTANT.fullmatch(last) and status in ("OK", "KO"):
            start_us, took_us = int(first) * 1000, (int(last) - int(first)) * 1000
            name = fields[at - 1] or "unnamed"
            tally.add(name, start_us, took_us, line, failed=status == "KO")
            return
    raise UnreadableError("a request without its two times and OK or KO", line=line)


def read_stats(text: str) -> Figures:
    """Return the figures of js/stats.json or js/global_stats.json; raises UnreadableError."""
    data = mapping(parsed(text))
    stats = mapping(data.get("stats")) if "contents" in data else data
    counts = {which: _count(stats, which) for which in ("total", "ok", "ko")}
    doubts = [] if counts["total"] else ["it holds no request"]
    if counts["total"] != counts["ok"] + counts["ko"]:
        doubts.append(f"{counts['ok']} OK and {counts['ko']} KO are not {counts['total']} requests")
    doubts += [why for which in ("total", "ok") if (why := out_of_order(_shares(stats, which)))]
    endpoints = [(ALL, counts["total"], counts["ko"])]
    rate = _number(mapping(stats.get("meanNumberOfRequestsPerSecond")).get("total"))
    lasted_us = round(counts["total"] / rate * SECOND) if rate else 0
    if not rate:
        doubts.append("it does not say how long the test took")
    doubts += _contradictions(stats, counts)
    singles = [
        Single(f"{SERVICE_TIME}_{name}", seconds(-int(-worst * 1000 // 1)))
        for key, name in _SINGLES.items()
        if (worst := _worst(mapping(stats.get(key)))) is not None and counts["total"]
    ]
    ok_rate = _number(mapping(stats.get("meanNumberOfRequestsPerSecond")).get("ok"))
    if ok_rate is not None:
        singles.append(Single(f"{THROUGHPUT}_mean", f"{ok_rate:.6f}"))
    return Figures(
        format=STATS,
        lasted_us=lasted_us,
        requests=counts["total"],
        endpoints=tuple(EndpointTimes(name, {}, n, bad) for name, n, bad in endpoints if n >= bad),
        singles=tuple(singles),
        doubts=tuple(doubts),
        unsaid=(NO_DELAY, _NO_SAMPLES),
    )


def _contradictions(stats: Mapping[str, Any], counts: Mapping[str, int]) -> Iterator[str]:
    """Yield why figures of the same requests cannot all be true."""
    for which in ("total", "ok"):
        mean, most = (
            _number(mapping(stats.get(f"{name}ResponseTime")).get(which))
            for name in ("mean", "max")
        )
        if mean is not None and most is not None and mean > most:
            yield f"its mean ({mean:g}) is larger than its largest time ({most:g})"
    rates = mapping(stats.get("meanNumberOfRequestsPerSecond"))
    rate, good = _number(rates.get("total")), _number(rates.get("ok"))
    if rate is not None and good is not None and counts["total"]:
        expected = rate * counts["ok"] / counts["total"]
        if abs(good - expected) > _ROUNDED + rate / 100:
            yield f"{good:g} good answers a second are not those of {counts['ok']} in that time"


def _count(stats: Mapping[str, Any], which: str) -> int:
    value = mapping(stats.get("numberOfRequests")).get(which)
    count = whole(_number(value))
    if count is None:
        if value == "-":
            return 0
        raise UnreadableError("it is no stats.json of Gatling: numberOfRequests has no counts")
    return count


def _shares(stats: Mapping[str, Any], which: str) -> list[tuple[float, float]]:
    """The percentiles in their order, whatever shares they are of."""
    keys = ("minResponseTime", *(f"percentiles{n}" for n in range(1, 5)), "maxResponseTime")
    pairs = ((at, _number(mapping(stats.get(key)).get(which))) for at, key in enumerate(keys))
    return [(float(at), value) for at, value in pairs if value is not None]


def _worst(stat: Mapping[str, Any]) -> float | None:
    """The larger one of all requests and of those that were OK: fast failures hide nothing."""
    times = [_number(stat.get(which)) for which in ("total", "ok")]
    return max((ms for ms in times if ms is not None), default=None)


def _number(value: Any) -> float | None:
    """Return a number, which older versions write as text."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    return number(value)
