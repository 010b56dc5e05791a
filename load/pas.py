"""A mix for PAS: job cards and their replays, runs that are started and polled, receipts.

    locust -f load/pas.py --headless --host http://127.0.0.1:6200

It asks what docs/reference/plans/pas-api.md names.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from locust import task

from load.mixing import Body, Headers, Kept, MixUser, Wrong, new_key

LANES = ("Code-Impl", "Data-Schema", "Narrative", "Vector-Ops")
_CONFLICT = 409


@dataclass(slots=True)
class Run:
    """A run that this load planned, and how far it was seen."""

    id: str = field(default_factory=new_key)
    cards: int = 0
    seen: int = 0  # tasks that were told to be completed


@dataclass(frozen=True, slots=True)
class Card:
    """A job card that was accepted."""

    key: str
    body: Body
    task: str


class PasUser(MixUser):
    """Operators who hand in work, and agents that do it."""

    unstarted: Kept[Run] = Kept(8)  # get cards until they are started
    begun: Kept[Run] = Kept(100)
    cards: Kept[Card] = Kept()

    @task(22)
    def card(self) -> None:
        """Hand in a job card with a new key."""
        run = self.unstarted.any()
        if run is None:
            run = Run()
            self.unstarted.add(run)
        lane, key = random.choice(LANES), new_key()
        body = {"project_id": random.randint(1, 40), "run_id": run.id, "lane": lane}
        body |= {"priority": random.randint(1, 5), "deps": [], "payload": {"kind": "load"}}
        answer = self._card("card", key, body, _is_no_new_card)
        if answer is not None:
            run.cards += 1
            self.cards.add(Card(key, body, answer["task_id"]))

    @task(10)
    def replay(self) -> None:
        """Hand in a job card again with its key."""
        made = self.cards.any()
        if made is None:
            self.card()
            return

        def wrong(body: Body, _: Headers) -> str:
            if body["task_id"] != made.task:
                return "a key that was used gives another task"
            return "" if body["idempotent_replay"] is True else "a replay does not say it is one"

        self._card("replay", made.key, made.body, wrong)

    @task(8)
    def start_run(self) -> None:
        """Start a run that has cards."""
        run = self.unstarted.take()
        if run is None or not run.cards:
            if run is not None:
                self.unstarted.add(run)
            self.card()
            return
        body = {"project_id": 1, "run_id": run.id, "run_kind": "baseline"}
        answer = self.ask("start", "POST", "/pas/v1/runs/start", json=body)
        if answer is not None:
            self.begun.add(run)

    @task(2)
    def start_again(self) -> None:
        """Start a run a second time, which is refused."""
        run = self.begun.any()
        if run is not None:
            body = {"project_id": 1, "run_id": run.id, "run_kind": "baseline"}
            self.ask("restart", "POST", "/pas/v1/runs/start", expect=_CONFLICT, json=body)
        else:
            self.start_run()

    @task(28)
    def runs(self) -> None:
        """Look how far a run is: never less than before."""
        run = self.begun.any()
        if run is None:
            self.start_run()
            return
        before = run.seen

        def wrong(body: Body, _: Headers) -> str:
            done = body["tasks_completed"]
            if not before <= done <= body["tasks_total"]:
                return "a run has fewer tasks completed than before, or more than it has"
            run.seen = max(run.seen, done)
            return ""

        self.ask("runs", "GET", f"/pas/v1/runs/status?run_id={run.id}", wrong)

    @task(14)
    def portfolio(self) -> None:
        """Look at the lanes."""

        def wrong(body: Body, _: Headers) -> str:
            shares = body["lane_utilization"].values()
            return "" if all(0 <= share <= 1 for share in shares) else "a share is not from 0 to 1"

        self.ask("portfolio", "GET", "/pas/v1/portfolio/status", wrong)

    @task(10)
    def heartbeat(self) -> None:
        """Tell that an agent is alive."""
        self._of_a_run("heartbeat", "/pas/v1/heartbeats", {"agent": "executor"})

    @task(6)
    def receipt(self) -> None:
        """Hand in a receipt."""
        self._of_a_run("receipt", "/pas/v1/receipts", {"tokens": random.randint(1, 9_000)})

    def _of_a_run(self, name: str, path: str, body: Body) -> None:
        run = self.begun.any()
        if run is None:
            self.start_run()
        else:
            self.ask(name, "POST", path, json={"run_id": run.id, **body})

    def _card(self, name: str, key: str, body: Body, wrong: Wrong) -> Body | None:
        headers = {"Idempotency-Key": key}
        return self.ask(name, "POST", "/pas/v1/jobcards", wrong, json=body, headers=headers)


def _is_no_new_card(body: Body, _: Headers) -> str:
    if body["idempotent_replay"]:
        return "a new key is answered as a replay"
    return "" if body["task_id"] else "a card gives no task"
