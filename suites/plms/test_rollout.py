"""The rollout as a whole: no downtime, order kept, and all that it points at is there."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from pytest_rollout import Observe, Stage
from suites.plms.scenarios.demos import checked_out
from suites.plms.scenarios.follow_up import HealthProbe
from suites.plms.views.host import Host

pytestmark = pytest.mark.rollout

HERE = Path(__file__).parent
OF_THE_SUITE = ("rollout.yaml", "attestations.embedded.yaml", "bindings.txt")
OF_THE_RELEASE = (
    "scripts/check_plms_invariants.py",
    "scripts/run_invariants.sh",
    "deployment/systemd/plms-invariants.service",
    "deployment/systemd/plms-invariants.timer",
)


@pytest.mark.criterion("zero-downtime")
def test_every_probe_is_answered(probed_change: tuple[HealthProbe, ...], observe: Observe) -> None:
    for probe in probed_change:
        observe("probe_answered", probe.status == httpx.codes.OK, at=probe.at)


@pytest.mark.criterion("referenced-artifacts-exist")
def test_what_the_plan_points_at_is_there(phase: Stage, host: Host, observe: Observe) -> None:
    paths = [HERE / name for name in OF_THE_SUITE]
    paths += [host.release / name for name in OF_THE_RELEASE]
    paths += checked_out(phase).values()
    for path in paths:
        observe("missing_file", not path.is_file(), name=path.name)
