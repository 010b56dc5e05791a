"""A plan with a load of two seconds, its target and its locustfile."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

from tests.session.project import Project

LOAD = ("duration: 2s", "need: 20", "most_start_delay: 400ms")
SLUGS = ("quick", "reliable", "steady")
_PLAN = """\
plan: demo
environments:
  embedded: {{targets: {{web: {{serve: "shop:app"}}}}}}
  prod: {{targets: {{web: {{url: "{url}"}}}}, allow: [{allow}]}}
release: {{target: web, path: /version}}
loads:
  - id: small
    locustfile: load/web.py
    target: web
    {offer}
    law: even
    {more}
phases:
  - id: nightly
    criteria:
      - id: quick
        kind: load
        check: {{load: small}}
        metric: load_latency
        take: p95
        pass: "< 900ms"
      - id: reliable
        kind: load
        check: {{load: small}}
        metric: load_failed
        take: rate
        pass: "< 10%"
      - id: steady
        kind: load
        check: {{load: small}}
        metric: load_throughput
        take: min
        pass: ">= 1"
"""
SHOP = """\
import asyncio

requests = 0
LATER = {later}  # requests after which it is another
THEN = {then!r}


async def app(scope, receive, send):
    global requests
    if scope["type"] != "http":
        return
    status = 404 if scope["path"].startswith("/reference") else 200
    if scope["path"] == "/start":
        requests += 1
        if requests > LATER and THEN == "fails":
            status = 500
        if requests > LATER and THEN == "dies":
            import os
            os._exit(1)
        if requests > LATER and THEN == "is slow":
            await asyncio.sleep(1.0)
    await send({{"type": "http.response.start", "status": status, "headers": []}})
    await send({{"type": "http.response.body", "body": b"1.0"}})
"""
WEB = """\
from locust import task

from pytest_rollout.load.generator import LoadUser


class Visitor(LoadUser):
    @task
    def order(self):
        self.client.get("/start", name="start")
"""


def plan_of(
    offer: str = "rate: 40/s", more: str = "", url: str = "http://127.0.0.1:9", allow: str = ""
) -> str:
    """The plan, its load for two seconds; ``more`` are keys of the load, a line each."""
    lines = "\n    ".join([*LOAD, *more.splitlines()])
    return _PLAN.format(offer=offer, more=lines, url=url, allow=allow)


def shop(later: int = 0, then: str = "answers") -> str:
    """The target, which fails, dies or is slow after some requests."""
    return SHOP.format(later=later, then=then)


def decided(project: Project, *arguments: str) -> tuple[int, dict[str, str], dict[str, str]]:
    """Run the phase; its status, and verdicts and reasons of the three criteria."""
    status = int(project.run("-m", "nightly", "--rollout-gate=exit", *arguments).ret)
    where = arguments[-1] if "--rollout-env" in arguments else "embedded"
    return status, *told(project, environment=where)


def told(project: Project, **where: Any) -> tuple[dict[str, str], dict[str, str]]:
    """Verdicts and reasons of the last run."""
    where = {"phase": "nightly", **where}
    verdicts = project.verdicts(**where)
    return verdicts, {slug: project.reason(slug, **where) for slug in SLUGS}


def makers(project: Project) -> list[int]:
    """The processes of locust that make the load of a project now, the first one first."""
    found = []
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            words = (folder / "cmdline").read_bytes().split(b"\0")
            mine = str(project.root / "load/web.py").encode() in words
            if folder.name.isdigit() and mine and words[0] != b"sh":
                found.append(int(folder.name))
    return sorted(found)


def _status_of(pid: int) -> Path | None:
    for line in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
        name, _, value = line.partition(b"=")
        if name == b"ROLLOUT_LOAD_STATUS":
            return Path(os.fsdecode(value))
    return None


@contextmanager
def once_begun(project: Project, act: Callable[[list[int]], None]) -> Iterator[None]:
    """Meanwhile wait until a load has begun, and then do something to its processes, once."""
    over = Event()

    def wait_and_act() -> None:
        while not over.wait(0.02):
            with suppress(OSError):
                pids = makers(project)
                status = _status_of(pids[0]) if pids else None
                if status is not None and status.is_file():
                    act(pids)
                    return

    thread = Thread(target=wait_and_act)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(10)


def kill(pids: list[int]) -> None:
    """Kill the process that leads."""
    os.kill(pids[0], signal.SIGKILL)


def kill_worker(pids: list[int]) -> None:
    """Kill one that it started."""
    os.kill(pids[-1], signal.SIGKILL)


def starve(pids: list[int]) -> None:
    """Let it have no processor for a while."""
    os.kill(pids[0], signal.SIGSTOP)
    time.sleep(0.9)
    os.kill(pids[0], signal.SIGCONT)
