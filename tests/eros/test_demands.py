"""What the suite says of runs, plans and alerts that are not as they should be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from pytest_rollout import Reported
from suites.eros.scenarios.flag_trials import Request
from suites.eros.scenarios.operations import Operations
from suites.eros.scenarios.unheard import (
    CLOSED,
    REFUSES,
    SILENT,
    TAKES,
    Look,
    Unheard,
    demand_heard,
)
from suites.eros.test_flags_served import _unlike
from suites.eros.views import oracle
from suites.eros.views.routing import Flags
from suites.eros.views.service import Service

BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
BOTH = ("slack", "pagerduty")


def drafted(creator: str, day: int, hour: int, pipeline: str = "v4") -> Reported:
    """What a pipeline planned of a day for a creator: one item, at an hour."""
    at = BEGIN + timedelta(days=day, hours=hour)
    item = {"at": at.isoformat(), "minutes": 45, "kind": "post", "audience": "all"}
    about = {"pipeline": pipeline, "creator": creator, "day": str(at.date())}
    return Reported({**about, "draft": [item]}, "a draft")


def test_a_day_that_most_creators_had_before_is_a_copy() -> None:
    first = [drafted(f"c{number}", 0, 6 + number) for number in range(6)]
    same = [drafted(f"c{number}", 1, 6 + number) for number in range(6)]
    other = [drafted(f"c{number}", 1, 7 + number) for number in range(6)]
    (told,) = oracle.repeated([*first, *same])
    assert told == "v4 plans 2026-01-06 as it did 2026-01-05, for 6 of 6 creators"
    assert oracle.repeated([*first, *same[:3], *other[3:]]) == [], "half of them may be alike"
    assert oracle.repeated([*first, *same[:4]]) == [], "four creators are too few"
    assert oracle.repeated([*first, *(drafted(f"c{n}", 1, 6 + n, "v5") for n in range(6))]) == []


def undelivered(channel: str) -> Reported:
    """A line of the log: a message did not get through to a channel."""
    said = {"at": BEGIN.isoformat(), "logger": "eros.monitoring", "level": "ERROR"}
    about = {"event": "undelivered", "channel": channel, "error": "it timed out"}
    return Reported({**said, **about}, "a line")


def look(alerted: bool, *took: str, by: str = "Olga") -> Look:
    """What the controller says of an alert that some channels have taken."""
    return Look(alerted, by, frozenset(took))


def tried(looks: Sequence[Look], slack: str, *logged: str) -> list[Unheard]:
    """A rollback by a request while Slack does something and the pager takes messages."""
    return [Unheard("request", slack, TAKES, looks, [*map(undelivered, logged)])]


def test_who_was_alerted_is_known_by_the_channels() -> None:
    demand_heard(tried([look(True, *BOTH)], TAKES))
    demand_heard(tried([look(False, "pagerduty"), look(True, *BOTH)], REFUSES))
    demand_heard(tried([look(False, "pagerduty")], CLOSED, "slack"))


@pytest.mark.parametrize(
    ("looks", "slack", "logged", "says"),
    [
        ([look(True)], CLOSED, ["slack"], "is not there.*alerted is True, and no channel took"),
        ([look(True, "pagerduty")], REFUSES, ["slack"], "and pagerduty took the message"),
        ([look(False, *BOTH)], TAKES, [], "alerted is False"),
        ([look(False, "pagerduty")], REFUSES, [], "no log says that the alert did not reach slack"),
        ([look(False, "pagerduty")], REFUSES, [*BOTH], "a channel took it, the log says"),
        ([look(False, "slack")], TAKES, ["pagerduty"], "pagerduty takes messages, and the alert"),
        ([look(False)], SILENT, ["slack"], "pagerduty takes messages, and the alert did not come"),
        ([look(True, *BOTH, by="nobody")], TAKES, [], "said to be by nobody"),
    ],
)
def test_an_alert_that_was_not_taken_is_said(
    looks: Sequence[Look], slack: str, logged: Sequence[str], says: str
) -> None:
    with pytest.raises(AssertionError, match=says):
        demand_heard(tried(looks, slack, *logged))


def test_requests_whose_runs_are_missing_are_named(tmp_path: Path) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        run = {"run_id": "v5-1", "request_id": "r-1", "started": BEGIN.isoformat()}
        return httpx.Response(200, json={"runs": [{**run, "ended": BEGIN.isoformat()}]})

    client = httpx.Client(transport=httpx.MockTransport(answer), base_url="http://eros")
    Operations(Service(client), tmp_path, (), BEGIN, True, ["r-1"]).demand_runs()
    says = "runs are missing: 3 requests were answered, .* no run of 2 of them, as of r-2, r-3"
    with pytest.raises(AssertionError, match=says):
        Operations(Service(client), tmp_path, (), BEGIN, True, ["r-1", "r-2", "r-3"]).demand_runs()


def test_the_flag_that_differs_is_named() -> None:
    flags = Flags(enabled=True, creators=frozenset({"alexia"}))
    answer = Reported({"request_id": "r-1"}, "an answer")
    request = Request("alexia", flags, 200, answer, "list", "r-1")
    told = {"creator": "alexia", "target": "v5", "reason": "list", "shadow": False}
    right = Reported({**told, "flags": flags.typed()}, "a line")
    assert list(_unlike(right, request)) == []
    stale = Reported({**told, "flags": {**flags.typed(), "EROS_V5_CREATORS": []}}, "a line")
    assert list(_unlike(stale, request)) == ["EROS_V5_CREATORS is [], not ['alexia']"]
