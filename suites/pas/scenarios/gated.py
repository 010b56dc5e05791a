"""Runs on the full service that must pass, and others that must not: gates, tools, budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pytest_rollout import LiveTarget, Reported, Stage, every, reported, scenario
from suites.pas.views.executed import to_their_end
from suites.pas.views.pas import Pas, full_of

_MOST_S = 150
EXPRESSION = "a * b + 1"


def cases(good: int, bad: int) -> dict[str, Any]:
    """Work of Code-Impl of which so many cases hold."""
    right = [{"a": n, "b": n + 1, "expect": n * (n + 1) + 1} for n in range(good)]
    wrong = [{"a": n, "b": 2, "expect": -1} for n in range(bad)]
    return {"expression": EXPRESSION, "cases": [*right, *wrong]}


@dataclass(frozen=True, slots=True)
class Trial:
    """A run of one task, and whether it must be completed."""

    lane: str
    passes: bool
    payload: Mapping[str, Any] = field(default_factory=dict)
    kpi: Mapping[str, Any] | None = None  # that somebody else posts


def trials(now: datetime) -> dict[str, Trial]:
    """Both sides of each gate."""
    same = {"before": {"id": "int"}, "after": {"id": "int"}}
    other = {"before": {"id": "int"}, "after": {"id": "text"}}
    text = "the quick brown fox jumps over the lazy dog"
    vectors = {"vectors": [[1, 0], [0, 1]], "query": [0.1, 0.9]}
    fresh, old = now - timedelta(seconds=40), now - timedelta(seconds=200)
    return {
        "rate 0.90": Trial("Code-Impl", True, cases(9, 1)),
        "rate 0.89": Trial("Code-Impl", False, cases(17, 2)),
        "no difference": Trial("Data-Schema", True, same),
        "a difference": Trial("Data-Schema", False, other),
        "same words": Trial("Narrative", True, {"text": text, "reference": text}),
        "words in another order": Trial(
            "Narrative", False, {"text": " ".join(reversed(text.split())), "reference": text}
        ),
        "other words": Trial("Narrative", False, {"text": "no such thing", "reference": text}),
        "words of another language": Trial(
            "Narrative", True, {"text": "Käse für später", "reference": "Käse für später"}
        ),
        "fresh": Trial("Vector-Ops", True, {**vectors, "indexed_at": fresh.isoformat()}),
        "old": Trial("Vector-Ops", False, {**vectors, "indexed_at": old.isoformat()}),
        "garbled": Trial("Code-Impl", False, {**cases(4, 0), "garble": True}),
        "not garbled": Trial("Code-Impl", True, {**cases(4, 0), "garble": False}),
        "a bad KPI from outside": Trial("Code-Impl", False, cases(4, 0), {"value": 0.5}),
        "a good KPI from outside": Trial("Code-Impl", True, cases(4, 0), {"value": 0.95}),
    }


@dataclass(frozen=True, slots=True)
class Judged:
    """Trials with what came of them."""

    trials: Mapping[str, Trial]
    runs: Mapping[str, Reported]


@scenario(effect="change")
def judged(phase: Stage) -> Judged:
    """Each trial is a run of its own."""
    target, pas = phase.target("pas"), Pas(full_of(phase))
    tried, ids = trials(target.clock.now()), {}
    for name, trial in tried.items():
        ids[name] = pas.new_run("gate")
        card = pas.card(ids[name], trial.lane, payload=dict(trial.payload))
        pas.start(ids[name]).text("status")
        if trial.kpi is not None:
            kpi = {"run_id": ids[name], "task_id": card.task, "kpi": "test_pass_rate", **trial.kpi}
            reported(pas.tell("kpis", kpi)).text("status")
    to_their_end(target, pas, [*ids.values()], _MOST_S)
    return Judged(tried, {name: pas.status(run) for name, run in ids.items()})


@dataclass(frozen=True, slots=True)
class Guarded:
    """A run with a tool that its lane may not use and one without; runs near their budgets."""

    tools: Mapping[str, Reported]  # by what was tried
    budgets: Mapping[str, tuple[float, Reported]]  # r1, r3: too small, r2: large enough
    starved: Reported  # with next to no energy


TOOLS = {  # by what is tried: a lane, and what its task asks for; the last is listed or is not
    "refused": ("Code-Impl", ("read_file", "shell")),
    "of another lane": ("Narrative", ("read_file", "run_tests")),
    "allowed": ("Code-Impl", ("read_file", "run_tests")),
}
# The four tasks cost exactly as much as the second; the third goes on once more on its way.
BUDGETS = {"r1": 0.07, "r2": 0.08, "r3": 0.07}
_COSTS, _TASKS = 0.02, 4


@scenario(effect="change")
def guarded(phase: Stage) -> Guarded:
    """Tools and budgets are tried on both sides of what is allowed."""
    target, pas = phase.target("pas"), Pas(full_of(phase))
    tools, budgets = {}, {}
    for name, (lane, asked) in TOOLS.items():
        work = cases(4, 0) if lane == "Code-Impl" else {"text": "a b c", "reference": "a b c"}
        tools[name] = pas.new_run("tools")
        pas.card(tools[name], lane, payload={**work, "tools": [*asked]})
        pas.start(tools[name]).text("status")
    starved = pas.new_run("starved")
    pas.card(starved, "Vector-Ops")
    pas.start(starved, budget_caps={"energy_kwh": 1e-9}).text("status")
    for name, cap in BUDGETS.items():
        budgets[name] = pas.new_run(f"budget-{name}")
        _in_a_row(pas, budgets[name])
        pas.start(budgets[name], budget_caps={"usd": cap}).text("status")
    _paused(target, pas, budgets["r3"])
    to_their_end(target, pas, [*tools.values(), *budgets.values(), starved], _MOST_S)
    return Guarded(
        {name: pas.status(run) for name, run in tools.items()},
        {name: (BUDGETS[name], pas.status(run)) for name, run in budgets.items()},
        pas.status(starved),
    )


def _paused(target: LiveTarget, pas: Pas, run: str) -> None:
    """Pause a run once two of its tasks are paid, and have it go on."""
    for _ in every(target.clock, 0.2, until=target.clock.now() + timedelta(seconds=_MOST_S)):
        if pas.status(run).whole("tasks_completed") >= 2:
            break
    reported(pas.control("pause", run)).text("status")
    reported(pas.control("resume", run)).text("status")


def _in_a_row(pas: Pas, run: str) -> None:
    """Hand in tasks that cost something, each after the one before."""
    last: Sequence[Any] = ()
    for _ in range(_TASKS):
        last = [pas.card(run, "Vector-Ops", last, payload={"spend_usd": _COSTS})]
