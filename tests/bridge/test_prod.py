"""Entry and exit of phases of the bridge in environment prod, on an application started by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bridge.by_hand import by_hand


@pytest.mark.slow
def test_the_review_after_the_launch_is_decided(tmp_path: Path) -> None:
    """Too early it is on hold; once the review was held, and the operators asked, it is GO."""
    with by_hand(tmp_path, "postlaunch") as launch:
        launch.step("pilot", days=2)
        launch.step("papers", phase="golive")
        launch.step("launch", run="the run that was judged")
        launch.enter("postlaunch")
        early = launch.pytest("postlaunch")
        assert early.status == 11, f"{early.said}\n{launch.unsettled('postlaunch', 'exit')}"
        assert launch.unsettled("postlaunch", "exit")["review-on-record"] == "missing"
        launch.step("after-launch")
        launch.attest("postlaunch.operator-feedback", "product", "all operators were asked")
        launch.leave("postlaunch")
        assert launch.unsettled("postlaunch", "exit") == {}


@pytest.mark.nightly
def test_operation_is_decided(tmp_path: Path) -> None:
    """Runbooks that were drilled, commands, metrics, logs and probes, by what happened."""
    with by_hand(tmp_path, "ops") as launch:
        launch.enter("ops")
        launch.step("pilot", days=1)
        launch.probe()
        for runbook in RUNBOOKS:
            for part in ("begin", "end"):
                launch.step("drill", runbook=runbook, part=part)
                if runbook == "service-unavailable":
                    launch.probe()
        launch.leave("ops")
        assert launch.unsettled("ops", "exit").keys() <= ONLY_REHEARSED


ONLY_REHEARSED = {  # soft: what only a workload shows that nobody may make where people work
    "metric-wake-accurate",
    "metric-loop-accurate",
    "metric-delivery-failure-accurate",
    "metric-posts-rate-window",
}


@pytest.mark.nightly
def test_scale_is_decided(tmp_path: Path) -> None:
    """Two teams at work, a readiness review, push and routing tried by the suite."""
    with by_hand(tmp_path, "phase3") as launch:
        launch.enter("phase3")
        launch.step("pilot", days=3)
        launch.step("papers", phase="phase3")
        launch.attest("phase3.prr-passed", "platform", "the review was held on Monday")
        launch.leave("phase3")
        assert launch.unsettled("phase3", "exit").keys() <= {"escalation-policies"}


RUNBOOKS = (
    "service-unavailable",
    "storage-contention",
    "delivery-delay",
    "authz-misconfiguration",
    "token-issuer-outage",
    "escalation-flood",
    "wake-trigger-failure",
    "unmanaged-runtime",
    "collision-timeout",
)
