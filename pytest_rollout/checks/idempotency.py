"""Idempotency: asking a second time must change nothing, and must say so."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, Any

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.jsonpath import NothingThereError, at

if TYPE_CHECKING:
    import httpx

_BUSY = 409
_CONFLICT = (_BUSY, 422)
_NO_KEY = (400, 422)
_BARRIER_S = 30


@dataclass(frozen=True, slots=True)
class ReplayAnswer:
    """One answer: its status, the id that it gives, and whether it says that it is a replay."""

    status: int
    id: object
    replay: bool
    body: Mapping[str, Any]

    @property
    def accepted(self) -> bool:
        """Whether it is a success that gives an id."""
        return 200 <= self.status < 300 and self.id not in (None, "")


class Idempotency:
    """A route that takes an idempotency key, and what a caller may rely on.

    ``id_at`` is where the answer's JSON holds the id of what was made (`id`, `order.id`);
    ``flag`` is the header that marks a replay with `true`, "" where there is none; ``effects``
    counts what was made so far, in the database or by asking. Each promise is a method that raises
    AssertionError with what was seen where it is broken. All of them leave effects behind.
    """

    def __init__(
        self,
        client: httpx.Client,
        path: str,
        *,
        id_at: str = "id",
        header: str = "Idempotency-Key",
        flag: str = "Idempotent-Replay",
        effects: Callable[[], int] | None = None,
        method: str = "POST",
    ) -> None:
        self.path = path
        self._client = client
        self._id_at = id_at
        self._header = header
        self._flag = flag
        self._effects = effects
        self._method = method

    def new_key(self) -> str:
        """A key that nobody used."""
        return str(uuid.uuid4())

    def ask(self, body: object, key: str | None, path: str = "") -> ReplayAnswer:
        """Ask once, with a key or without one."""
        headers = {} if key is None else {self._header: key}
        answer = self._client.request(self._method, path or self.path, json=body, headers=headers)
        try:
            content = answer.json()
        except ValueError:
            content = None
        try:
            id_ = at(content, self._id_at)
        except NothingThereError:
            id_ = None
        replay = answer.headers.get(self._flag, "").lower() == "true" if self._flag else False
        return ReplayAnswer(
            answer.status_code, id_, replay, content if isinstance(content, dict) else {}
        )

    def check(self, body: object) -> None:
        """Any body may be repeated without a second effect, and asked anew with a new key."""
        self.repeats(body)
        self.renews(body)

    def repeats(self, body: object, times: int = 1) -> None:
        """The same key and body give the same id, marked as a replay, and one effect."""
        key, before = self.new_key(), self._count()
        first = self._accepted(body, key)
        assert not first.replay, "the first use of a key is answered as a replay"
        for _ in range(times):
            again = self._accepted(body, key)
            assert again.id == first.id, f"the same key gave {first.id!r}, then {again.id!r}"
            assert again.replay or not self._flag, f"the replay has no {self._flag}: true"
        self._made(before, 1, f"{times + 1} calls with one key")

    def renews(self, body: object) -> None:
        """Another key with the same body gives another id, not marked as a replay."""
        before = self._count()
        first, second = (self._accepted(body, self.new_key()) for _ in range(2))
        assert second.id != first.id, f"two keys gave the same {first.id!r}"
        assert not second.replay, "the first use of a key is answered as a replay"
        self._made(before, 2, "two calls with two keys")

    def survives(self, body: object, at_once: int = 20) -> None:
        """Many calls with one key at the same time give one id and one effect.

        A call may be told 409 while the first is still being carried out.
        """
        before = self._count()
        answers = self.race(body, at_once)
        refused = [
            replay_answer.status
            for replay_answer in answers
            if not (replay_answer.accepted or replay_answer.status == _BUSY)
        ]
        assert not refused, f"{len(refused)} of {at_once} calls were refused: {refused[:5]}"
        ids = {replay_answer.id for replay_answer in answers if replay_answer.accepted}
        assert len(ids) == 1, (
            f"{at_once} calls at once gave {len(ids)} ids: {sorted(map(str, ids))}"
        )
        self._made(before, 1, f"{at_once} calls at once")

    def race(self, body: object, at_once: int = 20) -> list[ReplayAnswer]:
        """What calls with one key are told that are made at the same time."""
        key, ready = self.new_key(), Barrier(at_once)

        def call(_: int) -> ReplayAnswer:
            ready.wait(_BARRIER_S)
            return self.ask(body, key)

        with ThreadPoolExecutor(at_once) as pool:
            return list(pool.map(call, range(at_once)))

    def refuses(self, body: object, other_body: object) -> None:
        """A key that was used with another body is refused with 409 or 422, without effect."""
        key = self.new_key()
        self._accepted(body, key)
        before = self._count()
        answer = self.ask(other_body, key)
        assert answer.status in _CONFLICT, (
            f"a key used with another body is answered {answer.status}, allowed are 409 and 422"
        )
        self._made(before, 0, "the refused call")

    def separates(self, body: object, other_path: str) -> None:
        """A key belongs to its path: on another path it gives an id of its own."""
        key = self.new_key()
        first, second = self._accepted(body, key), self._accepted(body, key, other_path)
        assert second.id != first.id, f"{other_path} gave {first.id!r} of {self.path}"

    def demands_key(self, body: object) -> None:
        """Without a key nothing is done: 400 or 422."""
        before = self._count()
        answer = self.ask(body, None)
        assert answer.status in _NO_KEY, (
            f"a call without a key is answered {answer.status}, allowed are 400 and 422"
        )
        self._made(before, 0, "the call without a key")

    def _accepted(self, body: object, key: str, path: str = "") -> ReplayAnswer:
        answer = self.ask(body, key, path)
        assert answer.accepted, f"{path or self.path} answers {answer.status} with id {answer.id!r}"
        return answer

    def _count(self) -> int:
        return self._effects() if self._effects else 0

    def _made(self, before: int, allowed: int, calls: str) -> None:
        if self._effects:
            made = self._count() - before
            assert made == allowed, f"{calls} had {made} effects, allowed is {allowed}"
