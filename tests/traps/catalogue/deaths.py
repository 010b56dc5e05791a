"""Processes that are gone in the middle of a run."""

from __future__ import annotations

from typing import Any

from tests.traps.parts import works
from tests.traps.trap import ALONE, N2, PLAIN, WORKERS, Trap

_UNFINISHED = "never finished"

_LOST = "was lost"


def _dies(
    id_: str,
    says: str,
    body: str,
    *,
    above: str = "import os, signal",
    modes: tuple[str, ...] = (*ALONE, N2),
    **also: Any,
) -> Trap:
    """A process that is gone in the middle: alone it takes the status along, a worker is lost."""
    return Trap(
        id_,
        says,
        _UNFINISHED,
        files=works(body, above=above),
        modes=modes,
        because_n2=_LOST,
        taken=True,
        after_go=True,
        **also,
    )


_DYING = (
    _dies("os-exit", "`os._exit(0)` in a check", "os._exit(0)", numbers=("E6",)),
    _dies("sigkill", "SIGKILL", "os.kill(os.getpid(), signal.SIGKILL)"),
    Trap(
        "sigterm",
        "SIGTERM",
        "the run was ended by SIGTERM",
        files=works("os.kill(os.getpid(), signal.SIGTERM)", above="import os, signal"),
        modes=(*ALONE, N2),
        because_n2=_LOST,
        after_go=True,
    ),
    _dies("sighup", "SIGHUP", "os.kill(os.getpid(), signal.SIGHUP)"),
    _dies("segfault", "a segmentation fault", "ctypes.string_at(0)", above="import ctypes"),
    _dies("abort", "`os.abort()`", "os.abort()"),
    _dies("exec", "a check replaces the process by another", "os.execv('/bin/true', ['true'])"),
    _dies(
        "timeout-thread",
        "a timeout by pytest-timeout's thread method",
        "import time; time.sleep(20)",
        args=("--timeout=0.5", "--timeout-method=thread"),
        needs=("timeout",),
        modes=(PLAIN,),
    ),
    _dies(
        "faulthandler",
        "`faulthandler_exit_on_timeout`",
        "import time; time.sleep(20)",
        args=("-o", "faulthandler_timeout=0.5", "-o", "faulthandler_exit_on_timeout=true"),
        modes=(PLAIN,),
    ),
    _dies(
        "exit-in-a-fixture",
        "`os._exit(0)` at the end of a session's fixture",
        "pass",
        above="""\
import os

@pytest.fixture(scope='session', autouse=True)
def last():
    yield
    os._exit(0)
""",
        modes=(PLAIN,),
    ),
)

# Its parent as long as that lives; an orphan's parent is somebody else.
_CONTROLLER = "import os, signal\n\nCONTROLLER = os.getppid()"

_FROM_WORKERS = (
    Trap(
        "controller-killed",
        "the controller is killed",
        _UNFINISHED,
        files=works(
            """
            if os.getppid() == CONTROLLER: os.kill(CONTROLLER, signal.SIGKILL)
            import time; time.sleep(5)
            """,
            above=_CONTROLLER,
        ),
        modes=WORKERS,
        taken=True,
        after_go=True,
    ),
    Trap(
        "controller-interrupted",
        "the controller gets SIGINT",
        "the run was ended by SIGINT",
        files=works(
            """
            if os.getppid() == CONTROLLER: os.kill(CONTROLLER, signal.SIGINT)
            import time; time.sleep(2)
            """,
            above=_CONTROLLER,
        ),
        modes=WORKERS,
    ),
)

TRAPS = (*_DYING, *_FROM_WORKERS)
