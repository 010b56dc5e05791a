"""The warm process: it has loaded what serves targets, and forks one each time it is asked.

Run as ``python -m pytest_rollout.targets.warm SOCKET``. It ends when the other end of the socket
closes. What it forks ends by its own lifeline.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import socket
import sys
from contextlib import suppress
from typing import Any

from pytest_rollout.targets.serve import serve

_FRAMEWORKS = ("fastapi",)  # loaded in advance: slow to load, and the same for every application
_FILES = 5


def main(fd: int) -> None:
    """Fork targets until the socket closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it ends with the process that started it
    for name in _FRAMEWORKS:
        with suppress(Exception):  # an application that needs it says what is wrong with it
            importlib.import_module(name)
    gc.freeze()  # what is loaded is shared by all forks, and not looked through by any
    with socket.socket(fileno=fd) as control:
        while True:
            asked, files, _, _ = socket.recv_fds(control, 65_536, _FILES)
            if not asked:
                break
            pid = os.fork()
            if not pid:
                control.close()
                _become(json.loads(asked), files)
                return
            for file in files:
                os.close(file)
            control.sendall(str(pid).encode())
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue


def _become(asked: dict[str, Any], files: list[int]) -> None:
    """Serve a target in a fork, until its lifeline closes."""
    listener, lifeline, ready, log, ended = files
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for output in (1, 2):
        os.dup2(log, output)
    os.close(log)
    os.set_inheritable(ended, False)  # a program that the target starts may outlive it
    os.environ.update(asked["setting"])
    serve(asked["app"], listener, lifeline, ready)


if __name__ == "__main__":
    main(int(sys.argv[1]))
