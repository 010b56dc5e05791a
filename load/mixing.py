"""What the locustfiles share: numbers by the seed of a load, new keys, answers that are checked."""

from __future__ import annotations

import os
import random
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, Generic, TypeVar

from locust.env import Environment

from pytest_rollout.load.generator import LoadUser

Body = dict[str, Any]
Headers = Mapping[str, str]
Wrong = Callable[[Body, Headers], str]  # what is wrong with an answer; "": nothing
_Item = TypeVar("_Item")
_KEPT = 400

# Keys must be new in each run, whatever its seed is: the services remember them for a day. Locust
# forks its processes after this was drawn.
_RUN = uuid.uuid4().hex
_NUMBERS = count(1)


class MixUser(LoadUser):
    """A user of a mix: which task comes, and with which data, follows from the seed of the load."""

    abstract = True
    seeded = False

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        if not MixUser.seeded:
            MixUser.seeded = True
            process = getattr(self, "process", None)
            if process is not None:  # locust draws tasks from the same numbers
                random.seed(f"{process.profile.id}/{process.profile.seed}/{process.worker}")

    def ask(
        self,
        name: str,
        method: str,
        path: str,
        wrong: Wrong = lambda body, headers: "",
        expect: int = 200,
        **request: Any,
    ) -> Body | None:
        """Ask once under an endpoint's name; return the answer's JSON object if all is right.

        Another status, no JSON object, or what ``wrong`` finds counts as a failure.
        """
        asked = self.client.request(method, path, name=name, catch_response=True, **request)
        with asked as answer:
            if answer.status_code != expect:
                answer.failure(f"it answers {answer.status_code or answer.error}, not {expect}")
                return None
            try:
                body = answer.json()
            except ValueError:
                body = None
            if not isinstance(body, dict):
                answer.failure("the answer is no JSON object")
                return None
            try:
                fault = wrong(body, answer.headers)
            except (KeyError, TypeError, ValueError, AttributeError) as problem:
                fault = f"the answer lacks something: {type(problem).__name__} {problem}"
            if fault:
                answer.failure(fault)
                return None
            answer.success()  # also of a status that is none for locust
            return body


def new_key() -> str:
    """Return a key that no load ever used."""
    return f"load-{_RUN}-{os.getpid()}-{next(_NUMBERS)}"


class Kept(Generic[_Item]):
    """The newest of what the users of this process made, for others of them to ask about."""

    def __init__(self, most: int = _KEPT) -> None:
        self._items: deque[_Item] = deque(maxlen=most)

    def add(self, item: _Item) -> None:
        """Keep one more."""
        self._items.append(item)

    def any(self) -> _Item | None:
        """Return one of them; None where there is none yet."""
        return random.choice(self._items) if self._items else None

    def take(self) -> _Item | None:
        """Return the oldest one, which nobody else gets until it is added again."""
        return self._items.popleft() if self._items else None
