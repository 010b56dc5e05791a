"""The code index against an independent look: ast and git, on this very repository."""

from __future__ import annotations

import ast
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from fixtures.pas.index.behaviour import Answering, Refreshing, Serving
from fixtures.pas.index.refreshing import Index
from fixtures.pas.index.service import Listening, application
from fixtures.pas.programs import sample

ROOT = Path(__file__).parents[2]
INSTALL = ROOT / "fixtures/pas/tree/services/lightrag_code/install_hook.sh"
OWN, CALLED = ("pytest_rollout/plan", "pytest_rollout/targets"), "filled"


def git(path: Path, *words: str) -> str:
    """What git says."""
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    command = ["git", "-C", str(path), *who, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with modules of this one, and those of the sample."""
    path = tmp_path_factory.mktemp("repository")
    for room in OWN:
        shutil.copytree(ROOT / room, path / room, ignore=shutil.ignore_patterns("__pycache__"))
    sample.write(path)
    git(path, "init", "--quiet")
    git(path, "add", "--all")
    git(path, "commit", "--quiet", "--message", "begin")
    return path


@pytest.fixture(scope="module")
def index(repository: Path) -> Index:
    """The index of that repository, refreshed once."""
    made = Index(repository, time.time, Refreshing(), Answering())
    made.refresh()
    return made


@pytest.fixture(scope="module")
def url(index: Index) -> Iterator[str]:
    """Where that index is served."""
    listening = Listening(application(index, Serving()))
    listening.start()
    yield listening.url
    listening.stop()


def ask(url: str, kind: str, name: str) -> list[dict[str, Any]]:
    """The results of a query."""
    answer = httpx.get(f"{url}/query", params={"kind": kind, "name": name}, trust_env=False)
    assert answer.status_code == 200
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def calls(root: Path, name: str) -> set[tuple[str, int]]:
    """Where a name is called, by ast."""
    seen = set()
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                last = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if last == name:
                    seen.add((str(path.relative_to(root)), node.func.end_lineno or 0))
    return seen


def test_it_answers_on_this_very_repository(repository: Path, url: str) -> None:
    (place,) = ask(url, "where_defined", "ReferenceTarget")
    lines = (ROOT / place["file"]).read_text(encoding="utf-8").splitlines()
    assert lines[place["line"] - 1] == "class ReferenceTarget:"
    told = ask(url, "who_calls", CALLED)
    assert {(one["file"], one["line"]) for one in told} == calls(repository, CALLED)
    assert len(told) >= 5


def test_it_knows_callers_by_what_holds_them(repository: Path, url: str) -> None:
    told = ask(url, "who_calls", "encode_texts")
    assert {(one["file"], one["line"]) for one in told} == calls(repository, "encode_texts")
    assert {"<module>", "ingest.encoded", "Corpus.__init__"} <= {one["caller"] for one in told}


def test_a_change_reaches_importers_of_importers(repository: Path, url: str) -> None:
    wanted = {}
    for path in (repository / "lnsp/parts").glob("part_*.py"):
        number, distance = int(path.stem[5:]), 0
        while number > 1:  # module n imports module n // 3
            number, distance = number // 3, distance + 1
        if number == 1 and distance:
            wanted[f"lnsp/parts/{path.name}"] = distance
    told = ask(url, "impact_set", "lnsp/parts/part_001.py")
    assert {one["file"]: one["distance"] for one in told} == wanted
    assert max(wanted.values()) >= 3


def test_a_docstring_is_nearest_to_its_definition(url: str) -> None:
    first = [
        ask(url, "nearest_neighbors", f"the sum of what {word} weighs")[0]["qualname"]
        for word in ("apron", "boulder", "violin")
    ]
    assert [name.rpartition("_")[2] for name in first] == ["apron", "boulder", "violin"]


def test_a_commit_is_visible_by_the_hook_and_parses_what_changed(
    repository: Path, url: str, tmp_path: Path
) -> None:
    hook = repository / ".git/hooks/post-commit"
    hook.write_text(f"#!/bin/sh\necho before >> '{tmp_path}/log'\n", encoding="utf-8")
    hook.chmod(0o755)
    for _ in range(2):  # a second call changes nothing
        subprocess.run([INSTALL, repository, url], check=True)
    (repository / "lnsp/fresh.py").write_text("class Fresh:\n    pass\n", encoding="utf-8")
    git(repository, "add", "--all")
    assert ask(url, "where_defined", "Fresh") == []
    git(repository, "commit", "--quiet", "--message", "fresh")
    until = time.monotonic() + 10
    while not (told := ask(url, "where_defined", "Fresh")) and time.monotonic() < until:
        time.sleep(0.05)
    assert [(one["file"], one["line"]) for one in told] == [("lnsp/fresh.py", 1)]
    assert (tmp_path / "log").read_text() == "before\n"
    again = httpx.post(f"{url}/refresh", trust_env=False).json()
    assert (again["status"], again["files_parsed"]) == ("unchanged", 0)
    snapshot = httpx.get(f"{url}/snapshot", trust_env=False).json()
    tracked = git(repository, "ls-files", "*.py").splitlines()
    assert {file["path"] for file in snapshot["files"]} == set(tracked)
    assert snapshot["sha"] == git(repository, "rev-parse", "HEAD")


def test_a_commit_succeeds_and_says_so_where_the_index_is_down(repository: Path) -> None:
    subprocess.run([INSTALL, repository, "http://127.0.0.1:9"], check=True)
    words = ["git", "-C", str(repository), "-c", "user.name=a", "-c", "user.email=a@example.com"]
    done = subprocess.run(
        [*words, "commit", "--quiet", "--allow-empty", "--message", "x"],
        capture_output=True,
        text=True,
        check=False,
        timeout=10,
    )
    assert done.returncode == 0
    assert "code index" in done.stderr
    assert "code index" in (repository / ".git/code-index.log").read_text(encoding="utf-8")
