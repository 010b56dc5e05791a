"""Work that fails outside of its check: in pools, processes, loops, greenlets, children."""

from __future__ import annotations

from typing import Any

from tests.traps.parts import rule, works
from tests.traps.trap import Trap

_QUIET = ("-W", "ignore")


def _fails(id_: str, says: str, because: str, body: str, *, above: str, **more: Any) -> Trap:
    """A check that passes while something that it started fails."""
    return Trap(id_, says, because, files=works(body, above=above), args=_QUIET, **more)


_OUTSIDE = (
    _fails(
        "pool-not-read",
        "a task of a pool fails, and nobody reads its future",
        "nobody read its future",
        """
        with ThreadPoolExecutor() as pool:
            pool.submit(int, 'x')
        """,
        above="from concurrent.futures import ThreadPoolExecutor",
    ),
    _fails(
        "pool-callback",
        "a callback of a future fails",
        "failed in a callback of a future",
        """
        with ThreadPoolExecutor() as pool:
            pool.submit(int).add_done_callback(lambda future: 1 / 0)
        """,
        above="from concurrent.futures import ThreadPoolExecutor",
    ),
    _fails(
        "thread-after-its-check",
        "a thread fails after its check has ended",
        "after its end",
        "threading.Timer(0.3, int, ['x']).start()",
        above="import threading",
    ),
    _fails(
        "thread-hook-replaced",
        "a thread fails, and a fixture has replaced `threading.excepthook`",
        "failed in a thread",
        """
        threading.excepthook = lambda said: None
        thread = threading.Thread(target=int, args=['x'])
        thread.start()
        thread.join()
        threading.excepthook = threading.__excepthook__
        """,
        above="import threading",
    ),
    _fails(
        "process-exit-code",
        "a `multiprocessing.Process` ends with exit code 1, and nobody looks",
        "exit code 1",
        """
        child = multiprocessing.get_context('fork').Process(target=sys.exit, args=(1,))
        child.start()
        child.join()
        """,
        above="import multiprocessing, sys",
    ),
    _fails(
        "task-held",
        "a task of asyncio fails, and somebody still holds it",
        "never retrieved",
        "asyncio.run(main())",
        above="""
        import asyncio

        held = []

        async def bad():
            raise OSError

        async def main():
            held.append(asyncio.create_task(bad()))
            await asyncio.sleep(0)
        """,
    ),
    _fails(
        "callback-of-a-loop",
        "a callback of a loop fails (`call_soon`)",
        "Exception in callback",
        "asyncio.run(main())",
        above="""
        import asyncio

        async def main():
            asyncio.get_running_loop().call_soon(int, 'x')
            await asyncio.sleep(0)
        """,
    ),
    _fails(
        "greenlet",
        "a greenlet of gevent fails",
        "failed in a greenlet",
        "gevent.spawn(int, 'x').join()",
        above="import gevent",
    ),
    Trap(
        "observed-in-a-child",
        "a child that a check forked observes what is bad",
        "observed in a child process",
        files=rule('metric: seconds, take: max, pass: "< 5"')
        | works(
            """
            observe('seconds', 0.1)
            child = os.fork()
            if not child:
                try:
                    observe('seconds', 9.0)
                finally:
                    os._exit(0)
            os.waitpid(child, 0)
            """,
            above="import os",
            args="observe",
        ),
    ),
    Trap(
        "observed-after-its-check",
        "a thread observes what is bad after the last check has ended",
        "while no test was running",
        files=rule('metric: seconds, take: max, pass: "< 5"')
        | works(
            """
            observe('seconds', 0.1)
            threading.Timer(0.5, observe, ['seconds', 9.0]).start()
            """,
            above="import threading",
            args="observe",
        ),
    ),
)

TRAPS = _OUTSIDE
