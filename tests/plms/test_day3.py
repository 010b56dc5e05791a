"""Day 3 of PLMS, rehearsed whole: GO when healthy, and each fault caught by what names it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.plms.rehearsal import ROOT, Rehearsal, rehearse


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Rehearsal:
    """A healthy rehearsal in one process."""
    return rehearse(tmp_path_factory.mktemp("healthy"))


@pytest.mark.quick
def test_a_healthy_rehearsal_is_go(healthy: Rehearsal) -> None:
    assert healthy.status == 0, healthy.output
    assert healthy.last_line == "GO: plms.day3/entry GO, plms.day3/exit GO"
    assert set(healthy.verdicts().values()) == {"pass"}
    for name in ("decision.json", "report.md", "report.html"):
        assert (healthy.folder / "report/plms/embedded/day3/exit" / name).stat().st_size > 0


@pytest.mark.quick
def test_every_measured_criterion_has_all_its_samples(healthy: Rehearsal) -> None:
    criteria = healthy.decision("exit")["criteria"]
    samples = {one["id"].rpartition(".")[2]: one["samples"] for one in criteria if one["allowed"]}
    assert samples["queue-depth"] == 2 * 240, "twenty minutes, every five seconds, told and added"
    assert samples["monitoring-cadence"] == 240
    assert samples["lane-caps-enforced"] >= 2 * 4 * 240, "told and counted, and those of the burst"
    assert min(samples.values()) >= 1


@pytest.mark.nightly
def test_two_workers_decide_the_same(healthy: Rehearsal, tmp_path: Path) -> None:
    parallel = rehearse(tmp_path, "-n2")
    assert parallel.status == 0
    for gate in ("entry", "exit"):
        alone, together = healthy.decision(gate), parallel.decision(gate)
        assert together["criteria"] == alone["criteria"]
        assert together["substance_digest"] == alone["substance_digest"]


@pytest.mark.quick
def test_the_ledger_alone_gives_the_same_bytes(healthy: Rehearsal) -> None:
    for gate in ("entry", "exit"):
        again = healthy.rollout("decide", f"plms.day3/{gate}", "--json", "--env", "embedded")
        path = healthy.folder / f"report/plms/embedded/day3/{gate}/decision.json"
        assert again.returncode == 0
        assert again.stdout == path.read_text(encoding="utf-8")


@pytest.mark.quick
def test_a_criterion_is_explained_in_words_and_numbers(healthy: Rehearsal) -> None:
    said = healthy.rollout("explain", "plms.day3.no-starvation").stdout
    for word in ("lane Data-Schema: pass", "276 samples", "> 0.20", "at least 12 samples"):
        assert word in said


@pytest.mark.quick
def test_status_shows_every_phase(healthy: Rehearsal) -> None:
    lines = healthy.rollout("status", "plms").stdout.splitlines()
    rows = [line.split()[0] for line in lines if line.startswith("  ") and line[2:3] != " "]
    assert rows[:3] == ["day0", "day1", "day2"]
    day3 = next(line for line in lines if "Portfolio scheduler" in line)
    assert "entry GO  exit GO" in day3


# Where a fault takes more than the criteria that name it, or is of another size or place than
# the plan names: all that leaves pass. A soft criterion alone leaves the gate GO, with a condition.
FAULTS: dict[str, tuple[str, set[str]]] = {
    "start-500": (
        "NO-GO",
        {
            "project-a-started",
            "project-b-started",
            "lane-caps-visible-in-api",
            "snapshot-saved",
            "rollback-caps-lifted",
            "rollback-caps-restored",
            "start-retry-safe",
            "projects-overlap",
            "both-complete",
            "steady-progress",
            "utilization-balanced",
            "queue-depth",
            "no-starvation",
            "lane-caps-enforced",
            "lane-caps-enforced-under-burst",
            "monitoring-cadence",
            "rollback-projects-cancelled",
        },
    ),
    "serial-execution": ("NO-GO", {"projects-overlap", "utilization-balanced"}),
    "queue-10:depth=9": ("GO", set()),
    "queue-10:depth=23": ("ROLLBACK", {"queue-depth"}),
    "cap-exceeded:lane=Viz-Charts": (
        "ROLLBACK",
        {
            "lane-caps-enforced",
            "lane-caps-enforced-under-burst",
            "lane-caps-visible-in-api",
            "rollback-caps-restored",
        },
    ),
    "run-out-of-window:minutes=119": ("GO", set()),
    "run-out-of-window:minutes=120": ("GO", {"in-window"}),
    "snapshot-late": ("NO-GO", {"snapshot-saved"}),
    "caps-not-restored": ("GO", {"rollback-caps-restored"}),
    "change-at-0935:minutes=29": ("GO", set()),
    "change-at-0935:minutes=30": ("NO-GO", {"no-change-during-standup"}),
    "change-at-0935:minutes=44": ("NO-GO", {"no-change-during-standup"}),
    "change-at-0935:minutes=45": ("GO", set()),
}
STATUS = {"GO": 0, "NO-GO": 10, "ROLLBACK": 12}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_takes_this_and_nothing_else(fault: str, tmp_path: Path) -> None:
    answer, leaves = FAULTS[fault]
    run = rehearse(tmp_path, f"--rollout-fault={fault}")
    drill = fault.replace(":", "-").replace("=", "-").replace(",", "-")
    verdicts = run.verdicts(drill)
    assert {name for name, verdict in verdicts.items() if verdict != "pass"} == leaves
    decision = run.decision("exit", drill=drill)
    assert decision["decision"] == answer
    assert run.status == STATUS[answer], run.output
    assert decision["drill"] == fault
    if answer == "GO":
        assert {one["id"].rpartition(".")[2] for one in decision["conditions"]} == leaves
    assert not (tmp_path / "report/plms").exists(), "a drill is no evidence"
    assert run.rollout("decide", "plms.day3").returncode == 4


REASONS = {
    "lane-starved": ("no-starvation", ["lane Data-Schema", "was 0 at", "allowed > 0.20"]),
    "run-stuck": ("both-complete", ["project 102", "executing", "not completed"]),
}


@pytest.mark.parametrize("fault", REASONS)
def test_the_reason_says_what_was_seen_and_what_was_allowed(fault: str, tmp_path: Path) -> None:
    slug, words = REASONS[fault]
    run = rehearse(tmp_path, f"--rollout-fault={fault}")
    (reason,) = (line for line in run.output.splitlines() if f"- plms.day3.{slug}:" in line)
    for word in words:
        assert word in reason


def test_a_part_of_the_phase_is_a_partial_hold(tmp_path: Path) -> None:
    run = rehearse(tmp_path, "-k", "queue")
    assert run.status == 11
    (path,) = (tmp_path / "report/plms/embedded/day3/exit/runs").glob("*/decision.json")
    decision = json.loads(path.read_text(encoding="utf-8"))
    assert decision["decision"] == "HOLD"
    assert "test_project_completes[101]" in " ".join(
        part["subject"]["ref"] for one in decision["criteria"] for part in one["parts"]
    )
    assert "deselected by -k 'queue'" in run.output


def test_an_address_in_the_environment_changes_nothing(tmp_path: Path) -> None:
    run = rehearse(tmp_path, PLMS_URL="http://127.0.0.1:9", PLMS_REGISTRY=str(ROOT))
    assert run.status == 0
    assert "in embedded (default)" in run.output
