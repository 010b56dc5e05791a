"""Users of a load: each waits for the next planned arrival, and is measured from then."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import gevent
from locust import FastHttpUser
from locust.contrib.fasthttp import FastHttpSession
from locust.env import Environment

from pytest_rollout.load.generator import clock
from pytest_rollout.load.generator.asking import ASKED, Asked, Asker
from pytest_rollout.load.generator.process import Process
from pytest_rollout.load.generator.recorder import BEGUN, Recorder

_LONG = 86_400.0  # seconds: until locust ends the user
_request = FastHttpSession.request


class Here:
    """What the users of this process share: the load that it makes, once it is known."""

    process: Process | None = None


class _Session(FastHttpSession):
    """A session that notes when requests begin, and how late the first of an arrival does."""

    user: LoadUser
    recorder: Recorder

    def request(  # type: ignore[override]  # all else is given by name
        self, method: str, url: str, name: str | None = None, **kwargs: Any
    ) -> Any:
        user, recorder = self.user, self.recorder
        begun = clock.steady() - recorder.begin
        if user.planned is None:
            late = 0.0
        else:
            late, user.planned = recorder.start(user.planned, begun), None
        key, called = 0, name or self.request_name or url
        if begun >= 0 and begun - late < recorder.ends:
            recorder.asked = key = recorder.asked + 1
            recorder.under_way[key] = called, begun, late
        user.asker.name = called
        asked = Asked(key, user.asker, "allow_redirects" in kwargs)
        kwargs.setdefault("allow_redirects", False)
        told = {BEGUN: (begun, late), ASKED: asked}
        kwargs["context"] = {**(kwargs.get("context") or {}), **told}
        try:
            answer = _request(self, method, url, name, **kwargs)
        except gevent.GreenletExit:
            recorder.cut(key)
            raise
        finally:
            recorder.under_way.pop(key, None)
        if kwargs.get("catch_response"):
            recorder.hold(key, user.asker, (called, begun, late))
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
        self.planned: float | None = None  # start of an arrival that is not begun
        self.asker = Asker()
        self._going = False  # whether an arrival is begun, and its task has not ended
        self._next_paced: float | None = None
        process = Here.process
        if process is None:
            return
        self.process = process
        self.client.__class__ = _Session
        vars(self.client)["recorder"] = process.recorder
        if process.profile.open_loop or self.pacing is not None:
            self.tasks = [_wait_first]
        self.wait_time = self._waiting(self.wait_time)  # type: ignore[method-assign]

    def _waiting(self, own: Callable[[], float]) -> Callable[[], float]:
        if self.process.profile.open_loop:
            return self._until_arrival
        if self.pacing is not None:
            return self._until_paced
        return partial(self._until_own, own)

    def _until_own(self, own: Callable[[], float]) -> float:
        self._end_task()
        return _LONG if self.process.over else own()

    def _until_arrival(self) -> float:
        self._end_task()
        claimed = self.process.claim()
        if claimed is None:
            return _LONG
        self.planned, seconds = claimed
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
        self._next_paced = max(0.0, now) if last is None else last + self.pacing
        if self._next_paced >= self.process.duration:
            return _LONG
        self.process.recorder.claimed += 1
        self.planned = self._next_paced
        return max(0.0, self.planned - now)

    def _end_task(self) -> None:
        """Count what a task left behind: an arrival that asked nothing, answers not judged."""
        recorder = self.process.recorder
        if self.planned is not None:
            recorder.start(self.planned, recorder.now())
            recorder.unasked += 1
            self.planned = None
        recorder.settle(self.asker)
        self.asker.anew()
        if self._going:
            recorder.going -= 1
            self._going = False


def _wait_first(user: LoadUser) -> None:
    """Do nothing, so that a user waits for an arrival before its first task."""
    del user.tasks


def unbegun() -> float | None:
    """Return the planned start of the arrival that the current user has not begun; once."""
    user = _current()
    if user is None or user.planned is None:
        return None
    planned, user.planned = user.planned, None
    return planned


def asker() -> Asker | None:
    """Return what the current user asks; None where no user runs."""
    user = _current()
    return None if user is None else user.asker


def _current() -> LoadUser | None:
    held = getattr(gevent.getcurrent(), "args", None)
    user = held[0] if held else None
    return user if isinstance(user, LoadUser) else None


def on_user_error(recorder: Recorder, user_instance: Any, exception: object) -> None:
    """Count a task that raised; locust hands over the user, or the task set in it."""
    user = getattr(user_instance, "user", user_instance)
    if isinstance(user, LoadUser):
        recorder.on_raised(user.asker, exception)
