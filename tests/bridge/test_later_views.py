"""What the later phases compute by themselves: schemas, metrics, steps of writers, runbooks."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import httpx
import pytest

from pytest_rollout import NotReportedError, NoValueError, RolloutError
from suites.bridge.scenarios.loaded import Asked, Written
from suites.bridge.scenarios.trials import Trials
from suites.bridge.views.alerting import unknown
from suites.bridge.views.described import flaws
from suites.bridge.views.exposition import Between, Scrape, scrape
from suites.bridge.views.papers import sections, table
from suites.bridge.views.runbooks import Known, section_problem
from suites.bridge.views.schemas import breaks


def body(name: str) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}}


def schema() -> dict[str, Any]:
    limit = {"type": "integer", "maximum": 200}
    refused = {"$ref": "#/components/responses/400"}
    post = {
        "operationId": "create_thread",
        "security": [{"token": []}],
        "parameters": [{"in": "query", "name": "limit", "required": False, "schema": limit}],
        "requestBody": body("Ask"),
        "responses": {"201": {"description": "A thread", **body("Thread")}, "400": refused},
    }
    thread = {"id": {"type": "string"}, "created_at": {"type": "string"}}
    text = {"anyOf": [{"type": "string", "maxLength": 200}, {"type": "null"}], "default": None}
    named = {
        "Ask": {"type": "object", "properties": {"title": text}},
        "Thread": {"type": "object", "required": ["id"], "properties": thread},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Bridge", "version": "1.0.0"},
        "paths": {"/v1/threads": {"post": post}},
        "components": {
            "schemas": named,
            "responses": {"400": {"description": "Malformed", **body("Thread")}},
        },
    }


def gains(after: dict[str, Any]) -> None:
    named = after["components"]["schemas"]
    named["Ask"]["properties"]["team"] = {"type": "string"}
    named["Ask"]["properties"]["title"]["anyOf"][0]["maxLength"] = 300
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


def tightens(after: dict[str, Any]) -> None:
    after["components"]["schemas"]["Ask"]["properties"]["title"]["anyOf"][0]["maxLength"] = 199


def renames(after: dict[str, Any]) -> None:
    after["paths"]["/v1/threads"]["post"]["operationId"] = "open_thread"


def no_longer_sure(after: dict[str, Any]) -> None:
    after["components"]["schemas"]["Thread"]["required"] = []


def is_no_minor_revision(after: dict[str, Any]) -> None:
    after["info"]["version"] = "2.0.0"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (gains, ""),
        (drops_field, "has lost created_at"),
        (retypes, "was string and is integer"),
        (demands, "demands title"),
        (demands_parameter, "limit is demanded"),
        (drops_operation, "it is gone"),
        (tightens, "another maxLength"),
        (renames, "its operationId was create_thread"),
        (no_longer_sure, "may lack id"),
        (is_no_minor_revision, "no minor revision"),
    ],
)
def test_what_a_release_breaks(change: Any, said: str) -> None:
    after = deepcopy(schema())
    after["info"]["version"] = "1.1.0"
    change(after)
    found = [problem for problem in breaks(schema(), after).values() if problem]
    assert all(said in problem for problem in found)
    assert bool(found) == bool(said)


def leads_nowhere(document: dict[str, Any]) -> None:
    document["components"]["schemas"].pop("Ask")


def is_no_type(document: dict[str, Any]) -> None:
    document["components"]["schemas"]["Thread"]["properties"]["id"]["type"] = "text"


def is_closed(document: dict[str, Any]) -> None:
    document["components"]["schemas"]["Ask"]["additionalProperties"] = False


def is_nowhere(document: dict[str, Any]) -> None:
    document["paths"]["/v1/threads"]["post"]["parameters"][0]["in"] = "body"


def says_nothing(document: dict[str, Any]) -> None:
    del document["components"]["responses"]["400"]["description"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (gains, ""),
        (leads_nowhere, "nothing stands at"),
        (is_no_type, "'text' is not valid"),
        (is_closed, "closed to fields"),
        (is_nowhere, "a parameter says"),
        (says_nothing, "it is not described"),
    ],
)
def test_what_is_wrong_with_a_description(change: Any, said: str) -> None:
    document = deepcopy(schema())
    document["components"]["schemas"]["Thread"]["properties"]["team"] = {"type": "string"}
    change(document)
    found = [problem for problem in flaws(document).values() if problem]
    assert any(said in problem for problem in found) if said else not found


SCRAPED = """# TYPE wake_attempts_total counter
wake_attempts_total{result="failed"} 1
wake_attempts_total{result="triggered"} 2
# TYPE lag_seconds histogram
lag_seconds_bucket{le="+Inf"} 1
lag_seconds_count 1
lag_seconds_sum 1
"""


@pytest.mark.parametrize(
    ("expression", "lost"),
    [
        ("increase(wake_attempts_total[15m]) > 10", ""),
        ('sum by (result) (wake_attempts_total{result=~"failed|triggered"})', ""),
        ("histogram_quantile(0.95, lag_seconds[15m]) > 3", ""),
        ("probes of /ready in a row that were not 200 >= 3", ""),
        ("increase(wake_attempt_total[15m]) > 10", "wake_attempt_total"),
        ("XXwake_attempts_totalXX", "XXwake_attempts_totalXX"),
        ('wake_attempts_total{reason="failed"}', "reason"),
        ('wake_attempts_total{result="lost"}', "lost"),
        ("increase(wake_attempts_total[15m] > 10", "its brackets"),
        ("10", "no series"),
    ],
)
def test_what_an_expression_names(expression: str, lost: str) -> None:
    assert unknown(expression, look(SCRAPED)) == lost


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
