"""Everything that the contract states a limit of: asked on both sides, and in each state."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from pytest_rollout import Reported, Stage, reported, scenario
from suites.pas.views.lanes import ALIASES, LANES, LIMITS
from suites.pas.views.pas import Pas

Body = dict[str, Any]
CARDS, STARTS, SIMULATIONS, KPIS, RECEIPTS, BEATS, ENDS = (
    f"/pas/v1/{path}"
    for path in (
        *("jobcards", "runs/start", "runs/simulate", "kpis"),
        *("receipts", "heartbeats", "runs/terminate"),
    )
)
KINDS = ("baseline", "hotfix", "rehearsal", "sandbox")
MOST_DEPS, LONGEST_ID, LONGEST_KEY = 100, 80, 200
MOST_WORDS = 200  # characters of a reason, or of the name of an agent

DEEPEST = 64  # objects and lists in each other in a payload
WIDE = {"rows": [[number] for number in range(2 * DEEPEST)], "text": '[{"' * DEEPEST}


def nested(deep: int) -> Body:
    """A payload of so many objects and lists in each other."""
    value: Any = []
    for _ in range(deep - 2):
        value = [value]
    return {"a": value}


# Of each field what is taken, and what is refused.
SIDES: Mapping[str, Mapping[str, tuple[Sequence[Any], Sequence[Any]]]] = {
    CARDS: {
        "project_id": ((1, 42, 10**9), (0, -1, 1.5, "42", None)),
        "lane": ((*LANES, "Code-API"), ("", "code-impl", 7, None)),
        "task_id": (("t" * LONGEST_ID, "A-z.0:9_"), ("", "t" * (LONGEST_ID + 1), "a b", "a/b", 7)),
        "priority": ((1, 3, 5), (0, 6, 2.5, "3")),
        "deps": (([], [f"d{n}" for n in range(MOST_DEPS)]), ("d1", [f"d{n}" for n in range(101)])),
        "budget_usd": ((0, 4.5, None), (-0.01, "4")),
        "ci_width_hint": ((0, 0.5, 1), (-0.01, 1.01)),
        "payload": (
            ({}, {"a": {"b": [1, None, "c"]}}, WIDE, nested(DEEPEST)),
            ([], "text", 7),
        ),
    },
    STARTS: {
        "run_kind": (KINDS, ("", "other", "Baseline")),
        "rehearsal_pct": ((0, 0.05), (-0.01, 0.051)),
        "weight": ((0.5, 1, 3.5), (0, -1)),
        "budget_caps": (({}, {"usd": 0.5, "energy_kwh": 2}), ({"usd": -1}, {"energy_kwh": -1}, 5)),
    },
    SIMULATIONS: {
        "rehearsal_pct": ((0.0001, 0.05), (0, -0.01, 0.051)),
        "stratified": ((True, False), ("yes", 7)),
    },
    KPIS: {"kpi": ((*LIMITS, *ALIASES), ("", "no-such-kpi")), "value": ((-1, 0.5), ("high",))},
    RECEIPTS: {
        "agent": (("a", "a" * MOST_WORDS), ("", "a" * (MOST_WORDS + 1), 7)),
        "tokens": ((0, 1200), (-1, 1.5, "7")),
        "time_ms": ((0, 0.5), (-0.5, "7")),
        "cost_usd": ((0, 0.25), (-0.01, "7")),
        "energy_kwh": ((0, 0.0005), (-0.0001, "7")),
    },
    BEATS: {"agent": (("a", "a" * MOST_WORDS), ("", "a" * (MOST_WORDS + 1), 7))},
    ENDS: {"reason": (("a", "a" * MOST_WORDS), ("", "a" * (MOST_WORDS + 1), 7))},
}


@dataclass(frozen=True, slots=True)
class Tried:
    """A body that differs from a sound one in one field, and what became of it."""

    path: str
    field: str
    body: Body
    taken: bool  # whether the contract takes it
    answer: httpx.Response
    run: Reported | None  # afterwards, of what was taken


@dataclass
class Contract:
    """What was tried; by what it was, the refusals of states, and the run before and after."""

    document: Mapping[str, Any]
    sides: list[Tried] = field(default_factory=list)
    refused: dict[str, tuple[int, str, httpx.Response]] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)  # refusals that changed their run
    keys: dict[int, int] = field(default_factory=dict)  # the status by the length of a key
    answers: dict[str, tuple[str, Reported]] = field(
        default_factory=dict
    )  # by path: operation, answer


@scenario(effect="change")
def contract(phase: Stage) -> Contract:
    """Each limit on both sides; each operation in each state that refuses it."""
    pas = Pas(phase.target("pas").client)
    told = Contract(reported(pas.client.get("/openapi.json")))
    for path, fields in SIDES.items():
        for name, (taken, refused) in fields.items():
            told.sides += [_tried(pas, path, name, value, taken=True) for value in taken]
            told.sides += [_tried(pas, path, name, value, taken=False) for value in refused]
    for length in (1, LONGEST_KEY, LONGEST_KEY + 1):
        run, key = pas.new_run("key"), (uuid.uuid4().hex * 7)[:length]
        told.keys[length] = pas.submit(run, "Vector-Ops", key=key).status_code
    _lived(_Life(pas, told))
    return told


def _tried(pas: Pas, path: str, name: str, value: Any, *, taken: bool) -> Tried:
    run = pas.new_run("limit")
    body: Body = {"run_id": run}
    if path in (CARDS, STARTS):
        body["project_id"] = pas.project
    if path == CARDS:
        body["lane"] = "Vector-Ops"
    else:
        pas.card(run, "Vector-Ops")
    if path == KPIS:
        body |= {"kpi": "test_pass_rate", "value": 0.95}
    body[name] = value
    answer = pas.client.post(path, json=body)
    after = pas.status(run) if taken and answer.status_code == httpx.codes.OK else None
    if path == STARTS:
        pas.control("terminate", run)
    return Tried(path, name, body, taken, answer, after)


@dataclass
class _Life:
    """A run from its first card to its end, asked in each state for what that state refuses."""

    pas: Pas
    told: Contract
    run: str = ""

    def refuse(self, name: str, status: int, path: str, body: Body | None = None) -> None:
        """Ask for what must be refused, and note whether the run is another one after it."""
        before = self.pas.client.get("/pas/v1/runs/status", params={"run_id": self.run}).text
        sent = {"run_id": self.run, **(body or {})}
        answer = self.pas.client.post(f"/pas/v1/{path}", json=sent)
        self.told.refused[name] = (status, f"POST /pas/v1/{path}", answer)
        after = self.pas.client.get("/pas/v1/runs/status", params={"run_id": self.run}).text
        if after != before:
            self.told.changed.append(name)

    def do(self, path: str, **body: Any) -> None:
        """Ask for what must be done."""
        answer = self.pas.client.post(f"/pas/v1/{path}", json={"run_id": self.run, **body})
        self.told.answers[path] = (f"POST /pas/v1/{path}", reported(answer))

    def card(self, **more: Any) -> Body:
        """A job card, but for its run."""
        return {"project_id": self.pas.project, "lane": "Vector-Ops", **more}


def _lived(life: _Life) -> None:
    pas, start = life.pas, {"project_id": life.pas.project}
    life.run = pas.new_run("states")
    missing = pas.new_run("nobody")
    life.do("jobcards", **life.card(task_id="first", deps=["second"]))
    life.refuse("start without a dependency", 409, "runs/start", start)
    life.do("jobcards", **life.card(task_id="second"))
    life.refuse("pause of what was not started", 409, "runs/pause")
    life.refuse("resume of what was not started", 409, "runs/resume")
    life.refuse("a task id twice", 409, "jobcards", life.card(task_id="first"))
    life.refuse("a card that needs itself", 422, "jobcards", life.card(task_id="x", deps=["x"]))
    life.refuse(
        "a card that closes a circle", 422, "jobcards", life.card(task_id="z", deps=["z", "first"])
    )
    of_nobody = {**start, "run_kind": "replay", "replay_of": missing}
    life.refuse("a replay of nobody", 404, "runs/start", of_nobody)
    life.refuse("a replay of nothing", 422, "runs/start", {**start, "run_kind": "replay"})
    life.refuse("a baseline that replays", 422, "runs/start", {**start, "replay_of": life.run})
    life.refuse("a receipt of no task", 404, "receipts", {"task_id": "no-such"})
    kpi = {"kpi": "BLEU", "value": 0.9}
    life.refuse("a KPI of no task", 404, "kpis", {"task_id": "no-such", **kpi})
    for path, body in (("receipts", {}), ("kpis", kpi), ("heartbeats", {})):
        life.refuse(f"{path} of no run", 404, path, {**body, "run_id": missing})
    life.do("runs/start", **start)
    life.refuse("a second start", 409, "runs/start", start)
    life.refuse("resume of what executes", 409, "runs/resume")
    life.refuse("a card that needs nobody's task", 409, "jobcards", life.card(deps=["no-such"]))
    life.do("runs/pause")
    life.refuse("a second pause", 409, "runs/pause")
    life.refuse("a start of what is paused", 409, "runs/start", start)
    life.do("runs/resume")
    life.do("heartbeats", agent="suite")
    life.do("receipts", agent="suite", tokens=1)
    life.do("kpis", **kpi)
    life.do("runs/terminate", reason="the suite ends it")
    for verb in ("pause", "resume", "terminate"):
        life.refuse(f"{verb} of what has ended", 409, f"runs/{verb}")
    life.refuse("a start of what has ended", 409, "runs/start", start)
    life.refuse("a card of what has ended", 409, "jobcards", life.card())
    life.run = pas.new_run("bare")
    life.pas.control("start", life.run)
    life.refuse("a rehearsal without cards", 409, "runs/simulate")
    life.pas.control("terminate", life.run)
