"""What a watch of PAS asks, on the reference target as it runs, and where something is amiss."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from suites.pas.views.answering import answering
from suites.pas.views.committing import identity, scratch
from suites.pas.views.running import bare
from suites.pas.views.source import git
from suites.pas.watched import SERIES, main
from tests.pas.target import Pas, serving

PLAN = Path("suites/pas/rollout.yaml")
LEARNT = "2026-01-05T15:00:00+00:00"  # by then all of it is there


@pytest.fixture(scope="module")
def pas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pas]:
    """The target, late enough for its packs."""
    with serving(tmp_path_factory.mktemp("pas"), LEARNT) as running:
        yield running


@pytest.fixture
def watched(pas: Pas, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the target, whose parts are handed on as a watch does it."""
    for name in ("checkout", "packs", "requests"):
        monkeypatch.setenv(f"ROLLOUT_TARGET_{name.upper()}", str(pas.folder / name))
    monkeypatch.setenv("ROLLOUT_TARGET_RECORDS", str(pas.folder / "records.jsonl"))
    for name in ("index", "full"):
        url = (pas.folder / f"etc/{name}.url").read_text(encoding="utf-8").strip()
        monkeypatch.setenv(f"ROLLOUT_TARGET_{name.upper()}", url)
    return pas.folder


def seen(metric: str, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The samples that are printed of a series."""
    assert main([metric]) == 0, capsys.readouterr().err
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all(datetime.fromisoformat(one["at"]).utcoffset() is not None for one in said)
    return said


def values(metric: str, capsys: pytest.CaptureFixture[str]) -> list[float]:
    return [one["value"] for one in seen(metric, capsys)]


def test_each_series_is_asked_for_by_a_guardrail() -> None:
    phases = yaml.safe_load(PLAN.read_text(encoding="utf-8"))["phases"]
    rails = [rail for phase in phases for rail in phase.get("guardrails", ())]
    asked = {rail["metric"]: rail["check"]["command"][-1] for rail in rails if "check" in rail}
    assert asked == {metric: metric for metric in SERIES}
    assert main(["no-such"]) == 2


def test_a_healthy_target_is_seen_so(watched: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert values("index_coverage", capsys) == [1]
    took = values("query_ms", capsys)
    assert len(took) == 220
    assert max(took) < 10_000
    assert values("workspace_changes", capsys) == [0] * 4
    assert {one["labels"]["state_dir"] for one in seen("workspace_changes", capsys)} == {"no"}
    assert values("prd_present", capsys) == [1]
    assert values("runs_over_budget", capsys) == [0]
    assert sorted(values("paired_error_reduction", capsys))[4] > 0.15
    off = values("abs_error_share", capsys)
    assert len(off) == 10
    assert sum(off) / 10 < 0.2
    assert values("commit_to_visible_s", capsys) == []  # nothing was committed since


def test_what_a_command_writes_is_counted(
    pas: Pas, watched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    copy = tmp_path / "checkout"
    git(watched / "checkout", "clone", "--quiet", str(watched / "checkout"), str(copy))
    (copy / ".venv").symlink_to(watched / "checkout/.venv")
    client = copy / "cli/vp.py"
    text = client.read_text(encoding="utf-8")
    planned = "project = planned(state)\n    tasks = ["
    assert text.count(planned) == 1
    edit = planned.replace("\n", '\n    Path("PLAN.md").write_text("edited")\n', 1)
    client.write_text(text.replace(planned, edit), encoding="utf-8")
    git(copy, "commit", "--quiet", "-am", "Write", environ=bare(tmp_path, **identity()))
    monkeypatch.setenv("ROLLOUT_TARGET_CHECKOUT", str(copy))
    edited = {one["labels"]["command"]: one["value"] for one in seen("workspace_changes", capsys)}
    assert edited == {"new": 0, "plan": 1, "estimate": 0, "status": 0}
    (copy / "docs/PRDs/PRD_PAS_Project_Agentic_System.md").unlink()
    assert values("prd_present", capsys) == [0]


def test_a_run_over_its_budget_is_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = {"budget_caps": {"usd": None, "energy_kwh": 1.0}, "spend_usd": 9, "spend_energy_kwh": 1.1}
    rows = {"runs": [{"run_id": "a"}, {"run_id": "b"}]}
    answers = {("GET", "/pas/v1/portfolio/status"): rows, ("GET", "/pas/v1/runs/status"): run}
    with answering(answers) as full:
        monkeypatch.setenv("ROLLOUT_TARGET_FULL", full.url)
        assert values("runs_over_budget", capsys) == [2]
        run["spend_energy_kwh"] = 1.0
        assert values("runs_over_budget", capsys) == [0]
    assert main(["runs_over_budget"]) == 1  # nobody answers
    assert capsys.readouterr().err.strip()


def test_what_the_packs_come_to_is_recomputed(
    watched: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    for path in (watched / "packs").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setenv("ROLLOUT_TARGET_PACKS", str(tmp_path))
    results = json.loads((tmp_path / "ab_results.json").read_text(encoding="utf-8"))
    first = results["pairs"][0]
    first["b"]["estimates"] = [2 * each for each in first["b"]["actuals"]]
    (tmp_path / "ab_results.json").write_text(json.dumps(results), encoding="utf-8")
    told = seen("paired_error_reduction", capsys)
    assert [one["labels"]["pair"] for one in told] == [str(number) for number in range(10)]
    wrong = sum(first["b"]["actuals"]) / len(first["b"]["actuals"])
    assert told[0]["value"] == pytest.approx((first["a"]["mae"] - wrong) / first["a"]["mae"])
    assert told[1]["value"] == pytest.approx(results["pairs"][1]["reduction"])
    path = tmp_path / "completed_projects.jsonl"
    done = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    done[-1]["estimate_tokens"] = 3 * done[-1]["actual_tokens"]
    path.write_text("".join(json.dumps(one) + "\n" for one in done), encoding="utf-8")
    newest = seen("abs_error_share", capsys)[-1]
    assert (newest["value"], newest["labels"]["project"]) == (2, str(done[-1]["project_id"]))


def test_a_commit_counts_until_a_refresh_has_read_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    repository = scratch(tmp_path / "repository")
    for minutes in (60, 50, 40):
        (repository / "one.py").write_text(f"A = {minutes}\n")
        git(repository, "add", "one.py")
        at = (now - timedelta(minutes=minutes)).isoformat()
        dated = bare(tmp_path, **identity(), GIT_COMMITTER_DATE=at)
        git(repository, "commit", "--quiet", "-m", "Go on", environ=dated)
    log = [("/refresh", 200, 60, 30), ("/refresh", 503, 50, 5), ("/query", 200, 50, 6)]
    log.append(("/refresh", 200, 50, 70))
    entries = [
        {"at": (now - timedelta(minutes=m, seconds=-s)).isoformat(), "method": "POST",
         "path": path, "status": status}
        for path, status, m, s in log
    ]  # fmt: skip
    (tmp_path / "index.jsonl").write_text("".join(json.dumps(one) + "\n" for one in entries))
    monkeypatch.setenv("ROLLOUT_TARGET_CHECKOUT", str(repository))
    monkeypatch.setenv("ROLLOUT_TARGET_REQUESTS", str(tmp_path))
    head = git(repository, "rev-parse", "HEAD").strip()
    told = {}
    for sha in (head, "0" * 40):
        with answering({("GET", "/snapshot"): {"sha": sha}}) as index:
            monkeypatch.setenv("ROLLOUT_TARGET_INDEX", index.url)
            told[sha] = values("commit_to_visible_s", capsys)
    assert told[head] == [70, 30]  # the newest was read when nobody asked, as at a start
    newest, *others = told["0" * 40]
    assert newest == pytest.approx(40 * 60, abs=30)
    assert others == [70, 30]


def test_a_file_that_the_index_has_otherwise_is_not_covered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    repository = scratch(tmp_path / "repository")
    for name in ("one.py", "two.py", "three.py", "four.py"):
        (repository / name).write_text(f"NAME = {name!r}\n")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "-m", "Add", environ=bare(tmp_path, **identity()))
    head = git(repository, "rev-parse", "HEAD").strip()
    blobs = {n: git(repository, "rev-parse", f"HEAD:{n}").strip() for n in ("one.py", "two.py")}
    known = {**blobs, "three.py": blobs["one.py"]}
    files = [{"path": path, "blob": blob} for path, blob in known.items()]
    monkeypatch.setenv("ROLLOUT_TARGET_CHECKOUT", str(repository))
    with answering({("GET", "/snapshot"): {"sha": head, "files": files}}) as index:
        monkeypatch.setenv("ROLLOUT_TARGET_INDEX", index.url)
        assert values("index_coverage", capsys) == [0.5]
