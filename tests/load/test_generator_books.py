"""The books of a load: who is lost, what was planned of them, and files that are whole."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_rollout.load.generator import clock, histograms, writing
from pytest_rollout.load.generator.asking import ASKED, Asked, Asker
from pytest_rollout.load.generator.books import Books
from pytest_rollout.load.generator.facts import Watch
from pytest_rollout.load.generator.found import Order
from pytest_rollout.load.generator.parts import Part, from_message, to_message
from pytest_rollout.load.generator.recorder import Recorder
from pytest_rollout.load.schedule import arrivals
from pytest_rollout.model.load import GeneratorFacts, LoadProfile, LoadRecord, Offer
from tests.load.records import record_of

PROFILE = LoadProfile("nightly", "", "lf.py", "web", Offer(4_000_000, rate=50))


def books(folder: Path, workers: int = 2) -> Books:
    """The books of a load of some workers."""
    order = Order(PROFILE, folder / "record.json", folder / "status.json")
    made = Books(order, lambda: None)
    made.workers = {number: f"{number} on here" for number in range(workers)}
    return made


def a_part(worker: int, number: int = 0, *, seconds: int = 4, last: bool = True) -> Part:
    """A worker's part: all that it planned in some seconds was answered at once."""
    recorder = Recorder(4.0, 0.0, open_loop=True)
    recorder.begin = 0.0
    for planned in arrivals(PROFILE, worker, 2):
        if planned < seconds:
            recorder.start(planned, planned)
            asked = Asked(1, "ok", planned, 0.0, Asker(), may_redirect=False)
            recorder.on_request("ok", 1.0, None, {ASKED: asked})
    tally = recorder.take(None, 0)
    for second in tally.seconds.values():
        second.planned = second.started
    facts = GeneratorFacts(f"{worker} on here", completed=last)
    figures = {"begin_us": 1, "elapsed_us": seconds * 1_000_000, "started": recorder.started}
    return Part.of(tally, facts, worker=worker, number=number, **figures)


def whole_plan() -> int:
    """How many arrivals both workers plan."""
    return sum(1 for worker in range(2) for _ in arrivals(PROFILE, worker, 2))


def test_the_record_of_workers_who_report_to_the_end_is_complete(tmp_path: Path) -> None:
    kept = books(tmp_path)
    for worker in range(2):
        kept.take(a_part(worker))
    assert kept.completed
    record = kept.close(reached=True)
    assert (record.completed, record.trouble, record.dropped) == (True, "", 0)
    assert record.planned == record.started == whole_plan()


@pytest.mark.parametrize("lost", ["silent", "in the middle", "with a gap"])
def test_a_lost_worker_is_named_and_its_plan_counts_to_the_end(tmp_path: Path, lost: str) -> None:
    kept = books(tmp_path)
    kept.take(a_part(0))
    if lost == "in the middle":
        kept.take(a_part(1, seconds=2, last=False))
    if lost == "with a gap":
        kept.take(a_part(1, number=1, seconds=2))
    record = kept.close(reached=True)
    assert record.trouble == "did not report to the end: 1 on here"
    told = {facts.worker: facts.completed for facts in record.generators}
    assert told == {"0 on here": True, "1 on here": False}
    assert record.planned == whole_plan() == record.started + record.dropped
    assert record.dropped > 40
    assert sum(second.planned for second in record.seconds) == whole_plan()


def test_how_far_apart_the_workers_began_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the clock of who adds up: each part tells how long its worker had run by then."""
    kept = books(tmp_path)
    for now, part in ((104.0, a_part(0)), (107.1, a_part(1, seconds=2, last=False))):
        monkeypatch.setattr(clock, "steady", lambda now=now: now)
        kept.take(part)
    monkeypatch.setattr(clock, "steady", lambda: 109.0)
    kept.take(a_part(1, number=1))
    assert kept.close(reached=True).begins_apart_us == 5_000_000


def test_what_a_process_says_of_its_tasks_is_added_up(tmp_path: Path) -> None:
    kept = books(tmp_path)
    for worker in range(2):
        told = replace(a_part(worker), unasked=2, raised=3, beside=4)
        kept.take(from_message(to_message(told)))
    record = kept.close(reached=True)
    assert (record.unasked, record.raised, record.beside) == (4, 6, 8)


def test_what_ended_early_says_when(tmp_path: Path) -> None:
    kept = books(tmp_path, workers=1)
    assert kept.close(reached=False).trouble == "it was stopped before it began"
    kept = books(tmp_path, workers=1)
    kept.take(a_part(0, seconds=2, last=False))
    assert kept.close(reached=False).trouble == "it was stopped after 2.0 s of 4 s"


def test_the_status_is_written_with_each_part_that_is_due_and_never_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "steady", lambda: 100.0)
    kept = books(tmp_path)
    kept.take(a_part(0))
    first = (tmp_path / "status.json").read_text(encoding="utf-8")
    kept.take(a_part(1))
    assert (tmp_path / "status.json").read_text(encoding="utf-8") == first
    told = json.loads(first)
    assert (told["completed"], told["started"] > 0) == (False, True)
    assert not (tmp_path / "record.json").exists()


def test_a_status_that_cannot_be_written_ends_no_load(tmp_path: Path) -> None:
    (tmp_path / "status.json").mkdir()
    kept = books(tmp_path, workers=1)
    kept.take(a_part(0))
    assert kept.completed


def test_a_status_is_dropped_where_the_record_overtook_it(tmp_path: Path) -> None:
    at = tmp_path / "status.json"
    record = record_of()

    def overtaken() -> None:
        if not at.exists():
            writing.write_record(at, record)

    partial = replace(record, completed=False)
    writing.write_status(at, partial, overtaken, lambda: not at.exists())
    assert json.loads(at.read_text(encoding="utf-8"))["completed"] is True
    assert list(tmp_path.iterdir()) == [at]


def test_a_file_holds_what_was_recorded(tmp_path: Path) -> None:
    from pytest_rollout.load.files import read_record

    record = record_of(endpoints=(), most_users=3)
    for kept in (record, record_of(), replace(record_of(), endpoints=record_of().endpoints * 2)):
        writing.write_record(tmp_path / "in" / "record.json", kept)
        assert read_record(tmp_path / "in" / "record.json") == kept


class Watched:
    """Clocks that a test sets."""

    steady = 0.0
    processor = 0.0
    wall = 1000.0


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Watched:
    """The clocks of the generator, set by the test."""
    held = Watched()
    for name in ("steady", "processor", "wall"):
        monkeypatch.setattr(clock, name, lambda name=name: getattr(held, name))
    return held


def test_the_share_of_a_core_is_the_mean_and_the_largest_over_five_seconds(
    clocks: Watched,
) -> None:
    watch = Watch()
    for second in range(1, 21):
        clocks.steady += 1
        clocks.processor += 0.9 if 6 <= second <= 10 else 0.1
        watch.tick()
    facts = watch.facts("0 on here", completed=True)
    assert facts.cpu_share == pytest.approx((5 * 0.9 + 15 * 0.1) / 20)
    assert facts.cpu_peak == pytest.approx(0.9)


def test_a_long_sleep_stands_for_the_wake_ups_that_it_kept_from_happening() -> None:
    watch = Watch()
    for _ in range(900):
        watch.woke(100)
    watch.woke(1_000_000)
    late = watch.facts("0", completed=True).late_wakeups_us
    assert late == pytest.approx(900_000, rel=0.02)
    assert watch.facts("0", completed=True).clock_jump_us == 0


def test_the_record_reads_as_the_model_says(tmp_path: Path) -> None:
    kept = books(tmp_path, workers=1)
    kept.take(a_part(0))
    record: LoadRecord = kept.close(reached=True)
    (endpoint,) = record.endpoints
    assert set(endpoint.latency) == {str(histograms.largest_in(histograms.index_of(1000)))}
    assert record.tools.keys() == {"locust", "hdrhistogram"}
    assert record.ended_us - record.started_us == 4_000_000
