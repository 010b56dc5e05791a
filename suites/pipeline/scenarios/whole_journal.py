"""Everything that happened so far, as the guardrails of the rollback read it."""

from __future__ import annotations

from pytest_rollout import Stage, scenario
from suites.pipeline.views.hub import Hub
from suites.pipeline.views.series import Sources


@scenario(effect="observe")
def lived(phase: Stage) -> Sources:
    """All that is on record; in a rehearsal eleven days pass now, longer than any trial takes."""
    phase.operate("github", "days", days=11)
    files = phase.file("telemetry"), phase.file("records")
    return Sources(Hub.of(phase), *files, phase.now(), phase.file("checkout"))
