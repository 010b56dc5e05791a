"""Threads and messages against a model, over HTTP: order, no loss, no repeat, numbers that rise."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.bridge.modelled import EDGES, Model, Sent, Site, served

TEXTS = st.text(min_size=1, max_size=40).filter(lambda text: text.isprintable() and text.strip())
BURST = 12
_TAKES = count()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with served(tmp_path_factory.mktemp("bridge")) as found:
        yield found


class Threads(RuleBasedStateMachine):
    """Agents that open threads, post alone and all at once, repeat themselves, read and close."""

    site: Site

    def __init__(self) -> None:
        super().__init__()
        self.take = next(_TAKES)  # agents are new in each, so that nobody posts too much
        self.threads: list[Model] = []
        self.keys = count()

    def name(self, number: int) -> str:
        return f"agent-{self.take}-{number}"

    def model(self, number: int) -> Model:
        return self.threads[number % len(self.threads)]

    def path(self, thread: Model, what: str = "messages") -> str:
        return f"/v1/threads/{thread.id}/{what}"

    def keep(self, thread: Model, sender: str, body: dict[str, object], key: str) -> Sent:
        said = self.site.ask(sender, "POST", self.path(thread), body, key).json()
        to = body.get("to")
        return Sent(
            sender,
            str(body["text"]),
            tuple(to) if isinstance(to, list) else None,
            key,
            said["id"],
            said["seq"],
        )

    @initialize()
    def first(self) -> None:
        self.open()

    @precondition(lambda self: len(self.threads) < 3)
    @rule()
    def open(self) -> None:
        members = [self.name(number) for number in range(3)]
        body = {"title": "modelled", "participants": members[1:]}
        said = self.site.ask(members[0], "POST", "/v1/threads", body).raise_for_status().json()
        assert said["state"] == "active"
        self.threads.append(Model(said["id"], members))

    @rule(thread=st.integers(0, 9), sender=st.integers(0, 9), text=TEXTS, directed=st.booleans())
    def post(self, thread: int, sender: int, text: str, directed: bool) -> None:
        model = self.model(thread)
        who = model.members[sender % len(model.members)]
        other = model.members[(sender + 1) % len(model.members)]
        key = f"key-{self.take}-{next(self.keys)}"
        body: dict[str, object] = {"text": text, "wake": False}
        to = [other] if directed and other != who else None
        body |= {"to": to} if to else {}
        answer = self.site.ask(who, "POST", self.path(model), body, key)
        if model.state != "active":
            assert answer.status_code == 409, answer.text
            return
        assert answer.status_code == 201, answer.text
        said = answer.json()
        assert said["seq"] == len(model.sent) + 1, f"{said['seq']} after {len(model.sent)}"
        sent = Sent(who, text, tuple(to) if to else None, key, said["id"], said["seq"])
        model.sent.append(sent)

    @precondition(lambda self: any(model.state == "active" for model in self.threads))
    @rule(repeat=st.booleans())
    def burst(self, repeat: bool) -> None:
        """Many post at once; with ``repeat`` some of them the same with one key."""
        model = next(one for one in self.threads if one.state == "active")
        numbers = [next(self.keys) for _ in range(BURST)]
        keys = [f"key-{self.take}-{n if not repeat or n % 3 else numbers[0]}" for n in numbers]

        def post(number: int) -> tuple[str, str, httpx.Response]:
            # One key is of one agent and one body; another one of another.
            key = keys[number]
            who = model.members[int(key.rpartition("-")[2]) % len(model.members)]
            body = {"text": key, "wake": False}
            return who, key, self.site.ask(who, "POST", self.path(model), body, key)

        with ThreadPoolExecutor(BURST) as pool:
            told = list(pool.map(post, range(BURST)))
        fresh: dict[str, Sent] = {}
        for who, key, answer in told:
            assert answer.status_code == 201, answer.text
            said = answer.json()
            sent = Sent(who, key, None, key, said["id"], said["seq"])
            assert fresh.setdefault(key, sent) == sent, f"{key} made two messages"
        numbers = sorted(one.seq for one in fresh.values())
        begin = len(model.sent) + 1
        assert numbers == list(range(begin, begin + len(fresh))), f"{numbers} after {begin - 1}"
        model.sent += sorted(fresh.values(), key=lambda one: one.seq)

    @precondition(lambda self: any(model.sent for model in self.threads))
    @rule(number=st.integers(0, 99), changed=st.booleans())
    def again(self, number: int, changed: bool) -> None:
        """A message with its key once more: the same answer; with another text: refused."""
        model = next(one for one in self.threads if one.sent)
        sent = model.sent[number % len(model.sent)]
        body: dict[str, object] = {"text": sent.text + ("!" if changed else ""), "wake": False}
        body |= {"to": list(sent.to)} if sent.to else {}
        answer = self.site.ask(sent.sender, "POST", self.path(model), body, sent.key)
        if changed:
            assert answer.status_code == 409, answer.text
            return
        assert (answer.status_code, answer.json()["id"]) == (201, sent.id), answer.text
        assert answer.headers.get("Idempotent-Replay") == "true"

    @rule(thread=st.integers(0, 9), reader=st.integers(0, 9), limit=st.integers(1, 7))
    def read_on(self, thread: int, reader: int, limit: int) -> None:
        """An agent reads on from its cursor: what comes is what follows, and nothing else."""
        model = self.model(thread)
        who = model.members[reader % len(model.members)]
        cursor = model.cursors.get(who, "")
        path = f"{self.path(model)}?cursor={cursor}&limit={limit}"
        said = self.site.ask(who, "GET", path).raise_for_status().json()
        seen = model.seen.setdefault(who, [])
        due = model.visible(who)[len(seen) : len(seen) + limit]
        assert [one["seq"] for one in said["messages"]] == due
        if not due and cursor:
            assert said["next_cursor"] == cursor, "the cursor moved over nothing"
        seen += due
        model.cursors[who] = said["next_cursor"]

    @rule(thread=st.integers(0, 9), state=st.sampled_from(["active", "blocked", "closed"]))
    def change(self, thread: int, state: str) -> None:
        model = self.model(thread)
        if state == "closed" and sum(one.state != "closed" for one in self.threads) < 2:
            return  # one thread stays in use
        body = {"state": state, "reason": "by the model"}
        answer = self.site.ask(model.members[0], "POST", self.path(model, "status"), body)
        if state in EDGES[model.state]:
            assert answer.status_code == 200, answer.text
            model.state = state
        else:
            assert answer.status_code == 409, answer.text

    @invariant()
    def threads_are_as_modelled(self) -> None:
        for model in self.threads[-2:]:
            said = self.site.ask(model.members[0], "GET", f"/v1/threads/{model.id}").json()
            assert (said["state"], said["last_seq"], said["messages"]) == (
                model.state,
                len(model.sent),
                len(model.sent),
            )

    def teardown(self) -> None:
        """Each agent finds all that it may read, once and in order, to the letter."""
        for model in self.threads:
            for who in model.members:
                found, cursor, more = [], "", True
                while more:
                    path = f"{self.path(model)}?cursor={cursor}&limit=50"
                    said = self.site.ask(who, "GET", path).raise_for_status().json()
                    found += said["messages"]
                    cursor, more = said["next_cursor"], said["has_more"]
                by_seq = {one.seq: (one.id, one.text, one.sender) for one in model.sent}
                due = [(seq, *by_seq[seq]) for seq in model.visible(who)]
                assert [(o["seq"], o["id"], o["text"], o["from"]) for o in found] == due


def tried(site: Site, examples: int = 5, steps: int = 20) -> None:
    """Try the bridge with so many walks of so many steps."""
    machine = type("Threads", (Threads,), {"site": site})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            derandomize=True,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.slow
def test_threads_and_messages_are_as_the_model(site: Site) -> None:
    tried(site)


@pytest.mark.nightly
@pytest.mark.parametrize(
    "fault",
    [
        "seq-race",
        "idempotency-race",
        "idempotency-key-ignored",
        "cursor-off-by-one",
        "directed-leaks",
        "transition-reopen-closed",
        "post-ack-not-persisted",
    ],
)
def test_the_model_notices(tmp_path: Path, fault: str) -> None:
    with served(tmp_path, fault) as site, pytest.raises(AssertionError):
        tried(site, examples=30)
