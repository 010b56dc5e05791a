"""What is due when, before and after a clock moves it."""

from __future__ import annotations

from collections.abc import Generator
from datetime import UTC, datetime, timedelta

from fixtures.pipeline.core.agenda import Agenda
from pytest_rollout.targets.reference_clock import ReferenceClock

BEGIN = datetime(2026, 1, 12, tzinfo=UTC)
AT = BEGIN.timestamp()


def test_entries_are_done_in_order_of_time_and_of_entering() -> None:
    agenda, done = Agenda(AT), list[str]()
    agenda.at(AT + 20, lambda: done.append("third"))
    agenda.at(AT + 10, lambda: done.append("first"))
    agenda.at(AT + 10, lambda: done.append("second"))
    agenda.run_until(AT + 10)
    assert (done, agenda.now) == (["first", "second"], AT + 10)
    agenda.run_until(AT + 30)
    assert (done[-1], agenda.now) == ("third", AT + 30)


def test_a_clock_goes_on_where_history_ended() -> None:
    agenda, seen = Agenda(AT - 100), list[float]()
    agenda.every(60, lambda: seen.append(agenda.now - AT), AT - 60)
    agenda.run_until(AT - 1)
    clock = ReferenceClock(BEGIN)
    agenda.follow(clock)
    assert seen == [-60]
    clock.advance(30.5)
    assert (seen, agenda.now) == ([-60, 0], AT + 30.5)
    clock.to(BEGIN + timedelta(minutes=3))
    assert seen == [-60, 0, 60, 120, 180]


def test_work_takes_the_time_that_it_yields() -> None:
    agenda, ends = Agenda(AT), list[tuple[object, float]]()

    def work(seconds: float) -> Generator[float, None, str]:
        yield seconds
        yield 0
        yield seconds
        return f"{seconds:g}"

    for seconds in (5.0, 4.0):
        agenda.perform(work(seconds), lambda ended: ends.append((ended, agenda.now - AT)))
    agenda.run_until(AT + 60)
    assert ends == [("4", 8), ("5", 10)]


def test_what_is_entered_while_the_clock_moves_is_done_in_the_same_move() -> None:
    clock, agenda, seen = ReferenceClock(BEGIN), Agenda(AT), list[float]()
    agenda.follow(clock)

    def first() -> None:
        agenda.at(AT + 20.25, lambda: seen.append(agenda.now - AT))

    agenda.at(AT + 10, first)
    clock.advance(60)
    assert seen == [20.25]


def test_an_alarm_that_was_overtaken_moves_nothing() -> None:
    clock, agenda, seen = ReferenceClock(BEGIN), Agenda(AT), list[tuple[float, float]]()
    agenda.follow(clock)

    def look() -> None:
        seen.append((agenda.now - AT, clock.now().timestamp() - AT))

    for seconds in (10, 5, 30, 2):
        agenda.at(AT + seconds, look)
    clock.advance(12)
    assert seen == [(2, 2), (5, 5), (10, 10)]
    assert agenda.now == AT + 12
    clock.advance(20)
    assert seen[-1] == (30, 30)
