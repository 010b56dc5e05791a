"""What a caller with an idempotency key may rely on, held against services that break it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_rollout import Idempotency


class Shop:
    """Takes orders; each flaw is one broken promise."""

    def __init__(self, flaw: str = "") -> None:
        self.flaw = flaw
        self.orders: list[Any] = []
        self._seen: dict[Any, tuple[str, str]] = {}
        self._lock = threading.Lock()
        self.client = httpx.Client(
            transport=httpx.MockTransport(self._answer), base_url="http://shop"
        )

    def idempotency(self) -> Idempotency:
        return Idempotency(
            self.client, "/orders", id_at="order.id", effects=lambda: len(self.orders)
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        key = request.headers.get("Idempotency-Key")
        if key is None and self.flaw != "no key":
            return httpx.Response(400)
        body = request.content.decode()
        slot = {
            "by body": (request.url.path, body),
            "global": key,
        }.get(self.flaw, (request.url.path, key))
        if self.flaw == "race":
            earlier = self._seen.get(slot)
            time.sleep(0.02)
            return self._settle(slot, body, earlier)
        with self._lock:
            return self._settle(slot, body, self._seen.get(slot))

    def _settle(self, slot: Any, body: str, earlier: tuple[str, str] | None) -> httpx.Response:
        if earlier and self.flaw != "new":
            if earlier[0] != body and self.flaw != "any body":
                return httpx.Response(422)
            if self.flaw == "twice":
                self.orders.append(body)
            return self._told(earlier[1], replay=self.flaw != "no flag")
        self.orders.append(body)
        self._seen[slot] = (body, f"order-{len(self.orders)}")
        return self._told(self._seen[slot][1], replay=self.flaw == "always flagged")

    def _told(self, order: str, *, replay: bool) -> httpx.Response:
        headers = {"Idempotent-Replay": "True"} if replay else {}
        given = None if self.flaw == "no id" else order
        return httpx.Response(201, json={"order": {"id": given}}, headers=headers)


PROMISES: dict[str, Callable[[Idempotency], None]] = {
    "repeats": lambda api: api.repeats({"n": 1}, times=2),
    "renews": lambda api: api.renews({"n": 1}),
    "survives": lambda api: api.survives({"n": 1}),
    "refuses": lambda api: api.refuses({"n": 1}, {"n": 2}),
    "separates": lambda api: api.separates({"n": 1}, "/carts"),
    "demands_key": lambda api: api.demands_key({"n": 1}),
    "check": lambda api: api.check({"n": 1}),
}
BROKEN = {
    "no id": set(PROMISES) - {"demands_key"},
    "always flagged": {"repeats", "renews", "check"},
    "no flag": {"repeats", "check"},
    "new": {"repeats", "survives", "refuses", "check"},
    "twice": {"repeats", "survives", "check"},
    "by body": {"renews", "refuses", "check"},
    "global": {"separates"},
    "any body": {"refuses"},
    "race": {"survives"},
    "no key": {"demands_key"},
}


@pytest.mark.parametrize("promise", PROMISES)
def test_a_sound_service_keeps_every_promise(promise: str) -> None:
    PROMISES[promise](Shop().idempotency())


@pytest.mark.parametrize("flaw", BROKEN)
def test_a_flaw_breaks_just_the_promises_it_is_about(flaw: str) -> None:
    broken = set()
    for name, keeps in PROMISES.items():
        try:
            keeps(Shop(flaw).idempotency())
        except AssertionError:
            broken.add(name)
    assert broken == BROKEN[flaw]


def test_the_reason_says_what_was_seen() -> None:
    with pytest.raises(AssertionError, match="the same key gave 'order-1', then 'order-2'"):
        Shop("new").idempotency().check({})
    with pytest.raises(AssertionError, match=r"20 calls at once gave \d+ ids"):
        Shop("race").idempotency().survives({})


def answering(*statuses: int) -> Idempotency:
    """A service that answers so, in turn, and always with the same id."""
    turns = iter(statuses)
    handler = httpx.MockTransport(lambda _: httpx.Response(next(turns), json={"id": "a"}))
    return Idempotency(httpx.Client(transport=handler, base_url="http://x"), "/orders")


def test_a_call_at_the_same_time_may_be_told_to_wait() -> None:
    answering(201, 409, 409).survives({}, at_once=3)
    with pytest.raises(AssertionError, match="0 ids"):
        answering(409, 409).survives({}, at_once=2)
    with pytest.raises(AssertionError, match=r"1 of 2 calls were refused: \[503\]"):
        answering(201, 503).survives({}, at_once=2)


def test_an_answer_that_is_no_json_gives_no_id() -> None:
    client = httpx.Client(
        transport=httpx.MockTransport(lambda _: httpx.Response(200, text="ok")), base_url="http://x"
    )
    with pytest.raises(AssertionError, match="/orders answers 200 with id None"):
        Idempotency(client, "/orders").check({})


SHOP = Shop()


@settings(max_examples=30, deadline=None)
@given(body=st.dictionaries(st.text(), st.integers() | st.text()))
def test_three_lines_hold_for_any_body(body: dict[str, Any]) -> None:
    Idempotency(SHOP.client, "/orders", id_at="order.id").check(body)
    assert json.loads(SHOP.orders[-1]) == body
