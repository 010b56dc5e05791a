"""Nightly, rehearsed only: what many starts at the same time must not break."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from pytest_rollout import Observe
from suites.plms.scenarios.malformed_starts import MALFORMED
from suites.plms.scenarios.write_bursts import RETRIES, Asked, Bursts
from suites.plms.views.portfolio import LANES

pytestmark = pytest.mark.plms_nightly

_OK, _CLIENT, _SERVER = 200, 400, 500
_BUSY = 409
_MIDWAY = 10  # looks into the registry while starts came in


@pytest.mark.criterion("retries-make-one-run")
def test_calls_at_once_with_one_key_make_one_run(write_bursts: Bursts) -> None:
    for retried in write_bursts.retried:
        statuses = sorted({call.status for call in retried.calls} - {_OK, _BUSY})
        assert not statuses, f"of {RETRIES} calls at once with one key some answer {statuses}"
        told = {call.run_id for call in retried.calls if call.status == _OK}
        stored = [row["run_id"] for row in retried.rows]
        assert len(stored) == 1, f"{RETRIES} calls at once with one key left the runs {stored}"
        assert told == set(stored), f"the registry has run {stored[0]}, told were {told}"
        first = [call for call in retried.calls if call.status == _OK and not call.replay]
        assert len(first) == 1, f"{len(first)} of {RETRIES} calls say that they are the first"


@pytest.mark.criterion("burst-answered")
def test_no_start_of_a_burst_fails(write_bursts: Bursts, observe: Observe) -> None:
    written = write_bursts.written
    failed = [asked.status for asked in written if asked.status != _OK]
    observe.ratio("burst_start_failed", bad=len(failed), of=len(written))
    ids = [asked.run_id for asked in written if asked.status == _OK]
    assert all(isinstance(run, str) and run for run in ids), "a start was told no run"
    assert len(set(ids)) == len(ids), f"{len(ids)} starts were told {len(set(ids))} runs"


@pytest.mark.criterion("burst-in-order")
def test_rows_follow_the_order_of_the_starts(write_bursts: Bursts, observe: Observe) -> None:
    told = [asked for asked in write_bursts.written if asked.status == _OK]
    stored = [row["run_id"] for row in write_bursts.rows]
    strangers = set(stored) - {asked.run_id for asked in told}
    assert not strangers, f"the registry has runs that nobody was told: {sorted(strangers)[:3]}"
    assert len(set(stored)) == len(stored), "a run has more than one row"
    owners = {row["run_id"]: row["project_id"] for row in write_bursts.rows}
    places = {run: place for place, run in enumerate(stored)}
    earlier = {asked: _latest(told, asked, places) for asked in told}
    wrong = [
        asked
        for asked in told
        if owners.get(asked.run_id) != asked.project or places[asked.run_id] < earlier[asked]
    ]
    observe.ratio("row_out_of_order", bad=len(wrong), of=len(told))
    compared = sum(place >= 0 for place in earlier.values())
    assert compared > len(told) / 2, f"only {compared} of {len(told)} starts came after another"


def _latest(told: Sequence[Asked], start: Asked, places: Mapping[object, int]) -> int:
    """The place of the last row of those starts that were answered before one was sent."""
    before = [places.get(asked.run_id, -1) for asked in told if asked.told_at < start.sent]
    return max(before, default=-1)


@pytest.mark.criterion("burst-in-order")
def test_runs_only_get_more_during_a_burst(write_bursts: Bursts) -> None:
    looks = write_bursts.looks
    answered = [asked.told_at for asked in write_bursts.written if asked.status == _OK]
    for now in looks:
        earlier = max((each.all for each in looks if each.ended < now.begun), default=0)
        assert now.all >= earlier, f"the registry had {earlier} runs, and {now.all} later"
        told = sum(at < now.begun for at in answered)
        assert now.all >= told, f"{told} starts were answered, the registry had {now.all} runs"
    midway = [now.all for now in looks if 0 < now.all < len(answered)]
    assert len(set(midway)) >= _MIDWAY, f"meanwhile the registry was read with {midway} runs in it"


@pytest.mark.criterion("burst-within-caps")
def test_no_lane_runs_more_than_its_cap_in_a_burst(write_bursts: Bursts, observe: Observe) -> None:
    for lane, cap in LANES.items():
        over = [now.count(lane, "executing") - cap for now in write_bursts.looks]
        observe.distribution("burst_over_cap", over, lane=lane)
    last = write_bursts.looks[-1]
    stored = {lane: last.count(lane, "executing") for lane in LANES}
    assert stored == LANES, f"each lane has more work than its cap, and {stored} run, not {LANES}"
    told = {lane.name: lane.running for lane in write_bursts.told.lanes}
    assert told == stored, f"told are {told} runs, the registry has {stored}"
    waiting = {lane.name: lane.queued for lane in write_bursts.told.lanes}
    assert waiting == {lane: last.count(lane, "submitted") for lane in LANES}, f"told are {waiting}"


@pytest.mark.criterion("malformed-refused")
def test_malformed_starts_are_refused(write_bursts: Bursts, observe: Observe) -> None:
    assert write_bursts.garbage.told.keys() == MALFORMED.keys()
    for name, told in write_bursts.garbage.told.items():
        statuses = [asked.status for asked in told]
        wrong = [status for status in statuses if not _CLIENT <= status < _SERVER]
        observe.ratio("malformed_not_refused", bad=len(wrong), of=len(told), mistake=name)
        assert len(set(statuses)) == 1, f"{name} is answered with {sorted(set(statuses))}"


@pytest.mark.criterion("malformed-leaves-nothing")
def test_malformed_starts_leave_nothing(write_bursts: Bursts) -> None:
    garbage = write_bursts.garbage
    assert not garbage.left.changes, f"malformed starts did this: {garbage.left.in_words()}"
    refused = [asked.status for asked in garbage.after if asked.status != _OK]
    assert not refused, f"right after them proper starts are refused: {refused}"


@pytest.mark.criterion("malformed-bounded")
def test_malformed_starts_are_answered_soon(write_bursts: Bursts, observe: Observe) -> None:
    for name, told in write_bursts.garbage.told.items():
        seconds = [asked.seconds for asked in told]
        observe.distribution("malformed_seconds", seconds, mistake=name)


@pytest.mark.criterion("writers-within-limit")
def test_writers_do_not_hold_up_each_other(write_bursts: Bursts, observe: Observe) -> None:
    for writers, told in write_bursts.writers.items():
        refused = [asked.status for asked in told if asked.status != _OK]
        assert not refused, f"{writers} writers were answered {refused[:3]}"
        seconds = [asked.seconds for asked in told]
        observe.distribution("write_seconds", seconds, writers=str(writers))
