"""Answers of a target, read field by field: what is missing or odd is said in words."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from pytest_rollout import Field, NotReportedError, Reported, reported

STATUS = {
    "queue_depth": 3,
    "timestamp": "2025-11-10T14:05:00Z",
    "lanes": [{"lane_name": "Code-API", "running": 2, "utilization": None}, {"running": True}],
    "health": {"status": "ok", "redis": True},
}


def said(**more: Any) -> Reported:
    return Reported({**STATUS, **more}, "GET /status")


def test_what_is_there_is_read() -> None:
    assert said().whole("queue_depth") == 3
    assert said().moment("timestamp").isoformat() == "2025-11-10T14:05:00+00:00"
    assert said().inner("health").flag("redis") is True
    lane, _ = said().each("lanes")
    assert lane.text("lane_name") == "Code-API"
    assert lane.number_or_none("utilization") is None
    assert json.loads(json.dumps(said())) == STATUS


@pytest.mark.parametrize(
    ("read", "words"),
    [
        (
            lambda one: one["depth"],
            "the target does not report depth "
            "(GET /status answers with health, lanes, queue_depth, timestamp)",
        ),
        (
            lambda one: one.each("lanes")[1]["lane_name"],
            "the target does not report lanes[1].lane_name (GET /status: lanes[1] has running)",
        ),
        (
            lambda one: one["health"]["db"],
            "the target does not report health.db (GET /status: health has redis, status)",
        ),
        (
            lambda one: one.number("health"),
            "health is {'status': 'ok', 'redis': True}, not a number (GET /status)",
        ),
        (
            lambda one: one.each("lanes")[1].number("running"),
            "lanes[1].running is True, not a number (GET /status)",
        ),
        (
            lambda one: one.each("lanes")[0].number("utilization"),
            "lanes[0].utilization is null, not a number (GET /status)",
        ),
        (lambda one: one.text("queue_depth"), "queue_depth is 3, not a text (GET /status)"),
        (lambda one: one.flag("queue_depth"), "queue_depth is 3, not true or false (GET /status)"),
        (lambda one: one.each("queue_depth"), "queue_depth is 3, not a list (GET /status)"),
        (lambda one: one.inner("lanes"), "not an object (GET /status)"),
        (lambda one: one.moment("queue_depth"), "not a time in ISO 8601"),
    ],
)
def test_what_is_missing_or_odd_is_said(read: Callable[[Reported], object], words: str) -> None:
    with pytest.raises(NotReportedError) as told:
        read(said())
    assert words in str(told.value)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("many", "depth is 'many', not a number"),
        (float("nan"), "depth is nan, not a finite number"),
        (2.5, "depth is 2.5, not a whole number"),
        (None, "depth is null, not a number"),
    ],
)
def test_an_odd_number_is_said(value: object, words: str) -> None:
    with pytest.raises(NotReportedError, match=words):
        said(depth=value).whole("depth")


def test_times_need_a_zone_and_lists_objects() -> None:
    with pytest.raises(NotReportedError, match="a time with a zone"):
        said(timestamp="2025-11-10T14:05:00").moment("timestamp")
    with pytest.raises(NotReportedError, match=r"lanes\[1\] is 4, not an object"):
        said(lanes=[{}, 4]).each("lanes")


FIELDS = {
    "queue_depth": Field("queue.waiting"),
    "lanes": Field(
        "running_by_lane",
        each={
            "lane_name": Field("$key"),
            "utilization": Field("load", per=100),
            "status": Field("state", words={"busy": "executing"}),
        },
    ),
}
DIALECT = {
    "queue": {"waiting": 7},
    "queue_depth": "said elsewhere",
    "running_by_lane": {"Code-API": {"load": 55, "state": "busy"}, "Narrative": {"state": "odd"}},
}


def test_another_dialect_is_read_by_the_same_names() -> None:
    one = Reported(DIALECT, "GET /status", FIELDS)
    assert one.whole("queue_depth") == 7
    lane, other = one.each("lanes")
    assert lane.text("lane_name") == "Code-API"
    assert lane.number("utilization") == 0.55
    assert lane.text("status") == "executing"
    assert other.text("status") == "odd"
    with pytest.raises(NotReportedError, match="utilization, looked for at load"):
        other.number("utilization")


def test_a_mapped_field_is_read_from_nowhere_else() -> None:
    one = Reported({"queue_depth": 3}, "GET /status", FIELDS)
    with pytest.raises(NotReportedError, match=r"looked for at queue\.waiting"):
        one.whole("queue_depth")
    assert one.get("queue_depth") is None


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (httpx.Response(503), "GET /status answers 503, not 200"),
        (httpx.Response(200, text="<html>log in"), "answers with no JSON but '<html>log in'"),
        (httpx.Response(200, json=[1]), "answers with a list, not with an object"),
        (httpx.Response(200, json=4), "answers with 4, not with an object"),
    ],
)
def test_an_odd_answer_is_said_when_it_is_read(response: httpx.Response, words: str) -> None:
    response.request = httpx.Request("GET", "http://127.0.0.1/status")
    one = reported(response)
    for look in (lambda: one["a"], lambda: one.get("a"), lambda: one.number("a")):
        with pytest.raises(NotReportedError) as told:
            look()
        assert words in str(told.value)


def test_an_answer_of_trouble_can_be_read_where_that_is_asked() -> None:
    request = httpx.Request("GET", "http://127.0.0.1/status")
    answer = httpx.Response(503, json={"redis": False}, request=request)
    assert reported(answer, any_status=True).flag("redis") is False
