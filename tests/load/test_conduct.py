"""Locust as a process: how it is started, who makes the load, and that it ends in time."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_rollout.load import conduct, files, honesty
from pytest_rollout.load.locust_process import command_of, surroundings
from pytest_rollout.load.tied_process import tied
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.load import Generators, Law, LoadProfile, LoadRecord, Offer
from tests.load.loaded import WEB
from tests.load.locust_run import served
from tests.load.records import profile_of, record_of

slow = pytest.mark.slow


@pytest.fixture
def profile(tmp_path: Path) -> LoadProfile:
    """A load of two seconds, whose locustfile is below the folder."""
    (tmp_path / "load").mkdir()
    (tmp_path / "load/web.py").write_text(WEB)
    offer = Offer(2_000_000, 40.0)
    more = {"law": Law.EVEN, "need": 20, "most_start_delay_us": 500_000}
    return LoadProfile("small", "", "load/web.py", "web", offer, **more)  # type: ignore[arg-type]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port


@contextmanager
def workers(root: Path, port: int, many: int) -> Iterator[None]:
    """Workers as people start them on other machines: they are told where the master is."""
    command = [sys.executable, "-m", "locust", "-f", "load/web.py", "--worker"]
    command += ["--master-host", "127.0.0.1", "--master-port", str(port)]
    started = [
        subprocess.Popen(command, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(many)
    ]
    try:
        yield
        for one in started:
            one.wait(20)  # they end with their master
    finally:
        for one in started:
            one.kill()
            one.wait()


@slow
def test_one_process_says_how_far_it_is(profile: LoadProfile, tmp_path: Path) -> None:
    parts: list[LoadRecord] = []
    with served() as server:
        record = conduct.make(profile, server.url, tmp_path, seen=parts.append)
    assert honesty.doubts(profile, record) == ()
    assert (record.planned, record.started, len(record.generators)) == (80, 80, 1)
    assert parts
    assert 0 < parts[0].started <= 80


@slow
def test_several_processes_share_it(profile: LoadProfile, tmp_path: Path) -> None:
    several = replace(profile, generators=Generators(2))
    with served() as server:
        record = conduct.make(several, server.url, tmp_path)
    assert honesty.doubts(several, record) == ()
    assert (record.planned, record.started, len(record.generators)) == (80, 80, 2)


@slow
def test_workers_of_other_machines_share_it(profile: LoadProfile, tmp_path: Path) -> None:
    port = free_port()
    shared = replace(profile, generators=Generators(1, 2, f"127.0.0.1:{port}"))
    with served() as server, workers(tmp_path, port, 2):
        record = conduct.make(shared, server.url, tmp_path)
    assert honesty.doubts(shared, record) == ()
    assert (record.planned, record.started, len(record.generators)) == (80, 80, 2)


@slow
def test_workers_that_never_come_are_not_waited_for(
    profile: LoadProfile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conduct, "WORKERS_S", 2.0)
    monkeypatch.setattr(conduct, "START_S", 10.0)
    alone = replace(profile, generators=Generators(1, 2, f"127.0.0.1:{free_port()}"))
    with pytest.raises(RolloutError, match="Gave up waiting for workers to connect"):
        conduct.make(alone, "http://127.0.0.1:9", tmp_path)


@slow
def test_a_load_that_never_begins_is_ended(
    profile: LoadProfile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "load/web.py").write_text("print('waiting'); import time; time.sleep(60)\n")
    monkeypatch.setattr(conduct, "START_S", 1.5)
    begun = time.monotonic()
    with pytest.raises(RolloutError, match="locust did not begin within"):
        conduct.make(profile, "http://127.0.0.1:9", tmp_path)
    assert time.monotonic() - begun < 10


@slow
def test_who_may_not_go_on_ends_it(profile: LoadProfile, tmp_path: Path) -> None:
    asked = []

    def may_go_on() -> None:
        asked.append(time.monotonic())
        if len(asked) == 3:
            raise RolloutError("the phase was frozen")

    begun = time.monotonic()
    with pytest.raises(RolloutError, match="the phase was frozen"):
        conduct.make(profile, "http://127.0.0.1:9", tmp_path, may_go_on=may_go_on)
    assert time.monotonic() - begun < 10


def test_who_makes_it_stands_in_the_command(tmp_path: Path) -> None:
    one = command_of(profile_of(), tmp_path, 30)
    assert one[1:5] == ["-m", "locust", "-f", str(tmp_path / "load/web.py")]
    assert "--headless" in one
    assert "--processes" not in one
    several = " ".join(command_of(profile_of(generators=Generators(3)), tmp_path, 30))
    assert "--processes 3 --master-bind-host 127.0.0.1 --master-bind-port" in several
    bound = profile_of(generators=Generators(1, 2, "[::1]:5557"))
    master = " ".join(command_of(bound, tmp_path, 30))
    assert master.endswith(
        "--master --expect-workers 2 --expect-workers-max-wait 30 "
        "--master-bind-host ::1 --master-bind-port 5557"
    )


def test_an_address_is_told_to_locust_and_to_nobody_who_lists_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCUST_USERS", "1000")
    monkeypatch.setenv("PYTEST_CURRENT_TEST", "x")
    monkeypatch.setenv("API_TOKEN", "t")
    told = surroundings("http://me:secret@web", tmp_path)
    assert told["LOCUST_HOST"] == "http://me:secret@web"
    assert told["API_TOKEN"] == "t"
    assert not {"LOCUST_USERS", "PYTEST_CURRENT_TEST"} & set(told)
    ours = {name: told[name] for name in told if name.startswith("ROLLOUT_LOAD")}
    assert ours == {
        files.PROFILE: str(tmp_path / "profile.json"),
        files.RECORD: str(tmp_path / "record.json"),
        files.STATUS: str(tmp_path / "status.json"),
    }
    assert not any("secret" in word for word in command_of(profile_of(), tmp_path, 30))


def test_a_record_is_read_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    assert files.read_record(path) is None
    path.write_text(files.record_text(record_of()))
    assert files.read_record(path) == record_of()
    for text in ("", "{}", "[]", files.record_text(record_of())[:-9], "[" * 100_000):
        path.write_text(text)
        with pytest.raises(RolloutError, match="the record of the load is none"):
            files.read_record(path)


def test_a_program_and_what_it_started_end_with_who_runs_them(tmp_path: Path) -> None:
    """The program ignores that it is asked to end, and so does its child."""
    script = (
        "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); os.fork(); "
        "print(os.getpid(), flush=True); time.sleep(60)"
    )
    command, log = [sys.executable, "-c", script], tmp_path / "log"
    with tied(command, tmp_path, os.environ, log, 0.2) as one:
        while len(one.said()) < 2:
            time.sleep(0.02)
        assert one.status is None
    pids = [int(line) for line in one.said()]
    until = time.monotonic() + 5
    while any(Path(f"/proc/{pid}").exists() for pid in pids) and time.monotonic() < until:
        time.sleep(0.02)
    assert [pid for pid in pids if Path(f"/proc/{pid}").exists()] == []


@pytest.mark.parametrize(("ending", "status"), [("exit 3", 3), ("kill -9 $$", 128 + 9)])
def test_how_a_program_ended_is_known(tmp_path: Path, ending: str, status: int) -> None:
    command = ["sh", "-c", f"echo begun; echo; {ending}"]
    with tied(command, tmp_path, os.environ, tmp_path / "log", 1) as one:
        assert one.wait(5) == status
        assert one.said() == ["begun"]
