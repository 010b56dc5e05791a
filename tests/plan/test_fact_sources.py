"""Where a release is read: exactly one way, and every offence with its line and its fix."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_rollout.model.plan import FactSource
from pytest_rollout.plan.load import Loaded, parse

PLAN = """\
plan: shop
release: {source}
environments:
  prod: {{targets: {{web: "http://web"}}}}
phases: [{{id: go, criteria: [{{id: a, kind: manual}}]}}]
"""


def loaded(source: str) -> Loaded:
    return parse(PLAN.format(source=source), Path("rollout.yaml"), "rollout.yaml")


@pytest.mark.parametrize(
    ("source", "read"),
    [
        ("{target: web, path: /v}", FactSource("web", "/v")),
        ("{target: web, path: /v, json: a.b}", FactSource("web", "/v", "a.b")),
        (
            '{target: web, path: /v, json: ["a.b", c]}',
            FactSource("web", "/v", '["a.b"].c'),
        ),
        (
            '{target: web, path: /, header: X-Release, headers: {Authorization: "Bearer ${T}"}}',
            FactSource("web", "/", header="X-Release", headers={"Authorization": "Bearer ${T}"}),
        ),
        (
            "{command: [kubectl, get, '${NS}'], json: spec.image, matches: ':(.+)'}",
            FactSource(command=("kubectl", "get", "${NS}"), json="spec.image", matches=":(.+)"),
        ),
        ("{variable: GIT_SHA}", FactSource(variable="GIT_SHA")),
    ],
)
def test_each_way_to_read_it(source: str, read: FactSource) -> None:
    found = loaded(source)
    assert found.problems == ()
    assert found.plan is not None
    assert found.plan.release == read
    assert read.asks_target is bool(read.target)


@pytest.mark.parametrize(
    ("source", "what", "fix"),
    [
        ("{}", "`release` needs one of `target`, `command` and `variable`", "{variable: GIT_SHA}"),
        ("{json: a}", "needs one of `target`, `command` and `variable`", "{command: [...]}"),
        ("{path: /v}", "`release` needs `target` and `path`", "{target: web, path: /version}"),
        ("{target: web}", "`release` needs `target` and `path`", "path: /version"),
        (
            "{target: web, path: /v, command: [a]}",
            "`target` and `command` exclude each other",
            "leave out `command`",
        ),
        (
            "{command: [a], variable: B}",
            "`command` and `variable` exclude each other",
            "leave out `variable`",
        ),
        (
            "{target: web, path: /v, json: a, header: X-R}",
            "`header` and `json` exclude each other",
            "leave out `json`",
        ),
        ("{variable: B, json: a}", "`json` does not go with `variable`", "leave out `json`"),
        ("{command: [a], path: /v}", "`path` does not go with `command`", "leave out `path`"),
        (
            "{command: [a], headers: {A: b}}",
            "`headers` does not go with `command`",
            "leave out `headers`",
        ),
        (
            "{command: kubectl get deploy}",
            "`command` is a list of a program and its words",
            "command: [kubectl, get, deploy]",
        ),
        ("{command: []}", "`command` is a list of a program", "command: [bin/release]"),
        ('{variable: "${GIT_SHA}"}', "`variable` is the name of a variable", "variable: GIT_SHA"),
        ("{variable: a b}", "`variable` is the name of a variable", "variable: GIT_SHA"),
        ("{target: web, path: /v, header: a b}", "`a b` is no header of HTTP", "X-Release"),
        (
            "{target: web, path: /v, headers: {Authorization: Basic abc}}",
            "`Authorization` is a secret, not written out",
            "Authorization: ${NAME}, set in the environment",
        ),
        ("{target: web, path: /v, headers: {a b: c}}", "`a b` is no header of HTTP", ""),
        ("{variable: B, matches: '('}", "is no regular expression", ""),
        ("{target: other, path: /v}", "environment prod has no target `other`", "web"),
    ],
)
def test_an_offence_has_its_line_and_its_fix(source: str, what: str, fix: str) -> None:
    found = loaded(source)
    problem = next(one for one in found.problems if what in one.what)
    assert (problem.file, problem.line) == ("rollout.yaml", 2)
    assert fix in problem.fix
