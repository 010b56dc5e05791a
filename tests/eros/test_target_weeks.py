"""Weeks of the reference target of EROS: jobs, shadow mode, phases, and what is kept of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median
from typing import Any

import pytest

from tests.eros.target import Eros, later, serving

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def rolled_out(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Eros]:
    """A target after the whole rollout."""
    with serving(tmp_path_factory.mktemp("rolled") / "target") as target:
        target.begun |= target.operate("rollout", before="cutover")["begun"]
        target.begun["cutover"] = target.operate("phase", id="cutover")["begun"]
        target.operate("close")
        yield target


def week(target: Eros, phase: str, days: int) -> dict[str, str]:
    begun = target.begun[phase]
    return {"since": begun, "until": later(begun, days=days)}


def test_shadow_mode_compares_each_run_and_changes_nothing(rolled_out: Eros) -> None:
    during = week(rolled_out, "shadow", 7)
    runs = rolled_out.runs(**during)
    assert Counter(run["pipeline"] for run in runs) == {"v4": 777, "v5": 777}
    shadows = {run["run_id"] for run in runs if run["shadow"]}
    effects = rolled_out.get("/effects", **during)["effects"]
    assert len(effects) == 3 * 777
    assert not shadows & {effect["run_id"] for effect in effects}
    stored = rolled_out.get("/schedules", **during)["schedules"]
    assert {each["pipeline"] for each in stored} == {"v4"}
    pairs = rolled_out.get("/comparisons", **during)["comparisons"]
    assert len(pairs) == 777
    days = sorted(rolled_out.folder.glob("reports/*.json"))
    assert [json.loads(day.read_text())["comparisons"] for day in days[:7]] == [111] * 7
    failed = [pair for pair in pairs if pair["v5"]["outcome"] == "failed"]
    assert 0 < len(failed) < 0.05 * len(pairs)
    assert {pair["quality_diff"] for pair in failed} == {None}


def test_v5_is_as_the_plan_expects_it(rolled_out: Eros) -> None:
    pairs = rolled_out.get("/comparisons")["comparisons"]
    both = [pair for pair in pairs if pair["v5"]["outcome"] == "ok"]
    assert median(pair["v4"]["duration_s"] / pair["v5"]["duration_s"] for pair in both) >= 4
    assert {pair["v5"]["mcp_calls"] for pair in both} == {10}
    assert all(pair["v4"]["mcp_calls"] >= 50 for pair in both)
    assert fmean(pair["quality_diff"] for pair in both) > 0
    counted = rolled_out.get("/mcp")["runs"]
    assert all(
        sum(counted[pair["v5"]["run_id"]].values()) == pair["v5"]["mcp_calls"] for pair in both
    )


def test_the_steps_serve_whom_the_hash_selects(rolled_out: Eros) -> None:
    served = {}
    for phase, days in (("canary", 7), ("percent25", 2), ("percent75", 3), ("cutover", 7)):
        runs = rolled_out.runs(pipeline="v5", shadow="false", **week(rolled_out, phase, days))
        served[phase] = {run["creator"] for run in runs}
    assert served["canary"] == {"alexia"}
    assert [len(names) for names in served.values()] == [1, 11, 28, 37]
    changes = rolled_out.get("/flags/changes")["changes"]
    steps = [change["phase"] for change in changes if change["reason"].startswith("config")]
    assert steps[-4:] == ["percent25", "percent50", "percent75", "cutover"]


def test_every_job_ran_on_time_and_every_request_got_a_schedule(rolled_out: Eros) -> None:
    during = week(rolled_out, "cutover", 7)
    executions = rolled_out.get("/jobs", **during)["executions"]
    assert len(executions) == 777
    assert {each["outcome"] for each in executions} == {"ok"}
    assert all(each["started"] == each["due"] for each in executions)
    stored = rolled_out.get("/schedules", **during)["schedules"]
    assert len({(each["creator"], each["day"]) for each in stored}) == 37 * 7


def test_everything_was_logged_and_written_down(rolled_out: Eros) -> None:
    runs = rolled_out.runs()
    assert len(rolled_out.logged("orchestrator", "run")) == len(runs)
    requests = {run["request_id"] for run in runs}
    assert len(rolled_out.logged("router", "decision")) == len(requests)
    times = [sample["at"] for sample in rolled_out.logged("monitoring", "sample")]
    assert all(later(one, minutes=5) == other for one, other in pairwise(times))
    lines = (rolled_out.folder / "records.jsonl").read_text(encoding="utf-8").splitlines()
    records = Counter(json.loads(line)["kind"] for line in lines)
    assert (records["gate"], records["drill"], records["summary"]) == (7, 3, 5)
    assert records["task"] == 7 * (3 + 4 + 4)
    rows = json.loads((rolled_out.folder / "final.json").read_text())["rows"]
    assert [row["samples"] for row in rows] == [777] * 4


def test_v4_is_the_same_with_and_without_shadow(tmp_path: Path) -> None:
    with serving(tmp_path / "target") as eros:
        alone = eros.post("/generate", creator="luna_free")
        eros.flags(ENABLED="true", SHADOW_MODE="true")
        eros.operate("disturb", fails="hang")
        beside = eros.post("/generate", creator="luna_free")
        assert (alone["schedule"], beside["pipeline"]) == (beside["schedule"], "v4")
        v5, v4 = eros.runs(since=eros.get("/flags")["since"])  # by their end
        assert (v4["pipeline"], v5["outcome"], v5["shadow"]) == ("v4", "failed", True)


def test_v4_may_go_after_thirty_stable_days(tmp_path: Path) -> None:
    with serving(tmp_path / "target") as eros:
        about: dict[str, Any] = {
            "cutover_at": "2026-01-01T00:00:00Z",
            "now": "2026-01-31T00:00:00Z",
        }
        assert eros.post("/v4/removal/judge", **about)["removable"] is True
        about["rollbacks"] = ["2026-01-02T00:00:00Z"]
        judged = eros.post("/v4/removal/judge", **about)
        assert judged == {"stable_days": 29.0, "removable": False}
        assert "error" in eros.post("/v4/removal", 409)


def test_after_a_rollback_it_goes_on_from_the_last_stable_phase(tmp_path: Path) -> None:
    with serving(tmp_path / "target") as eros:
        eros.operate("phase", id="percent50", days=0)
        eros.serve(3, seconds=200)
        assert eros.get("/rollback")["active"] is True
        assert eros.operate("recover", failed="percent50")["resumed"] == "percent25"
        assert eros.get("/flags")["phase"] == "percent25"
        phases = [change["phase"] for change in eros.get("/flags/changes")["changes"]]
        assert phases == ["percent50", "off", "shadow", "percent25"]
