"""`rollout load`: the phase is run, its loads are shown, and its decision is the answer."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time

import pytest

from tests.load.loaded import makers, plan_of, shop
from tests.session.project import Project

pytestmark = pytest.mark.slow


def test_it_answers_with_the_decision_of_the_phase(loaded: Project) -> None:
    screen, terminal = pty.openpty()
    command = [sys.executable, "-m", "pytest_rollout.cli", "load", "nightly"]
    good = subprocess.run(command, cwd=loaded.root, stdout=-1, stderr=terminal, check=False)
    shown = os.read(screen, 1 << 20).decode()
    for end in (screen, terminal):
        os.close(end)
    assert good.returncode == 0
    lines = good.stdout.decode().splitlines()
    assert lines[0].startswith("GO: demo.nightly/exit in embedded")
    assert lines[-3] == "  report: rollout-report/demo/embedded/nightly/exit"
    assert lines[-2].startswith("  load small: p50 ")
    assert "; rests on 80 answers: too few to tell" in lines[-2]
    assert lines[-1] == "GO: demo.nightly/exit GO"
    assert "demo.nightly in embedded: running" in shown
    assert "load small: 0:0" in shown
    assert "p95 of latency" in shown  # and its cut
    loaded.write("shop.py", shop(40, "fails"))
    here = loaded.root / "suites"
    command += ["--root", str(loaded.root), "--ledger", "beside.db", "--json"]
    bad = subprocess.run(command, cwd=here, capture_output=True, text=True, check=False)
    assert bad.returncode == 10
    assert (here / "beside.db").is_file()
    told = json.loads(bad.stdout)
    (phase,) = told.pop("phases")
    assert told == {"environment": "embedded", "exit_status": 10}
    (gate,) = phase["gates"]
    assert (phase["answer"], phase["trouble"]) == ("NO-GO", "")
    assert (gate["gate"], gate["answer"]) == ("demo.nightly/exit", "NO-GO")
    assert gate["run"] == loaded.decision(phase="nightly")["run"]


def test_a_run_that_decides_nothing_is_a_hold(loaded: Project) -> None:
    loaded.write("suites/demo/conftest.py", "raise RuntimeError('broken')\n")
    answer = loaded.rollout("load", "nightly")
    assert answer.ret == 11
    answer.stdout.fnmatch_lines(["HOLD: demo.nightly: nothing was decided: pytest ended with*"])


def test_one_load_alone_is_shown_and_not_stored(loaded: Project) -> None:
    good = loaded.rollout("load", "demo.nightly", "--load", "small")
    assert good.ret == 0
    good.stdout.fnmatch_lines(["Load small", "*Started*80 (100 %)*", "*from the planned start*"])
    assert not (loaded.root / ".rollout").exists()
    assert not (loaded.root / "rollout-report").exists()
    loaded.write("shop.py", shop(0, "dies"))
    bad = loaded.rollout("load", "nightly", "--load", "small", "--json")
    assert bad.ret == 11
    told = json.loads(bad.stdout.str())
    assert (told["believed"], told["started"]) == (False, 80)
    assert [one["code"] for one in told["doubts"]] == ["load.target-gone"]
    assert told["endpoints"][0]["failures"] == 80


@pytest.mark.quick
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["demo.nigtly"], "demo has no phase `nigtly` (did you mean `nightly`?)"),
        (["nigtly"], "no plan has a phase `nigtly` (did you mean `nightly`?)"),
        (["demo.nightly/exit"], "a load is of a phase: demo.nightly"),
        (["nightly", "--env", "prdo"], "no plan has an environment `prdo` (did you mean `prod`?)"),
        (["nightly", "--load", "smal"], "no such load: `smal` (did you mean `small`?)"),
        (["nightly", "--load", "small", "--env", "prod"], "made on the embedded target only"),
    ],
)
def test_a_mistake_is_told(loaded: Project, arguments: list[str], said: str) -> None:
    answer = loaded.rollout("load", *arguments)
    assert answer.ret == 4
    assert said in answer.stderr.str()


def test_the_plan_is_checked_with_its_locustfiles(loaded: Project) -> None:
    good = loaded.rollout("check")
    assert good.ret == 0, good.stdout.str()
    good.stdout.fnmatch_lines(["demo.nightly.quick <- load: small (*nightly:quick)"])
    (loaded.root / "load/web.py").unlink()
    bad = loaded.rollout("check")
    assert bad.ret != 0
    bad.stdout.fnmatch_lines(["suites/demo/rollout.yaml:7: load small: load/web.py is not there"])


def test_ending_the_verb_ends_the_load(loaded: Project) -> None:
    loaded.plan(plan_of(more="rehearsal: {duration: 60s}"))
    command = [sys.executable, "-m", "pytest_rollout.cli", "load", "nightly"]
    for number in (signal.SIGTERM, signal.SIGKILL):
        verb = subprocess.Popen(command, cwd=loaded.root, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 40
        while not makers(loaded) and time.monotonic() < until:
            time.sleep(0.1)
        assert makers(loaded)
        verb.send_signal(number)
        verb.wait(30)
        while makers(loaded) and time.monotonic() < until + 20:
            time.sleep(0.1)
        assert makers(loaded) == [], number
