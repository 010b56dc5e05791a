"""Phase 4, the old pipeline: it stays thirty days, is marked, and goes only then."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

import pytest

from pytest_rollout import Observe, Stage
from suites.eros.scenarios.at_noon import observe_later
from suites.eros.scenarios.old_pipeline import Asked, Old, code, judged, unjudged
from suites.eros.views.contract import demand_answer
from suites.eros.views.python_code import unknown_names
from suites.eros.views.said import not_done
from suites.eros.views.service import Service

pytestmark = pytest.mark.cutover

SOON = 0.01  # of a day
LINES = 2468  # of v4's orchestrator, as the plan tells them


@pytest.mark.criterion("v4-available-30d")
def test_the_kill_switch_gives_a_schedule_of_v4(thirty_days: Old, observe: Observe) -> None:
    for tried in thirty_days.tries:
        wrong = tried.pipeline != "v4" or not tried.items or bool(tried.broken)
        observe("v4_unavailable", wrong, day=str(tried.day), got=tried.pipeline)
    if thirty_days.off is not None:
        observe_later(thirty_days.off, observe, "v4_unavailable")


@pytest.mark.criterion("v4-available-30d")
def test_the_code_of_v4_is_there(phase: Stage) -> None:
    modules = code(phase.file("repository"), "python/v4")
    assert modules, "python/v4 is not in the repository"
    defined = [node for path in modules for node in ast.parse(path.read_text()).body]
    assert defined, "python/v4 holds no code"
    for path in modules:
        odd = unknown_names(path.read_text(encoding="utf-8"))
        assert not odd, f"{path.name} would not load: nothing is called {', '.join(odd)}"
    lines = max(len(path.read_text(encoding="utf-8").splitlines()) for path in modules)
    assert lines >= LINES, f"the longest module of python/v4 has {lines} lines, it had {LINES}"


@pytest.mark.criterion("v4-marked-deprecated")
def test_each_entry_point_of_v4_is_marked(phase: Stage, observe: Observe) -> None:
    modules = code(phase.file("repository"), "python/v4")
    if not modules:
        not_done("python/v4 is not in the repository", "see v4-available-30d")
    for path in modules:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
            if isinstance(node, kinds) and not node.name.startswith("_"):
                marked = any("deprecated" in _name(mark) for mark in node.decorator_list)
                observe("entry_point_unmarked", not marked, name=f"{path.stem}.{node.name}")


def _name(decorator: ast.expr) -> str:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return ast.unparse(called)


@pytest.mark.criterion("v4-removal-condition")
def test_removal_is_decided_by_thirty_stable_days(
    phase: Stage, old_removed: Sequence[Asked] | None, observe: Observe
) -> None:
    service = Service(phase.target("eros").client)
    demand_answer("/v4", service.get("/v4"))
    for said, due in judged(service):
        wrong = said.flag("removable") != due
        observe("removal_wrongly_decided", wrong, days=str(said.number("stable_days")))

    odd = unjudged(service)
    assert not odd, "; ".join(odd)
    for asked in old_removed or ():
        wrong = asked.allowed != asked.due or bool(asked.unsaid)
        observe("removal_wrongly_decided", wrong, day=str(asked.day), since=asked.since)
        mistold = "; ".join(_mistold(asked))
        assert not mistold, f"on day {asked.day} since the {asked.since}, of v4 {mistold}"


def _mistold(asked: Asked) -> Iterator[str]:
    """What the state of v4 says otherwise than it was."""
    demand_answer("/v4", asked.state)
    switched = asked.state["cutover_at"] and asked.state.moment("cutover_at")
    if switched != asked.switched:
        yield f"cutover_at is {switched}, not {asked.switched}"
    if abs(asked.state.number("stable_days") - asked.day) > SOON:
        yield f"stable_days is {asked.state['stable_days']}"
    if asked.state.flag("removable") != asked.due:
        yield f"removable is {asked.state['removable']}"
    if asked.state.flag("available") != (not asked.allowed):
        yield f"available is {asked.state['available']}, and its removal was {asked.allowed}"
    if not asked.state.flag("deprecated"):
        yield "deprecated is False"
