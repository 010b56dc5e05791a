"""What a check's own code did, seen from nearest to it: hooks of others may hide it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Generator
from dataclasses import field
from types import CodeType
from typing import Any

import pytest

from pytest_rollout.late_dataclass import dataclass

_Wrapper = Generator[None, object, object]


@dataclass(slots=True)
class BodySeen:
    """What was seen of one stage of an attempt: its set-up, call or tear-down."""

    ran: bool = False  # its body was entered
    raised: BaseException | None = None
    returned: str = ""  # the type of what it returned, if it did
    earlier: list[BaseException] = field(default_factory=list)  # raised by it when called before


class Innermost:
    """Wraps the stages of items as closely as can be.

    Registered after collection, when the conftest.py of every suite is known: of wrappers that
    are all `trylast`, the one that is registered last is nearest to the call.
    """

    def __init__(self, watched: Callable[[pytest.Item], bool]) -> None:
        self._watched = watched
        self._seen: dict[str, BodySeen] = {}
        self._turns: list[dict[str, BodySeen]] = []

    def start(self) -> None:
        """An item begins."""
        self._seen = {}
        self._turns = []

    def raised_in_turns(self) -> list[BaseException | None]:
        """Return what each turn of the item raised: one entry for each time it was set up."""
        return [
            next((seen.raised for seen in turn.values() if seen.raised is not None), None)
            for turn in self._turns
        ]

    def of(self, when: str | None) -> BodySeen:
        """What was seen of a stage of the latest attempt."""
        return self._seen.get(when or "") or BodySeen()

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_setup(self) -> _Wrapper:
        """A set-up begins an attempt."""
        self._seen = {}
        self._turns.append(self._seen)
        seen = self._begun("setup")
        try:
            return (yield)
        except BaseException as error:
            seen.raised = error
            raise

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_teardown(self) -> _Wrapper:
        """Note what a tear-down raises."""
        seen = self._begun("teardown")
        try:
            return (yield)
        except BaseException as error:
            seen.raised = error
            raise

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_call(self, item: pytest.Item) -> _Wrapper:
        """Note what the body does, not what those between it and pytest let through."""
        if not self._watched(item):
            return (yield)
        self._seen["call"] = BodySeen()
        owner, name = _called(item)
        own = vars(owner).get(name)
        body = getattr(owner, name)
        setattr(owner, name, self._noted(body))
        try:
            return (yield)
        finally:
            if (owner, name) == (item, "obj"):
                setattr(item, name, body)
            elif own is None:
                vars(owner).pop(name)
            else:
                setattr(owner, name, own)

    def _begun(self, when: str) -> BodySeen:
        """Note that a stage is entered, perhaps once more."""
        before = self._seen.get(when)
        seen = self._seen[when] = BodySeen(ran=True)
        if before is not None:
            seen.earlier += [*before.earlier, *([before.raised] if before.raised else [])]
        return seen

    def _noted(self, body: Callable[..., Any]) -> Callable[..., Any]:
        """The same body, watched."""

        if not _plain(body) and inspect.iscoroutinefunction(body):

            @functools.wraps(body)
            async def noted_async(*args: Any, **kwargs: Any) -> Any:
                __tracebackhide__ = True
                seen = self._begun("call")
                try:
                    result = await body(*args, **kwargs)
                except BaseException as error:
                    seen.raised = error
                    raise
                seen.returned = "" if result is None else type(result).__name__
                return result

            return noted_async

        @functools.wraps(body)
        def noted(*args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            seen = self._begun("call")
            try:
                result = body(*args, **kwargs)
            except BaseException as error:
                seen.raised = error
                raise
            seen.returned = "" if result is None else type(result).__name__
            return result

        return noted


def _called(item: pytest.Item) -> tuple[Any, str]:
    """Return what holds an item's body, and under which name it is called from there.

    unittest looks an async method up by its name, on the instance of its class.
    """
    if not isinstance(item, pytest.Function):
        return item, "runtest"
    if _plain(item.obj):
        return item, "obj"
    if inspect.isasyncgenfunction(item.obj):
        return item, "runtest"
    if hasattr(item, "addSubTest") and inspect.iscoroutinefunction(item.obj):
        return item.instance, item.obj.__name__
    return item, "obj"


def _plain(function: object) -> bool:
    """Whether a function is at a glance none that runs in a loop; of others `inspect` knows."""
    code = getattr(function, "__code__", None)
    marked = getattr(function, "_is_coroutine_mark", None) is not None
    return isinstance(code, CodeType) and not (code.co_flags & _IN_A_LOOP or marked)


_IN_A_LOOP = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
