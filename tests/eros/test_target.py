"""The reference target of EROS: routing, requests, hard gates, rollback and alerts."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.eros import FAULTS
from pytest_rollout.targets.reference import Fault
from tests.eros.target import Eros, serving


@pytest.fixture
def eros(tmp_path: Path) -> Iterator[Eros]:
    with serving(tmp_path / "target") as target:
        yield target


@pytest.fixture
def canary(eros: Eros) -> Eros:
    eros.flags(ENABLED="true", CREATORS="alexia")
    return eros


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_breaks_a_part(name: str) -> None:
    assert FAULTS.planted(Fault.parse(name)) is not None
    assert FAULTS[name].endswith(".")


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({}, ("v4", False, "kill_switch")),
        ({"ENABLED": "true"}, ("v4", False, "default")),
        ({"PERCENTAGE": "100", "CREATORS": "alexia"}, ("v4", False, "kill_switch")),
        ({"ENABLED": "true", "SHADOW_MODE": "1", "CREATORS": "alexia"}, ("v4", True, "shadow")),
        ({"ENABLED": "True", "CREATORS": " , alexia"}, ("v5", False, "list")),
        ({"ENABLED": "true", "CREATORS": "alex,alexia2"}, ("v4", False, "default")),
        ({"ENABLED": "true", "PERCENTAGE": "77"}, ("v4", False, "default")),
        ({"ENABLED": "true", "PERCENTAGE": "78"}, ("v5", False, "percentage")),
        ({"ENABLED": "true", "PERCENTAGE": "101"}, ("v4", False, "default")),
        ({"ENABLED": "yes", "PERCENTAGE": "100"}, ("v4", False, "kill_switch")),
    ],
)
def test_decisions_have_an_order(
    eros: Eros, flags: dict[str, str], expected: tuple[str, bool, str]
) -> None:
    texts = {f"EROS_V5_{name}": text for name, text in flags.items()}
    said = eros.post("/decide", creator="alexia", flags=texts)
    assert (said["target"], said["shadow"], said["reason"]) == expected
    assert said["bucket"] == 77
    by_program = subprocess.run(
        [eros.folder / "bin/eros-route", "alexia"],
        env={"PATH": os.environ["PATH"], "PYTHONHASHSEED": "7", **texts},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(by_program.stdout) == said


def test_a_request_is_answered_once_its_run_is_over(canary: Eros) -> None:
    before = canary.get("/reference/clock")["now"]
    said = canary.post("/generate", creator="alexia", request_id="one")
    assert (said["pipeline"], said["fallback"], said["replay"]) == ("v5", False, False)
    (run,) = canary.runs()
    assert run["run_id"] == said["run_id"]
    assert run["ended"] == canary.get("/reference/clock")["now"].replace("+00:00", "Z")
    assert run["started"] == before.replace("+00:00", "Z")
    again = canary.post("/generate", creator="alexia", request_id="one")
    assert again == {**said, "replay": True}
    assert canary.runs() == [run]
    assert "error" in canary.post("/generate", 409, creator="luna_free", request_id="one")
    assert "error" in canary.post("/generate", 404, creator="nobody")


def test_v4_steps_in_where_v5_fails_and_that_counts_as_a_failure(canary: Eros) -> None:
    (said,) = canary.serve(1, fails="raise")
    assert (said["pipeline"], said["fallback"]) == ("v4", True)
    v5, v4 = canary.runs()
    assert (v5["outcome"], v5["delivered"]) == ("failed", False)
    assert (v4["fallback"], v4["delivered"]) == (True, True)
    figures = canary.get("/monitoring")
    assert (figures["success"], figures["delivered"]) == (0.0, 1.0)
    canary.flags(AUTO_FALLBACK="false")
    (refused,) = canary.serve(1, fails="raise")
    assert refused["status"] == 502


def test_an_agent_that_hangs_is_ended_and_tried_once_more(canary: Eros, tmp_path: Path) -> None:
    canary.serve(1, fails="hang-once")
    canary.serve(1, fails="hang")
    once, always, _ = canary.runs()
    assert (once["outcome"], once["agents"][0]["timeouts"]) == ("ok", 1)
    assert always["outcome"] == "failed"
    assert always["agents"][0]["seconds"] == [45, 45]
    with serving(tmp_path / "waiting", "no-timeout") as waiting:
        waiting.flags(ENABLED="true", CREATORS="alexia")
        (said,) = waiting.serve(1, fails="hang")
        (run,) = waiting.runs()
        assert (said["status"], run["outcome"], run["ended"]) == (504, "running", None)


@pytest.mark.parametrize("rule", ["overlap", "daily-limit", "page-type"])
def test_a_gate_takes_out_what_breaks_it(eros: Eros, rule: str) -> None:
    eros.flags(ENABLED="true", CREATORS="luna_free")
    entry = {"creator": "luna_free", "v5": {"violations": [rule]}}
    (said,) = eros.operate("runs", runs=[entry])["answers"]
    (run,) = eros.runs()
    (made,) = eros.get("/drafts")["drafts"]
    assert (run["gate"], run["violations"], run["outcome"]) == ("reject", [rule], "ok")
    assert said["pipeline"] == "v5"
    assert 0 < len(said["schedule"]) <= 6
    assert said["schedule"] != made["draft"]
    assert all(item["audience"] == "all" for item in said["schedule"])


@pytest.mark.parametrize(
    ("told", "count", "reason"),
    [
        ({"seconds": 181}, 3, "latency"),
        ({"seconds": 180}, 12, None),
        ({"violations": ["overlap"]}, 10, "gates"),
        ({"quality": 69.9}, 10, "quality"),
        ({"quality": 70}, 12, None),
        ({"fails": "raise"}, 9, None),
        ({"fails": "raise"}, 10, "success"),
    ],
)
def test_the_controller_rolls_back_just_beyond_a_limit(
    canary: Eros, told: dict[str, object], count: int, reason: str | None
) -> None:
    canary.serve(count, **told)
    state = canary.get("/rollback")
    assert (state["reason"] or "").split(" ")[0] == (reason or "")
    assert canary.get("/flags")["EROS_V5_ENABLED"] is (reason is None)
    said = [message["service"] for message in canary.inbox() if "CRITICAL" in str(message)]
    assert said == ([] if reason is None else ["slack", "pagerduty"])


def test_a_rollback_is_latched_until_somebody_resets_it(canary: Eros) -> None:
    canary.post("/rollback", reason="a drill", by="tests")
    told = canary.inbox()
    canary.post("/rollback", reason="again", by="tests")
    assert canary.inbox() == told
    assert canary.serve(1)[0]["pipeline"] == "v4"
    assert "error" in canary.post("/flags", 409, EROS_V5_ENABLED="true")
    canary.post("/rollback/reset", by="tests", reason="over")
    assert canary.flags(ENABLED="true")["EROS_V5_ENABLED"] is True
    assert canary.serve(1)[0]["pipeline"] == "v5"


def test_programs_change_the_next_decision_of_the_service(canary: Eros) -> None:
    assert canary.post("/decide", creator="alexia")["target"] == "v5"
    program = canary.folder / "bin/eros-rollback"
    subprocess.run([program, "trigger", "--reason", "slow"], check=True, capture_output=True)
    assert canary.post("/decide", creator="alexia")["reason"] == "kill_switch"
    assert canary.get("/rollback")["by"] == "eros-rollback"
    assert [message["service"] for message in canary.inbox()] == ["slack", "pagerduty"]


@pytest.mark.parametrize(
    ("told", "beyond", "metric"),
    [
        ({"fails": "raise"}, 1, "success"),
        ({"violations": ["overlap"]}, 1, "gates"),
        ({"seconds": 121}, 1, "latency"),
    ],
)
def test_one_of_twenty_is_no_alert_and_two_are(
    canary: Eros, told: dict[str, object], beyond: int, metric: str
) -> None:
    canary.serve(1, **told)
    canary.serve(19)
    assert canary.inbox() == []
    canary.serve(beyond, **told)
    canary.serve(18)
    canary.serve(beyond, **told)
    assert [message["body"]["metric"] for message in canary.inbox()] == [metric]


def test_rules_are_asked_about_runs_of_ones_own(eros: Eros) -> None:
    failed = {"ended": "2026-01-05T10:00:00Z", "creator": "alexia", "outcome": "failed"}
    sound = {**failed, "outcome": "ok"}
    cases = [{"runs": [failed, *[sound] * 9]}, {"runs": [failed, *[sound] * 8, failed]}]
    judged = eros.post("/rollback/judge", phase="canary", cases=cases)["cases"]
    assert [case["reason"] for case in judged] == [None, "success"]
    judged = eros.post("/rollback/judge", cases=cases)["cases"]
    assert [case["at_run"] for case in judged] == [None, 9]
