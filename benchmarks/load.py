"""What the load generator sees of stalls, and what it costs: each beside plain locust and wrk.

Run as ``python -m benchmarks.load stalls`` or ``python -m benchmarks.load requests`` from the
root of the repository; wrk stands in a line where it is installed.

- ``stalls``: a server that does nothing for 1 s in every 5 s, 200 requests a second for 20 s.
  Truth is an open loop that measures from planned starts.
- ``requests``: requests a second of processor time of the locust process, ours (listener, record,
  status each second) and a bare FastHttpUser at the same time, so that what else the machine does
  slows both; the median of the ratios of pairs.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from pytest_rollout.load import schedule
from pytest_rollout.model.coding import decode, encode
from pytest_rollout.model.load import Law, LoadProfile, LoadRecord, Offer
from tests.load.open_loop import measured, quantile

_HERE = Path(__file__).parent
_SHARES = (0.50, 0.90, 0.95, 0.99)
_STALLS = ("5", "1")
_RATE, _SECONDS = 200, 20
_PLAIN_USERS = 4
_PAIRS, _PAIR_SECONDS, _PAIR_USERS = 7, 8, 16

_USER = """
import os, time
from locust import constant_throughput, events, task
{base}

class Asker(User):
    {wait}

    @task
    def ask(self):
        self.client.get("/ok", name="ok")

spent = {{}}

@events.test_start.add_listener
def begun(**_):
    spent["before"] = time.process_time()

@events.test_stopping.add_listener
def ended(environment, **_):
    with open(os.environ["SPENT"], "w") as file:
        requests = environment.stats.total.num_requests
        file.write(f"{{requests}} {{time.process_time() - spent['before']}}")
"""
_BARE = "from locust import FastHttpUser as User"
_OURS = "from pytest_rollout.load.generator import LoadUser as User"


@contextmanager
def served(*words: str) -> Iterator[int]:
    """A server in a process of its own; gives its port."""
    command = [sys.executable, str(_HERE / "load_server.py"), *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


class Runs:
    """Runs of locust in a folder of their own."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port

    def run(self, code: str, *words: str, **environ: str) -> None:
        """Run a locustfile to its end."""
        at = self.folder / "user.py"
        at.write_text(code, encoding="utf-8")
        command = [sys.executable, "-m", "locust", "-f", str(at), "--headless", "--only-summary"]
        done = subprocess.run(
            [*command, "--host", f"http://127.0.0.1:{self.port}", *words],
            env={**os.environ, "SPENT": str(self.folder / "spent"), **environ},
            cwd=_HERE.parent,
            capture_output=True,
            check=False,
            timeout=120,
        )
        if done.returncode:
            raise SystemExit(done.stderr.decode())

    def ours(self, profile: LoadProfile, code: str) -> LoadRecord:
        """Return the record of a load of ours."""
        asked, record = self.folder / "profile.json", self.folder / "record.json"
        asked.write_text(json.dumps(encode(profile)), encoding="utf-8")
        self.run(
            code,
            ROLLOUT_LOAD_PROFILE=str(asked),
            ROLLOUT_LOAD_RECORD=str(record),
            ROLLOUT_LOAD_STATUS=str(self.folder / "status.json"),
        )
        made: LoadRecord = decode(LoadRecord, json.loads(record.read_text(encoding="utf-8")))
        return made

    def spent(self) -> float:
        """Return the requests a second of processor time of the last run."""
        requests, seconds = (self.folder / "spent").read_text(encoding="utf-8").split()
        return int(requests) / float(seconds)


def stalls() -> None:
    """Print what each says of a server that stalls."""
    offer = Offer(_SECONDS * 1_000_000, float(_RATE))
    profile = LoadProfile("stalls", "", "user.py", "web", offer, law=Law.EVEN)
    print(f"{'ms':<44}" + "".join(f"{f'p{share * 100:g}':>9}" for share in _SHARES))
    with served(*_STALLS) as port, tempfile.TemporaryDirectory() as folder:
        runs = Runs(Path(folder), port)
        took = measured(port, list(schedule.arrivals(profile)))
        _line("truth: open loop from planned starts", [quantile(took, at) for at in _SHARES])
        (endpoint,) = runs.ours(profile, _USER.format(base=_OURS, wait="pass")).endpoints
        _line("ours, from planned starts", _of(endpoint.latency))
        _line("ours, from real starts", _of(endpoint.service_time))
        wait = f"wait_time = constant_throughput({_RATE / _PLAIN_USERS})"
        users = str(_PLAIN_USERS)
        told = runs.folder / "plain"
        words = ("-u", users, "-r", users, "-t", f"{_SECONDS}s", "--json-file", str(told))
        runs.run(_USER.format(base=_BARE, wait=wait), *words)
        (entry,) = json.loads(told.with_suffix(".json").read_text(encoding="utf-8"))
        counts = {str(round(1000 * float(ms))): n for ms, n in entry["response_times"].items()}
        asked = entry["num_requests"] / _SECONDS
        _line(f"plain locust, {users} users ({asked:.0f}/s of {_RATE}/s)", _of(counts))
        _wrk_line(port)


def _wrk_line(port: int) -> None:
    told = _wrk(port, _SECONDS)
    if not told:
        print("wrk is not installed")
        return
    found = dict(re.findall(r"(\d+)%\s+([\d.]+[mu]?s)", told))
    figures = {float(share) / 100: _seconds(text) for share, text in found.items()}
    _line("wrk, 16 connections (as fast as it can)", [figures.get(share) for share in _SHARES])


def _wrk(port: int, seconds: int) -> str:
    program = shutil.which("wrk")
    if program is None:
        return ""
    command = [program, "-t1", "-c16", f"-d{seconds}s", "--latency", f"http://127.0.0.1:{port}/ok"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _seconds(text: str) -> float:
    number = float(text.rstrip("mus"))
    return number / {"ms": 1e3, "us": 1e6}.get(text[-2:], 1.0)


def _of(counts: Mapping[str, int]) -> list[float | None]:
    values = sorted((int(value), count) for value, count in counts.items())
    total = sum(counts.values())
    told: list[float | None] = []
    for share in _SHARES:
        passed = 0
        for value, count in values:
            passed += count
            if passed >= share * total:
                told.append(value / 1e6)
                break
    return told


def _line(what: str, seconds: list[float | None] | list[float]) -> None:
    figures = ("-" if one is None else f"{one * 1000:.1f}" for one in seconds)
    print(f"{what:<44}" + "".join(f"{figure:>9}" for figure in figures), flush=True)


def requests() -> None:
    """Print requests a second of processor time, ours and bare, and wrk's a second."""
    offer = Offer(_PAIR_SECONDS * 1_000_000, None, _PAIR_USERS)
    profile = LoadProfile("requests", "", "user.py", "web", offer)
    words = ("-u", str(_PAIR_USERS), "-r", str(_PAIR_USERS), "-t", f"{_PAIR_SECONDS}s")
    pairs: list[tuple[float, float]] = []
    with (
        served() as port,
        tempfile.TemporaryDirectory() as one,
        tempfile.TemporaryDirectory() as other,
        ThreadPoolExecutor() as both,
    ):
        ours, plain = Runs(Path(one), port), Runs(Path(other), port)
        for _ in range(_PAIRS):
            runs = (
                both.submit(ours.ours, profile, _USER.format(base=_OURS, wait="pass")),
                both.submit(plain.run, _USER.format(base=_BARE, wait="pass"), *words),
            )
            for run in runs:
                run.result()
            mine, bare = ours.spent(), plain.spent()
            if not mine or not bare:
                print("one of them had no time to ask: left out", flush=True)
                continue
            pairs.append((mine, bare))
            print(f"ours {mine:8.0f}/s   bare {bare:8.0f}/s   {mine / bare:.3f}", flush=True)
        told = _wrk(port, 5)
    ratio = statistics.median(mine / bare for mine, bare in pairs)
    mine, bare = (statistics.median(pair[side] for pair in pairs) for side in (0, 1))
    print(f"median: ours {mine:.0f}/s, bare FastHttpUser {bare:.0f}/s of a core; ratio {ratio:.3f}")
    asked = re.search(r"Requests/sec:\s+([\d.]+)", told)
    print(f"wrk on the same endpoint: {asked[1]}/s" if asked else "wrk is not installed")


if __name__ == "__main__":
    commands = {"stalls": stalls, "requests": requests}
    if len(sys.argv) != 2 or sys.argv[1] not in commands:
        raise SystemExit(f"say one of: {', '.join(commands)}")
    commands[sys.argv[1]]()
