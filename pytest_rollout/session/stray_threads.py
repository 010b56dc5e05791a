"""Threads, futures and processes that checks start, and what became of them unseen."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing.process import BaseProcess
from typing import Any

from pytest_rollout.targets.trouble import trouble

Tell = Callable[[str, str], None]  # whose item it is, and what failed
_GRACE_S = 10.0  # for what still runs at the end, and would keep the process from ending anyway
_OWNER = "_rollout_owner"
GEVENT = "gevent.hub"


@contextmanager
def replaced(place: Any, name: str, other: object) -> Iterator[None]:
    """Let a class have another attribute meanwhile."""
    own = vars(place)[name]
    setattr(place, name, other)
    try:
        yield
    finally:
        setattr(place, name, own)


class Started:
    """What items started beside themselves: each is told of as a failure of its own item."""

    def __init__(self, tell: Tell, item: Callable[[], str]) -> None:
        self._tell = tell
        self._item = item
        self._futures: dict[int, tuple[str, Future[Any], BaseException]] = {}
        self._processes: dict[BaseProcess, str] = {}  # until somebody looks
        self._exit_code: Any = vars(BaseProcess)["exitcode"].fget

    def owner(self, thread: threading.Thread | None = None) -> str:
        """Return the item that a thread belongs to: the one that started it, else the running."""
        known = getattr(thread or threading.current_thread(), _OWNER, None)
        return self._item() if known is None else str(known)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Note what is started meanwhile, and how it ends."""
        with ExitStack() as stack:
            for place, name, made in (
                (threading.Thread, "start", self._start),
                (Future, "set_exception", self._set_exception),
                (Future, "result", self._read),
                (Future, "exception", self._read),
                (BaseProcess, "start", self._start_process),
                (BaseProcess, "terminate", self._let_go),
                (BaseProcess, "kill", self._let_go),
                (BaseProcess, "close", self._close),
            ):
                replacement = made(vars(place)[name])
                stack.enter_context(replaced(place, name, replacement))
            stack.enter_context(replaced(BaseProcess, "exitcode", property(self._looked)))
            yield

    def look(self) -> None:
        """Tell of futures and processes that failed, and that nobody has looked at."""
        for key in list(self._futures):
            owner, _, error = self._futures.pop(key)
            self._tell(owner, f"failed in a pool, and nobody read its future: {trouble(error)}")
        for process in list(self._processes):
            self._look_at(process)

    def settle(self) -> None:
        """Wait for what checks left running, as far as the process would wait at its end."""
        deadline = time.monotonic() + _GRACE_S
        for thread in threading.enumerate():
            if getattr(thread, _OWNER, "") and not thread.daemon:
                thread.join(max(0.0, deadline - time.monotonic()))
        for process in list(self._processes):
            if not process.daemon:
                process.join(max(0.0, deadline - time.monotonic()))
        self.look()

    def _start(self, start: Any) -> Any:
        def started(thread: threading.Thread) -> None:
            setattr(thread, _OWNER, self.owner())
            run = thread.run

            def noted() -> None:
                vars(thread).pop("run", None)
                try:
                    run()
                except SystemExit:
                    raise
                except BaseException as error:
                    self._tell(self.owner(thread), f"failed in a thread: {trouble(error)}")
                    raise

            thread.run = noted  # type: ignore[method-assign]
            start(thread)

        return started

    def _set_exception(self, set_exception: Any) -> Any:
        def noted(future: Future[Any], exception: BaseException | None) -> None:
            if exception is not None:
                # Before it is set: who waits for it may read it at once.
                self._futures[id(future)] = (self.owner(), future, exception)
            set_exception(future, exception)

        return noted

    def _read(self, read: Any) -> Any:
        def noted(future: Future[Any], timeout: float | None = None) -> Any:
            try:
                return read(future, timeout)
            finally:
                if future.done():
                    self._futures.pop(id(future), None)

        return noted

    def _start_process(self, start: Any) -> Any:
        def started(process: BaseProcess) -> None:
            start(process)
            self._processes[process] = self.owner()

        return started

    def _let_go(self, end: Any) -> Any:
        def noted(process: BaseProcess) -> None:
            self._processes.pop(process, None)
            end(process)

        return noted

    def _close(self, close: Any) -> Any:
        def noted(process: BaseProcess) -> None:
            self._look_at(process)
            self._processes.pop(process, None)
            close(process)

        return noted

    def _looked(self, process: BaseProcess) -> int | None:
        code: int | None = self._exit_code(process)
        if code is not None:
            self._processes.pop(process, None)
        return code

    def _look_at(self, process: BaseProcess) -> None:
        code = None
        with suppress(ValueError, AssertionError, OSError):  # closed, or a child of another process
            code = self._exit_code(process)
        if code is None:
            return
        owner = self._processes.pop(process, "")
        if code and owner:
            what = f"the process {process.name} ended with exit code {code}, and nobody looked"
            self._tell(owner, what)


@contextmanager
def greenlets(tell: Callable[[str], None]) -> Iterator[None]:
    """Hear of greenlets of gevent that fail meanwhile, where gevent is loaded."""
    hub = getattr(sys.modules.get(GEVENT), "Hub", None)
    if hub is None:
        yield
        return
    handle = hub.handle_error

    def handled(self: Any, context: Any, kind: Any, value: Any, traceback: Any) -> Any:
        if value is not None and not issubclass(kind, hub.NOT_ERROR):
            tell(f"failed in a greenlet: {trouble(value)}")
        return handle(self, context, kind, value, traceback)

    with replaced(hub, "handle_error", handled):
        yield
