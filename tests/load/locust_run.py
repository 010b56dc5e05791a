"""Runs locust as a process against a small server, and reads the record that it leaves."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from pytest_rollout.model.coding import decode, encode
from pytest_rollout.model.load import LoadProfile, LoadRecord, Offer

ROOT = Path(__file__).parents[2]
LOCUSTFILE = """
from locust import task
from pytest_rollout.load.generator import LoadUser

class Asker(LoadUser):
    @task
    def ask(self):
        self.client.get("/ok", name="ok")
"""
_ANSWERS = {
    "/ok": b"200 OK",
    "/fail": b"500 Internal Server Error",
    "/moved": b"302 Found\r\nLocation: /ok",
    "/slow/moved": b"302 Found\r\nLocation: /ok",
}


@dataclass
class Served:
    """A server on loopback that answers at once, but for the times when it stalls."""

    port: int = 0
    stall: tuple[float, float] | None = None  # each so many seconds, for so many
    loop: asyncio.AbstractEventLoop = field(default_factory=asyncio.new_event_loop)
    writers: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer request after request."""
        self.writers.add(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                path = head.split(b" ")[1].decode()
                answer = _ANSWERS.get(path, b"200 OK")
                if path.startswith("/slow"):
                    await asyncio.sleep(0.2)
                writer.write(b"HTTP/1.1 " + answer + b"\r\nContent-Length: 2\r\n\r\nok")
                await writer.drain()
        self.writers.discard(writer)
        writer.close()

    async def _stalling(self) -> None:
        assert self.stall is not None
        every, lasts = self.stall
        while True:
            await asyncio.sleep(every - lasts)
            time.sleep(lasts)  # nothing else runs meanwhile

    async def serve(self, ready: threading.Event) -> None:
        """Serve until the loop is stopped."""
        server = await asyncio.start_server(self.handle, "127.0.0.1", 0, backlog=1000)
        self.port = server.sockets[0].getsockname()[1]
        stalling = None if self.stall is None else asyncio.ensure_future(self._stalling())
        ready.set()
        async with server:
            await self._stopped.wait()
            for listening in server.sockets:  # asyncio forgets one that was accepted just now
                self.loop.remove_reader(listening)
            await asyncio.sleep(0.01)
        if stalling is not None:
            stalling.cancel()
        for _ in range(100):
            for writer in tuple(self.writers):
                writer.transport.abort()
            await asyncio.sleep(0.01)
            if not self.writers:
                break

    def __post_init__(self) -> None:
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """Close every connection, and accept none from now on."""
        with suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self._stopped.set)


@contextmanager
def served(stall: tuple[float, float] | None = None) -> Iterator[Served]:
    """A server in a thread of its own."""
    server, ready = Served(stall=stall), threading.Event()
    thread = threading.Thread(
        target=lambda: server.loop.run_until_complete(server.serve(ready)), daemon=True
    )
    thread.start()
    assert ready.wait(10)
    try:
        yield server
    finally:
        server.stop()
        thread.join(10)
        server.loop.close()


def a_profile(seconds: float, rate: float | None = 50, users: int | None = None) -> LoadProfile:
    """A steady load."""
    return LoadProfile("nightly", "", "lf.py", "web", Offer(round(seconds * 1e6), rate, users))


@dataclass
class Load:
    """A locust process that makes a load, and the files that it writes."""

    process: subprocess.Popen[str]
    record_path: Path
    status_path: Path
    output: str = ""

    def until_second(self, second: int) -> None:
        """Wait until the status tells of a second."""
        until(lambda: self.status_path.exists() and len(self.status.seconds) > second)

    def ended(self, timeout: float = 60) -> int:
        """Wait for its end; return its exit status."""
        try:
            self.output, _ = self.process.communicate(timeout=timeout)
        finally:
            self.process.kill()
        return self.process.returncode

    @property
    def record(self) -> LoadRecord:
        """The record that it left."""
        return _read(self.record_path)

    @property
    def status(self) -> LoadRecord:
        """The last partial record."""
        return _read(self.status_path)


def _read(path: Path) -> LoadRecord:
    record: LoadRecord = decode(LoadRecord, json.loads(path.read_text(encoding="utf-8")))
    return record


def environment_of(directory: Path, profile: LoadProfile) -> dict[str, str]:
    """The environment in which locust follows a profile."""
    at = directory / "profile.json"
    at.write_text(json.dumps(encode(profile)), encoding="utf-8")
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "ROLLOUT_LOAD_PROFILE": str(at),
        "ROLLOUT_LOAD_RECORD": str(directory / "record.json"),
        "ROLLOUT_LOAD_STATUS": str(directory / "status.json"),
    }


def start(
    directory: Path,
    profile: LoadProfile,
    host: str,
    *words: str,
    locustfile: str = LOCUSTFILE,
    environ: Mapping[str, str] | None = None,
) -> Load:
    """Start locust with a profile; the caller waits for its end."""
    at = directory / "lf.py"
    at.write_text(locustfile, encoding="utf-8")
    command = [sys.executable, "-m", "locust", "-f", str(at), "--headless", "--only-summary"]
    process = subprocess.Popen(
        [*command, "--host", host, *words],
        env={**environment_of(directory, profile), **(environ or {})},
        cwd=directory,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return Load(process, directory / "record.json", directory / "status.json")


def percentile(counts: Mapping[str, int], share: float) -> int:
    """The nearest-rank percentile of a histogram of a record, in microseconds."""
    rank, passed = share * sum(counts.values()), 0
    for value, count in sorted((int(value), count) for value, count in counts.items()):
        passed += count
        if passed >= rank:
            return value
    raise AssertionError("nothing was counted")


def free_port() -> int:
    """A port that nobody had a moment ago, for what binds it by itself."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port: int = held.getsockname()[1]
        return port


def with_workers(count: int) -> tuple[str, ...]:
    """The words that make locust start so many processes."""
    port = str(free_port())
    return ("--processes", str(count), "--master-bind-port", port, "--master-port", port)


def until(met: Callable[[], bool], within: float = 20) -> None:
    """Wait until something holds; it is an error where it does not in time."""
    bound = time.monotonic() + within
    while not met():
        assert time.monotonic() < bound, "it did not come about in time"
        time.sleep(0.02)
