"""What no code inside of the tests' process can see, and what of a plan sees it instead."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unseen:
    """A failure that passes, why, and what to state in the plan."""

    id: str
    says: str
    why: str
    instead: str
    body: str = ""  # of a check that passes in this way, where a test can show it


_COMMAND = "`check: {command: [PROGRAM]}`: its exit status is the check's"
_ASKED = "ask the system what it did: `check: {http: …}`, `{sql: …}` or `{prometheus: …}`"

UNSEEN = (
    Unseen(
        "caught",
        "a check catches its own failure, or retries until it passes",
        "the exception ends inside of the check's own code",
        f"read its text; {_ASKED}",
        """
        try:
            assert 1 == 2
        except AssertionError:
            pass
        """,
    ),
    Unseen(
        "status-not-read",
        "a program that a check starts fails, and its status is dropped (`subprocess.run`)",
        "a status that was dropped looks like one that was compared",
        _COMMAND,
        """
        import subprocess, sys
        subprocess.run([sys.executable, '-c', 'exit(1)'])
        """,
    ),
    Unseen(
        "forked-child",
        "a child of `os.fork` fails, and its status is dropped",
        "the same",
        f"{_COMMAND}; or `multiprocessing.Process`, whose exit code is seen",
        """
        import os
        child = os.fork()
        if not child:
            os._exit(1)
        os.waitpid(child, 0)
        """,
    ),
    Unseen(
        "finaliser-hook",
        "`sys.unraisablehook` is replaced, and a finaliser or a thread of `_thread` fails",
        "Python asks this one hook, and nothing else",
        _ASKED,
        """
        import _thread, sys, time
        before, sys.unraisablehook = sys.unraisablehook, lambda said: None
        _thread.start_new_thread(lambda: 1 / 0, ())
        time.sleep(0.1)
        sys.unraisablehook = before
        """,
    ),
    Unseen(
        "handler-of-a-loop",
        "a loop has an exception handler of its own that drops what it is told",
        "who sets a handler is taken to look",
        _ASKED,
        """
        import asyncio
        async def main():
            loop = asyncio.get_running_loop()
            loop.set_exception_handler(lambda loop, context: None)
            loop.call_soon(int, 'x')
            await asyncio.sleep(0)
        asyncio.run(main())
        """,
    ),
    Unseen(
        "loop-of-others",
        "a task fails in a loop that is not asyncio's own (uvloop), in Twisted, Qt or trio's guest",
        "each has a way of its own to tell, or none",
        f"await it in the check; {_ASKED}",
    ),
    Unseen(
        "greenlet-imported-late",
        "a greenlet fails, and gevent is first imported inside of the check",
        "gevent is watched where it is loaded when the check begins",
        "import gevent at the top of the module; `.get()` in the check",
    ),
    Unseen(
        "daemon-thread",
        "a daemon thread fails after the last check has ended",
        "it may run for ever, so nothing waits for it; the process ends it",
        f"join it in the check; {_ASKED}",
        """
        import threading, time
        def late():
            time.sleep(60)
            raise OSError
        threading.Thread(target=late, daemon=True).start()
        """,
    ),
    Unseen(
        "client-of-its-own",
        "a check asks a real target by a client of its own, which is mocked (not by respx)",
        "only the clients of `phase.target()` are guarded",
        "`phase.target(NAME).client`, or `check: {http: …}`",
    ),
    Unseen(
        "script-of-a-command",
        "a script that a `check: {command}` starts hides its own failed steps",
        "`rollout check` reads the line in the plan, and no file",
        "`set -euo pipefail` at the top of the script; `expect: {stdout: …}`",
    ),
    Unseen(
        "another-machine",
        "an earlier run still runs on another machine, and wrote nothing since a later one began",
        "it looks like one that was killed; once it writes, `rollout clear` refuses",
        "one run of a phase at a time: a lock of the pipeline",
    ),
)
