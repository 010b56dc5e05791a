"""Embedded targets: started when asked for, told their setting, ended with their parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from pytest_rollout.model.errors import RolloutError
from pytest_rollout.targets.launch import known_faults, launch
from pytest_rollout.targets.reference import IDENTITY_HEADER, Fault, Setting

APP = """\
import json
import os

from pytest_rollout.targets.reference import Setting, identified

FAULTS = {"sour": "says sour", "loud": "says it in capitals"}


async def plain(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": message["type"] + ".complete"})
            if message["type"] == "lifespan.shutdown":
                return
    setting = Setting.from_environ()
    body = {"pid": os.getpid(), "folder": str(setting.folder), "now": setting.now.isoformat(),
            "fault": str(setting.fault or "")}
    await send({"type": "http.response.start", "status": 200,
                "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


def app():
    fault = Setting.from_environ().fault
    if fault and set(fault.values) - {"size"}:
        raise ValueError(f"{fault.name} has no such parameter")
    return identified(plain, "small")


def broken():
    raise RuntimeError("no database here")
"""
BROKEN = {
    "zero.py": "import os\n\nLIMIT = 1 / 0\n",
    "half.py": "def app(:\n",
    "lacks.py": "import absent_library\n",
    "waits.py": "from asyncio import sleep\n\n\n"
    "async def app(scope, receive, send):\n    await sleep(99)\n",
    "inside/__init__.py": "",
    "inside/small.py": "",
    "flask.py": "def wsgi(environ, start_response): ...\n\n\ndef make(): return wsgi\n",
    "inside/calls.py": "import json\n\napp = json.loads('')\n",
}
NOW = datetime(2025, 11, 10, 14, tzinfo=UTC)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project with a small application."""
    (tmp_path / "small.py").write_text(APP, encoding="utf-8")
    for name, text in BROKEN.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_it_is_told_its_folder_its_time_and_its_fault(root: Path) -> None:
    setting = Setting(root / "data", NOW, Fault("sour", {"size": "3"}))
    served = launch("small:app", setting, root)
    try:
        answer = httpx.get(served.url)
        assert answer.json()["folder"] == str(root / "data")
        assert answer.json()["now"] == "2025-11-10T14:00:00+00:00"
        assert answer.json()["fault"] == "sour:size=3"
        assert answer.headers[IDENTITY_HEADER] == "small"
    finally:
        served.stop()


def test_it_ends_when_it_is_stopped(root: Path) -> None:
    served = launch("small:plain", Setting(root / "data", NOW), root)
    pid = httpx.get(served.url).json()["pid"]
    served.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_it_ends_when_its_parent_is_killed(root: Path) -> None:
    parent = f"""
import time
from datetime import UTC, datetime
from pathlib import Path
import httpx
from pytest_rollout.targets.launch import launch
from pytest_rollout.targets.reference import Setting
served = launch("small:plain", Setting(Path("data"), datetime.now(UTC)), Path({str(root)!r}))
print(httpx.get(served.url).json()["pid"], flush=True)
time.sleep(60)
"""
    assert gone(orphan_of(parent, root)), "the target outlived the process that started it"


def orphan_of(parent: str, root: Path) -> int:
    """Return the process that a program names, once the program is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", parent], cwd=root, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    child = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    return child


def gone(pid: int) -> bool:
    """Return whether a process has ended, after ten seconds at most."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        state = Path(f"/proc/{pid}/stat")
        if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(
    ("app", "said"),
    [
        ("small:broken", r"small\.py:32: RuntimeError: no database here"),
        ("small:ap", r"small\.py has no `ap` \(did you mean `app`\?\)"),
        ("smal:app", r"there is no module `smal` \(did you mean `small`\?\)"),
        ("inside.smal:app", r"there is no module `inside.smal` \(did you mean `small`\?\)"),
        ("nowhere:app", r"looked for nowhere.py or nowhere/__init__.py in the project's root"),
        ("zero:app", r"zero\.py:3: ZeroDivisionError: division by zero"),
        ("half:app", r"half\.py:1: SyntaxError: "),
        ("lacks:app", r"lacks\.py:1: ModuleNotFoundError: No module named 'absent_library'"),
        ("flask:wsgi", r"it speaks WSGI, .*state `asgi = a2wsgi\.WSGIMiddleware"),
        ("flask:make", r"it speaks WSGI, .*and serve `flask:asgi`"),
        ("inside.calls:app", r"inside/calls\.py:3: JSONDecodeError: Expecting value"),
    ],
)
def test_one_that_does_not_start_says_why(root: Path, app: str, said: str) -> None:
    with pytest.raises(RolloutError, match=f"{app} did not start: .*{said}"):
        launch(app, Setting(root / "data", NOW), root)


def test_one_that_never_accepts_a_request_says_how_long_it_was_waited_for(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_rollout.targets.launch._START_S", 3)
    why = r"waits:app did not start: it accepted no request within 3 s \(it said nothing\)$"
    with pytest.raises(RolloutError, match=why):
        launch("waits:app", Setting(root / "data", NOW), root)


def test_its_faults_are_known_without_serving_it(root: Path) -> None:
    assert known_faults("small:app", root) == {"sour": "says sour", "loud": "says it in capitals"}
    assert known_faults("small:app", root, "sour:size=3")
    with pytest.raises(RolloutError, match="sour has no such parameter"):
        known_faults("small:app", root, "sour:sise=3")


def test_one_that_cannot_be_imported_has_no_known_faults(root: Path) -> None:
    with pytest.raises(RolloutError, match=r"^zero:app cannot be loaded: zero\.py:3: Zero"):
        known_faults("zero:app", root)
    with pytest.raises(RolloutError, match=r"^flask:wsgi cannot be loaded: it speaks WSGI"):
        known_faults("flask:wsgi", root)


@pytest.mark.parametrize("text", ["sour", "sour:size=3", "sour:a=1,b=x y"])
def test_a_fault_is_written_as_it_is_read(text: str) -> None:
    assert str(Fault.parse(text)) == text


@pytest.mark.parametrize("text", ["", ":size=3", "sour:size", "sour:=3"])
def test_a_fault_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Fault.parse(text)
