"""The process of an embedded target: uvicorn on an inherited socket, with a lifeline.

Run as ``python -m pytest_rollout.targets.serve MODULE:ATTRIBUTE``. It ends when the other
end of the lifeline closes, so that no target outlives the process that started it.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from collections.abc import Mapping

import click
import uvicorn

from pytest_rollout.targets.imported import NotLoadedError, module_of, refuse_wsgi, told
from pytest_rollout.targets.reference import Setting

_GRACE_S = 2.0
_KEEP_ALIVE_S = 600  # a client that has just sent a request must not find its connection closed


class _Server(uvicorn.Server):
    """Says on a pipe when it accepts requests."""

    def __init__(self, config: uvicorn.Config, ready: int) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        os.write(self._ready, b"1")
        os.close(self._ready)


def _watch(lifeline: int, server: uvicorn.Server) -> None:
    os.read(lifeline, 1)
    server.should_exit = True
    time.sleep(_GRACE_S)
    os._exit(0)


def _faults(app: str) -> dict[str, object]:
    """The application's faults, and what it says against the one in its setting."""
    module, attribute = module_of(app), app.partition(":")[2]
    faults: Mapping[str, object] = getattr(module, "FAULTS", {})
    fault = Setting.from_environ().fault
    problem = None
    if fault is not None and fault.name in faults:
        try:
            uvicorn.Config(getattr(module, attribute), log_level="error").load()
        except (ValueError, SystemExit) as error:
            problem = str(error)
    return {"faults": {key: str(says) for key, says in faults.items()}, "problem": problem}


@click.command()
@click.argument("app")
@click.option("--socket", "fd", type=int)
@click.option("--lifeline", type=int)
@click.option("--ready", type=int)
@click.option("--faults", is_flag=True, help="List the application's faults as JSON and end.")
def main(app: str, fd: int, lifeline: int, ready: int, *, faults: bool) -> None:
    """Serve an ASGI application (or a factory of one) on an inherited socket."""
    if not faults:
        serve(app, fd, lifeline, ready)
        return
    try:
        sys.stdout.write(json.dumps(_faults(app)))
    except NotLoadedError as error:
        sys.exit(str(error))


def serve(app: str, fd: int, lifeline: int, ready: int) -> None:
    """Serve an application until its lifeline closes; exit with what keeps it from loading."""
    try:
        _serve(app, fd, lifeline, ready)
    except NotLoadedError as error:
        sys.exit(str(error))


def _serve(app: str, fd: int, lifeline: int, ready: int) -> None:
    module_of(app)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="auto",
        timeout_keep_alive=_KEEP_ALIVE_S,
    )
    try:
        config.load()
    except Exception as error:  # an application of somebody else raises what it likes
        raise NotLoadedError(told(error)) from error
    if config.interface == "asgi2":  # what it takes everything for that is not async
        refuse_wsgi(_without_uvicorn(config.loaded_app), app)
    server = _Server(config, ready)
    threading.Thread(target=_watch, args=(lifeline, server), daemon=True).start()
    server.run(sockets=[socket.socket(fileno=fd)])


def _without_uvicorn(loaded: object) -> object:
    """Return an application without what uvicorn has put around it."""
    while type(loaded).__module__.startswith("uvicorn."):
        loaded = getattr(loaded, "app", None)
    return loaded


if __name__ == "__main__":
    main()
