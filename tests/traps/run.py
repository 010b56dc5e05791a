"""Running a trap for real: bare pytest, the gate, and what is said of it from outside."""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_rollout.cli import main
from tests.traps.parts import INI, PLAN, works
from tests.traps.trap import ECOSYSTEM, GO, NOTHING, PLAIN, Trap
from tests.words import told

_BOUND_S = 60
_BASE: Mapping[str, str] = {
    "pytest.ini": INI,
    "suites/p/rollout.yaml": PLAN,
    **works(),
}


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run of pytest ended."""

    status: int | None  # of the process or shell; None: it had to be ended
    output: str
    junit: str


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of the exit gate once a run has ended."""

    answer: str  # of the run: what stands, or what a partial run answered
    because: str  # the first reason
    reason: str  # every reason, and what is said of each criterion
    run: str
    status: str  # what `rollout status` shows
    damaged: bool  # what `rollout verify` finds


class Folder:
    """A trap's project in a folder of its own."""

    def __init__(self, root: Path, trap: Trap) -> None:
        self.root = root
        self._trap = trap

    def lay(self, files: Mapping[str, str]) -> None:
        """Write files; byte code of older ones is dropped, whose times may be the same."""
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", errors="surrogatepass")
        for cache in list(self.root.rglob("__pycache__")):
            shutil.rmtree(cache)

    def spring(self) -> None:
        """Write the trap's own files."""
        self.lay(self._trap.files)

    def gate(self, mode: str, *, everything: bool) -> Ended:
        """Run the gate."""
        return self._run([*_plugins(self._trap, everything=everything), *_mode(mode)])

    def bare(self, mode: str) -> Ended:
        """Run pytest without the plugin."""
        stub = ["-p", "bare_observe"] if (self.root / "bare_observe.py").is_file() else []
        plugins = _plugins(self._trap, everything=False)
        return self._run([*plugins, "-p", "no:rollout", *stub, *_mode(mode)])

    def honest(self) -> None:
        """Let the base project be GO, as it may have been before the trap."""
        quiet = _plugins(self._trap, everything=False)
        ended = self._start([sys.executable, "-m", "pytest", "-m", "one", *quiet], {})
        assert ended[0] == 0, ended[1]

    def _run(self, arguments: Sequence[str]) -> Ended:
        junit = self.root / "out/junit.xml"
        junit.unlink(missing_ok=True)
        command = [sys.executable, "-m", "pytest", "-m", "one", f"--junitxml={junit}"]
        command += [*arguments, *self._trap.args]
        if self._trap.shell:
            command = ["sh", "-c", self._trap.shell.format(pytest=shlex.join(command))]
        status, output = self._start(command, self._trap.env)
        return Ended(status, output, _colour(junit))

    def _start(self, command: Sequence[str], env: Mapping[str, str]) -> tuple[int | None, str]:
        with tempfile.TemporaryFile() as kept:
            process = subprocess.Popen(
                command,
                cwd=self.root,
                env={**_environ(), **env},
                stdin=subprocess.DEVNULL,
                stdout=kept,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_no_core,
            )
            ended = _wait(process.pid)
            with contextlib.suppress(ProcessLookupError):  # workers that outlive their controller
                os.killpg(process.pid, signal.SIGKILL)
            status = process.wait()
            kept.seek(0)
            return status if ended else None, kept.read().decode("utf-8", "replace")

    def said(self) -> Said:
        """What is said from outside, of the last full run; else what the run itself said."""
        root = self.root / self._trap.root
        outside = _json(_rollout("decide", "p.one/exit", "--json", root=root))
        rows = (_json(_rollout("status", "--json", root=root)) or {}).get("phases")
        row = rows[0] if rows else {"exit": {}}  # of a plan that cannot be read there is none
        inside = _json(_text(_newest(root / "rollout-report/p/embedded/one/exit")))
        found = outside or inside or {}
        reasons = told(found.get("reasons", ()))
        return Said(
            answer=found.get("decision", NOTHING),
            because=next(iter(reasons), ""),
            reason=" ".join([*reasons, *_told(found)]),
            run=found.get("run", ""),
            status=row["exit"].get("decision") or NOTHING,
            damaged=bool((_json(_rollout("verify", "--json", root=root)) or {}).get("problems")),
        )


@contextlib.contextmanager
def project(trap: Trap) -> Iterator[Folder]:
    """The base project in a folder that is gone afterwards; the trap is not yet sprung."""
    with tempfile.TemporaryDirectory(prefix="trap-", ignore_cleanup_errors=True) as folder:
        made = Folder(Path(folder).resolve(), trap)
        made.lay(_BASE)
        yield made


def _mode(mode: str) -> list[str]:
    return [] if mode == PLAIN else [mode]


def _plugins(trap: Trap, *, everything: bool) -> list[str]:
    """Which plugins of the ecosystem are on: all together, or just those that the trap needs."""
    if everything:
        return [option for options in ECOSYSTEM.values() for option in options]
    if not trap.combines and not trap.needs:
        return []  # none is loaded, and none can be named
    return [f"-pno:{name}" for name in ECOSYSTEM if name not in trap.needs]


def _environ() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "PYTHON", "COV"))}
    return {**kept, "PYTHONPATH": "", "NO_COLOR": "1"}


def _wait(pid: int) -> bool:
    """Wait for a process to end, and do not bury it yet: its id must stay its own."""
    until = time.monotonic() + _BOUND_S
    while time.monotonic() < until:
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None:
            return True
        time.sleep(0.01)
    return False


def _no_core() -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _colour(junit: Path) -> str:
    """What a reader of the JUnit file sees."""
    if not junit.is_file():
        return "absent"
    try:
        suite = ElementTree.parse(junit).getroot().find("testsuite")
    except ElementTree.ParseError:
        return "unreadable"
    assert suite is not None
    count = {name: int(suite.get(name, 0)) for name in ("tests", "failures", "errors", "skipped")}
    bad = count["failures"] + count["errors"]
    ran = f"{count['tests']} tests"
    skipped = f", {count['skipped']} skipped" if count["skipped"] else ""
    return f"red, {bad} of {ran}" if bad else f"green, {ran}{skipped}"


def _rollout(*arguments: str, root: Path) -> tuple[int, str]:
    """The `rollout` command, in this process."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try:
            main([*arguments, "--root", str(root)])
        except SystemExit as ended:
            return int(ended.code or 0), out.getvalue()
    raise AssertionError("the command did not exit")


def _json(said: tuple[int, str]) -> dict[str, Any] | None:
    try:
        data = json.loads(said[1])
    except ValueError:
        return None
    return data if isinstance(data, dict) and "error" not in data else None


def _newest(folder: Path) -> Path:
    """The decision that was written last: a partial run leaves its own beside the last full one."""
    found = [path for path in (folder / "runs").glob("*/decision.json") if path.is_file()]
    return max(found, key=lambda path: path.stat().st_mtime_ns, default=folder / "decision.json")


def _text(path: Path) -> tuple[int, str]:
    try:
        return 0, path.read_text(encoding="utf-8")
    except OSError:
        return 1, ""


def _told(decision: Mapping[str, Any]) -> Iterator[str]:
    """What the decision says of its criteria."""
    for one in decision.get("criteria", ()):
        yield f"{one['id']}: {one['reason']['text']}"


@dataclass(frozen=True, slots=True)
class Result:
    """One run of the gate on a trap."""

    trap: Trap
    mode: str
    everything: bool
    ended: Ended
    said: Said

    @property
    def says_go(self) -> bool:
        """Whether anybody could take this run for a GO."""
        return GO in (self.said.answer, self.said.status)

    def faults(self) -> list[str]:
        """What is not as the catalogue says."""
        ended, said = self.ended, self.said
        answer, because = self.trap.answer_in(self.mode), self.trap.because_in(self.mode)
        found = []
        if ended.status is None:
            found.append(f"it had to be ended after {_BOUND_S} s")
        if said.answer != answer:
            found.append(f"the answer is {said.answer}, not {answer}")
        if self.says_go and answer != GO:
            found.append("it says GO")
        if because not in f"{said.reason} {ended.output}":
            found.append(f"the reason does not say {because!r}: {said.reason[:300]}")
        if (ended.status == 0) != (answer == GO) and not self.trap.taken:
            found.append(f"the exit status is {ended.status}")
        if said.damaged != self.trap.damages:
            found.append(f"`rollout verify` finds it {'damaged' if said.damaged else 'whole'}")
        return [*found, ended.output[-3000:]] if found else []

    def __str__(self) -> str:
        plugins = "all plugins" if self.everything else "no plugins"
        return f"{self.trap.id} ({self.mode}, {plugins})"


def spring(trap: Trap, mode: str, everything: bool) -> Result:
    """Run the gate on a trap."""
    with project(trap) as folder:
        folder.spring()
        return Result(
            trap, mode, everything, folder.gate(mode, everything=everything), folder.said()
        )
