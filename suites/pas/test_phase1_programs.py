"""The vector manager and the hook against an index of the suite's own, which is as it is told."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pytest_rollout import Stage
from suites.pas.scenarios.hooks import PROGRAMS
from suites.pas.views.answering import Answering, answering
from suites.pas.views.client import python_of
from suites.pas.views.committing import commit, hinted, scratch
from suites.pas.views.running import Done, bare, call, closed_address
from suites.pas.views.source import git

pytestmark = pytest.mark.pas_phase1

FAILED = 1  # the exit status where the index does not answer
CHANNEL = "#plms-rollout"
DEFAULT = "http://localhost:7500"
LOOK, REFRESH = ("GET", "/snapshot"), ("POST", "/refresh")
FILES = {"same.py": "A = 1\n", "changed.py": "B = 2\n", "new.py": "C = 3\n", "notes.txt": "none\n"}


@dataclass(frozen=True, slots=True)
class Tried:
    """A repository with three Python files, and how the programs of the checkout are called."""

    checkout: Path
    repository: Path
    home: Path

    def manage(self, *words: str, **environ: str) -> Done:
        """Call the vector manager."""
        program = self.checkout / PROGRAMS / "vector_manager.py"
        where = ("--repository", str(self.repository), *words)
        given = bare(self.home, PYTHONDONTWRITEBYTECODE="1", **environ)
        return call("vector_manager", python_of(self.checkout), program, *where, environ=given)

    def install(self, *words: str) -> Done:
        """Install the hook."""
        program = self.checkout / PROGRAMS / "install_hook.sh"
        where = (str(self.repository), *words)
        return call("install_hook.sh", program, *where, environ=bare(self.home))

    def snapshot(self, coverage: float, *, fresh: bool) -> dict[str, Any]:
        """What an index says that knows one file as it is, and another as it was."""
        blobs = {name: git(self.repository, "rev-parse", f"HEAD:{name}").strip() for name in FILES}
        known = {"same.py": blobs["same.py"], "changed.py": blobs["same.py"]}
        files = [{"path": path, "blob": blob} for path, blob in known.items()]
        sha = git(self.repository, "rev-parse", "HEAD").strip() if fresh else "0" * 40
        return {"sha": sha, "coverage": coverage, "files": files}


@pytest.fixture
def tried(phase: Stage, tmp_path: Path) -> Tried:
    """A repository of its own."""
    repository = scratch(tmp_path / "repository")
    commit(repository, FILES, "Add some code", tmp_path / "log")
    return Tried(phase.file("checkout"), repository, tmp_path)


def _paths(service: Answering) -> list[tuple[str, str]]:
    return [(request.method, request.path) for request in service.asked]


@pytest.mark.criterion("vector-manager-runs", "vector-manager-scheduled")
@pytest.mark.parametrize(
    ("coverage", "fresh", "told"),
    [(0.98, True, True), (0.9799, True, True), (0.9799, True, False), (0.5, False, True)],
)
def test_the_manager_says_and_does_what_is_due(
    tried: Tried, coverage: float, fresh: bool, told: bool
) -> None:
    """On both sides of what is complete; Slack is told where anybody said where it is."""
    snapshot = tried.snapshot(coverage, fresh=fresh)
    with answering({LOOK: snapshot, REFRESH: {}}) as index, answering({("POST", "/hook"): {}}) as s:
        slack = {"SLACK_WEBHOOK_URL": f"{s.url}/hook"} if told else {}
        said = tried.manage("--url", f"{index.url}/", **slack).said()
        asked = _paths(index)
        posted = [dict(request.body) for request in s.asked]
    short = coverage < 0.98 and told
    drift = [] if fresh else ["changed.py", "new.py"]
    due: dict[str, object] = {"fresh": fresh, "refreshed": not fresh, "drift": drift}
    due |= {"coverage": coverage, "alerted": short}
    assert dict(said) == due, f"it says {dict(said)}, and {due} is so"
    assert asked == [LOOK] if fresh else [LOOK, REFRESH, LOOK], f"it asked the index for {asked}"
    assert len(posted) == short, f"Slack was told {len(posted)} times"
    for message in posted:
        assert message["channel"] == CHANNEL, f"it was told in {message['channel']}"
        for word in (f"{coverage:.1%}", "98%"):
            assert word in message["text"], f"Slack is not told {word}: {message['text']}"


@pytest.mark.criterion("vector-manager-runs", "vector-manager-scheduled")
def test_the_manager_asks_where_the_hook_does(tried: Tried) -> None:
    """At the address that was installed; without an index it fails with a sentence."""
    snapshot = tried.snapshot(1.0, fresh=True)
    with answering({LOOK: snapshot}) as index:
        assert tried.install(index.url).status == 0
        assert tried.manage().said()["fresh"] is True
        assert _paths(index) == [LOOK], f"it asked the index for {_paths(index)}"
    odd: Mapping[tuple[str, str], Any] = {LOOK: {"sha": "0" * 40}}
    with answering(odd) as silent:
        cases = {
            "nobody there": tried.manage("--url", closed_address()),
            "no snapshot": tried.manage("--url", silent.url),
        }
    for name, done in cases.items():
        assert done.status == FAILED, f"{name}: {done.in_words()}"
        lines = done.errors.strip().splitlines()
        assert len(lines) == 1, f"{name}: it prints {done.errors[-200:]!r}"
        assert lines[0].startswith("vector_manager: "), f"{name}: it prints {lines[0]!r}"


@pytest.mark.criterion("hook-installed", "hook-tolerates-outage")
def test_the_hook_is_installed_with_its_address(tried: Tried) -> None:
    assert tried.install().status == 0
    kept = git(tried.repository, "config", "codeindex.url").strip()
    assert kept == DEFAULT, f"by itself the hook asks at {kept}"
    hook = tried.repository / ".git/hooks/post-commit"
    assert not hook.with_name("post-commit.before").exists(), "a hook was saved that was none"
    ours = hook.read_bytes()
    older = b"#!/bin/sh\nexit 0\n"
    hook.write_bytes(older)
    hook.chmod(0o755)
    nowhere = closed_address()
    for _ in range(2):
        assert tried.install(nowhere).status == 0
        assert hook.read_bytes() == ours, "another hook is installed the second time"
        assert hook.with_name("post-commit.before").read_bytes() == older, "the older hook is lost"
    log = tried.home / "outage.log"
    assert commit(tried.repository, {"more.py": "D = 4\n"}, "Add more", log).status == 0
    assert hinted(log, "code index"), "nobody is told that the code index was not refreshed"
    kept = (tried.repository / ".git/code-index.log").read_text(encoding="utf-8")
    assert "code index" in kept, f"the log of the hook says {kept!r}"
    assert nowhere in kept, f"the log of the hook does not say who did not answer: {kept!r}"


@pytest.mark.criterion("hook-triggers-refresh")
def test_the_hook_asks_once_without_a_word(tried: Tried) -> None:
    with answering({REFRESH: {"status": "refreshed"}}) as index:
        assert tried.install(index.url).status == 0
        log = tried.home / "well.log"
        done = commit(tried.repository, {"more.py": "D = 4\n"}, "Add more", log)
        assert done.status == 0, f"the commit ended with {done.status}: {done.said}"
        assert _within_a_while(index), "the index was not asked to refresh"
        asked = _paths(index)
    assert asked == [REFRESH], f"the index was asked for {asked}"
    assert not log.read_text().strip(), f"while all is well the hook says {log.read_text()!r}"


def _within_a_while(index: Answering) -> bool:
    until = time.monotonic() + 5
    while not index.asked and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.2)
    return bool(index.asked)
