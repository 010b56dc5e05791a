"""What a run of locust by itself exits with: the criteria that read its load, by its record."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_rollout.load.gate import judge_load
from pytest_rollout.load.generator.found import order_of
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.load import LoadProfile
from pytest_rollout.model.plan import Plan
from pytest_rollout.model.verdict import Answer
from pytest_rollout.plan.load import parse
from tests.load.locust_run import LOCUSTFILE, ROOT, served
from tests.load.records import endpoint, record_of, seconds

PLAN = """\
plan: shop
environments:
  embedded: {{targets: {{web: {{serve: "a:b"}}}}}}
loads:
  - {{id: nightly, locustfile: load/web.py, target: web, rate: {rate}/s, duration: {lasts}s,
     warm_up: {warm_up}s, law: even, need: {need}}}
phases:
  - id: nightly
    criteria:
      - {{id: quick, kind: load, check: {{load: nightly}}, metric: load_latency, take: p95,
         where: {{endpoint: start}}, pass: "< {most}"}}
      - {{id: reliable, kind: load, check: {{load: nightly}}, metric: load_failed, take: rate,
         pass: "< 1%"}}
"""


def a_plan(**changed: object) -> tuple[Plan, LoadProfile]:
    """A plan whose criteria read a load of 100 a second for 10 s."""
    facts = {"rate": 100, "lasts": 10, "warm_up": 2, "need": 100, "most": "10ms", **changed}
    text = PLAN.format(**facts)
    loaded = parse(text, Path("rollout.yaml"), "rollout.yaml")
    assert loaded.plan is not None, loaded.problems
    assert not loaded.problems, loaded.problems
    return loaded.plan, loaded.plan.loads[0]


def test_a_good_load_is_go() -> None:
    plan, profile = a_plan()
    judged = judge_load(plan, profile, record_of(profile))
    assert judged.answer is Answer.GO, judged.lines
    assert judged.lines[0] == "shop.nightly: GO, by its criteria of this load"
    assert judged.lines[1].startswith("  PASS quick: ")
    assert len(judged.lines) == 3


def test_a_slow_load_is_no_go() -> None:
    plan, profile = a_plan(most="4ms")
    judged = judge_load(plan, profile, record_of(profile))
    assert (judged.answer, judged.answer.exit_status) == (Answer.NO_GO, 10), judged.lines
    assert judged.lines[1].startswith("  FAIL quick: ")


def test_failures_are_no_go_and_their_times_are_no_good_ones() -> None:
    plan, profile = a_plan()
    half = (endpoint(times={"5000": 400}, failures=400),)
    record = record_of(profile, endpoints=half, seconds=seconds(failed=50))
    judged = judge_load(plan, profile, record)
    assert judged.answer is Answer.NO_GO
    assert [line.split()[0] for line in judged.lines[1:]] == ["FAIL", "FAIL"]
    assert "was 86400000ms (as a request counts that failed) at" in judged.lines[1]


@pytest.mark.parametrize(
    "changed",
    [
        {"completed": False, "trouble": "it was stopped"},
        {"started": 900, "dropped": 100},
        {"start_delay": {"900000": 800}},
        {"endpoints": (), "seconds": seconds(0)},
        {"endpoints": (endpoint(times={"5000": 40}),)},
    ],
)
def test_a_load_that_cannot_be_believed_is_held(changed: dict[str, object]) -> None:
    plan, profile = a_plan()
    judged = judge_load(plan, profile, record_of(profile, **changed))
    assert (judged.answer, judged.answer.exit_status) == (Answer.HOLD, 11), judged.lines


def test_a_load_that_no_criterion_reads_is_held() -> None:
    plan, profile = a_plan()
    other = replace(plan, phases=())
    judged = judge_load(other, profile, record_of(profile))
    assert judged.answer is Answer.HOLD
    assert judged.lines[-1].startswith("no criterion of shop reads it")


def a_project(root: Path, **facts: object) -> Path:
    """Write a project with a plan and a locustfile; return the locustfile."""
    known = {"rate": 50, "lasts": 2, "warm_up": 1, "need": 10, "most": "900ms"}
    (root / "rollout.yaml").write_text(PLAN.format(**{**known, **facts}), encoding="utf-8")
    (root / "load").mkdir()
    locustfile = root / "load" / "web.py"
    locustfile.write_text(LOCUSTFILE.replace("ok", "start"), encoding="utf-8")
    return locustfile


def test_the_load_of_a_locustfile_is_found_from_any_folder_of_the_project(tmp_path: Path) -> None:
    locustfile = a_project(tmp_path)
    order = order_of(locustfile, tmp_path / "load", {})
    assert order is not None
    assert order.plan is not None
    assert (order.plan.id, order.profile.id, order.record) == ("shop", "nightly", None)
    assert order_of(tmp_path / "other.py", tmp_path, {}) is None
    assert order_of(locustfile, tmp_path, {"ROLLOUT_LOAD": "shop.nightly"}) is not None
    with pytest.raises(RolloutError, match=r"no such load .* \(there is: shop.nightly\)"):
        order_of(locustfile, tmp_path, {"ROLLOUT_LOAD": "shop.nigthly"})


def test_one_of_several_loads_of_a_locustfile_must_be_named(tmp_path: Path) -> None:
    locustfile = a_project(tmp_path)
    plan = tmp_path / "rollout.yaml"
    more = "  - {id: burst, locustfile: load/web.py, target: web, rate: 1/s, duration: 9s}\nphases:"
    plan.write_text(plan.read_text(encoding="utf-8").replace("phases:", more), encoding="utf-8")
    with pytest.raises(RolloutError, match=r"is that of shop\.nightly, shop\.burst: say which"):
        order_of(locustfile, tmp_path, {})
    order = order_of(locustfile, tmp_path, {"ROLLOUT_LOAD": "shop.burst"})
    assert order is not None
    assert order.profile.id == "burst"


@pytest.mark.slow
@pytest.mark.parametrize(("most", "status"), [("900ms", 0), ("1us", 10)])
def test_locust_by_itself_exits_as_the_criteria_answer(
    tmp_path: Path, most: str, status: int
) -> None:
    a_project(tmp_path, most=most)
    environ = {key: value for key, value in os.environ.items() if key[:8] != "ROLLOUT_"}
    command = [sys.executable, "-m", "locust", "-f", "load/web.py", "--headless"]
    with served() as server:
        ran = subprocess.run(
            [*command, "--only-summary", "--host", server.url],
            cwd=tmp_path,
            env={**environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert ran.returncode == status, ran.stdout + ran.stderr
    assert "by its criteria of this load" in ran.stdout
