"""A load while it runs: what the lines say, and where they go."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from pytest_rollout.model.coding import encode
from pytest_rollout.model.load import FAILED, THROUGHPUT, LoadRecord
from pytest_rollout.model.rule import Confidence, Streak
from pytest_rollout.report.load_follow import EVERY_S, LINE_EVERY_S, follow, read_record
from pytest_rollout.report.load_live import LAST, last_seconds, live, live_line, sparkline
from pytest_rollout.report.load_words import LoadReport
from tests.report import load_records as given
from tests.report.test_load_figures import nothing


def partial(until_s: float = 15.5) -> LoadRecord:
    record = given.record()
    told = tuple(one for one in record.seconds if one.second < until_s)
    ended = record.started_us + round(until_s * 1_000_000)
    return replace(record, completed=False, ended_us=ended, seconds=told)


def words(report: LoadReport, width: int = 100) -> str:
    return "\n".join(line.text for line in live(report, width))


def test_the_present_is_that_of_the_last_whole_seconds() -> None:
    last = last_seconds(partial())
    assert [one.second for one in last] == [10, 11, 12, 13, 14]
    text = words(given.report(record=partial()))
    for name in ("planned", "started", "answered"):
        rate = sum(getattr(one, name) for one in last) / LAST
        assert f"{name} {rate:.1f}/s" in text
    worst = max(one.p95_us for one in last if one.p95_us is not None)
    assert f"{worst / 1_000_000:.2f} s in the worst of the last 5 s" in text
    assert f"{sum(one.failed for one in last)} in the last 5 s" in text


def test_what_is_left_and_whether_it_counts_yet() -> None:
    assert "0:16 of 0:20, 0:04 left" in words(given.report(record=partial(16)))
    warming = words(given.report(record=partial(1)))
    assert "warm-up for 0:03 more" in warming
    assert "waiting for the last answers" in words(given.report(record=partial(21)))


def test_each_cut_stands_beside_what_was_seen() -> None:
    lines = [line for line in live(given.report(record=partial()), 100) if " so far" in line.text]
    assert ["beyond so far" in line.text for line in lines] == [False, True, True]
    assert [line.styles for line in lines] == [(), ("red",), ("red",)]


def test_a_cut_that_asks_for_a_confidence_stands_on_the_side_of_what_was_seen() -> None:
    failing = partial()
    ends = tuple(replace(one, failures=one.requests) for one in failing.endpoints)
    rate = given.cut("< 2 %", "rate", FAILED)
    sure = Confidence(Fraction(95, 100), "95%")
    cut = replace(rate, rule=replace(rate.rule, confidence=sure))
    of_later_runs = replace(rate, rule=replace(rate.rule, streak=Streak(2)))
    few = given.cut("< 2 %", "rate", FAILED, need=10_000)
    report = given.report(record=replace(failing, endpoints=ends), cuts=(cut, few, of_later_runs))
    line = live_line(report)
    assert "1 of 3 cuts beyond so far, 1 too few so far, 1 decided at the end" in line
    assert "100 % < 2 %" in " ".join(words(report).split())
    assert "rate of failed: beyond so far" in words(report)
    wide = replace(cut, rule=replace(cut.rule, bands=given.cut("< 50 %", "rate").rule.bands))
    kept = given.report(record=failing, cuts=(wide,))
    assert "0 of 1 cut beyond so far" in live_line(kept)
    assert "decided at the end" not in live_line(kept)


def test_seconds_that_are_to_come_are_no_seconds_without_an_answer() -> None:
    busy = given.cut(">= 1", "min", THROUGHPUT)
    text = words(given.report(record=partial(8.5), cuts=(busy,)))
    assert "within so far" in text
    least = min(
        one.answered - one.failed
        for one in given.record().seconds
        if given.WARM_S <= one.second < 8
    )
    assert f"{least} >= 1" in text
    assert "too few so far" in words(given.report(record=partial(2), cuts=(busy,)))
    stalled = words(given.report(record=partial(15.5), cuts=(busy,)))
    assert "beyond so far" in stalled


def test_a_late_start_is_told_while_it_can_be_helped() -> None:
    late = replace(partial(), start_delay={"250000": 100})
    report = given.report(record=late)
    assert "arrivals start late: p99 250 ms, allowed 100 ms" in words(report)
    assert "arrivals start late" in live_line(report)
    assert "arrivals start late" not in words(given.report(record=partial()))


@pytest.mark.parametrize("width", [20, 40, 60, 80, 200])
def test_no_line_is_longer_than_the_terminal_is_wide(width: int) -> None:
    for record in (partial(), nothing()):
        for line in live(given.report(record=record), width):
            assert len(line.text) <= width


def test_marks_are_the_largest_of_their_part() -> None:
    assert sparkline([1, 2, 3, 4, 5, 6, 7, 8], 8) == "▁▂▃▄▅▆▇█"
    assert sparkline([1, 9, None, None, 1, 1], 3) == "█ ▁"
    assert sparkline([None, None], 8) == ""
    assert sparkline([5, 5], 8) == "▁▁"
    assert len(sparkline(range(1000), 30)) == 30


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Time:
    """A clock that goes on where somebody waits."""

    def __init__(self, ends: float) -> None:
        self.now, self.ends = 0.0, ends

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def has_ended(self) -> bool:
        return self.now >= self.ends


def shown(out: io.StringIO, reports: Iterator[LoadReport | None], ends: float) -> str:
    time = Time(ends)
    follow(
        lambda: next(reports),
        time.has_ended,
        out,
        clock=lambda: time.now,
        pause=time.wait,
    )
    return out.getvalue()


def again(report: LoadReport | None) -> Iterator[LoadReport | None]:
    while True:
        yield report


def test_a_pipe_gets_a_line_every_ten_seconds_and_one_at_the_end() -> None:
    text = shown(io.StringIO(), again(given.report(record=partial())), 35.0)
    assert len(text.splitlines()) == 4
    assert "\x1b" not in text
    assert LINE_EVERY_S == 10


def test_a_terminal_is_drawn_again_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "70")
    text = shown(Terminal(), again(given.report(record=partial())), 2.0)
    height = len(live(given.report(record=partial()), 69))
    assert text.count(f"\x1b[{height}A") == 2 / EVERY_S
    assert text.count("load nightly:") == 2 / EVERY_S + 1


def test_nothing_is_shown_before_there_is_something() -> None:
    assert shown(io.StringIO(), again(None), 25.0) == ""
    assert shown(Terminal(), again(None), 2.0) == ""


def test_a_status_is_read_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    assert read_record(path) is None
    path.write_text(json.dumps(encode(partial()))[:-10])
    assert read_record(path) is None
    path.write_text("[" * 100_000)
    assert read_record(path) is None
    path.write_text(json.dumps(encode(partial())))
    assert read_record(path) == partial()
    assert list(tmp_path.iterdir()) == [path]
