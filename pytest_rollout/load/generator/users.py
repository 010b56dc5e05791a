"""Users of a load: each waits for the next planned arrival, and is measured from then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
from locust import FastHttpUser
from locust.contrib.fasthttp import FastHttpSession
from locust.env import Environment

from pytest_rollout.load.generator import clock
from pytest_rollout.load.generator.asking import ASKED, Asked, Asker
from pytest_rollout.load.generator.cookies import Cookies
from pytest_rollout.load.generator.process import Process
from pytest_rollout.load.generator.recorder import Recorder

_LONG = 86_400.0  # seconds: until locust ends the user
_request = FastHttpSession.request


class Here:
    """What the users of this process share: the load that it makes, once it is known."""

    process: Process | None = None


class _Session(FastHttpSession):
    """A session that notes when requests begin, and how late the first of an arrival does."""

    recorder: Recorder
    asker: Asker

    def request(  # type: ignore[override]  # all else is given by name
        self, method: str, url: str, name: str | None = None, **kwargs: Any
    ) -> Any:
        recorder, asker = self.recorder, self.asker
        begun, late, planned = clock.steady() - recorder.begin, 0.0, asker.planned
        if planned is not None:
            late, asker.planned = recorder.start(planned, begun), None
        asker.name = called = name or self.request_name or url
        key = 0
        if begun >= 0 and begun - late < recorder.ends:
            recorder.asked = key = recorder.asked + 1
        asked = Asked(key, called, begun, late, asker, "allow_redirects" in kwargs)
        if key:
            recorder.under_way[key] = asked
        context = kwargs.get("context")
        kwargs["context"] = {**context, ASKED: asked} if context else {ASKED: asked}
        if not kwargs.pop("allow_redirects", False):
            kwargs["max_redirects"] = 0  # locust's own way holds for requests beside this one, too
        try:
            answer = _request(self, method, url, name, **kwargs)
        except gevent.GreenletExit:
            recorder.cut(key)
            raise
        finally:
            recorder.under_way.pop(key, None)
        if kwargs.get("catch_response"):
            recorder.hold(asked)
        return answer


class LoadUser(FastHttpUser):
    """A user whose tasks begin at the planned arrivals of the load's profile.

    With a rate, each arrival is one task. Its first request is measured from the planned start, so
    nothing may wait before it: a pause there counts as a late start. With users only, each asks
    one after the other, as its own ``wait_time`` says; ``pacing`` plans its starts instead.
    """

    abstract = True
    pacing: float | None = None  # seconds from one planned start of a user to the next

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.asker = Asker()
        self._going = False  # whether an arrival is begun, and its task has not ended
        self._next_paced: float | None = None
        process = Here.process
        if process is None:
            return
        self.process = process
        self.client.__class__ = _Session
        vars(self.client).update(recorder=process.recorder, asker=self.asker)
        self.client.cookiejar = self.client.client.cookiejar = Cookies()
        if process.profile.open_loop or self.pacing is not None:
            self.tasks = [_wait_first]
        self.wait_time = self._waiting(self.wait_time)  # type: ignore[method-assign]

    def _waiting(self, own: Callable[[], float]) -> Callable[[], float]:
        if self.process.profile.open_loop:
            return self._until_arrival
        if self.pacing is not None:
            return self._until_paced

        def until_own() -> float:
            self._end_task()
            return _LONG if self.process.over else own()

        return until_own

    def _until_arrival(self) -> float:
        self._end_task()
        claimed = self.process.claim()
        if claimed is None:
            return _LONG
        self.asker.planned, seconds = claimed
        self._going = True
        self.process.recorder.going += 1
        return seconds

    def _until_paced(self) -> float:
        assert self.pacing is not None
        self._end_task()
        if self.process.over:
            return _LONG
        now = self.process.recorder.now()
        last = self._next_paced
        self._next_paced = planned = max(0.0, now) if last is None else last + self.pacing
        if planned >= self.process.duration:
            return _LONG
        self.process.recorder.claimed += 1
        self.asker.planned = planned
        return max(0.0, planned - now)

    def _end_task(self) -> None:
        """Count what a task left behind: an arrival that asked nothing, answers not judged."""
        asker = self.asker
        if asker.planned is not None:
            recorder = self.process.recorder
            recorder.start(asker.planned, recorder.now())
            recorder.unasked += 1
        if asker.held:
            self.process.recorder.settle(asker)
        asker.anew()
        if self._going:
            self.process.recorder.going -= 1
            self._going = False


def _wait_first(user: LoadUser) -> None:
    """Do nothing, so that a user waits for an arrival before its first task."""
    del user.tasks


def unbegun() -> float | None:
    """Return the planned start of the arrival that the current user has not begun; once."""
    user = _current()
    if user is None:
        return None
    planned, user.asker.planned = user.asker.planned, None
    return planned


def asker() -> Asker | None:
    """Return what the current user asks; None where no user runs."""
    user = _current()
    return None if user is None else user.asker


def _current() -> LoadUser | None:
    arguments = getattr(gevent.getcurrent(), "args", None)
    user = arguments[0] if arguments else None
    return user if isinstance(user, LoadUser) else None


def on_user_error(recorder: Recorder, user_instance: Any, exception: object) -> None:
    """Count a task that raised; locust hands over the user, or the task set in it."""
    user = getattr(user_instance, "user", user_instance)
    if isinstance(user, LoadUser):
        recorder.on_raised(user.asker, exception)
