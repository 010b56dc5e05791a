"""What locust calls: where a profile is known, the load follows it and leaves a record."""

from __future__ import annotations

import logging
import signal
import sys
from functools import cache, partial
from pathlib import Path
from typing import Any

import gevent
from locust import events
from locust.env import Environment
from locust.runners import LocalRunner, MasterRunner, WorkerRunner

from pytest_rollout.load.gate import judge_load
from pytest_rollout.load.generator import shapes, users
from pytest_rollout.load.generator.found import Order, order_of
from pytest_rollout.load.generator.roles import Alone, Master, Worker
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.load import LoadRecord

logger = logging.getLogger(__name__)
_WRONG_USE = 4


def on_init(environment: Environment, runner: Any = None, **_: object) -> None:
    """Follow the profile that this process was started with, if there is one."""
    if isinstance(runner, WorkerRunner):
        Worker(environment, runner)
        return
    locustfile = Path((environment.parsed_locustfiles or ["locustfile.py"])[0])
    try:
        order = order_of(locustfile, Path.cwd())
    except RolloutError as error:
        print(error, file=sys.stderr)  # noqa: T201
        sys.exit(_WRONG_USE)
    if order is None:
        logger.info("no load of a plan has %s: what it measures is not recorded", locustfile)
        _prefer_own_shape(environment, runner)
        return
    strangers = [kind.__name__ for kind in environment.user_classes if not _follows(kind)]
    if strangers and order.profile.open_loop:
        said = f"{locustfile}: {', '.join(strangers)} is no LoadUser, so it follows no arrival"
        print(said, file=sys.stderr)  # noqa: T201
        sys.exit(_WRONG_USE)
    logging.getLogger("locust.runners").addFilter(_is_news)
    # Locust minds the signal only after a load with a shape, and dies of it before.
    gevent.signal_handler(signal.SIGTERM, runner.quit)
    closed = partial(_exit_status, order)
    if isinstance(runner, MasterRunner):
        Master(environment, runner, order, closed)
    elif isinstance(runner, LocalRunner):
        Alone(environment, runner, order, closed)


def _follows(kind: type) -> bool:
    """Whether users of a class begin their tasks at the arrivals of a load."""
    return issubclass(kind, users.LoadUser)


def _prefer_own_shape(environment: Environment, runner: Any) -> None:
    """Let the locustfile's own shape win over one of ours that it only imports."""
    for shape in (environment.available_shape_classes or {}).values():
        if type(shape).__module__ != shapes.__name__:
            environment.shape_class, shape.runner = shape, runner
            return


def _exit_status(order: Order, record: LoadRecord) -> int:
    """Return the status that locust exits with; of a run by itself, as its criteria answer."""
    if order.plan is None:
        return 0 if record.completed else 1
    judged = judge_load(order.plan, order.profile, record)
    for line in judged.lines:
        print(line)  # noqa: T201
    return judged.answer.exit_status


def _is_news(line: logging.LogRecord) -> bool:
    """Whether a line of locust says something: all users are started at once on purpose."""
    return not str(line.msg).startswith("Your selected spawn rate is very high")


@cache
def listen() -> None:
    """Have locust call :func:`on_init` once it is ready, however often this is called."""
    events.init.add_listener(on_init)
