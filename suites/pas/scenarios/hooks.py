"""The hook and the line of the crontab, installed in places of their own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import pytest

from pytest_rollout import RolloutError, Stage, scenario
from suites.pas.views.committing import Committed, commit, hinted, scratch
from suites.pas.views.running import Done, bare, call, closed_address
from suites.pas.views.source import git

HINT = "code index"
PROGRAMS = "services/lightrag_code"
OTHERS = (
    "MAILTO=ops@example.com",
    "# nightly jobs",
    "30 2 * * * /usr/local/bin/nightly --all",
    "*/5 * * * * /usr/local/bin/other",
)
_CRONTAB = """#!/bin/sh
# A crontab in a file of its own.
file={file}
case "$1" in
  -l) if [ -f "$file" ]; then cat "$file"; else echo "no crontab for suite" >&2; exit 1; fi ;;
  -r) rm -f "$file" ;;
  -|'') cat > "$file.new" && mv "$file.new" "$file" ;;
  *) cp "$1" "$file" ;;
esac
"""


@dataclass(frozen=True, slots=True)
class Outage:
    """A commit while the index is not as it should be."""

    committed: Committed
    hinted: bool | None  # None: nobody waited for it


@dataclass(frozen=True, slots=True)
class HooksTried:
    """Commits in a repository whose hook was installed twice over an older one."""

    outages: Mapping[str, Outage]
    asked: int  # requests that a commit sent while the index was well
    older: Sequence[int]  # how often the older hook ran at each commit
    commits: int


@scenario()
def hooks_tried(phase: Stage, tmp_path_factory: pytest.TempPathFactory) -> HooksTried:
    """The hook is installed twice over an older one; the index is well, down, ill and silent."""
    folder = tmp_path_factory.mktemp("hooks")
    repository, install = scratch(folder / "repository"), phase.file("checkout") / PROGRAMS
    ran = folder / "older.log"
    _write_program(repository / ".git/hooks/post-commit", f"#!/bin/sh\necho ran >> '{ran}'\n")
    log, older, outages = folder / "commit.log", [0], {}

    def try_at(address: str, name: str) -> Committed:
        for _ in range(2):
            installed = _install(install, repository, address, folder)
            if installed.status != 0:
                raise RolloutError(installed.in_words())
        done = commit(repository, {f"{name}.txt": name}, f"Try {name}", log)
        older.append(len(ran.read_text().splitlines()) if ran.is_file() else 0)
        return done

    with _receiver(200) as (address, asked):
        try_at(address, "well")
        _wait_for(asked)
        well = len(asked)
    outages["down"] = Outage(try_at(closed_address(), "down"), hinted(log, HINT))
    with _receiver(500) as (address, _):
        outages["error"] = Outage(try_at(address, "error"), hinted(log, HINT))
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:  # which accepts, and is silent
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        outages["hangs"] = Outage(try_at(address, "hangs"), None)
    commits = len(git(repository, "log", "--format=%H").split())
    return HooksTried(
        outages,
        well,
        [after - before for before, after in pairwise(older)],
        commits,
    )


def _install(programs: Path, repository: Path, address: str, home: Path) -> Done:
    program = programs / "install_hook.sh"
    return call("install_hook.sh", program, repository, address, environ=bare(home))


def _write_program(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def _wait_for(asked: Sequence[str]) -> None:
    """Wait for a request, and for a second one that should not come."""
    waiting = threading.Event()
    for _ in range(40):
        if asked:
            break
        waiting.wait(0.1)
    waiting.wait(0.3)


@contextmanager
def _receiver(status: int) -> Iterator[tuple[str, list[str]]]:
    """An index that answers each request alike, and what it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(frozen=True, slots=True)
class CronTried:
    """A crontab before and after the line was added, by what was tried."""

    before: Sequence[str]
    after: Sequence[str]
    done: Done


@scenario()
def crontabs_tried(
    phase: Stage, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, CronTried]:
    """The line is added to a crontab that is empty, to one with other jobs, and to that again."""
    checkout, tried = phase.file("checkout"), {}
    for name, given in {"empty": (), "others": OTHERS, "again": OTHERS}.items():
        folder = tmp_path_factory.mktemp(f"cron-{name}")
        file = folder / "crontab.txt"
        if given:
            file.write_text("".join(f"{line}\n" for line in given))
        _write_program(folder / "crontab", _CRONTAB.format(file=f"'{file}'"))
        for _ in range(2 if name == "again" else 1):
            done = _add_line(checkout, folder)
        after = file.read_text().splitlines() if file.is_file() else []
        tried[name] = CronTried(given, after, done)
    return tried


def _add_line(checkout: Path, folder: Path) -> Done:
    environ = bare(folder)
    environ["PATH"] = f"{folder}:{environ['PATH']}"
    python, program = checkout / ".venv/bin/python", checkout / PROGRAMS / "install_cron.py"
    return call("install_cron.py", python, program, environ=environ, folder=checkout)
