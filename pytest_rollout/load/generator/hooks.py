"""What locust calls: where a profile is known, the load follows it and leaves a record."""

from __future__ import annotations

import logging
import signal
from functools import cache
from pathlib import Path
from typing import Any

import gevent
from locust import events
from locust.env import Environment
from locust.runners import LocalRunner, MasterRunner, WorkerRunner

from pytest_rollout.load.generator.found import Order
from pytest_rollout.load.generator.roles import Alone, Master, Worker
from pytest_rollout.model.load import LoadRecord

logger = logging.getLogger(__name__)


def on_init(environment: Environment, runner: Any = None, **_: object) -> None:
    """Follow the profile that this process was started with, if there is one."""
    if isinstance(runner, WorkerRunner):
        Worker(environment, runner)
        return
    files = environment.parsed_locustfiles or ["locustfile.py"]
    order = Order.found(Path(files[0]))
    if order is None:
        return
    logging.getLogger("locust.runners").addFilter(_is_news)
    # Locust minds the signal only after a load with a shape, and dies of it before.
    gevent.signal_handler(signal.SIGTERM, runner.quit)
    if isinstance(runner, MasterRunner):
        Master(environment, runner, order, _exit_status)
    elif isinstance(runner, LocalRunner):
        Alone(environment, runner, order, _exit_status)


def _exit_status(record: LoadRecord) -> int:
    return 0 if record.completed else 1


def _is_news(line: logging.LogRecord) -> bool:
    """Whether a line of locust says something: all users are started at once on purpose."""
    return not str(line.msg).startswith("Your selected spawn rate is very high")


@cache
def listen() -> None:
    """Have locust call :func:`on_init` once it is ready, however often this is called."""
    events.init.add_listener(on_init)
