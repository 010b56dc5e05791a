"""What is shown of a check that runs long."""

from __future__ import annotations

import threading

import pytest

from pytest_rollout.evidence.records import Observation
from pytest_rollout.model.evidence import encode_distribution, encode_ratio
from pytest_rollout.session.progress import Progress, Underway, counted, words
from tests.session.project import Project


class Written:
    """A display that keeps what it was shown, due after 3 s and then each second."""

    first_s, again_s = 3.0, 1.0

    def __init__(self) -> None:
        self.lines: list[str] = []

    def show(self, words: str) -> None:
        self.lines.append(words)

    def clear(self) -> None:
        self.lines.append("")


class Clock:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def _underway(seconds: float) -> Underway:
    return Underway("shop.canary", "traffic", seconds, {"latency": 40})


@pytest.mark.parametrize(
    ("seen", "needs", "said"),
    [
        ({}, {"latency": 60}, "shop.canary traffic: 30 s"),
        ({"latency": 40}, {"latency": 60}, "latency 40 of 60, about 15 s left"),
        ({"latency": 60}, {"latency": 60}, "30 s, latency 60 of 60"),
        ({"latency": 2_000}, {}, "latency 2,000"),
        ({"a": 90, "b": 10}, {"a": 20, "b": 40}, "b 10 of 40, a 90 of 20, about 90 s left"),
        ({"a": 1}, {"a": 61}, "a 1 of 61, about 30 min left"),
    ],
)
def test_samples_are_told_against_what_is_needed(
    seen: dict[str, int], needs: dict[str, int], said: str
) -> None:
    shown = words(Underway("shop.canary", "traffic", 30.0, seen), needs)
    assert shown.endswith(said)


def test_it_is_shown_after_a_while_and_not_more_often_than_it_is_due() -> None:
    clock, written = Clock(), Written()
    progress = Progress(lambda phase: {"latency": 60}, written, clock)
    progress.start()
    for clock.now in (1.0, 2.9, 3.0, 3.5, 4.1):
        progress.tick(_underway)
    assert [line.split(",")[0] for line in written.lines] == [
        "shop.canary traffic: 3 s",
        "shop.canary traffic: 4 s",
    ]


def test_nothing_is_shown_between_checks_and_what_stands_is_cleared() -> None:
    clock, written = Clock(), Written()
    progress = Progress(lambda phase: {}, written, clock)
    progress.start()
    clock.now = 5.0
    progress.tick(_underway)
    progress.pytest_runtest_logreport()
    progress.end()
    clock.now = 50.0
    progress.tick(_underway)
    assert written.lines[1:] == [""]


def test_another_thread_shows_nothing() -> None:
    clock, written = Clock(), Written()
    progress = Progress(lambda phase: {}, written, clock)
    progress.start()
    clock.now = 5.0
    thread = threading.Thread(target=progress.tick, args=(_underway,))
    thread.start()
    thread.join()
    assert written.lines == []


def test_a_ratio_counts_for_its_opportunities_and_a_distribution_for_its_values() -> None:
    def observed(metric: str, value: str) -> Observation:
        return Observation("shop", "canary", metric, (), 0, 0, 0, value)

    values = [observed("errors", encode_ratio(2, 300)), observed("errors", "0")]
    values.append(observed("latency", encode_distribution({"0.1": 5, "0.2": 7})))
    assert counted(values) == {"errors": 301, "latency": 12}


def test_a_run_in_a_pipe_says_a_line_a_minute(project: Project) -> None:
    project.pytester.makeconftest(
        """
        import pytest
        from pytest_rollout.session import progress

        progress.InPipe.first_s = progress.InPipe.again_s = 0.0
        """
    )
    result = project.run_apart("-m", "canary")
    result.stdout.re_match_lines([r"demo\.canary .*: 0 s"])
