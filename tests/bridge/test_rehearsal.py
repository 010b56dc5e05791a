"""The whole plan in rehearsal: every phase decided, and GO."""

from __future__ import annotations

from pathlib import Path

from tests.plms.rehearsal import rehearse

PHASES = 11


def test_every_gate_is_go(tmp_path: Path) -> None:
    whole = rehearse(tmp_path, "-n2", phase="bridge")
    assert whole.status == 0, whole.output[-4_000:]
    assert whole.last_line.startswith("GO: "), whole.last_line
    assert whole.last_line.count(" GO") == 2 * PHASES
