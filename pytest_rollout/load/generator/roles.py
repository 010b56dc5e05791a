"""The processes of a load, as locust starts them: alone, as master, or as one of its workers."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import gevent
from locust.env import Environment
from locust.runners import STATE_MISSING, LocalRunner, MasterRunner, WorkerRunner

from pytest_rollout.load.generator import clock, users
from pytest_rollout.load.generator.books import Books
from pytest_rollout.load.generator.found import Order
from pytest_rollout.load.generator.parts import from_message, to_message
from pytest_rollout.load.generator.process import DRAIN_S, Process
from pytest_rollout.load.generator.shapes import FollowProfile
from pytest_rollout.load.locust_process import READY_S
from pytest_rollout.model.coding import decode, encode
from pytest_rollout.model.load import LoadProfile, LoadRecord

Closed = Callable[[LoadRecord], int]  # what is done with a record; the exit status
_ASSIGN, _PART = "rollout_assign", "rollout_part"
_READY, _BEGIN = "rollout_ready", "rollout_begin"
_LATEST_S = 6.0  # from the end of a worker until its master knows of it


class Alone:
    """A load that one process makes and records."""

    def __init__(
        self, environment: Environment, runner: LocalRunner, order: Order, closed: Closed
    ) -> None:
        self._environment, self._closed = environment, closed
        self._books = Books(order, _pause)
        name = _name(0, socket.gethostname())
        self._books.workers = {0: name}
        self._process = Process(
            order.profile, name, self._books.take, lambda: int(runner.user_count)
        )
        make(environment, self._process)
        environment.stop_timeout = max(environment.stop_timeout, DRAIN_S)
        environment.shape_class = FollowProfile(
            order.profile, self._process.recorder.now, self._ended
        )
        environment.events.quitting.add_listener(self._on_quitting)

    def _ended(self) -> bool:
        late = self._process.recorder.now() > self._process.duration + DRAIN_S + _LATEST_S
        if self._process.finished.is_set() or late:
            self._environment.stop_timeout = 0.0
            return True
        return False

    def _on_quitting(self, **_: object) -> None:
        self._process.finish(completed=False)
        record = self._books.close(reached=self._books.completed)
        self._environment.process_exit_code = self._closed(record)


class Master:
    """A load that workers make; the master shares it out and adds up what they report."""

    def __init__(
        self, environment: Environment, runner: MasterRunner, order: Order, closed: Closed
    ) -> None:
        self._environment, self._runner, self._closed = environment, runner, closed
        self._books = Books(order, _pause)
        self._profile = order.profile
        self._clients: dict[int, str] = {}
        self._began: float | None = None
        self._ready: set[int] = set()  # workers whose users are ready
        self._told = False  # whether they were told to begin
        environment.stop_timeout = max(environment.stop_timeout, DRAIN_S)
        environment.shape_class = FollowProfile(order.profile, self._elapsed, self._ended)
        environment.events.test_start.add_listener(self._on_start)
        environment.events.quitting.add_listener(self._on_quitting)
        runner.register_message(_PART, self._on_part)
        runner.register_message(_READY, self._on_ready)

    def _on_start(self, **_: object) -> None:
        """Tell each worker which share of the load is its own, before it starts a user."""
        if self._began is not None:
            return
        self._began = clock.steady()
        ready = [client.id for client in self._runner.clients.ready]
        self._clients = dict(enumerate(ready))
        hosts = {number: id_.rpartition("_")[0] for number, id_ in self._clients.items()}
        self._books.workers = {number: _name(number, host) for number, host in hosts.items()}
        for number, client in self._clients.items():
            share = {
                "profile": encode(self._profile),
                "name": self._books.workers[number],
                "worker": number,
                "workers": len(ready),
            }
            self._runner.send_message(_ASSIGN, share, client)

    def _on_ready(self, msg: Any, **_: object) -> None:
        self._ready.add(msg.data["worker"])
        self._begin_together()

    def _begin_together(self) -> None:
        """Let all begin once each is ready, or gone: a load that is shared has one begin."""
        if self._told or not self._ready or any(map(self._is_awaited, self._clients)):
            return
        self._told = True
        for client in self._clients.values():
            self._runner.send_message(_BEGIN, None, client)

    def _is_awaited(self, worker: int) -> bool:
        return worker not in self._ready and self._is_here(worker)

    def _on_part(self, msg: Any, **_: object) -> None:
        self._books.take(from_message(msg.data))

    def _elapsed(self) -> float:
        return 0.0 if self._began is None else clock.steady() - self._began

    def _ended(self) -> bool:
        """Whether each worker reported to the end, or will not."""
        if self._began is None:
            return False
        self._begin_together()
        duration = self._profile.offer.duration_us / 1e6
        if self._elapsed() > READY_S + duration + DRAIN_S + _LATEST_S:
            return True
        return self._elapsed() >= duration and not any(map(self._to_come, self._clients))

    def _to_come(self, worker: int) -> bool:
        facts = self._books.total.facts.get(worker)
        return self._is_here(worker) and not (facts and facts.completed)

    def _is_here(self, worker: int) -> bool:
        client = self._runner.clients.get(self._clients[worker])
        return client is not None and client.state != STATE_MISSING

    def _on_quitting(self, **_: object) -> None:
        reached = self._ended()
        if not reached:
            self._runner.quit()  # so that workers report what they have
        record = self._books.close(reached=reached and bool(self._books.total.facts))
        self._environment.process_exit_code = self._closed(record)


class Worker:
    """A worker: it makes the share that its master assigns, and reports to it."""

    def __init__(self, environment: Environment, runner: WorkerRunner) -> None:
        self._environment, self._runner = environment, runner
        runner.register_message(_ASSIGN, self._on_assign)
        runner.register_message(_BEGIN, self._on_begin)
        environment.events.quitting.add_listener(self._on_quitting)
        self._process: Process | None = None

    def _on_assign(self, msg: Any, **_: object) -> None:
        share = msg.data
        runner = self._runner
        self._process = Process(
            decode(LoadProfile, share["profile"]),
            share["name"],
            lambda part: runner.send_message(_PART, to_message(part)),
            lambda: int(runner.user_count),
            worker=share["worker"],
            workers=share["workers"],
            ready=lambda: runner.send_message(_READY, {"worker": share["worker"]}),
        )
        make(self._environment, self._process)

    def _on_begin(self, **_: object) -> None:
        if self._process is not None:
            self._process.begin()

    def _on_quitting(self, **_: object) -> None:
        if self._process is not None:
            self._process.finish(completed=False)
        self._environment.process_exit_code = 0


def make(environment: Environment, process: Process) -> None:
    """Let the users of this process make a load, and its recorder see their requests."""
    users.Here.process = process
    process.recorder.unbegun, process.recorder.asker = users.unbegun, users.asker
    events = environment.events

    def on_start(**_: object) -> None:
        if not process.profile.open_loop:
            process.begin()

    def on_spawned(**_: object) -> None:
        if process.profile.open_loop:
            gevent.spawn(process.begin_once_ready)

    events.request.add_listener(process.recorder.on_request)
    events.test_start.add_listener(on_start)

    def on_user_error(user_instance: Any, exception: object, **_: object) -> None:
        users.on_user_error(process.recorder, user_instance, exception)

    events.user_error.add_listener(on_user_error)
    events.spawning_complete.add_listener(on_spawned)
    events.test_stopping.add_listener(lambda **_: process.finish(completed=False))


def _name(worker: int, host: str) -> str:
    return f"{worker} on {host}"


def _pause() -> None:
    gevent.sleep(0.001)
