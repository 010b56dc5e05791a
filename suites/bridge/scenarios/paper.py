"""What people write before anything is built, and its records."""

from __future__ import annotations

from pathlib import Path

from pytest_rollout import Stage, scenario


@scenario(effect="change")
def papers_of_phase0(phase: Stage) -> Path:
    """The repository, after people did the paper work of the phase."""
    if phase.embedded:
        phase.operate("bridge", "papers", phase="phase0")
    return phase.file("repository")
