"""The code index as a service: where it is, what it answers, and that it needs no PAS."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from pytest_rollout import NoValueError, Stage, reported
from suites.pas.scenarios.indexing import STORAGE, Indexed
from suites.pas.scenarios.made import listening, started
from suites.pas.scenarios.schedule import Weeks
from suites.pas.views.client import environ, free_port
from suites.pas.views.committing import commit, scratch
from suites.pas.views.index import CLASS, FUNCTION, Index
from suites.pas.views.people import begun
from suites.pas.views.running import accepts, bare, call
from suites.pas.views.sockets import bound_to, is_loopback
from suites.pas.views.source import Source, Spot, git
from suites.pas.views.without_pas import works_without_pas

pytestmark = pytest.mark.pas_phase1

FOLDERS = ("services/lightrag_code", STORAGE)
PORT = 7500
_PARSE = """
import tree_sitter, tree_sitter_python
language = tree_sitter.Language(tree_sitter_python.language())
tree = tree_sitter.Parser(language).parse(b"def f():\\n    return 1\\n")
print(tree.root_node.children[0].type)
"""


# Entry


@pytest.mark.criterion("checkout-ready")
def test_there_is_a_commit_to_index(phase: Stage) -> None:
    checkout = phase.file("checkout")
    files = git(checkout, "ls-files", "*.py").split()
    assert len(files) >= 50, f"{len(files)} Python files are tracked, and 50 are needed"
    changed = git(checkout, "status", "--porcelain", "--untracked-files=no").strip()
    assert not changed, f"tracked files are not as they were committed: {changed:.200}"


# What was set up


@pytest.mark.criterion("parser-installed")
def test_the_parser_can_be_imported(phase: Stage, tmp_path_factory: pytest.TempPathFactory) -> None:
    checkout = phase.file("checkout")
    home = tmp_path_factory.mktemp("parser")
    python = checkout / ".venv/bin/python"
    done = call("python -c import", python, "-c", _PARSE, environ=bare(home), folder=checkout)
    assert done.status == 0, done.in_words()
    assert done.text.strip() == "function_definition", f"it parses a function as {done.text!r}"


@pytest.mark.criterion("directories-exist")
def test_the_folders_exist(phase: Stage) -> None:
    missing = [name for name in FOLDERS if not (phase.file("checkout") / name).is_dir()]
    assert not missing, f"there is no folder {', '.join(missing)}"


@pytest.mark.criterion("service-up-7500")
def test_the_service_is_up(phase: Stage) -> None:
    address = phase.target("index").url
    assert accepts(address), f"no connection to {address} is accepted"
    if phase.embedded:  # whose ports are any that are free
        words = ["make", "-n", "-C", str(phase.file("checkout")), "run-code-index"]
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=20)
        assert str(PORT) in done.stdout, f"make run-code-index does not name {PORT}: {done.stdout}"
    else:
        port = urlsplit(address).port
        assert port == PORT, f"the index is at port {port}, not {PORT}"


@pytest.mark.criterion("service-up-7500", "endpoint-refresh", "endpoint-snapshot")
def test_make_brings_up_an_index_of_any_repository(phase: Stage, tmp_path: Path) -> None:
    """At the port and of the repository that it is told, by the clock on the wall."""
    checkout, repository = phase.file("checkout"), scratch(tmp_path / "repository")
    commit(repository, {"one.py": "def alone():\n    pass\n"}, "Add some code", tmp_path / "log")
    port, output = free_port(), tmp_path / "output"
    env = environ(tmp_path, INDEX_PORT=str(port), INDEX_REPOSITORY=str(repository))
    with started("run-code-index", checkout, env, output) as process:
        up = listening(process, port)
        assert up is not None, f"nothing listens; make printed {output.read_text()[-300:]}"
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
            index = Index(client)
            first, spots = index.get("/snapshot"), index.spots("where_defined", "alone")
            commit(repository, {"two.py": "alone()\n"}, "Add more", tmp_path / "log")
            refreshed = reported(client.post("/refresh"))
            calls = index.spots("who_calls", "alone")
    assert spots == [Spot("one.py", 1)], f"a function is said to be at {spots}"
    told = (first["tracked"], first["coverage"], refreshed["files_parsed"], calls)
    assert told == (1, 1, 1, [Spot("two.py", 1)]), f"it says {told}"
    off = abs(datetime.now(UTC) - first.moment("refreshed_at"))
    assert off < timedelta(minutes=1), f"it was refreshed at {first['refreshed_at']}"


@pytest.mark.criterion("service-loopback-only")
def test_nobody_else_reaches_the_service(phase: Stage) -> None:
    port = urlsplit(phase.target("index").url).port
    if port is None:
        raise NoValueError("the address of the index names no port")
    addresses = bound_to(port)
    if not addresses:
        raise NoValueError(f"nobody listens on port {port} of this machine")
    open_to_all = [address for address in addresses if not is_loopback(address)]
    assert not open_to_all, f"the index listens at {', '.join(open_to_all)}"


# What it answers


@pytest.mark.criterion("endpoint-refresh")
def test_a_refresh_reads_the_last_commit(indexed: Indexed) -> None:
    status = indexed.answer.status_code
    assert status == 200, f"POST /refresh answers {status}"
    sha = reported(indexed.answer).text("sha")
    assert sha == indexed.source.commit, f"it read {sha}, and HEAD is {indexed.source.commit}"


@pytest.mark.criterion("endpoint-query")
def test_a_query_is_answered(indexed: Indexed) -> None:
    client = indexed.index.client
    answer = client.get("/query", params={"kind": "where_defined", "name": CLASS})
    assert answer.status_code == 200, f"GET /query answers {answer.status_code}"
    assert reported(answer).each("results"), f"GET /query says nothing about {CLASS}"
    for query in ({"kind": "no_such_kind", "name": CLASS}, {"kind": "where_defined"}):
        status = client.get("/query", params=query).status_code
        assert status in (400, 422), f"GET /query with {query} answers {status}, not 400 or 422"


@pytest.mark.criterion("endpoint-snapshot")
def test_the_snapshot_is_of_the_commit(indexed: Indexed) -> None:
    status = indexed.snapshot.status_code
    assert status == 200, f"GET /snapshot answers {status}"
    said = reported(indexed.snapshot)
    assert said.text("sha") == indexed.source.commit, f"the snapshot is of {said['sha']}"
    files, tracked = len(said.each("files")), len(indexed.source.texts)
    assert files, "the snapshot names no file"
    told = (said.whole("tracked"), said.whole("indexed"))
    assert told == (tracked, files), f"tracked and indexed are {told}, not {(tracked, files)}"
    counted = len(indexed.source.definitions), len(indexed.source.calls)
    told_of = said.whole("symbols"), said.whole("calls")
    assert told_of == counted, f"symbols and calls are {told_of}, and the source has {counted}"
    assert abs(said.moment("refreshed_at") - indexed.at) <= timedelta(minutes=1), (
        f"it was refreshed at {indexed.at}, and says {said['refreshed_at']}"
    )
    share = said.number("coverage")
    assert abs(share - files / tracked) < 0.001, f"a coverage of {share:g} is told"


@pytest.mark.criterion("index-storage")
def test_the_index_is_kept_where_the_plan_says(indexed: Indexed) -> None:
    folder = indexed.checkout / STORAGE
    files = [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []
    assert files, f"there is no file below {STORAGE}"
    commit = indexed.source.commit
    mine = [path for path in files if commit in path.name]
    assert mine, f"no file below {STORAGE} is of the commit {commit}"
    listed = {file["path"] for file in json.loads(mine[0].read_text(encoding="utf-8"))["files"]}
    left = sorted(set(indexed.source.texts) - listed)
    assert len(left) <= len(indexed.source.texts) * 0.02, f"{mine[0].name} lacks {left[:5]}"


# Without PAS


@pytest.mark.criterion("no-pas-dependency")
@pytest.mark.effect("change")
def test_the_index_needs_no_pas(phase: Stage, indexed: Indexed) -> None:
    works_without_pas(phase, lambda: _works(indexed.index, indexed.source))


def _works(index: Index, source: Source) -> None:
    status = index.client.post("/refresh", params={"full": "1"}).status_code
    assert status == 200, f"without PAS POST /refresh answers {status}"
    spots = index.spots("where_defined", CLASS)
    assert spots == sorted(source.defined(CLASS)), f"without PAS {CLASS} is at {spots}"
    assert index.query("who_calls", FUNCTION), f"without PAS nobody calls {FUNCTION}"


# When


@pytest.mark.criterion("started")
def test_work_began_in_the_first_week(phase: Stage, weeks: Weeks) -> None:
    day = begun(weeks.rows, "phase1")
    assert day <= date(2025, 11, 10), f"work on the code index began on {day}"
    last = git(phase.file("checkout"), "log", "--format=%h", "-1", "--", FOLDERS[0]).strip()
    assert last, f"no commit touches {FOLDERS[0]}"


@pytest.mark.criterion("on-schedule")
def test_acceptance_ended_in_time(weeks: Weeks) -> None:
    weeks.demand_by(date(2025, 11, 14))
