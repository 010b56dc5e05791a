"""The end-of-test summary of k6: `--summary-export`, and what `handleSummary` is given.

The two look alike and mean the opposite: in an export a threshold is `true` where it was crossed,
in the data of `handleSummary` it holds `ok: true` where it was not. Neither says when the test
ran, and neither has samples: a percentile is one number that k6 made.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pytest_rollout.load.results.figures import (
    NO_DELAY,
    SECOND,
    EndpointTimes,
    Figures,
    Outcome,
    Single,
    UnreadableError,
    out_of_order,
    seconds,
)
from pytest_rollout.load.results.json_values import mapping, number, parsed, whole
from pytest_rollout.model.load import SERVICE_TIME, THROUGHPUT

EXPORT, HANDLED = "k6 summary export", "k6 handleSummary data"
ALL = "all"
NO_CONNECTING = "its times leave out what connecting took (http_req_blocked)"
NO_FAILURES = "it does not say which requests failed (http_req_failed)"
_SAME = 1.01  # how far two figures of one time may be apart
_ROUNDED = 1 + 1e-6
_STATS = {"avg": "mean", "med": "p50", "max": "max"}
_PERCENTILE = re.compile(r"p\(([0-9]+)(?:\.([0-9]+))?\)")
_NO_SAMPLES = "a summary holds no samples: its percentiles carry no confidence"
_NO_ARRIVALS = "it names no dropped iteration: none was, or no arrival rate was planned"


def read(text: str) -> Figures:
    """Return the figures of a summary; raises UnreadableError."""
    data = mapping(parsed(text))
    metrics = data.get("metrics")
    if not isinstance(metrics, Mapping) or not all(
        isinstance(m, Mapping) for m in metrics.values()
    ):
        fix = "k6 run --new-machine-readable-summary=false, or --out json=FILE"
        raise UnreadableError("it is no summary of k6 that is read here", fix)
    handled = any("values" in metric for metric in metrics.values())
    if handled and not all("values" in metric for metric in metrics.values()):
        raise UnreadableError("some of its metrics have `values`, and some have not")
    values = {
        name: mapping(metric.get("values")) if handled else metric
        for name, metric in metrics.items()
    }
    requests, failures, doubts = _requests(values)
    lasted_us, more = _lasted(data, values)
    doubts += [why] if (why := out_of_order(_shares(values.get("http_req_duration", {})))) else []
    doubts += _mean_beyond(values.get("http_req_duration", {}))
    dropped = whole(values.get("dropped_iterations", {}).get("count"))
    ok = requests - failures if failures is not None else None
    iterations = whole(values.get("iterations", {}).get("count")) or 0
    if dropped is None and "dropped_iterations" in values:
        doubts.append("its dropped_iterations is no count")
    return Figures(
        format=HANDLED if handled else EXPORT,
        lasted_us=lasted_us,
        requests=requests,
        started=iterations,
        dropped=dropped,
        endpoints=(EndpointTimes(ALL, {}, requests, failures),) if requests else (),
        singles=tuple(_singles(values, ok, lasted_us)),
        cases=tuple(_thresholds(metrics, values, handled=handled)),
        doubts=(*doubts, *more),
        unsaid=(
            NO_DELAY,
            _NO_SAMPLES,
            NO_CONNECTING,
            *((_NO_ARRIVALS,) if dropped is None else ()),
        ),
    )


def _requests(values: Mapping[str, Mapping[str, Any]]) -> tuple[int, int | None, list[str]]:
    """How many requests there were, how many failed, and why not to believe it.

    Of the rate `http_req_failed` the `passes` are the requests that failed.
    """
    doubts = []
    requests = whole(values.get("http_reqs", {}).get("count")) or 0
    if not requests:
        doubts.append("it holds no request")
    rate = values.get("http_req_failed")
    if rate is None:
        return requests, None, [*doubts, *((NO_FAILURES,) if requests else ())]
    bad, good = whole(rate.get("passes")), whole(rate.get("fails"))
    if bad is None or good is None:
        return requests, None, [*doubts, "its http_req_failed has no counts"]
    if bad + good != requests:
        what = f"http_req_failed counts {bad + good} requests, and http_reqs {requests}"
        return requests, None, [*doubts, what]
    share = number(rate.get("rate", rate.get("value")))
    if requests and (share is None or abs(share - bad / requests) > 1e-6):
        doubts.append("the rate of its http_req_failed is not that of its counts")
    return requests, bad, doubts


def _mean_beyond(trend: Mapping[str, Any]) -> Iterator[str]:
    """Yield why a mean cannot be that of the same times."""
    mean, least, most = (number(trend.get(stat)) for stat in ("avg", "min", "max"))
    if mean is not None and most is not None and mean > most * _ROUNDED:
        yield f"its mean ({mean:g}) is larger than its largest time ({most:g})"
    if mean is not None and least is not None and mean * _ROUNDED < least:
        yield f"its mean ({mean:g}) is smaller than its smallest time ({least:g})"


def _lasted(data: Mapping[str, Any], values: Mapping[str, Any]) -> tuple[int, list[str]]:
    """How long the test took, as it says, or as a count and its rate come to."""
    state = number(mapping(data.get("state")).get("testRunDurationMs"))
    lengths = [state * 1000] if state is not None else []
    for name in ("http_reqs", "iterations"):
        counted = values.get(name, {})
        count, rate = number(counted.get("count")), number(counted.get("rate"))
        if count and rate and math.isfinite(count / rate * SECOND):
            lengths.append(count / rate * SECOND)
    if not lengths:
        return 0, ["it does not say how long the test took"]
    less, more = min(lengths) / SECOND, max(lengths) / SECOND
    if more > less * _SAME:
        return round(less * SECOND), [f"it says that it took {less:.4g} s, and {more:.4g} s"]
    return round(lengths[0]), []


def _singles(
    values: Mapping[str, Mapping[str, Any]], ok: int | None, lasted_us: int
) -> Iterator[Single]:
    """The numbers that k6 made of all requests; a trend that nothing fed is 0 and says nothing."""
    trend = values.get("http_req_duration", {})
    counted = whole(values.get("http_reqs", {}).get("count"))
    for stat, value in trend.items():
        name, milliseconds = _stat(stat), number(value)
        if name and milliseconds is not None and counted and _fed("http_req_duration", values):
            yield Single(f"{SERVICE_TIME}_{name}", seconds(-int(-milliseconds * 1000 // 1)))
    if ok is not None and lasted_us > 0:
        yield Single(f"{THROUGHPUT}_mean", f"{ok * SECOND / lasted_us:.6f}")


def _shares(trend: Mapping[str, Any]) -> list[tuple[float, float]]:
    percents = {"min": 0.0, "med": 50.0, "max": 100.0}
    for stat in trend:
        if percentile := _PERCENTILE.fullmatch(stat):
            percents[stat] = float(f"{percentile[1]}.{percentile[2] or 0}")
    shares = ((share, number(trend.get(stat))) for stat, share in percents.items())
    return [(share, value) for share, value in shares if value is not None]


def _stat(stat: str) -> str:
    """The end of the series' name: p95 of p(95), p99_9 of p(99.9); empty where it is not kept."""
    percentile = _PERCENTILE.fullmatch(stat)
    if percentile is None:
        return _STATS.get(stat, "")
    return f"p{percentile[1]}_{percentile[2]}" if percentile[2] else f"p{percentile[1]}"


def _thresholds(
    metrics: Mapping[str, Mapping[str, Any]],
    values: Mapping[str, Mapping[str, Any]],
    *,
    handled: bool,
) -> Iterator[Outcome]:
    """Each threshold with what became of it; without data it says nothing, whatever k6 says."""
    for name, metric in metrics.items():
        for words, value in mapping(metric.get("thresholds")).items():
            ok = mapping(value).get("ok") if handled else value
            if not isinstance(ok, bool):
                attempt = ("error", "it does not say whether it was crossed")
            elif not _fed(name, values):
                attempt = ("missing", "no sample is known of it, so k6 had nothing to compare")
            elif ok is handled:
                attempt = ("pass", "")
            else:
                attempt = ("fail", "crossed")
            yield Outcome(f"{name}: {words}", (attempt,))


def _fed(name: str, values: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether a metric is known to have samples: a trend of zeros alone may have none."""
    stats = values[name]
    for counts in (("passes", "fails"), ("count",)):
        if all(number(stats.get(count)) is not None for count in counts):
            return sum(number(stats[count]) or 0 for count in counts) > 0
    figures = [number(value) for stat, value in stats.items() if stat != "thresholds"]
    return any(figure for figure in figures)
