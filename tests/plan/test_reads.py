"""Requests that a plan states to only read."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_rollout.model.requests import ReadingRequest
from pytest_rollout.plan.load import Loaded, parse

PLAN = """\
plan: shop
environments:
  embedded: {{targets: {{web: {{serve: "shop:app"{rehearsed}}}}}}}
  prod: {{targets: {{web: {{url: "http://web"{real}}}, store: {{file: s.db{file}}}}}}}
phases:
  - id: go
    criteria:
      - id: finds
        kind: demo
        check: {{http: "/search?q=1", method: POST, on: web}}
"""
READS = ", reads: [POST /search]"


def loaded(rehearsed: str = READS, real: str = READS, file: str = "") -> Loaded:
    text = PLAN.format(rehearsed=rehearsed, real=real, file=file)
    return parse(text, Path("rollout.yaml"), "rollout.yaml")


def test_a_check_may_ask_what_only_reads() -> None:
    found = loaded()
    assert found.problems == ()
    assert found.plan is not None
    for environment in ("embedded", "prod"):
        target = found.plan.environments[environment].targets["web"]
        assert target.reads == (ReadingRequest("POST", "/search"),)


@pytest.mark.parametrize(("rehearsed", "real"), [("", READS), (READS, ""), ("", "")])
def test_it_must_be_stated_wherever_it_is_asked(rehearsed: str, real: str) -> None:
    (problem,) = loaded(rehearsed, real).problems
    assert problem.line == 10
    assert "criterion finds: check: POST /search does more than observe" in problem.what
    assert problem.fix == (
        'effect: change, or where it only reads, at its target: reads: ["POST /search"]'
    )


@pytest.mark.parametrize(
    ("real", "file", "what"),
    [
        (", reads: [POST]", "", "`reads`: 'POST' is no request; write a method and a path"),
        (", reads: [GET /a]", "", "`reads`: GET /a only reads anyway; leave it out"),
        (READS, READS, "`reads` is of a target that answers HTTP"),
    ],
)
def test_an_offence_has_its_line(real: str, file: str, what: str) -> None:
    problem = next(one for one in loaded(real=real, file=file).problems if what in one.what)
    assert problem.line == 4
    assert problem.fix
