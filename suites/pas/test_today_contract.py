"""Today: the contract holds on both sides of each limit, in each state, and as it is published."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pytest_rollout import Reported, reported
from suites.pas.scenarios.contract import (
    BEATS,
    CARDS,
    ENDS,
    KINDS,
    KPIS,
    LONGEST_KEY,
    RECEIPTS,
    SIMULATIONS,
    STARTS,
    Contract,
    Tried,
)
from suites.pas.views.contract import operations, unlike
from suites.pas.views.pas import Pas

pytestmark = pytest.mark.pas_today

MALFORMED = (400, 422)
LEAST_WORDS = 3  # of a sentence that says why


@pytest.mark.criterion("invalid-body-422", "twelve-endpoints")
def test_each_limit_holds_on_both_sides(contract: Contract) -> None:
    wrong = [
        f"{_named(tried)} is answered {tried.answer.status_code}"
        for tried in contract.sides
        if (tried.answer.status_code == 200) != tried.taken
        or (not tried.taken and tried.answer.status_code not in MALFORMED)
    ]
    assert not wrong, f"{len(wrong)} of {len(contract.sides)}: {'; '.join(wrong[:3])}"


def _named(tried: Tried) -> str:
    return f"{tried.path} with {tried.field} {tried.body[tried.field]!r:.40}"


@pytest.mark.criterion("endpoint-runs-status", "twelve-endpoints")
def test_what_was_taken_is_shown(contract: Contract) -> None:
    """By the run, as it was said; a lane by its name, a KPI by its violation."""
    for tried in contract.sides:
        if tried.run is None:
            continue
        said, shown = tried.body[tried.field], _shown(tried, tried.run)
        assert shown == said, f"{_named(tried)} is shown as {shown!r}"


def _shown(tried: Tried, run: Reported) -> Any:
    """What a run shows of the field that was tried."""
    said = tried.body[tried.field]
    if tried.path == CARDS and tried.field in ("project_id",):
        return run["project_id"]
    if tried.path == CARDS and tried.field in ("lane", "task_id", "priority", "deps"):
        (task,) = run.each("tasks")
        lane = {"Code-API-Design": "Code-API"}.get(task.text("lane"), task.text("lane"))
        return lane if said == "Code-API" and tried.field == "lane" else task[tried.field]
    if tried.path == STARTS and tried.field == "budget_caps":
        return {name: cap for name, cap in run.inner("budget_caps").items() if cap is not None}
    if tried.path == STARTS and tried.field in ("run_kind", "weight"):
        return run[tried.field]
    if tried.path == KPIS and tried.field == "value":
        shown = [violation["value"] for violation in run.each("kpi_violations")]
        return shown[0] if shown else None
    if tried.path == RECEIPTS and tried.field in SPENT:
        return run[SPENT[tried.field]]
    if tried.path == BEATS:
        return next(iter(run.inner("heartbeats")), None)
    if tried.path == ENDS:
        return run["reason"]
    return said  # nothing of it is shown


SPENT = {"tokens": "spend_tokens", "cost_usd": "spend_usd", "energy_kwh": "spend_energy_kwh"}


@pytest.mark.criterion("endpoint-runs-simulate", "twelve-endpoints")
def test_a_rehearsal_is_of_what_was_asked(contract: Contract) -> None:
    for tried in contract.sides:
        if tried.path != SIMULATIONS or not tried.taken:
            continue
        said = reported(tried.answer)
        due = {"rehearsal_pct": 0.01, "stratified": True, **tried.body}
        told = {"rehearsal_pct": said["requested_pct"], "stratified": said["stratified"]}
        told["run_id"] = said["run_id"]
        assert told == due, f"asked for {due}, it rehearses {told}"
        assert said.number("ci_level") == 0.9, f"its interval is of the level {said['ci_level']}"


@pytest.mark.criterion("twelve-endpoints")
def test_a_key_has_its_length(contract: Contract) -> None:
    due = {length: 200 if length <= LONGEST_KEY else 422 for length in contract.keys}
    assert contract.keys == due, f"keys of these lengths are answered {contract.keys}"


@pytest.mark.criterion("twelve-endpoints", "idempotency-run-start")
def test_each_state_refuses_what_it_must(contract: Contract) -> None:
    for name, (due, _, answer) in contract.refused.items():
        assert answer.status_code == due, f"{name} is answered {answer.status_code}, not {due}"
        why = reported(answer, any_status=True).text("detail")
        assert len(why.split()) >= LEAST_WORDS, f"{name} is refused with {why!r} alone"
    assert not contract.changed, f"refused, and done all the same: {contract.changed}"


@pytest.mark.criterion("openapi-docs", "twelve-endpoints")
def test_the_documentation_says_what_is_taken(contract: Contract) -> None:
    """A body is sound by the published schema just where the service takes it."""
    published = operations(contract.document)
    wrong = []
    for tried in contract.sides:
        content = published[f"POST {tried.path}"]["requestBody"]["content"]
        schema = content["application/json"]["schema"]
        if Draft202012Validator(schema).is_valid(tried.body) != tried.taken:
            wrong.append(_named(tried))
    assert not wrong, f"the schema says otherwise of {'; '.join(wrong[:3])}"


@pytest.mark.criterion("openapi-docs", "twelve-endpoints")
def test_the_documentation_knows_each_answer(contract: Contract) -> None:
    published = operations(contract.document)
    unknown = {
        f"{operation} {answer.status_code}"
        for _, operation, answer in contract.refused.values()
        if str(answer.status_code) not in published[operation]["responses"]
    }
    assert not unknown, f"the documentation does not know {sorted(unknown)[:3]}"
    wrong = [
        p for name, said in contract.answers.values() for p in unlike(contract.document, name, said)
    ]
    assert not wrong, "; ".join(wrong[:3])


# Keys


@pytest.mark.criterion("idempotency-same-key", "twelve-endpoints")
@pytest.mark.effect("change")
def test_a_key_belongs_to_its_operation_and_body(pas: Pas) -> None:
    """Under one key each operation is done once, says so, and refuses another body."""
    run, key = pas.new_run("one-key"), uuid.uuid4().hex
    headers, project = {"Idempotency-Key": key}, {"project_id": pas.project}
    asked: Mapping[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "jobcards": ({**project, "lane": "Narrative"}, {"lane": "Code-Impl"}),
        "runs/simulate": ({}, {"rehearsal_pct": 0.02}),
        "runs/start": (project, {"run_kind": KINDS[1]}),
        "heartbeats": ({"agent": "one"}, {"agent": "other"}),
        "receipts": ({"tokens": 5}, {"tokens": 6}),
        "kpis": ({"kpi": "BLEU", "value": 0.9}, {"value": 0.1}),
        "runs/pause": ({}, {"reason": "another one"}),
        "runs/resume": ({}, {"reason": "another one"}),
        "runs/terminate": ({}, {"reason": "another one"}),
    }
    for path, (body, other) in asked.items():
        sent = {"run_id": run, **body}
        first, again, odd = (
            pas.client.post(f"/pas/v1/{path}", json=each, headers=headers)
            for each in (sent, sent, {**sent, **other})
        )
        marks = [reported(answer).flag("idempotent_replay") for answer in (first, again)]
        assert marks == [False, True], f"{path}: a first and a repeat are marked {marks}"
        said = [{**answer.json(), "idempotent_replay": None} for answer in (first, again)]
        assert said[0] == said[1], f"{path} again says {said[1]}, and said {said[0]}"
        assert odd.status_code == 409, f"{path} with another body is answered {odd.status_code}"
    for path, (body, _) in asked.items():  # once more, after the end of the run
        late = pas.client.post(f"/pas/v1/{path}", json={"run_id": run, **body}, headers=headers)
        assert late.status_code == 200, f"{path} again, later, is answered {late.status_code}"
        assert reported(late).flag("idempotent_replay"), f"{path} is done again, later"
    end = pas.status(run)
    held = end.whole("tasks_total"), end.number("spend_tokens"), len(end.each("kpi_violations"))
    assert held == (1, 5, 0), f"tasks, tokens and violations of the run are {held}"


@pytest.mark.criterion("idempotency-same-key", "twelve-endpoints")
@pytest.mark.effect("change")
def test_a_refusal_is_not_kept(pas: Pas) -> None:
    run, headers = pas.new_run("refused"), {"Idempotency-Key": uuid.uuid4().hex}
    body = {"run_id": run, "tokens": 5}

    def ask() -> int:
        return pas.client.post("/pas/v1/receipts", json=body, headers=headers).status_code

    early = ask()
    pas.card(run, "Vector-Ops")
    assert (early, ask()) == (404, 200), "a receipt that was refused is refused for ever"
    for _ in range(2):
        pas.tell("receipts", body)
    spent = pas.status(run).number("spend_tokens")
    assert spent == 15, f"three receipts of 5 tokens, two of them without a key, are {spent:g}"
