"""What the suite of PAS recomputes: windows, graphs, verdicts, documents, and its recorder."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from pytest_rollout import NoValueError, Reported
from suites.pas.scenarios.misses import sides
from suites.pas.views import documents
from suites.pas.views.graph import Node, at_work, edges, layered, seen_early, too_early
from suites.pas.views.lanes import LANES, LIMITS, due_verdict, sound
from suites.pas.views.recorder import recording
from suites.pas.views.records import ZONE, in_stand_up, may_change, working_days


def new_york(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("at", "may"),
    [
        ("2025-11-10T09:00", True),
        ("2025-11-10T08:59:59", False),
        ("2025-11-13T15:59:59", True),
        ("2025-11-13T16:00", False),
        ("2025-11-14T10:00", False),  # a Friday
        ("2025-11-08T10:00", False),  # a Saturday
        ("2025-11-27T10:00", False),  # a Thursday, and Thanksgiving
    ],
)
def test_when_changes_may_be_made(at: str, may: bool) -> None:
    assert may_change(new_york(at)) is may


@pytest.mark.parametrize(
    ("at", "frozen"),
    [
        ("2025-11-10T09:29:59", False),
        ("2025-11-10T09:30", True),
        ("2025-11-10T09:44:59", True),
        ("2025-11-10T09:45", False),
        ("2025-11-08T09:35", False),
    ],
)
def test_when_the_stand_up_is(at: str, frozen: bool) -> None:
    assert in_stand_up(new_york(at)) is frozen


def test_working_days_leave_weekends_and_holidays_out() -> None:
    days = working_days(date(2025, 11, 10), date(2026, 1, 16))
    assert len(days) == 50 - 3
    assert date(2025, 12, 25) not in days
    assert date(2025, 11, 15) not in days


# Graphs


def test_a_graph_has_each_lane_and_many_dependencies() -> None:
    both = [*layered(0), *layered(20)]
    for lane in LANES:
        assert sum(node.lane == lane for node in both) >= 6
    names = {node.name for node in layered(0)}
    needs = edges(layered(0))
    assert len(needs) == 32
    assert all(above in names and above < below for above, below in needs)


def task(status: str, started: str | None = None, finished: str | None = None) -> Reported:
    told = {"status": status, "started_at": started, "finished_at": finished, "lane": "Narrative"}
    return Reported(told, "a test")


def test_a_task_that_begins_before_its_need_is_over_is_early() -> None:
    above = task("succeeded", "2025-11-07T14:00:00Z", "2025-11-07T14:00:09Z")
    late = task("succeeded", "2025-11-07T14:00:09Z", "2025-11-07T14:00:12Z")
    early = task("succeeded", "2025-11-07T14:00:08Z", "2025-11-07T14:00:12Z")
    assert not too_early({"a": above, "b": late}, "a", "b")
    assert too_early({"a": above, "b": early}, "a", "b")
    assert too_early({"a": task("running"), "b": late}, "a", "b")
    assert not too_early({"a": above, "b": task("queued")}, "a", "b")


def test_a_look_sees_who_is_early_whatever_the_times_say() -> None:
    sound_look = {"a": task("running"), "b": task("queued")}
    assert not seen_early([sound_look], "a", "b")
    assert seen_early([sound_look, {"a": task("running"), "b": task("running")}], "a", "b")


def test_tasks_at_work_are_counted_by_lane() -> None:
    status = Reported({"tasks": [dict(task("running")), dict(task("queued"))]}, "a test")
    assert at_work([status, status])["Narrative"] == 2
    assert at_work([status])["Code-Impl"] == 0


# Verdicts


@pytest.mark.parametrize("kpi", list(LIMITS))
def test_both_sides_of_each_threshold(kpi: str) -> None:
    at, beyond = sides(kpi)
    assert due_verdict(kpi, at, LIMITS[kpi])
    assert not due_verdict(kpi, beyond, LIMITS[kpi])


def test_a_receipt_is_sound_by_its_value() -> None:
    told = {"kpi": "schema_diff", "value": 1, "threshold": 0, "pass": False}
    assert sound(Reported(told, "a test"))
    assert not sound(Reported({**told, "pass": True}, "a test"))
    assert not sound(Reported({**told, "threshold": 2, "pass": True}, "a test"))


# Documents

DOCUMENT = """# A

## Safety and sandbox

Tools are allowed by name, budgets are guarded, and nothing is written outside of the sandbox.

## Observability

| Component | Status | Owner |
| --- | --- | --- |
| **VP CLI** | Shipped | Engineering |

| Item | Owner |
|---|---|
| code index | Engineering |
"""


def test_a_topic_needs_a_section_with_text() -> None:
    assert documents.treats(DOCUMENT, re.compile("safety", re.IGNORECASE))
    assert not documents.treats(DOCUMENT, re.compile("replay", re.IGNORECASE))
    assert not documents.treats("## Safety\n\nTo do.\n", re.compile("Safety"))


def test_a_table_is_found_by_its_columns() -> None:
    (row,) = documents.table(DOCUMENT, "Component", "Status")
    assert row == {"Component": "VP CLI", "Status": "Shipped", "Owner": "Engineering"}
    assert documents.table(DOCUMENT, "Item")[0]["Owner"] == "Engineering"
    with pytest.raises(NoValueError, match="no table with the columns Due"):
        documents.table(DOCUMENT, "Due")


# The recorder


@pytest.fixture
def upstream() -> Iterator[str]:
    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(409 if "refused" in self.path else 200)
            self.end_headers()
            self.wfile.write(b'{"task_id": "t1"}')

        def log_message(self, *_: object, **__: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_recorder_keeps_what_was_asked_and_answered(upstream: str) -> None:
    with recording(upstream) as recorder, httpx.Client(base_url=recorder.url) as client:
        for path in ("/cards?run=r1", "/refused"):
            answer = client.post(path, json={"lane": "Narrative"}, headers={"Idempotency-Key": "k"})
            assert answer.json() == {"task_id": "t1"}
        first, second = recorder.calls
        assert recorder.of("POST", "/cards") == [first]
    assert (first.status, second.status) == (200, 409)
    assert (first.key, first.query) == ("k", {"run": "r1"})
    assert (first.body, first.answer) == ({"lane": "Narrative"}, {"task_id": "t1"})


def test_a_node_is_what_it_says() -> None:
    assert edges([Node("b", "Narrative", ("a",))]) == [("a", "b")]
