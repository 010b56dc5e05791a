"""Task graphs that nobody drew: whatever is handed in and replayed, PAS runs it in order, once."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from tests.pas.target import Pas, serving

LANES = ("Code-Impl", "Data-Schema", "Narrative", "Vector-Ops")
LONG_S = 2_000  # longer than any of these graphs takes
QUICK = settings(
    max_examples=12, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="module")
def pas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pas]:
    """A target for all graphs."""
    with serving(tmp_path_factory.mktemp("graphs")) as served:
        yield served


@dataclass(frozen=True, slots=True)
class Graph:
    """Tasks in an order in which they may run, and the order in which they are handed in."""

    lanes: tuple[str, ...]
    deps: tuple[tuple[int, ...], ...]  # of each task, to tasks before it
    sent: tuple[int, ...]
    replays: tuple[int, ...]  # cards that are sent again

    def card(self, run: str, number: int) -> dict[str, Any]:
        """The body of a card."""
        deps = [f"t{dep}" for dep in self.deps[number]]
        body = {"project_id": 42, "run_id": run, "task_id": f"t{number}", "deps": deps}
        return {**body, "lane": self.lanes[number]}


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Graphs of up to ten tasks without a cycle."""
    size = draw(st.integers(1, 10))
    lanes = draw(st.tuples(*[st.sampled_from(LANES)] * size))
    deps = tuple(
        tuple(sorted(draw(st.sets(st.integers(0, number - 1), max_size=3)))) if number else ()
        for number in range(size)
    )
    sent = tuple(draw(st.permutations(range(size))))
    replays = tuple(draw(st.lists(st.sampled_from(range(size)), max_size=4)))
    return Graph(lanes, deps, sent, replays)


def send(client: httpx.Client, body: dict[str, Any], key: str) -> dict[str, Any]:
    """Hand in a card; the answer."""
    answer = client.post("/pas/v1/jobcards", json=body, headers={"Idempotency-Key": key})
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


def status(client: httpx.Client, run: str) -> dict[str, Any]:
    """A run."""
    answer = client.get("/pas/v1/runs/status", params={"run_id": run})
    assert answer.status_code == 200, answer.text
    said: dict[str, Any] = answer.json()
    return said


def order_kept(run: dict[str, Any]) -> bool:
    """Whether no task began before those that it needs had ended."""
    tasks = {task["task_id"]: task for task in run["tasks"]}
    return all(
        task["started_at"] is None
        or (
            tasks[dep]["finished_at"] is not None
            and datetime.fromisoformat(tasks[dep]["finished_at"])
            <= datetime.fromisoformat(task["started_at"])
        )
        for task in tasks.values()
        for dep in task["deps"]
    )


@QUICK
@given(graph=graphs())
def test_a_graph_runs_in_its_order_and_each_task_once(pas: Pas, graph: Graph) -> None:
    run, keys = f"graph-{uuid.uuid4().hex}", [uuid.uuid4().hex for _ in graph.lanes]
    first = {n: send(pas.stub, graph.card(run, n), keys[n]) for n in graph.sent}
    for number in graph.replays:
        again = send(pas.stub, graph.card(run, number), keys[number])
        assert again["idempotent_replay"] is True
        assert again["task_id"] == first[number]["task_id"]
    body = {"project_id": 42, "run_id": run}
    assert pas.stub.post("/pas/v1/runs/start", json=body).status_code == 200
    assert pas.stub.post("/pas/v1/runs/start", json=body).status_code == 409
    pas.passes(LONG_S)
    done = status(pas.stub, run)
    assert done["status"] == "completed", done["reason"]
    assert sorted(t["task_id"] for t in done["tasks"]) == sorted(f"t{n}" for n in graph.sent)
    assert done["tasks_completed"] == done["tasks_total"] == len(graph.lanes)
    assert done["executions"] == 1
    assert order_kept(done)
    for number in graph.replays:  # also once it is over
        send(pas.stub, graph.card(run, number), keys[number])
    assert status(pas.stub, run) == done


@dataclass
class Sent:
    """A card that was taken."""

    body: dict[str, Any]
    key: str
    task: str


@dataclass
class Known:
    """What a machine handed in."""

    run: str = field(default_factory=lambda: f"machine-{uuid.uuid4().hex}")
    cards: list[Sent] = field(default_factory=list)
    started: bool = False
    seen: dict[str, str] = field(default_factory=dict)  # tasks that ended, and how


class Machine(RuleBasedStateMachine):
    """Cards, replays, a start, pauses and time, in any order."""

    served: Pas

    @initialize()
    def begin(self) -> None:
        self.known = Known()

    @property
    def client(self) -> httpx.Client:
        return self.served.full

    @property
    def over(self) -> bool:
        ended = ("completed", "failed", "terminated")
        return self.known.started and status(self.client, self.known.run)["status"] in ended

    @rule(lane=st.sampled_from(LANES), picks=st.sets(st.integers(0, 9), max_size=2))
    def card(self, lane: str, picks: set[int]) -> None:
        if self.over:
            return
        cards = self.known.cards
        deps = sorted({cards[pick % len(cards)].task for pick in picks}) if cards else []
        body = {"project_id": 42, "run_id": self.known.run, "lane": lane, "deps": deps}
        key = uuid.uuid4().hex
        said = send(self.client, body, key)
        assert said["idempotent_replay"] is False
        assert said["task_id"] not in {card.task for card in cards}
        cards.append(Sent(body, key, said["task_id"]))

    @rule(pick=st.integers(0, 9))
    def replay(self, pick: int) -> None:
        if self.known.cards:
            card = self.known.cards[pick % len(self.known.cards)]
            said = send(self.client, card.body, card.key)
            assert (said["task_id"], said["idempotent_replay"]) == (card.task, True)

    @rule(pick=st.integers(0, 9))
    def other_body(self, pick: int) -> None:
        if self.known.cards:
            card = self.known.cards[pick % len(self.known.cards)]
            headers = {"Idempotency-Key": card.key}
            body = {**card.body, "priority": 5}
            answer = self.client.post("/pas/v1/jobcards", json=body, headers=headers)
            assert answer.status_code == 409, answer.text

    @rule()
    def start(self) -> None:
        if self.known.cards:
            body = {"project_id": 42, "run_id": self.known.run}
            answer = self.client.post("/pas/v1/runs/start", json=body)
            assert answer.status_code == (409 if self.known.started else 200), answer.text
            self.known.started = True

    @rule(verb=st.sampled_from(("pause", "resume")))
    def control(self, verb: str) -> None:
        answer = self.client.post(f"/pas/v1/runs/{verb}", json={"run_id": self.known.run})
        assert answer.status_code in (200, 404, 409), answer.text

    @rule(seconds=st.sampled_from((1, 7, 40)))
    def time(self, seconds: int) -> None:
        self.served.passes(seconds)

    @invariant()
    def in_order_and_once(self) -> None:
        if not self.known.cards:
            return
        run = status(self.client, self.known.run)
        assert [task["task_id"] for task in run["tasks"]] == [c.task for c in self.known.cards]
        assert order_kept(run)
        ended = {t["task_id"]: t["finished_at"] for t in run["tasks"] if t["finished_at"]}
        changed = {task for task, at in self.known.seen.items() if ended.get(task) != at}
        assert not changed, f"{changed} ended twice"
        self.known.seen = ended


def test_any_order_of_calls(pas: Pas) -> None:
    class Bound(Machine):
        served = pas

    bounds = settings(QUICK, max_examples=8, stateful_step_count=20)
    run_state_machine_as_test(Bound, settings=bounds)
