"""What every test of the product stands on."""

from __future__ import annotations

import compileall
import importlib
import os
import pkgutil
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

import pytest_rollout
from tests import tiers

TESTS = Path(__file__).parent
ROOT = TESTS.parent


def pytest_configure() -> None:
    """Prepare what the processes that tests start get from this one, and take the time it takes."""
    _let_signals_end_children()
    if settings.get_current_profile_name() in ("default", "ci"):
        settings.register_profile("unhurried", settings.default, deadline=None)
        settings.load_profile("unhurried")  # a busy machine fails nothing


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is slow, and begin with it: else one worker is left alone with it at the end."""
    if any(item.path.is_relative_to(TESTS) for item in items):  # not for `pytest -m day3`
        _keep_byte_code()
    tiers.mark(items)
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="module", autouse=True)
def no_server_is_left() -> Iterator[None]:
    """Look whether a module of tests leaves a server behind.

    Its socket is closed, so its thread turns round and round, and slows down every later test.
    """
    yield
    names = [thread.name for thread in threading.enumerate()]
    assert [name for name in names if name.endswith("(serve_forever)")] == []


def _let_signals_end_children() -> None:
    """Let signals end the processes that tests start, also where this run is in the background."""
    for number, handler in (
        (signal.SIGINT, signal.default_int_handler),
        (signal.SIGHUP, signal.SIG_DFL),
    ):
        if signal.getsignal(number) is signal.SIG_IGN:  # which children inherit
            signal.signal(number, handler)


def _changes_this_process(module: str) -> bool:
    """Whether a module imports locust, which puts its own threads and sockets in place."""
    return module.startswith("pytest_rollout.load.generator.")


def _keep_byte_code() -> None:
    """Keep the byte code of the product for children, and none of what tests write.

    Tests start thousands of processes, and each would compile all modules again where nobody has
    kept them. A test's own project changes twice in one second, which byte code does not see.
    """
    sys.dont_write_bytecode = False
    try:
        for package in ("pytest_rollout", "fixtures"):  # as Python reads it
            compileall.compile_dir(ROOT / package, quiet=2)
        # As pytest reads it: asserts of plugins are written anew.
        for module in pkgutil.walk_packages(pytest_rollout.__path__, "pytest_rollout."):
            if not module.name.endswith(".__main__") and not _changes_this_process(module.name):
                importlib.import_module(module.name)
        importlib.import_module("hypothesis")  # which each run within this process asks for
    finally:
        sys.dont_write_bytecode = True
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
