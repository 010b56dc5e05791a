"""What a check's own code did, seen from nearest to it: hooks of others may hide it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

_Wrapper = Generator[None, object, object]


@dataclass(slots=True)
class BodySeen:
    """What was seen of one stage of an attempt: its set-up, call or tear-down."""

    ran: bool = False  # its body was entered
    raised: BaseException | None = None
    returned: str = ""  # the type of what it returned, if it did


class Innermost:
    """Wraps the stages of items as closely as can be.

    Registered after collection, when the conftest.py of every suite is known: of wrappers that
    are all `trylast`, the one that is registered last is nearest to the call.
    """

    def __init__(self, watched: Callable[[pytest.Item], bool]) -> None:
        self._watched = watched
        self._seen: dict[str, BodySeen] = {}

    def start(self) -> None:
        """An item begins."""
        self._seen = {}

    def of(self, when: str | None) -> BodySeen:
        """What was seen of a stage of the latest attempt."""
        return self._seen.get(when or "", BodySeen())

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_setup(self) -> _Wrapper:
        """A set-up begins an attempt."""
        self._seen = {}
        with self._noting("setup"):
            return (yield)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_teardown(self) -> _Wrapper:
        """Note what a tear-down raises."""
        with self._noting("teardown"):
            return (yield)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_call(self, item: pytest.Item) -> _Wrapper:
        """Note what the body does, not what those between it and pytest let through."""
        if not self._watched(item):
            return (yield)
        self._seen["call"] = BodySeen()
        name = "obj" if _calls_obj(item) else "runtest"
        own = vars(item).get("runtest")
        body = getattr(item, name)
        setattr(item, name, self._noted(body))
        try:
            return (yield)
        finally:
            if name == "obj":
                setattr(item, name, body)
            elif own is None:
                vars(item).pop("runtest")
            else:
                setattr(item, name, own)

    @contextmanager
    def _noting(self, when: str) -> Iterator[BodySeen]:
        seen = self._seen[when] = BodySeen(ran=True)
        try:
            yield seen
        except BaseException as error:
            seen.raised = error
            raise

    def _noted(self, body: Callable[..., Any]) -> Callable[..., Any]:
        """The same body, watched."""

        @functools.wraps(body)
        def noted(*args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            with self._noting("call") as seen:
                result = body(*args, **kwargs)
                seen.returned = "" if result is None else type(result).__name__
                return result

        @functools.wraps(body)
        async def noted_async(*args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            with self._noting("call") as seen:
                result = await body(*args, **kwargs)
                seen.returned = "" if result is None else type(result).__name__
                return result

        return noted_async if inspect.iscoroutinefunction(body) else noted


def _calls_obj(item: pytest.Item) -> bool:
    """Whether an item runs its `obj`; unittest calls its async methods by name instead."""
    if not isinstance(item, pytest.Function):
        return False
    by_name = hasattr(item, "addSubTest") and inspect.iscoroutinefunction(item.obj)
    return not (by_name or inspect.isasyncgenfunction(item.obj))
