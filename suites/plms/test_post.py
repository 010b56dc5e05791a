"""After the rollout: logs archived, a week of figures, outliers tuned, thresholds published."""

from __future__ import annotations

import pytest

from pytest_rollout import Observe
from suites.plms.scenarios.follow_up import THRESHOLDS, After, days_covered, members
from suites.plms.scenarios.retro import git

pytestmark = pytest.mark.post

LANES = ("Code-API", "Data-Schema")
ERROR, WIDTH = 0.40, 0.60  # beyond these a lane is an outlier


@pytest.mark.criterion("day8-logs-archived")
def test_logs_are_archived(followed_up: After, observe: Observe) -> None:
    archives = sorted(followed_up.logs.glob("*.tar.gz")) if followed_up.logs.is_dir() else []
    observe("archived_files", sum(len(members(archive)) for archive in archives))


@pytest.mark.criterion("day14-metrics-reviewed")
@pytest.mark.parametrize("lane", LANES)
def test_a_week_has_figures(followed_up: After, lane: str, observe: Observe) -> None:
    observe("days_covered", len(days_covered(followed_up, lane)), lane=lane)


@pytest.mark.criterion("day14-outlier-lanes-tuned")
def test_outliers_were_tuned(followed_up: After, observe: Observe) -> None:
    tuned = {entry.says["lane"] for entry in followed_up.entries if entry.kind == "tuned"}
    newest = {
        entry.says["lane"]: entry.says for entry in followed_up.entries if entry.kind == "figures"
    }
    for lane, says in newest.items():
        outlier = says["error"] > ERROR or says["width"] > WIDTH
        observe("untuned_outlier", outlier and lane not in tuned, lane=lane)


@pytest.mark.criterion("day14-thresholds-published")
def test_thresholds_are_published(followed_up: After) -> None:
    commit = git(followed_up.release, "log", "-1", "--format=%H", "--", THRESHOLDS).stdout.strip()
    assert commit, f"no commit holds {THRESHOLDS}"
    listed = git(followed_up.release, "ls-remote", "origin", "refs/heads/main").stdout.split()
    assert listed, "the remote has no main"
    merged = git(followed_up.release, "merge-base", "--is-ancestor", commit, listed[0])
    assert merged.returncode == 0, "the commit of the thresholds is not on the remote's main"
