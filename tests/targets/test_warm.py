"""Targets that are forks of a warm process: as those that start cold, and sooner."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from pytest_rollout.model.errors import RolloutError
from pytest_rollout.targets.launch import Served, launch
from pytest_rollout.targets.reference import Setting
from pytest_rollout.targets.starting import Warm, start_cold
from tests.targets.test_embedded import gone, orphan_of

# Says how often a framework and the application were loaded, and by which process.
FRAMEWORK = """\
import os
from pathlib import Path

with Path("loaded.txt").open("a") as file:
    file.write(f"{__name__} {os.getpid()}\\n")
"""
APP = """\
import json
import os
import random
import signal

import fastapi

from pytest_rollout.targets.reference import Setting

WORD = os.environ.get("GREETING", "none")  # read while it is loaded
RANDOM = random.random()
DEAF = signal.getsignal(signal.SIGINT) is signal.SIG_IGN


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    print("asked", flush=True)
    body = {"pid": os.getpid(), "folder": str(Setting.from_environ().folder), "word": WORD,
            "random": RANDOM, "test": os.environ.get("PYTEST_CURRENT_TEST"), "cwd": os.getcwd(),
            "deaf": DEAF}
    await send({"type": "http.response.start", "status": 200,
                "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})
"""
_MANY = 4_096  # files that this process may open
NOW = datetime(2025, 11, 10, 14, tzinfo=UTC)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project whose application is slow to load, and one that cannot be loaded."""
    (tmp_path / "fastapi.py").write_text(FRAMEWORK, encoding="utf-8")
    (tmp_path / "site_app.py").write_text(APP, encoding="utf-8")
    (tmp_path / "zero.py").write_text("LIMIT = 1 / 0\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def warm() -> Iterator[Warm]:
    """Closed after the test."""
    made = Warm()
    yield made
    made.close()


def _launch(root: Path, warm: Warm, folder: str = "data") -> Served:
    return launch("site_app:app", Setting(root / folder, NOW), root, warm.start)


def _said(served: Served) -> dict[str, object]:
    said: dict[str, object] = httpx.get(served.url).json()
    return said


def test_what_serves_targets_is_loaded_once(root: Path, warm: Warm) -> None:
    several = [_launch(root, warm, name) for name in "abc"]
    said = [_said(served) for served in several]
    for served in several:
        served.stop()
    (line,) = (root / "loaded.txt").read_text(encoding="utf-8").splitlines()
    pids = {answer["pid"] for answer in said}
    assert len(pids) == 3
    assert int(line.split()[1]) not in pids, "each loaded it by itself"
    assert [answer["folder"] for answer in said] == [str(root / name) for name in "abc"]
    assert len({answer["random"] for answer in said}) == 3, "forks draw the same numbers"


def test_one_is_told_and_says_what_a_cold_one_would(root: Path, warm: Warm) -> None:
    answers = []
    for name, starter in (("cold", start_cold), ("warm", warm.start)):
        served = launch("site_app:app", Setting(root / name, NOW), root, starter)
        answers.append(_said(served))
        served.stop()
        assert (root / name / "target.log").read_text(encoding="utf-8") == "asked\n"
    for answer in answers:
        del answer["pid"], answer["folder"], answer["random"], answer["test"]
    assert answers[0] == answers[1]


def test_each_sees_the_environment_of_its_time(
    root: Path, warm: Warm, monkeypatch: pytest.MonkeyPatch
) -> None:
    for word in ("good morning", "good night"):
        monkeypatch.setenv("GREETING", word)
        served = _launch(root, warm)
        assert _said(served)["word"] == word
        served.stop()


def test_the_test_that_runs_makes_no_new_process_warm(
    root: Path, warm: Warm, monkeypatch: pytest.MonkeyPatch
) -> None:
    for test in ("one (call)", "two (setup)"):
        monkeypatch.setenv("PYTEST_CURRENT_TEST", test)
        _launch(root, warm).stop()
    assert len((root / "loaded.txt").read_text(encoding="utf-8").splitlines()) == 1


def test_one_that_does_not_start_says_why(root: Path, warm: Warm) -> None:
    with pytest.raises(RolloutError, match=r"zero:app did not start: zero\.py:1: ZeroDivision"):
        launch("zero:app", Setting(root / "data", NOW), root, warm.start)
    _launch(root, warm).stop()


def test_one_that_does_not_end_is_killed(
    root: Path, warm: Warm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_rollout.targets.launch._STOP_S", 0.5)
    served = _launch(root, warm)
    pid = _said(served)["pid"]
    assert isinstance(pid, int)
    os.kill(pid, signal.SIGSTOP)
    served.stop()
    assert gone(pid)


def test_one_starts_cold_where_the_warm_process_is_gone(root: Path, warm: Warm) -> None:
    _launch(root, warm).stop()
    before = (root / "loaded.txt").read_text(encoding="utf-8").split()
    os.kill(int(before[1]), signal.SIGKILL)
    served = _launch(root, warm)
    pid = _said(served)["pid"]
    served.stop()
    after = (root / "loaded.txt").read_text(encoding="utf-8").split()
    assert after == [*before, "fastapi", str(pid)]


def test_it_ends_though_a_fork_of_a_test_lives_on(root: Path, warm: Warm) -> None:
    _launch(root, warm).stop()
    child = os.fork()
    if not child:
        time.sleep(30)
        os._exit(0)
    begun = time.monotonic()
    warm.close()
    took = time.monotonic() - begun
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert took < 20, "it waited for the fork"


def test_all_end_when_the_process_that_started_them_is_killed(root: Path) -> None:
    parent = f"""
import time
from datetime import UTC, datetime
from pathlib import Path
import httpx
from pytest_rollout.targets.launch import launch
from pytest_rollout.targets.reference import Setting
from pytest_rollout.targets.starting import Warm
setting, warm = Setting(Path("data"), datetime.now(UTC)), Warm()
served = launch("site_app:app", setting, Path({str(root)!r}), warm.start)
print(httpx.get(served.url).json()["pid"], flush=True)
time.sleep(60)
"""
    target = orphan_of(parent, root)
    warm = int((root / "loaded.txt").read_text(encoding="utf-8").split()[1])
    assert gone(target), "the target outlived the process that started it"
    assert gone(warm), "the warm process outlived the process that started it"


def test_one_starts_where_many_files_are_open(root: Path, warm: Warm) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < _MANY:
        pytest.fail(f"no process may open {_MANY} files here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (_MANY, hard))
    held: list[int] = []
    try:
        while not held or held[-1] < 1_024:
            held.append(os.open(os.devnull, os.O_RDONLY))
        for name, starter in (("cold", start_cold), ("warm", warm.start)):
            launch("site_app:app", Setting(root / name, NOW), root, starter).stop()
    finally:
        for file in held:
            os.close(file)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
