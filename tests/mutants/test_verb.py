"""`rollout drill --mutants` as a user runs it: what it says, writes, keeps and answers."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pytest_rollout.mutants.equivalents import NAME
from tests.mutants.site import Site

DRILL = ("drill", "demo.canary", "--mutants", "small/brewing.py", "small/settings.json")


@dataclass(frozen=True)
class Drilled:
    """A site after a drill of a sample."""

    site: Site
    done: subprocess.CompletedProcess[str]
    data: Any
    markdown: str


@pytest.fixture(scope="module")
def drilled(tmp_path_factory: pytest.TempPathFactory) -> Drilled:
    site = Site.at(tmp_path_factory.mktemp("site"))
    (site.root / "suites/demo" / NAME).write_text(EQUIVALENT)
    done = site.rollout(*DRILL, "--at-least", "90%")
    folder = site.root / "rollout-report/demo/drills"
    data = json.loads((folder / "mutants.json").read_text())
    return Drilled(site, done, data, (folder / "mutants.md").read_text())


EQUIVALENT = """\
equivalents:
  - file: small/brewing.py
    before: return "faint"
    after: return "FAINT"
    reason: nobody smells it
    by: A. Taster
"""


@pytest.mark.slow
def test_what_was_noticed_is_said_with_its_bounds(drilled: Drilled) -> None:
    assert drilled.done.returncode == drilled.data["exit_status"] == 10, drilled.done.stderr
    last = drilled.done.stdout.splitlines()[-1]
    assert last == (
        "hard criteria noticed 4 (50 %; 21 to 79 %) of 8 mutants (1 noticed by a soft criterion, "
        "2 noticed by an optional criterion, 1 survived; left out: 1 equivalent, 2 run through by "
        "no phase); at least 90 % asked, MISSED"
    )
    assert "[11/11]" not in drilled.done.stderr  # an equivalent is not rehearsed
    assert "[10/10]" in drilled.done.stderr


@pytest.mark.slow
def test_what_survived_is_shown_first_with_its_change(drilled: Drilled) -> None:
    first = drilled.done.stdout.splitlines()[:4]
    assert first[0] == "  survived: small/brewing.py:14 text"
    assert first[1:3] == ['    - return "faint"', '    + return "XXfaintXX"']
    assert first[3] == "    canary: run through for sweet, loud, brown, limited"
    survived = drilled.markdown.index("XXfaintXX")
    assert survived < drilled.markdown.index("XXbrownXX") < drilled.markdown.index("XXsweetXX")
    assert "nobody smells it (A. Taster)" in drilled.markdown
    assert "| `canary.sweet` | hard | 2 | 8 |" in drilled.markdown


@pytest.mark.slow
def test_what_the_drill_was_of_is_kept(drilled: Drilled) -> None:
    kept = {key: drilled.data[key] for key in ("plan", "population", "chosen", "seed", "paths")}
    assert kept == {
        "plan": "demo",
        "population": 11,
        "chosen": 11,
        "seed": 0,
        "paths": list(DRILL[3:]),
    }
    (noticed,) = {
        (notice["id"], notice["verdict"])
        for result in drilled.data["results"]
        if result["mutant"]["file"] == "small/settings.json"
        for trial in result["trials"]
        for notice in trial["notices"]
    }
    assert noticed == ("limited", "fail")


@pytest.mark.slow
def test_the_ledger_with_it_is_whole_and_a_changed_one_is_not(
    drilled: Drilled, tmp_path: Path
) -> None:
    ledger = drilled.site.root / ".rollout/ledger.db"
    assert drilled.site.rollout("verify").stdout.endswith("whole\n")
    changed = tmp_path / "ledger.db"
    changed.write_bytes(ledger.read_bytes())
    with sqlite3.connect(changed) as connection:
        connection.execute("UPDATE records SET body = replace(body, 'XXfaintXX', 'faintest')")
    done = drilled.site.rollout("verify", "--ledger", str(changed))
    assert done.returncode != 0
    assert "(mutants) was changed after it was written" in done.stdout + done.stderr
    status = drilled.site.rollout("status", "demo", "--env", "embedded", "--ledger", str(changed))
    assert "random defects" not in status.stdout


SAID = "of 8 random defects that its criteria ran through, it noticed 4 (50 %; 21 to 79 %), last on"


@pytest.mark.slow
def test_reports_and_status_say_what_the_gate_noticed(drilled: Drilled) -> None:
    run = drilled.site.run("pytest", "-m", "demo and canary", "--rollout-phase", "demo.canary")
    lines = [line.strip() for line in run.stdout.splitlines() if "random defects" in line]
    entry, exit_ = (line.removeprefix("never drilled: ") for line in lines)
    assert "of 2 random defects that its criteria ran through, it noticed 0 (0 %; 0 to 66 %)" in (
        entry
    )
    assert exit_.startswith(SAID)
    report = drilled.site.root / "rollout-report/demo/embedded/canary/exit"
    for name in ("report.md", "report.html"):
        assert SAID.split(",")[0] in (report / name).read_text()
    status = drilled.site.rollout("status", "demo", "--env", "embedded")
    assert f"    exit: {SAID}" in status.stdout
    assert "outdated" not in status.stdout.partition("random defects")[2].partition("\n")[0]
    said = drilled.site.rollout("explain", "demo.canary.sweet", "--env", "embedded").stdout
    assert "  Mutants: of 8 that ran through it in the drill of " in said
    assert ", it noticed 2.\n" in said
    assert "    Survived: small/brewing.py:14: " in said
    drilled.site.change("suites/demo/rollout.yaml", "{id: limited, kind", "{id: limited,  kind")
    status = drilled.site.rollout("status", "demo", "--env", "embedded")
    assert ", outdated: the plan was changed since" in status.stdout
    drilled.site.change("suites/demo/rollout.yaml", "{id: limited,  kind", "{id: limited, kind")


@pytest.mark.slow
def test_a_drill_that_is_ended_keeps_what_was_done(tmp_path: Path) -> None:
    site = Site.at(tmp_path / "site")
    before = site.digests()
    shops = tmp_path / "shops"
    shops.mkdir()
    command = [sys.executable, "-m", "pytest_rollout.cli", *DRILL, "--jobs", "1"]
    process = subprocess.Popen(
        command,
        cwd=site.root,
        env={**os.environ, "TMPDIR": str(shops)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("[5/11"):  # the first batch, of four, is whole
            break
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 143, err
    assert "Traceback" not in err
    assert out.splitlines()[-1].startswith("a part only, stopped by SIGTERM after ")
    data = json.loads((site.root / "rollout-report/demo/drills/mutants.json").read_text())
    assert (len(data["results"]), data["chosen"]) == (4, 11)
    assert data["stopped"] == "stopped by SIGTERM"
    assert list(shops.glob("rollout-drill-*")) == []
    after = site.digests()
    assert {name: after[name] for name in before} == before
    status = site.rollout("status", "demo", "--env", "embedded")
    assert "in a drill that was stopped" in status.stdout


@pytest.mark.slow
def test_only_lines_that_were_changed_are_asked_for(tmp_path: Path) -> None:
    site = Site.at(tmp_path / "site")
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.com"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "All"]):
        subprocess.run([*git, *words], cwd=site.root, check=True)
    site.change("small/brewing.py", "return 7", "return 6 + 1")
    done = site.rollout(*DRILL, "--changed-since", "HEAD", "--sample", "1", "--json")
    data = json.loads(done.stdout)
    assert {result["mutant"]["line"] for result in data["results"]} == {6}
    assert data["changed_since"] == "HEAD"
    assert data["population"] > data["chosen"] == 1
    done = site.rollout(*DRILL, "--changed-since", "nowhere")
    assert done.returncode == 4
    assert "nowhere" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("demo", "small/app.py"), "paths of mutants follow --mutants"),
        (("demo", "--at-least", "90%"), "--at-least: is of mutants (give --mutants)"),
        (("demo", "--changed-since", "HEAD"), "--changed-since: is of mutants (give --mutants)"),
        (("demo", "--mutants", "small", "--fault", "sour"), "--fault: is planted in one drill"),
        (("demo", "--mutants", "small", "--at-least", "most"), "write it as 90%"),
        (("demo", "--mutants", "small", "--at-least", "900%"), "write it as 90%"),
        (("demo", "--mutants", "smal"), "smal: there is no such file or folder"),
        (("demo", "--mutants", "small", "--equivalents", "no.yaml"), "there is no file no.yaml"),
        (("demo", "--mutants", "small", "--phase-timeout", "soon"), "--phase-timeout"),
        (("demo.canary/exit", "--mutants", "small"), "a drill is of a phase"),
    ],
)
def test_wrong_use_is_said_in_one_line(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    site = Site.at(tmp_path)
    done = site.rollout("drill", *words)
    assert done.returncode == 4, done.stdout
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.slow
def test_a_plan_that_does_not_pass_without_a_mutant_tells_nothing(tmp_path: Path) -> None:
    site = Site.at(tmp_path)
    site.change("small/app.py", "import time", "import times")
    done = site.rollout(*DRILL)
    assert done.returncode == 11
    last = done.stdout.splitlines()[-1]
    assert last == "nothing can be said: no phase could be rehearsed without a mutant"
    assert "demo.canary was asked nothing" in done.stdout
