"""What the later phases compute by themselves: schemas, metrics, steps of writers, runbooks."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import httpx
import pytest

from pytest_rollout import NotReportedError, NoValueError, RolloutError
from suites.bridge.scenarios.loaded import Asked, Written
from suites.bridge.scenarios.trials import Trials
from suites.bridge.views.exposition import Between, Scrape, scrape
from suites.bridge.views.papers import sections, table
from suites.bridge.views.runbooks import Known, section_problem
from suites.bridge.views.schemas import breaks


def body(name: str) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}}


def schema() -> dict[str, Any]:
    post = {
        "parameters": [{"in": "query", "name": "limit", "schema": {"type": "integer"}}],
        "requestBody": body("Ask"),
        "responses": {"201": body("Thread")},
    }
    thread = {"id": {"type": "string"}, "created_at": {"type": "string"}}
    named = {
        "Ask": {"type": "object", "properties": {"title": {"type": "string"}}},
        "Thread": {"type": "object", "required": ["id"], "properties": thread},
    }
    return {"paths": {"/v1/threads": {"post": post}}, "components": {"schemas": named}}


def gains(after: dict[str, Any]) -> None:
    named = after["components"]["schemas"]
    named["Ask"]["properties"]["team"] = {"type": "string"}
    named["Thread"]["properties"]["team"] = {"type": "string"}
    named["Thread"]["required"] = ["id", "team"]


def drops_field(after: dict[str, Any]) -> None:
    del after["components"]["schemas"]["Thread"]["properties"]["created_at"]


def retypes(after: dict[str, Any]) -> None:
    after["components"]["schemas"]["Thread"]["properties"]["id"] = {"type": "integer"}


def demands(after: dict[str, Any]) -> None:
    after["components"]["schemas"]["Ask"]["required"] = ["title"]


def demands_parameter(after: dict[str, Any]) -> None:
    after["paths"]["/v1/threads"]["post"]["parameters"][0]["required"] = True


def drops_operation(after: dict[str, Any]) -> None:
    del after["paths"]["/v1/threads"]["post"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (gains, ""),
        (drops_field, "has lost created_at"),
        (retypes, "was string and is integer"),
        (demands, "demands title"),
        (demands_parameter, "limit is demanded"),
        (drops_operation, "it is gone"),
    ],
)
def test_what_a_release_breaks(change: Any, said: str) -> None:
    after = deepcopy(schema())
    change(after)
    found = [problem for problem in breaks(schema(), after).values() if problem]
    assert all(said in problem for problem in found)
    assert bool(found) == bool(said)


def look(text: str) -> Scrape:
    transport = httpx.MockTransport(lambda request: httpx.Response(200, text=text))
    with httpx.Client(base_url="http://bridge", transport=transport) as client:
        return scrape(client)


def test_what_rose_between_two_looks() -> None:
    counter, gauge = "# TYPE posts_total counter\n", "# TYPE threads gauge\n"
    before = look(f'{counter}posts_total{{by="a"}} 2\n{gauge}threads{{state="active"}} 5\n')
    rows = 'posts_total{by="a"} 1\nposts_total{by="b"} 4\n'
    after = look(f'{counter}{rows}{gauge}threads{{state="active"}} 3\n')
    between = Between(before, after)
    assert between.rose("posts_total", by="b") == 4
    assert between.rose_by("posts_total", "by") == {"a": -1, "b": 4}
    assert between.fell() == ["posts_total{'by': 'a'}"], "a gauge may fall"
    assert not after.has("posts_total", by="c")
    with pytest.raises(NotReportedError, match="loops_total"):
        after.sum("loops_total")


def test_the_most_writers_within_a_limit() -> None:
    def step(seconds: float, bad: int = 0) -> list[Asked]:
        good = [Asked(0, seconds, 201)] * (64 - bad)
        return good + [Asked(0, 0.1, 503)] * bad

    steps = {1: step(0.1), 2: step(2.0), 4: step(2.1), 8: step(0.1)}
    assert Written(steps, [], []).within(2.0) == 2
    assert Written({1: step(0.1), 2: step(0.1, bad=1)}, [], []).within(2.0) == 1


KNOWN = Known(
    frozenset({"loop_detections_total"}),
    frozenset({"tick.failed"}),
    ("/ready", "/v1/threads/{id}"),
    frozenset({"inspect-thread"}),
)


@pytest.mark.parametrize(
    ("section", "text", "said"),
    [
        ("Symptoms", "The count `loop_detections_total` rises fast.", ""),
        ("Symptoms", "Somebody calls and complains about it.", "names no signal"),
        ("Symptoms", "The count `loops_lost_total` rises fast.", "/metrics has no"),
        ("Checks", "Look with `bridge inspect-thread` at the thread.", ""),
        ("Checks", "Look with `bridge look-thread` at the thread.", "there is no command"),
        ("Actions", "Ask `GET /v1/threads/{thread}` and wait for it.", ""),
        ("Actions", "Ask `GET /v1/nothing` and wait for it.", "is not served"),
        ("Actions", "TBD", "says nothing"),
        ("Escalation", "Call the platform engineer after ten minutes.", ""),
        ("Escalation", "Call somebody after ten minutes or so.", "nobody to call"),
    ],
)
def test_a_section_of_a_runbook(section: str, text: str, said: str) -> None:
    found = section_problem(section, {section: text}, KNOWN)
    assert said in found
    assert bool(found) == bool(said)


def test_markdown_is_read_by_its_headings_and_tables() -> None:
    text = "# A\n## One (one)\nfirst\n### Deep\nmore\n## Two (two)\n# B\n## Three\nlast\n"
    assert list(sections(text, 2)) == ["One (one)", "Two (two)", "Three"]
    assert sections(text, 2)["One (one)"] == "first\n### Deep\nmore"
    assert table("| a | B |\n|---|---|\n| 1 | 2 |\n", "it") == [{"a": "1", "b": "2"}]


def test_a_trial_that_fails_takes_down_itself_alone() -> None:
    def breaks_off() -> None:
        raise NoValueError("nobody did it")

    def crashes() -> None:
        raise KeyError("depth")

    made = Trials.of(good=lambda: 7, left=breaks_off, odd=crashes)
    assert made.get("good") == 7
    with pytest.raises(NoValueError, match="nobody did it"):
        made.get("left")
    with pytest.raises(RolloutError, match="odd: KeyError"):
        made.get("odd")
