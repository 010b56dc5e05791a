"""The one shape of JSON: what a verb says of a finding, a cause or a mistake is said alike."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import jsonschema
import pytest

from pytest_rollout.cli import _VERBS
from pytest_rollout.model.errors import (
    LedgerError,
    OptionError,
    ReferenceTargetError,
    RolloutError,
    UnknownNameError,
)
from pytest_rollout.report.stored import schema
from tests.cli.conftest import Answer, Project
from tests.cli.watched import PLAN as WATCHED
from tests.cli.watched import Service, happen, serving
from tests.evidence.runs import EXIT, FAIL, PLAN, Writer, tamper
from tests.targets.test_identity import answering, saying

PACKAGE = Path(__file__).parents[2] / "pytest_rollout"
SCHEMA = schema()
ERRORS = (OptionError, ReferenceTargetError, RolloutError, UnknownNameError)


def fits(kind: str, value: object) -> None:
    """Fail where a value has not the shape that records of a kind have in decision.json."""
    where = {"$schema": SCHEMA["$schema"], "$defs": SCHEMA["$defs"], "$ref": f"#/$defs/{kind}"}
    jsonschema.Draft202012Validator(where).validate(value)


def answered(answer: Answer) -> dict[str, Any]:
    """The one object that a verb printed."""
    data: dict[str, Any] = answer.json
    assert answer.status in (0, 10, 11, 12)
    return data


NICE = "      - {id: nice, kind: demo, severity: soft, says: Nice}\n"
SOFT = PLAN.replace("      - {id: errors", f"{NICE}      - {{id: errors")


@pytest.fixture
def failed(project: Project) -> dict[str, Any]:
    """A gate that is NO-GO, held and with a condition; its decision.json."""
    project.plan.write_text(SOFT)
    with project.ledger() as ledger:
        run = Writer(ledger, text=SOFT)
        run.start()
        run.manifest()
        run.checks(FAIL, errors=(0,))
        run.seal()
        run.decide()
    stored: dict[str, Any] = project.rollout("decide", "demo.canary", "--json").json
    fits("Decision", stored)
    assert [cause["answer"] for cause in stored["reasons"]] == ["NO-GO", "HOLD"]
    assert [condition["id"] for condition in stored["conditions"]] == ["demo.canary.nice"]
    return stored


def test_status_has_what_the_stored_decision_rests_on(
    project: Project, failed: dict[str, Any]
) -> None:
    (row,) = answered(project.rollout("status", "--json"))["phases"]
    shared = set(row["exit"]) & set(failed)
    assert shared >= {"decision", "release", "run", "reasons", "conditions", "waivers", "stand_ins"}
    assert {key: row["exit"][key] for key in shared} == {key: failed[key] for key in shared}
    assert (row["entry"]["stated"], row["exit"]["stated"]) == (1, 3)


def test_status_of_a_gate_that_nobody_asked_for_has_the_same_keys(project: Project) -> None:
    (bare,) = answered(project.rollout("status", "--json"))["phases"]
    assert (bare["exit"]["decision"], bare["exit"]["reasons"]) == (None, [])
    with project.ledger() as ledger:
        Writer(ledger).start()
    (row,) = answered(project.rollout("status", "--json"))["phases"]
    assert set(row["exit"]) == set(bare["exit"])
    (cause,) = row["exit"]["reasons"]
    fits("Cause", cause)
    assert (row["exit"]["decision"], cause["answer"]) == ("HOLD", "HOLD")
    assert cause["reason"] == {
        "code": "run.unfinished",
        "facts": {"run": "r1"},
        "text": "run r1 never finished",
    }


def test_status_says_what_was_damaged(project: Project) -> None:
    with project.ledger() as ledger:
        Writer(ledger).good()
    tamper(project.store, "UPDATE observations SET value = '-1' WHERE id = 1")
    (row,) = answered(project.rollout("status", "--json"))["phases"]
    (cause,) = row["exit"]["reasons"]
    assert cause["reason"]["code"] == "ledger.damaged"
    assert cause["reason"]["facts"]["damage"] in cause["reason"]["text"]


@pytest.mark.parametrize("slug", ["works", "errors", "nice"])
def test_explain_has_the_finding_and_what_it_weighs(
    project: Project, failed: dict[str, Any], slug: str
) -> None:
    full = f"demo.canary.{slug}"
    found = answered(project.rollout("explain", full, "--json"))
    fits("Finding", found["criterion"])
    assert found["criterion"] in failed["criteria"]
    assert found["reasons"] == [one for one in failed["reasons"] if one["id"] == full]
    assert found["conditions"] == [one for one in failed["conditions"] if one["id"] == full]
    assert [bool(found["reasons"]), bool(found["conditions"])] == [slug != "nice", slug == "nice"]
    head = ("plan", "phase", "gate", "environment", "release", "run", "decided_at", "decision")
    assert {key: found[key] for key in head} == {key: failed[key] for key in head}
    assert found["next"] in project.rollout("explain", full).out


def test_explain_has_waivers_and_resets_of_its_own(project: Project) -> None:
    with project.ledger() as ledger:
        Writer(ledger).good()
    found = answered(project.rollout("explain", "demo.canary.errors", "--json"))
    assert (found["waivers"], found["resets"], found["next"]) == ([], [], None)


def test_clear_has_findings_of_the_same_shape(project: Project, failed: dict[str, Any]) -> None:
    data = answered(project.rollout("clear", "demo.canary", "--env", "embedded", "--json"))
    assert data["clear"] is False
    entry, exit_ = data["gates"]
    for finding in (*entry["findings"], *exit_["findings"]):
        fits("Finding", finding)
    keys = ("plan", "phase", "gate", "environment")
    assert {key: exit_[key] for key in keys} == {key: failed[key] for key in keys}
    assert (entry["answer"], exit_["answer"]) == ("GO", "NO-GO")
    found = [one for one in exit_["findings"] if one["id"] == "clearance.decision"]
    assert {one["reason"]["code"] for one in found} == {"gate.no"}
    told = [cause for one in found for cause in one["reason"]["facts"]["causes"]]
    causes = [cause["facts"]["reason"] for cause in told]
    assert causes == [cause["reason"] for cause in failed["reasons"]]


MANUAL = """\
plan: demo
timezone: America/New_York
roles: {pm: Product}
release: {target: api, path: /version, json: version}
environments: {prod: {targets: {api: "URL"}}}
phases:
  - id: canary
    criteria:
      - {id: retro, kind: manual, says: The retro was held, by: [pm], valid_for: 7d}
"""


def test_the_checklist_has_verdicts_and_reasons(project: Project) -> None:
    with answering(saying('{"version": "v1"}')) as url:
        project.plan.write_text(MANUAL.replace("URL", url))
        asked = ("checklist", "demo", "--env", "prod")
        (open_,) = answered(project.rollout(*asked, "--json"))["criteria"]
        fits("Reason", open_["reason"])
        assert (open_["verdict"], open_["state"], open_["until"]) == ("missing", "open", None)
        assert open_["reason"]["code"] == "attested.nobody"
        said = ("--by", "A. Person", "--role", "pm", "--note", "held")
        assert project.rollout("attest", "demo.canary.retro", *said).status == 0
        (done,) = answered(project.rollout(*asked, "--json"))["criteria"]
        fits("Reason", done["reason"])
        assert (done["verdict"], done["state"]) == ("pass", "done")
        until = datetime.fromisoformat(done["until"])
        attested = datetime.fromisoformat(done["reason"]["facts"]["at"])
        assert (until - attested).days == 7
        there = until.astimezone(ZoneInfo("America/New_York"))
        assert f"; until {there:%Y-%m-%d %H:%M:%S %Z}\n" in project.rollout(*asked).out


@pytest.fixture
def service(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """A service that is watched, in a phase that has begun."""
    project.plan.write_text(WATCHED.replace("title: A demo", "timezone: America/New_York"))
    with serving() as found:
        monkeypatch.setenv("DEMO_API", found.url)
        monkeypatch.setenv("DEMO_HOOK", f"{found.url}/hook")
        with project.ledger() as ledger:
            happen(ledger)
        yield found


def test_a_watch_says_of_a_guardrail_what_a_decision_does(
    project: Project, service: Service
) -> None:
    service.lags = [9]
    answer = project.rollout("watch", "demo.canary", "--every", "50ms", "--json")
    start, first, *events = [json.loads(line) for line in answer.out.splitlines()]
    assert start == {
        **{"event": "start", "phase": "demo.canary", "environment": "prod", "release": "v1"},
        "says": "after a trip of lag it does nothing by itself: "
        "`rollout watch demo.canary --env prod --execute` runs the steps",
        "stands": start["stands"],
    }
    assert start["stands"][0].startswith("begin at ")
    look = first["look"]
    (rail,) = look["guardrails"]
    fits("Reason", rail["reason"])
    assert (rail["verdict"], rail["state"], rail["answer"]) == ("fail", "tripped", "ROLLBACK")
    moments = [datetime.fromisoformat(text) for text in (look["at"], look["next"], rail["since"])]
    assert {moment.utcoffset() for moment in moments} == {moments[0].utcoffset()} != {None}
    assert moments[0].strftime("%z") in ("-0500", "-0400")  # as the plan's clocks have it
    (trip,) = [event for event in events if event["event"] == "trip"]
    fits("Reason", trip["reason"])
    assert trip["reason"] == rail["reason"]
    assert datetime.fromisoformat(trip["at"]).strftime("%z") == moments[0].strftime("%z")


# A mistake of each verb: the arguments, the code, and some of its facts.
MISTAKES: list[tuple[list[str], str, dict[str, object]]] = [
    (["attest", "demo.canary.x", "--by", "A"], "usage", {}),
    (["attestation", "demo", "--key", "k"], "address", {"address": "demo"}),
    (
        ["amend", "demo.canary.works", "--by", "A", "--approved-by", "a", "--why", "x"],
        "option",
        {},
    ),
    (["begin", "demo.canry", "--by", "A"], "unknown", {"kind": "phase", "name": "canry"}),
    (["end", "demo.canary", "--by", " "], "option", {"option": "--by"}),
    (["record", "demo.canary", "change", "--says", "", "--by", "A"], "option", {}),
    (["sign", "demo.canary", "--as", "sre", "--key", "k", "--env", "embedded"], "refused", {}),
    (["export", "demo"], "address", {"address": "demo"}),
    (["join", "demo.canry"], "unknown", {"kind": "phase", "name": "canry"}),
    (["merge", "none.db"], "ledger", {}),
    (["check", "dmo"], "unknown", {"kind": "plan", "name": "dmo", "known": ["demo"]}),
    (["check", "--healthy", "12"], "option", {"option": "--healthy"}),
    (["checklist", "--role", "x"], "unknown", {"kind": "role", "name": "x", "known": ["sre"]}),
    (["clear", "demo.canry"], "unknown", {"kind": "phase", "known": ["canary"]}),
    (
        ["clear", "demo.canary", "--env", "embedded", "--max-age", "x"],
        "option",
        {"option": "--max-age"},
    ),
    (["decide", "demo.canary", "--at", "noon"], "option", {"option": "--at"}),
    (["decide", "demo.canary"], "ledger", {}),
    (["drill", "demo.canary", "--fault", "x"], "unknown", {"kind": "fault", "name": "x"}),
    (["ledger", "compact", "--before", "noon"], "option", {"option": "--before"}),
    (["load", "canry"], "unknown", {"kind": "phase", "name": "canry", "known": ["canary"]}),
    (["load", "demo.canary"], "refused", {}),
    (["explain", "demo.canary"], "address", {"address": "demo.canary"}),
    (["explain", "wroks"], "unknown", {"name": "wroks"}),
    (["ingest", "approvals", "demo.canary", "--repo", "o/r", "--pull", "7"], "refused", {}),
    (["ingest", "aprovals"], "usage", {}),
    (["init", "--name", "my-shop"], "option", {"option": "--name"}),
    (["schema", "waiver.yaml"], "unknown", {"kind": "file", "name": "waiver.yaml"}),
    (["request-signoff", "demo.canry"], "unknown", {"kind": "phase", "name": "canry"}),
    (["report", "demo"], "address", {"address": "demo"}),
    (["settle", "r9", "--by", "A", "--why", ""], "option", {}),
    (["reset", "demo.canary.x", "--by", "A", "--reason", "B"], "unknown", {"kind": "guardrail"}),
    (["standup", "--env", "prdo"], "unknown", {"kind": "environment", "name": "prdo"}),
    (["status", "--env", "prdo"], "unknown", {"kind": "environment", "name": "prdo"}),
    (["targets", "--env", "prdo"], "unknown", {"kind": "environment", "name": "prdo"}),
    (["trend", "demo.canary"], "address", {"address": "demo.canary"}),
    (["verify", "--anchor", "x.json"], "anchor", {"file": "x.json"}),
    (["watch", "demo.canary"], "refused", {}),
    (["decid"], "usage", {}),
    (["status", "--nothing"], "usage", {}),
]


def mistaken(answer: Answer) -> dict[str, Any]:
    """What a verb printed of a mistake: one line of JSON, and the same in words beside it."""
    assert answer.status == 4
    (line,) = answer.out.splitlines()
    data = json.loads(line)
    assert set(data) == {"error"}
    fits("Reason", data["error"])
    assert data["error"]["text"] in answer.err
    error: dict[str, Any] = data["error"]
    return error


@pytest.mark.parametrize(("arguments", "code", "facts"), MISTAKES, ids=lambda one: str(one)[:40])
def test_a_mistake_is_an_object_with_a_code(
    project: Project, arguments: list[str], code: str, facts: dict[str, object]
) -> None:
    error = mistaken(project.rollout(*arguments, "--json"))
    assert error["code"] == code
    assert {key: error["facts"][key] for key in facts} == facts
    assert project.rollout(*arguments).out == ""


def test_every_verb_is_mistaken_once() -> None:
    assert {arguments[0] for arguments, _, _ in MISTAKES} >= set(_VERBS)


def test_what_the_ledger_lacks_has_a_code(project: Project) -> None:
    with project.ledger() as ledger:
        Writer(ledger, partial=("-k",)).good()
    where = {"gate": "demo.canary", "environment": "embedded"}
    for verb in ("decide", "report"):
        error = mistaken(project.rollout(verb, "demo.canary", "--json"))
        assert (error["code"], error["facts"]) == ("gate.never-asked", where)
    with project.ledger() as ledger:
        Writer(ledger, "r2").start()
    gone = mistaken(project.rollout("report", "demo.canary", "--json"))
    where = {"gate": str(EXIT), "environment": "embedded"}
    assert (gone["code"], gone["facts"]) == ("run.undecided", {**where, "run": "r2"})
    with project.ledger() as ledger:
        Writer(ledger, "r3").good()
    tamper(
        project.store,
        "UPDATE observations SET value = '-1'",
    )
    damaged = mistaken(project.rollout("explain", "demo.canary.errors", "--json"))
    assert (damaged["code"], set(damaged["facts"])) == ("ledger.damaged", {*where, "damage"})


def test_a_broken_plan_lists_its_problems(project: Project) -> None:
    project.plan.write_text("plan: demo\nphases: {}\nfoo: 1\n")
    error = mistaken(project.rollout("status", "demo", "--json"))
    assert error["code"] == "plan.broken"
    assert len(error["facts"]["problems"]) > 1
    assert error["text"] == "; ".join(error["facts"]["problems"])


def test_what_the_system_refuses_names_the_file(project: Project) -> None:
    with project.ledger() as ledger:
        Writer(ledger).good()
    (project.root / "rollout-report").write_text("in the way")
    error = mistaken(project.rollout("report", "demo.canary", "--json"))
    assert error["code"] == "system"
    assert "rollout-report" in error["facts"]["file"]


def test_a_secret_in_a_mistake_is_hidden(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", "correct-horse-battery")
    error = mistaken(project.rollout("status", "correct-horse-battery", "--json"))
    assert "correct-horse-battery" not in json.dumps(error)
    assert error["facts"]["name"] == "[redacted]"


def test_a_word_after_the_options_is_no_option(project: Project) -> None:
    answer = project.rollout("status", "--", "--json")
    assert (answer.status, answer.out) == (4, "")


def test_the_page_lists_the_codes_of_mistakes() -> None:
    page = (PACKAGE.parent / "docs/reference/json.md").read_text(encoding="utf-8")
    table = page.partition("| code | the mistake |")[2].partition("\n\n")[0]
    listed = re.findall(r"`([\w.-]+)`", "".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)))
    raised = {"usage", "system"}
    for path in (PACKAGE / "cli").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        raised |= set(re.findall(r'code="([\w.-]+)"', text))
        raised |= {error.code for error in ERRORS if f"raise {error.__name__}(" in text}
    assert sorted(listed) == sorted({*raised, LedgerError.code})
