"""The rollout as a whole: no downtime, order kept, and all that it points at is there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest

from pytest_rollout import Observe, Stage
from suites.plms.scenarios.demos import DEMOS, checked_out
from suites.plms.scenarios.probing import PROBE_S, Probed
from suites.plms.views.answers import not_done
from suites.plms.views.host import Host, git, run

pytestmark = pytest.mark.rollout

_AROUND = timedelta(seconds=2 * PROBE_S)


@dataclass(frozen=True, slots=True)
class Reference:
    """A path that the plan points at, and words without which it is not what it is said to be."""

    path: str
    holds: tuple[str, ...]


REFERENCES = (
    Reference("docs/PRDs/PRD_Project_Lifecycle_Management_System_PLMS.md", ("PLMS", "lane")),
    Reference(
        "docs/HMI_JSON_CONTRACTS_PLMS.md",
        ("/api/ops/healthz", "/api/portfolio/status", "/start", "/cancel", "/metrics"),
    ),
    Reference("deployment/SYSTEMD_SETUP.md", ("plms-invariants.timer", "/etc/systemd/system")),
    Reference("grafana/README.md", ("dashboard", "alert")),
    Reference("tests/demos/demo_1_idempotent_start.sh", ("#!", "Idempotent-Replay")),
    Reference("tests/demos/demo_2_representative_canary.sh", ("#!", "strata")),
    Reference("tests/demos/demo_3_kpi_gated_completion.sh", ("#!", "test")),
    Reference("scripts/check_plms_invariants.py", ("#!",)),
    Reference("scripts/run_invariants.sh", ("#!",)),
    Reference("scripts/start_all_fastapi_services.sh", ("#!", "uvicorn")),
)


# No downtime


@pytest.mark.criterion("zero-downtime")
def test_every_probe_is_answered(probed_changes: Probed, observe: Observe) -> None:
    for probe in probed_changes.probes:
        answered = probe.status == httpx.codes.OK and probe.says in ("ok", "")
        observe("probe_answered", answered, at=probe.at, day=probe.day)


@pytest.mark.criterion("zero-downtime")
def test_starts_and_status_are_answered_as_well(probed_changes: Probed) -> None:
    lost = [
        f"{probe.day} {probe.at}: {what}"
        for probe in probed_changes.probes
        for what in probe.refused
    ]
    assert not lost, f"while changes were made: {lost[0]}, {len(lost)} times in all"


@pytest.mark.criterion("zero-downtime")
def test_changes_were_made_between_probes(probed_changes: Probed) -> None:
    """Probes around nothing show nothing."""
    changed = {day for day, moments in probed_changes.changes.items() if moments}
    still = sorted({"day1", "day3", "day4", "day5", "day6"} - changed)
    if still:
        not_done(f"no change of {', '.join(still)} was made while the API was probed", "see why")
    for day, moments in probed_changes.changes.items():
        probes = [probe.at for probe in probed_changes.probes if probe.day == day]
        for moment in moments:
            before = any(moment - _AROUND <= at <= moment for at in probes)
            assert before, f"nobody probed just before the change of {day} at {moment}"
            after = any(moment <= at <= moment + _AROUND for at in probes)
            assert after, f"nobody probed just after the change of {day} at {moment}"


# What the plan points at


@pytest.mark.criterion("referenced-artifacts-exist")
def test_checker_tells_how_it_is_called(host: Host) -> None:
    """The plan sends who has questions about failures to --help."""
    done = run(host.checker, "--help")
    assert done.returncode == 0, f"--help exits {done.returncode}: {done.stderr}"
    named = re.search(rf"^usage: (?:\S*/)?{re.escape(host.checker.name)}\b", done.stdout)
    assert named, f"--help does not say what is called: {done.stdout[:80]!r}"
    bare = [
        flag
        for flag in ("--db", "--strict", "--json")
        if not re.search(rf"^ +{flag}\b(?: [A-Z]+)? +\w+ \w+", done.stdout, re.MULTILINE)
    ]
    assert not bare, f"--help does not explain {', '.join(bare)}"
    exits = re.search(r"\bexit\b.*\b0\b.*\b1\b", done.stdout, re.IGNORECASE | re.DOTALL)
    assert exits, "--help does not say what its exit statuses 0 and 1 mean"


@pytest.mark.criterion("referenced-artifacts-exist")
@pytest.mark.parametrize("reference", REFERENCES, ids=lambda reference: reference.path)
def test_what_the_plan_points_at_is_there(
    phase: Stage, host: Host, reference: Reference, observe: Observe
) -> None:
    text, executable = _text(phase, host, reference.path)
    lacks = [word for word in reference.holds if word not in text]
    usable = executable or not reference.path.endswith((".sh", ".py"))
    assert text, f"{reference.path} is not in the release, or holds nothing"
    assert not lacks, f"{reference.path} says nothing of {', '.join(lacks)}"
    assert usable, f"{reference.path} cannot be run"
    observe("missing_file", 0, path=reference.path)


def _text(phase: Stage, host: Host, path: str) -> tuple[str, bool]:
    """What the release has committed under a path, and whether it can be run; "" where nothing.

    The demos of this repository stand in a folder of their own.
    """
    scripts = {name: phase.file("demos") / name for name in DEMOS.values()}
    script = scripts.get(path.rpartition("/")[2])
    if script is not None:
        checked_out(phase)
        there = script.is_file()
        text = script.read_text(encoding="utf-8") if there else ""
        return text, there and _runs(script.stat().st_mode)
    listed = git(host.release, "ls-tree", "HEAD", path).split()
    text = git(host.release, "show", f"HEAD:{path}") if listed else ""
    return text, bool(listed) and _runs(int(listed[0], 8))


def _runs(mode: int) -> bool:
    return bool(mode & 0o100)
