"""What the suite computes by itself: routing, hard gates, stability, daily records, conditions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from pytest_rollout import NoValueError, Reported, RolloutError
from suites.eros.scenarios.weeks import span
from suites.eros.views import oracle
from suites.eros.views.journal import Run
from suites.eros.views.records import days_between, open_days
from suites.eros.views.routing import Flags, bucket, listed, percentage, switched_on
from suites.eros.views.service import Service, stamp
from suites.eros.views.steadiness import looks
from suites.eros.watched import so_far

BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
WEEK = timedelta(days=7)


def test_a_flag_wins_over_those_after_it() -> None:
    all_on = Flags(True, True, 100, frozenset({"alexia"}))
    assert Flags(False, True, 100).decide("alexia") == ("v4", "kill_switch")
    assert all_on.decide("alexia") == ("v4", "shadow")
    assert Flags(True, creators=frozenset({"alexia"})).decide("alexia") == ("v5", "list")
    assert Flags(True, percentage=100).decide("alexia") == ("v5", "percentage")
    assert Flags(True).decide("alexia") == ("v4", "default")


def test_a_bucket_is_the_one_of_the_contract() -> None:
    assert bucket("a") == 0xCA978112 % 100  # SHA-256 of "a" begins with ca978112


@pytest.mark.parametrize(
    ("text", "number"), [("25", 25), (" 50 ", 50), ("101", 0), ("-1", 0), ("25.5", 0), ("", 0)]
)
def test_a_percentage_that_is_none_is_zero(text: str, number: int) -> None:
    assert percentage(text) == number


def test_texts_of_flags() -> None:
    assert [text for text in ("true", "TRUE", "1", "yes", "", "false") if switched_on(text)] == [
        "true",
        "TRUE",
        "1",
    ]
    assert listed(" alexia, ,alexia,luna_free,") == {"alexia", "luna_free"}


# Hard gates

FREE = Reported({"name": "luna_free", "page_type": "free", "daily_limit": 2}, "roster")
PAID = Reported({"name": "alexia", "page_type": "paid", "daily_limit": 2}, "roster")


def items(*told: tuple[int, int, str]) -> list[Reported]:
    """Items that begin at an hour, last so many minutes, and are for an audience."""
    kind = {"kind": "post"}
    return [
        Reported(
            {**kind, "at": stamp(BEGIN + timedelta(hours=at)), "minutes": length, "audience": whom},
            "schedule",
        )
        for at, length, whom in told
    ]


@pytest.mark.parametrize(
    ("creator", "told", "broken"),
    [
        (PAID, [(9, 60, "all"), (10, 30, "paid")], ()),
        (PAID, [(9, 61, "all"), (10, 30, "paid")], ("overlap",)),
        (PAID, [(10, 30, "paid"), (9, 61, "all")], ("overlap",)),
        (PAID, [(9, 30, "all"), (10, 30, "all"), (11, 30, "all")], ("daily-limit",)),
        (PAID, [(9, 30, "all"), (10, 30, "all"), (35, 30, "all")], ()),
        (FREE, [(9, 30, "paid")], ("page-type",)),
        (FREE, [(9, 200, "paid"), (10, 30, "all"), (11, 30, "all")], oracle.RULES),
    ],
)
def test_a_schedule_breaks_rules(
    creator: Reported, told: list[tuple[int, int, str]], broken: tuple[str, ...]
) -> None:
    assert oracle.broken(items(*told), creator) == broken


def test_an_item_that_is_paid_for_is_for_paid_pages_also_where_it_says_all() -> None:
    (item,) = items((9, 30, "all"))
    paid_for = Reported({**item, "kind": "ppv"}, "an item")
    assert oracle.broken([item], FREE) == ()
    assert oracle.broken([paid_for], FREE) == ("page-type",)
    assert oracle.broken([paid_for], PAID) == ()


def drafted(day: int, hour: int, run_id: str = "v5-1", gate: str = "pass") -> Reported:
    at = BEGIN + timedelta(days=day, hours=hour)
    item = {"at": stamp(at), "minutes": 45, "kind": "post", "audience": "all"}
    about = {"run_id": run_id, "pipeline": "v5", "creator": "alexia", "gate": gate}
    return Reported({**about, "day": str(at.date()), "draft": [item]}, "a draft")


def test_a_day_is_planned_once() -> None:
    assert oracle.unlike([drafted(0, 9), drafted(0, 9), drafted(1, 10)]) == []
    assert oracle.unlike([drafted(0, 9), drafted(0, 10, gate="reject")]) == []
    (told,) = oracle.unlike([drafted(0, 9), drafted(0, 10, run_id="v5-2")])
    assert told == "run v5-2 of v5 planned alexia's 2026-01-05 otherwise"


def test_a_plan_of_each_day_is_a_copy_from_the_fifth_day_on() -> None:
    week = [drafted(day, 9) for day in range(5)]
    assert oracle.copied(week[:4]) == []
    assert oracle.copied(week) == ["v5 gives alexia the same plan on each of 5 days"]
    assert oracle.copied([*week, drafted(5, 10)]) == []


def test_a_schedule_is_what_was_drafted_or_less() -> None:
    good = items((9, 30, "all"), (10, 30, "paid"))
    assert oracle.within(good, good, PAID)
    assert not oracle.within(good[:1], good, PAID), "nothing is left out of a draft that is valid"
    assert oracle.within(good[:1], good, FREE), "a paid item is taken out of a free page"
    assert not oracle.within([], good, FREE)


# Stability


def run(at: timedelta, **said: Any) -> Run:
    """A run that ended so long after the begin."""
    ended = BEGIN + at
    told: dict[str, Any] = {
        "run_id": f"r{at}",
        "request_id": f"q{at}",
        "creator": "alexia",
        "pipeline": "v5",
    }
    took = timedelta(seconds=said.get("duration_s", 75))
    told |= {"shadow": False, "started": stamp(ended - took)}
    told |= {"ended": stamp(ended), "duration_s": 75, "outcome": "ok", "quality": 85}
    return Run(Reported({**told, "violations": [], **said}, "GET /runs"))


def week(**at_hour: Any) -> list[Run]:
    """Three runs a day; ``h31`` says what is different of the run at hour 31."""
    hours = [day * 24 + hour for day in range(7) for hour in (6, 14, 22)]
    return [run(timedelta(hours=hour), **at_hour.get(f"h{hour}", {})) for hour in hours]


def unstable(runs: Sequence[Run], *upsets: timedelta) -> list[int]:
    """The hours of the looks that find it unstable."""
    at = [BEGIN + upset for upset in upsets]
    found = looks(runs, at, BEGIN, BEGIN + WEEK)
    return [round((moment - BEGIN).total_seconds() / 3600) for moment, bad in found if bad]


def test_a_good_week_is_stable_from_its_begin_to_its_end() -> None:
    moments = [at for at, _ in looks(week(), [], BEGIN, BEGIN + WEEK)]
    assert (moments[0], moments[-1]) == (BEGIN, BEGIN + WEEK)
    assert unstable(week()) == []


def test_an_upset_is_seen_at_the_next_look() -> None:
    assert unstable(week(), timedelta(hours=31)) == [36]


SLOW = {"duration_s": 120}


def test_one_failure_in_twenty_is_borne_and_two_are_not() -> None:
    failed = {"outcome": "failed", "quality": None}
    assert unstable(week(h6=failed)) == []
    assert unstable(week(h6=failed, h14=failed))[0] == 18
    assert unstable(week(h6=SLOW, h14=SLOW))[0] == 18


def test_a_day_without_a_run_is_not_stable() -> None:
    silent = [one for one in week() if one.ended.date() != date(2026, 1, 7)]
    assert unstable(silent) == [72]


def test_a_mean_score_under_80_is_not_stable() -> None:
    low = {f"h{day * 24 + hour}": {"quality": 79.9} for day in range(7) for hour in (6, 14, 22)}
    assert unstable(week(**low))[0] == 6


# Daily records


def test_a_day_is_open_until_somebody_writes_that_it_is_done(tmp_path: Path) -> None:
    path = tmp_path / "records.jsonl"
    days = days_between(BEGIN, BEGIN + timedelta(days=3))
    assert [day.day for day in days] == [5, 6, 7]
    done = {"kind": "task", "phase": "canary", "task": "dashboard", "by": "ops"}
    told = [
        {**done, "day": "2026-01-05", "at": "2026-01-05T17:00:00Z"},
        {**done, "day": "2026-01-06", "at": "2026-01-09T17:00:00Z"},  # too late to have looked
        {**done, "day": "2026-01-07", "at": "2026-01-07T17:00:00Z", "by": " "},
        {**done, "day": "2026-01-06", "at": "2026-01-06T17:00:00Z", "phase": "shadow"},
    ]
    path.write_text("".join(f"{json.dumps(line)}\n" for line in told), encoding="utf-8")
    assert [day.day for day, left in open_days(path, "canary", "dashboard", days) if left] == [6, 7]
    with pytest.raises(NoValueError):
        open_days(path, "canary", "dashboard", [])
    path.write_text("{\n", encoding="utf-8")
    with pytest.raises(RolloutError, match="line 1"):
        open_days(path, "canary", "dashboard", days)


# What a watch is told


def service(*runs: Run) -> Service:
    """A service whose flags became those of the canary at the begin."""
    changes = [
        {"at": stamp(BEGIN - WEEK), "phase": "shadow"},
        {"at": stamp(BEGIN), "phase": "canary"},
    ]

    def answer(request: httpx.Request) -> httpx.Response:
        said: dict[str, object] = {"changes": changes}
        if request.url.path == "/runs":
            since = datetime.fromisoformat(request.url.params["since"])
            said = {"runs": [dict(one.said) for one in runs if one.started >= since]}
        return httpx.Response(200, json=said)

    return Service(httpx.Client(base_url="http://eros", transport=httpx.MockTransport(answer)))


def test_a_phase_lasts_from_its_flags_to_other_ones() -> None:
    assert span(service(), "canary") == (BEGIN, None)
    assert span(service(), "shadow") == (BEGIN - WEEK, BEGIN)
    with pytest.raises(NoValueError, match="percent25"):
        span(service(), "percent25")


def test_a_watch_is_told_which_conditions_held() -> None:
    assert so_far(service(*week()), "canary")["conditions_held"] == 0
    bad = so_far(service(*week(h30={"violations": ["overlap"]})), "canary")
    assert bad["conditions_held"] == 1
    assert bad["conditions"] == {"gr-gate-violation": "2026-01-06T06:00:00+00:00"}
    assert so_far(service(run(-timedelta(hours=1), violations=["overlap"])), "canary")["runs"] == 0
