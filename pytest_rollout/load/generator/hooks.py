"""What locust calls: where a profile is known, the load follows it and leaves a record."""

from __future__ import annotations

import logging
import socket
from functools import cache
from pathlib import Path
from typing import Any

import gevent
from locust import events
from locust.env import Environment
from locust.runners import LocalRunner

from pytest_rollout.load.generator import clock, users, writing
from pytest_rollout.load.generator.found import Order
from pytest_rollout.load.generator.parts import Part
from pytest_rollout.load.generator.process import DRAIN_S, Process
from pytest_rollout.load.generator.shapes import FollowProfile
from pytest_rollout.load.generator.total import Total
from pytest_rollout.model.load import LoadRecord

logger = logging.getLogger(__name__)


class Alone:
    """A load that one process makes and records."""

    def __init__(self, environment: Environment, order: Order) -> None:
        self._environment, self._order = environment, order
        self.total = Total()
        self._began = clock.steady()
        self.process = Process(order.profile, _name(0), self._take, self._users)
        make(environment, self.process)
        environment.stop_timeout = max(environment.stop_timeout, DRAIN_S)
        environment.shape_class = FollowProfile(
            order.profile, self.process.recorder.now, self.process.finished.is_set
        )
        environment.events.test_start.add_listener(self._on_start)
        environment.events.spawning_complete.add_listener(self._on_spawned)
        environment.events.quitting.add_listener(self._on_quitting)

    def _users(self) -> int:
        runner = self._environment.runner
        return 0 if runner is None else runner.user_count

    def _on_start(self, **_: object) -> None:
        if not self._order.profile.open_loop:
            self.process.begin()

    def _on_spawned(self, **_: object) -> None:
        if self._order.profile.open_loop:
            gevent.spawn(self.process.begin_once_ready)

    def _take(self, part: Part) -> None:
        self.total.add(part)
        if part.facts.completed:
            self._environment.stop_timeout = 0.0
        elif self._order.status is not None:
            writing.write(self._order.status, self._record(), lambda: gevent.sleep(0.001))

    def _record(self, trouble: str = "") -> LoadRecord:
        elapsed = self.process.elapsed or max(0.0, self.process.recorder.now())
        completed = any(facts.completed for facts in self.total.facts.values())
        return self.total.record(
            self._order.profile, round(elapsed * 1e6), completed=completed, trouble=trouble
        )

    def _on_quitting(self, **_: object) -> None:
        self.process.finish(completed=False)
        record = self._record(self._trouble())
        for path in filter(None, (self._order.status, self._order.record)):
            writing.write(path, record)
        self._environment.process_exit_code = 0 if record.completed else 1

    def _trouble(self) -> str:
        if any(facts.completed for facts in self.total.facts.values()):
            return ""
        elapsed = self.process.recorder.now()
        if elapsed < 0:
            return "it was stopped before it began"
        return f"it was stopped after {elapsed:.1f} s of {self.process.duration:g} s"


def make(environment: Environment, process: Process) -> None:
    """Let the users of this process make a load, and its recorder see their requests."""
    users.Here.process = process
    process.recorder.unbegun = users.unbegun
    environment.events.request.add_listener(process.recorder.on_request)


def _name(worker: int) -> str:
    return f"{worker} on {socket.gethostname()}"


def on_init(environment: Environment, runner: Any = None, **_: object) -> None:
    """Follow the profile that this process was started with, if there is one."""
    files = environment.parsed_locustfiles or ["locustfile.py"]
    order = Order.found(Path(files[0]))
    if isinstance(runner, LocalRunner) and order is not None:
        Alone(environment, order)


@cache
def listen() -> None:
    """Have locust call :func:`on_init` once it is ready, however often this is called."""
    events.init.add_listener(on_init)
