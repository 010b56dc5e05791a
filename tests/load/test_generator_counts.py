"""Counting: buckets as the library has them, exact percentiles within three digits, exact sums."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgpack
import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_rollout.load.generator import histograms
from pytest_rollout.load.generator.asking import ASKED, Asked, Asker
from pytest_rollout.load.generator.parts import Part, from_message, to_message
from pytest_rollout.load.generator.recorder import Recorder
from pytest_rollout.load.generator.total import Total
from pytest_rollout.model.load import GeneratorFacts, LoadProfile, Offer
from tests.load.locust_run import percentile

TIMES = st.integers(0, histograms.LARGEST_US)
SOME = st.lists(st.integers(0, 70_000_000), min_size=1, max_size=300)
FEW = settings(max_examples=40, deadline=None)
LATE_US = 250_000
PROFILE = LoadProfile("nightly", "", "lf.py", "web", Offer(10_000_000, rate=10))


def recorded(values: list[int]) -> HdrHistogram:
    """Return what the library itself makes of values."""
    histogram = histograms.new()
    for value in values:
        assert histogram.record_value(value)
    return histogram


def a_part(worker: int, number: int, values: list[int]) -> Part:
    """Return the part of a worker that was answered in these times."""
    recorder = Recorder(10, 0, open_loop=True)
    for value in values:
        asked = Asked(1, "ok", 1.0, LATE_US / 1e6, Asker(), may_redirect=False)
        recorder.on_request("ok", value / 1e3, None, {ASKED: asked})
    facts = GeneratorFacts(f"{worker} on here", completed=True)
    figures = {"worker": worker, "number": number, "begin_us": 1, "elapsed_us": 10_000_000}
    return Part.of(recorder.take(None, 0), facts, started=len(values), **figures)


@given(TIMES)
def test_a_bucket_is_the_one_of_the_library(value: int) -> None:
    index = histograms.index_of(value)
    assert index == histograms.new().get_counts_array_index(value)
    assert histograms.largest_in(index) == histograms.new().get_highest_equivalent_value(value)


@pytest.mark.parametrize("value", [-5, 0, 2047, 2048, 60_000_000, 3_600_000_000, 10**12])
def test_a_bucket_is_one_that_there_is(value: int) -> None:
    assert 0 <= histograms.index_of(value) < histograms.new().counts_len


@given(SOME)
@FEW
def test_counts_make_the_histogram_of_the_library(values: list[int]) -> None:
    made = histograms.of_counts(Counter(map(histograms.index_of, values)))
    assert made.encode() == recorded(values).encode()


@FEW
@given(SOME, st.sampled_from([0.5, 0.9, 0.95, 0.99, 0.999, 1.0]))
def test_percentiles_agree_with_exact_ones_within_three_digits(
    values: list[int], share: float
) -> None:
    exact = sorted(values)[max(1, math.ceil(share * len(values))) - 1]
    counts = Counter(map(histograms.index_of, values))
    (told,) = histograms.percentiles(counts, [share])
    kept = percentile(histograms.values(histograms.of_counts(counts)), share)
    assert told == kept
    assert exact <= kept <= exact * 1.001 + 1


ENDED = st.tuples(
    st.sampled_from(["a", "b"]),
    st.integers(0, 6_000),  # begun, in milliseconds
    st.sampled_from([0, 1, 900]),  # late, in milliseconds
    st.integers(0, 3_000_000),  # service, in microseconds
    st.booleans(),  # whether it failed
)


@FEW
@given(st.lists(ENDED, max_size=60), st.integers(0, 60), st.sampled_from([0.0, 2.0]))
def test_what_is_handed_out_is_what_was_counted(
    ended: list[tuple[str, int, int, int, bool]], cut: int, warm_up: float
) -> None:
    """Each answer stands once in its second and, after the warm-up, once in each histogram."""
    recorder, asker = Recorder(10, warm_up, open_loop=True), Asker()
    seconds, answered, failed = Counter[int](), Counter[int](), Counter[int]()
    latency, service = Counter[tuple[str, int]](), Counter[tuple[str, int]]()
    requests, tallies = Counter[str](), []
    for number, (name, begun, late, took, fails) in enumerate(ended):
        if number == cut:
            tallies.append(recorder.take(3, 0))
        asked = Asked(1, name, begun / 1e3, late / 1e3, asker, may_redirect=False)
        recorder.on_request(name, took / 1e3, OSError() if fails else None, {ASKED: asked})
        second, whole = int(begun / 1e3 + took / 1e6), histograms.index_of(took + late * 1000)
        seconds[second] += 1
        failed[second] += fails
        answered[whole] += not fails
        if begun - late >= warm_up * 1000:
            requests[name] += 1
            latency[name, whole] += not fails
            service[name, histograms.index_of(took)] += not fails
    tallies.append(recorder.take(None, 0))
    made = [pair for tally in tallies for pair in tally.seconds.items()]
    ends = [pair for tally in tallies for pair in tally.endpoints.items()]
    assert _sum((n, second.answered) for n, second in made) == +seconds
    assert _sum((n, second.failed) for n, second in made) == +failed
    assert _sum(pair for _, second in made for pair in second.latency.items()) == +answered
    assert _sum((name, end.requests) for name, end in ends) == requests
    assert _sum(((name, i), n) for name, end in ends for i, n in end.latency.items()) == +latency
    told = (((name, i), n) for name, end in ends for i, n in end.service_time.items())
    assert _sum(told) == +service


def _sum(pairs: Iterable[tuple[Any, int]]) -> Counter[Any]:
    total = Counter[Any]()
    for key, count in pairs:
        total[key] += count
    return +total


@FEW
@given(st.lists(st.lists(st.integers(0, 9_000_000), max_size=60), min_size=4, max_size=4))
def test_four_parts_make_what_one_would_have_made(lists: list[list[int]]) -> None:
    apart, together = Total(), Total()
    for worker, values in enumerate(lists):
        message = msgpack.loads(
            msgpack.dumps(to_message(a_part(worker, 0, values))), strict_map_key=False
        )
        apart.add(from_message(message))
    together.add(a_part(0, 0, [value for values in lists for value in values]))
    several = apart.record(PROFILE, completed=True, trouble="")
    one = together.record(PROFILE, completed=True, trouble="")
    assert (several.endpoints, several.seconds) == (one.endpoints, one.seconds)
    assert (several.started, several.errors) == (one.started, one.errors)
    values = [value for part in lists for value in part]
    assert sum(end.requests for end in several.endpoints) == len(values)
    for end in several.endpoints:
        assert end.service_time == histograms.values(recorded(values))
        assert end.latency == histograms.values(recorded([v + LATE_US for v in values]))


def test_parts_of_a_process_add_up_and_a_missing_one_shows() -> None:
    total = Total()
    for number, values in enumerate(([1000], [2000, 3000])):
        total.add(a_part(0, number, values))
    assert (total.endpoints["ok"].requests, total.gaps) == (3, set())
    total.add(a_part(0, 3, [4000]))
    assert total.gaps == {0}
    (facts,) = total.record(PROFILE, completed=True, trouble="").generators
    assert not facts.completed
