"""What `rollout watch` asks of a bridge that people use, and what it sees there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bridge.by_hand import Launch, by_hand

GUARDRAILS = (  # of the pilot, all of which a watch asks for
    *("gr-no-progress-autoblock", "gr-identical-finding-autoblock", "gr-trigger-fallback"),
    *("gr-defer-timeout-fallback", "gr-resume-to-spawn", "gr-stale-session-spawn-guard"),
)
AGES = {"managed": True, "state": "dormant", "behaviour": "reviewer", "role": "reviewer"}


def reviewed(launch: Launch) -> None:
    """One review, and two minutes in which it can end."""
    launch.step("review", project="atlas", team="core", defects=1)
    launch.wait(minutes=2)
    launch.step("settle")


def watched(launch: Launch) -> dict[str, str]:
    """What a watch of a few looks says of each guardrail at last."""
    words = ("watch", "bridge.phase1", "--env", "prod", "--every", "10s", "--for", "11s")
    lines = launch.rollout(*words).said.splitlines()
    return {name: line for line in lines for name in GUARDRAILS if f" {name}: " in line}


@pytest.mark.slow
def test_a_watch_sees_what_the_pilot_lives_through(tmp_path: Path) -> None:
    """A good review leaves all quiet; then nobody acknowledges, and the watch sees that trip."""
    with by_hand(tmp_path, "phase1") as launch:
        launch.step("papers", phase="phase0")
        reviewed(launch)
        said = watched(launch)
        assert set(said) == set(GUARDRAILS)
        for name, line in said.items():
            assert "quiet" in line, f"{name}: {line}"
        launch.step("session", agent="reviewer-1", ack_after_s=None, **AGES)
        reviewed(launch)
        said = watched(launch)
        assert "tripped" in said["gr-trigger-fallback"], said
        assert "tripped" not in said["gr-resume-to-spawn"], said
