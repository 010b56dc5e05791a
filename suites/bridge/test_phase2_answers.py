"""What the bridge answers, held against what the release before has promised of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from suites.bridge.views import papers
from suites.bridge.views.schemas import operations
from suites.bridge.views.service import Bridge

pytestmark = [pytest.mark.bridge_phase2, pytest.mark.effect("change")]


def untrue(answer: httpx.Response, promised: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    """What of an answer is not as the release before has promised; empty: all is."""
    said = promised["responses"].get(str(answer.status_code))
    if said is None or answer.status_code >= 400:
        return f"it is answered {answer.status_code}"
    shape = said.get("content", {}).get("application/json", {}).get("schema")
    if shape is None:
        return ""
    whole = {**shape, "components": before.get("components", {})}
    wrong = next(iter(Draft202012Validator(whole).iter_errors(answer.json())), None)
    return "" if wrong is None else f"{wrong.json_path}: {wrong.message:.120}"


@pytest.mark.criterion("additive-minor-changes")
def test_the_answers_are_as_promised(bridge: Bridge, repository: Path) -> None:
    """Each operation of the release before, on a thread that holds something of each kind."""
    before = dict(papers.structured(repository, papers.SCHEMA_BEFORE))
    promised = {(method, path): said for method, path, said in operations(before)}
    operator = bridge.operator
    thread = operator.opened("promised", ["suite-ann", {"agent": "suite-bob", "role": "reviewer"}])
    here = "/v1/threads/{thread_id}"
    asked: tuple[tuple[str, str, object], ...] = (
        ("post", "/v1/threads", {"title": "t", "participants": ["suite-ann"]}),
        ("post", f"{here}/messages", {"text": "to all"}),
        ("post", f"{here}/messages", {"text": "to one", "to": ["suite-ann"], "more": 1}),
        ("post", f"{here}/recipients", {"from": "suite-ann"}),
        ("post", f"{here}/participants", {"agent": "suite-dan"}),
        ("post", f"{here}/status", {"state": "blocked", "reason": "a trial"}),
        ("get", here, None),
        *(("get", f"{here}/{part}", None) for part in ("messages", "audit", "triggers")),
        *(("get", f"/v1/{part}", None) for part in ("threads", "policy")),
        ("post", f"{here}/override-close", {"reason": "human_override: a trial"}),
    )
    for method, path, body in asked:
        if (method, path) not in promised:
            continue
        answer = operator.ask(method.upper(), path.replace("{thread_id}", thread), body)
        wrong = untrue(answer, promised[method, path], before)
        assert not wrong, f"{method.upper()} {path} breaks with the release before: {wrong}"
