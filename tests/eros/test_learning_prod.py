"""Phase 7 walked in environment prod: people begin, reflect, sign and end; nothing is rehearsed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.eros.by_hand import OPERATOR, Ramp, by_hand

PHASES = ("learning_day1", "learning_manual", "learning_auto", "learning")


@pytest.mark.nightly
def test_four_weeks_from_day_1_to_the_last_gate(tmp_path: Path) -> None:
    with by_hand(tmp_path, learning_day1="") as ramp:
        _alone(ramp)
        ramp.step("learn", days=0)
        ramp.enter("learning_day1")
        ramp.leave("learning_day1")
        ramp.enter("learning")
        ramp.enter("learning_manual")
        ramp.step("learn", days=13)
        ramp.decide("learning_manual", "exit", "HOLD")
        assert "13 days of Phase 7 are over" in ramp.pytest("learning_manual").said
        ramp.step("learn", days=14)
        ramp.leave("learning_manual")
        ramp.enter("learning_auto")
        ramp.step("learn", days=28)
        ramp.decide("learning_auto", "exit", "GO")
        assert ramp.unsettled("learning_auto", "exit") == {"rollback-resume-manual": "missing"}
        for criterion in ("done-team-trained", "done-weekly-cadence"):
            ramp.attest(f"learning.{criterion}", OPERATOR, "I was there")
        ramp.leave("learning")
        assert ramp.unsettled("learning", "exit") == {}


def _alone(ramp: Ramp) -> None:
    """Take out of the plan what the entry reads of a cutover that is not walked here."""
    plan = ramp.project.folder / "suites/eros/rollout.yaml"
    text = plan.read_text(encoding="utf-8")
    assert text.count("        rolls_up: cutover/exit\n") == 1
    plan.write_text(text.replace("        rolls_up: cutover/exit\n", ""), encoding="utf-8")
