"""Day 5: the way back. Nothing is learnt any more, and only the priors of the day are gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from pytest_rollout import Stage
from suites.plms.scenarios.calibration import (
    MARK,
    MEASURES,
    UNITS,
    RolledBackCalibration,
    Seeded,
    moment,
)
from suites.plms.views.listed import listed

pytestmark = pytest.mark.day5


@pytest.mark.criterion("rollback-updates-off")
def test_after_the_rollback_nothing_is_learnt(
    calibration_rolled_back: RolledBackCalibration,
) -> None:
    seen = calibration_rolled_back
    assert seen.ended, "a run after the rollback has not ended, so it shows nothing"
    assert len(seen.learnt) > len(seen.before), "nothing was learnt while calibration was on"
    assert seen.switch == "false", f"calibration_enabled is {seen.switch!r} after the rollback"
    assert seen.told.flag("enabled") is False, "the service says that it still calibrates"
    added = sorted(_ids(seen.later) - _ids(seen.reverted))
    assert not added, f"priors {listed(added)} were added with calibration switched off"


@pytest.mark.criterion("rollback-updates-off")
@pytest.mark.parametrize("measure", MEASURES)
def test_after_the_rollback_no_estimate_moves(
    calibration_rolled_back: RolledBackCalibration, measure: str
) -> None:
    name = f"{measure}_mean"
    before, learnt, later = (row[name] for row in calibration_rolled_back.expected)
    unit = UNITS[measure]
    assert learnt != before, f"{before:g} {unit} were expected before the baseline and after it"
    assert later == before, (
        f"after the roll-back {later:g} {unit} are expected of a run, not {before:g} again"
        f" ({learnt:g} after the baseline)"
    )


@pytest.mark.criterion("rollback-priors-reverted")
def test_the_rollback_removes_its_own_priors_only(
    calibration_rolled_back: RolledBackCalibration,
) -> None:
    seen = calibration_rolled_back
    before, reverted = _ids(seen.before), _ids(seen.reverted)
    assert _ids(seen.learnt) > before, "nothing was learnt that could be reverted"
    lost, left = sorted(before - reverted), sorted(reverted - before)
    assert not lost, f"the rollback also removed the older priors {listed(lost)}"
    assert not left, f"the rollback left priors {listed(left)}"
    assert seen.reverted == seen.before, "the rollback changed what stands in older priors"


@pytest.mark.criterion("rollback-priors-reverted")
def test_the_newest_older_prior_is_noted(seeded: Seeded, phase: Stage) -> None:
    # Other probes of the day may have taught before the baselines did: the slot tells them apart.
    there = [*seeded.older[0], *seeded.priors]
    earlier = [row["id"] for row in there if moment(row["created_at"]) < phase.window[0]]
    newest, noted = max(earlier, default=0), seeded.mark or "not set"
    assert noted == str(newest), f"{MARK} is {noted}, and the newest prior of before was {newest}"


def _ids(priors: Sequence[Mapping[str, Any]]) -> set[int]:
    return {row["id"] for row in priors}
