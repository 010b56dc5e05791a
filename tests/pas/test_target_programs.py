"""The programs around PAS: client, broker, sandbox, planner, crontab, and the faults in them."""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.pas.learning import packs
from fixtures.pas.learning.world import FAULTS as WORLDS
from fixtures.pas.learning.world import World
from fixtures.pas.people.agenda import HOLIDAYS, ZONE, agenda
from fixtures.pas.people.conduct import FAULTS as CONDUCTS
from fixtures.pas.people.conduct import Conduct, Diligence
from fixtures.pas.programs.checkout import FAULTS, Checkout, Tree
from suites.pas.views.answering import answering

TREE = Path("fixtures/pas/tree").resolve()


def run(program: str, *words: object, given: str = "", **variables: str) -> tuple[int, Any, str]:
    """Run a program of the tree: its exit status, the object it printed, its standard error."""
    environ = {"PATH": os.environ["PATH"], "HOME": "/nowhere", **variables}
    command = [sys.executable, "-S", str(TREE / program), *map(str, words)]
    done = subprocess.run(
        command, env=environ, input=given, capture_output=True, text=True, check=False, timeout=20
    )
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout without a fault."""
    folder = tmp_path_factory.mktemp("pas")
    (folder / "bin").mkdir()
    made = Checkout(folder / "checkout", folder / "bin", folder / "spool", Tree())
    made.write("2025-11-07T08:30:00-05:00")
    made.begin_indexing("http://localhost:1")
    return made.path


@pytest.fixture
def closed() -> Iterator[str]:
    """An address at which nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


def test_each_fault_changes_a_text_that_stands_there(checkout: Path, tmp_path: Path) -> None:
    for fault in FAULTS:
        for edit in (edits := Tree(str(fault.sets["flaw"])).edits()):
            place = tmp_path / fault.name / edit.path
            if (checkout / edit.path).exists() and not place.exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes((checkout / edit.path).read_bytes())
            before = place.read_bytes() if place.exists() else None
            edit.apply(tmp_path / fault.name)
            assert (place.read_bytes() if place.exists() else None) != before, fault.name
            if place.suffix == ".py" and place.exists():
                compile(place.read_text(encoding="utf-8"), str(place), "exec")
        assert edits or fault.name == "checkout-dirty"


def test_the_client_keeps_its_state_below_home_and_needs_pas_for_a_start_alone(
    tmp_path: Path, closed: str
) -> None:
    home = {"HOME": str(tmp_path), "PAS_API_BASE_URL": closed}
    assert run("cli/vp.py", "estimate", **home)[0] == 2  # there is no project
    status, said, _ = run("cli/vp.py", "new", "--name", "one", "--json", **home)
    assert status == 0
    state = json.loads((tmp_path / ".vp/state.json").read_text(encoding="utf-8"))
    assert state["current"] == said["project"]["id"]
    assert run("cli/vp.py", "--json", "estimate", **home)[1]["source"] == "priors"
    assert run("cli/vp.py", "status", "--json", **home)[1]["status"] == "planned"
    status, _, why = run("cli/vp.py", "start", **home)
    assert (status, why.count("\n"), closed in why) == (4, 1, True)
    assert run("cli/vp.py", "simulate", "--rehearsal", "0.06", **home)[0] == 2
    assert run("cli/vp.py", "plan", "--out", tmp_path / "PLAN.md", **home)[0] == 3
    assert (
        run("cli/vp.py", "plan", "--json", "--out", tmp_path / "P", VP_READ_ONLY="0", **home)[0]
        == 0
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == [".vp", "P"]


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("read", "a/b.txt"), 0),
        (("list", "."), 0),
        (("read", "../secret"), 3),
        (("read", "out/secret"), 3),
        (("write", "a/b.txt"), 3),
        (("--writable", "write", "a/b.txt"), 0),
        (("--writable", "write", "out/secret"), 3),
        (("--writable", "write", "link"), 3),
        (("--writable", "delete", "link"), 0),
        (("--writable", "rename", "a/b.txt", "../b.txt"), 3),
        (("--writable", "symlink", "new", "../secret"), 3),
        (("--writable", "symlink", "new", "a"), 0),
        (("--writable", "delete", "a/../.."), 3),
        (("--writable", "mkdir", "/tmp/made-by-a-test"), 3),
    ],
)
def test_the_sandbox_is_left_by_no_way(tmp_path: Path, words: tuple[str, ...], status: int) -> None:
    root = tmp_path / "root"
    (root / "a").mkdir(parents=True)
    (root / "a/b.txt").write_text("b")
    (tmp_path / "secret").write_text("secret")
    (root / "out").symlink_to(tmp_path)
    (root / "link").symlink_to(tmp_path / "secret")
    before = run("cli/sandbox.py", "--root", root, "hash")[1]
    got, said, _ = run("cli/sandbox.py", "--root", root, *words, given="x")
    assert (got, said["allowed"]) == (status, status != 3)
    assert (tmp_path / "secret").read_text() == "secret"
    changed = run("cli/sandbox.py", "--root", root, "hash")[1] != before
    assert changed == (status == 0 and words[0] == "--writable")


def test_the_broker_asks_whom_the_policy_names_and_nobody_else(closed: str) -> None:
    with answering({("POST", "/api/generate"): {"response": "yes"}}) as ollama:
        chosen = run("cli/broker.py", "choose", OLLAMA_HOST=ollama.url)[1]
        assert (chosen["provider"], chosen["model"]) == ("ollama", "llama3.1:8b")
        assert ollama.asked == []
        assert run("cli/broker.py", "ask", "--prompt", "p", OLLAMA_HOST=ollama.url)[1]["response"]
        status, _, why = run("cli/broker.py", "ask", "--prompt", "p", OLLAMA_HOST=closed)
        assert (status, closed in why, len(ollama.asked)) == (4, True, 1)


def _run(project: int, tokens: int, **odd: object) -> dict[str, Any]:
    task = {"lane": "Code-Impl", "size": 2, "tokens": tokens, "minutes": 3}
    good = {"run_kind": "baseline", "validation_pass": True, "write_sandbox": False}
    about = {"run_id": f"r{project}-{tokens}", "project_id": project, "ended": "2026-01-01"}
    return {**about, **good, "tasks": [task], **odd}


def test_the_planner_learns_of_good_runs_and_lays_local_over_global(tmp_path: Path) -> None:
    bad = [_run(1, 9, run_kind="replay"), _run(1, 8, validation_pass=False), _run(1, 7, tasks=[])]
    runs = [_run(1, 2000), _run(2, 6000), *bad, _run(1, 6, write_sandbox=True)]
    (tmp_path / "runs").write_text("\n".join(map(json.dumps, runs)))
    program, tasks = "services/planner/planner.py", '[{"lane": "Code-Impl", "size": 1}]'

    def tokens(project: str) -> float:
        words = ("estimate", "--packs", tmp_path, "--project", project, "--tasks", tasks)
        return float(run(program, *words)[1]["tokens"]["mean"])

    assert tokens("1") == 1200  # default priors: there is no pack
    said = run(program, "train", "--runs", tmp_path / "runs", "--out", tmp_path)[1]
    assert (said["runs"], len(said["quarantined"])) == (2, 4)
    assert (tokens("1"), tokens("2"), tokens("3")) == (1000, 3000, 2000)


def _off(completed: dict[str, Any]) -> float:
    """By which share the estimate of a completed project was off."""
    estimate, actual = float(completed["estimate_tokens"]), float(completed["actual_tokens"])
    return abs(estimate - actual) / actual


def test_the_world_shows_what_each_of_its_faults_says(tmp_path: Path) -> None:
    seen = {}
    for name, world in {"": World(), **{one.name: one.part(**one.sets) for one in WORLDS}}.items():
        packs.write(tmp_path / (name or "-"), TREE, world)
        read = (tmp_path / (name or "-") / "ab_results.json").read_text(encoding="utf-8")
        lines = (tmp_path / (name or "-") / "completed_projects.jsonl").read_text().splitlines()
        error = statistics.fmean(map(_off, map(json.loads, lines[-10:])))
        seen[name] = (json.loads(read)["median_reduction"], error)
    assert seen[""][0] > 0.5
    assert seen[""][1] < 0.1
    assert 0.135 < seen["reduction-14"][0] < 0.145
    assert 0.205 < seen["mae-21"][1] < 0.215


def test_the_cron_line_is_merged_once(checkout: Path) -> None:
    programs = checkout.parent / "bin"
    environ = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
    install = [sys.executable, str(checkout / "services/lightrag_code/install_cron.py")]
    subprocess.run(install, env=environ, check=True, capture_output=True)
    listed = subprocess.run(
        [programs / "crontab", "-l"], capture_output=True, text=True, check=True
    )
    lines = listed.stdout.splitlines()
    assert len(lines) == 4
    assert sum(line.startswith("*/5 * * * * cd ") for line in lines) == 1


def test_people_keep_to_the_plan_unless_a_fault_has_them_not() -> None:
    usual = agenda(Conduct(), Diligence())
    for deed in usual:
        local = deed.at.astimezone(ZONE)
        if deed.kind == "change":
            assert local.weekday() < 4
            assert 9 <= local.hour < 16
            assert local.date() not in HOLIDAYS
            assert not (local.hour == 9 and 30 <= local.minute < 45)
    for fault in CONDUCTS:
        if fault.name not in ("no-owner", "status-shipped-unproven"):
            part = fault.part(**fault.sets)
            parts = (part, Diligence()) if isinstance(part, Conduct) else (Conduct(), part)
            assert agenda(*parts) != usual, fault.name
