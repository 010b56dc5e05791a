"""Two phases of PAS in environment prod, walked from entry to exit; nothing is rehearsed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from tests.pas.by_hand import ENGINEER, by_hand

TELEMETRY = datetime.fromisoformat("2025-11-17T10:00:00-05:00")


def test_telemetry_from_the_migration_to_its_figures(tmp_path: Path) -> None:
    with by_hand(tmp_path, TELEMETRY) as rollout:
        rollout.enter("phase2")
        rollout.record("phase2", "the registry is migrated")
        rollout.step("migrate")
        rollout.step("work", runs=2, run_kind="baseline")
        rollout.step("work", runs=3, run_kind="hotfix")
        rollout.attest("phase2.prepared-in-week-1", ENGINEER, "I wrote it in week 1")
        rollout.leave("phase2")
        unsettled = rollout.unsettled("phase2", "exit")
        assert set(unsettled) <= {"compare-zero-baseline"}, unsettled


@pytest.mark.nightly
def test_the_code_index_from_its_checkout_to_its_answers(tmp_path: Path) -> None:
    with by_hand(tmp_path) as rollout:
        rollout.enter("phase1")
        rollout.record("phase1", "hook, crontab and index are there")
        rollout.leave("phase1")
        unsettled = rollout.unsettled("phase1", "exit")
        assert set(unsettled) <= {"query-latency-under-refresh"}, unsettled
