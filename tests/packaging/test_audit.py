"""What was not asked never passes for what is not vulnerable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.packaging.audit import NOT_ASKED, main

CLEAN = {"name": "click", "version": "8.1", "vulns": []}
BAD = {"name": "old", "version": "1", "vulns": [{"id": "PYSEC-1"}]}
SKIPPED = {"name": "x", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("listed", "status", "said"),
    [
        ([CLEAN], 0, "1 of 1 packages asked, 0 known\n"),
        ([CLEAN, BAD], 1, "vulnerable: old 1: PYSEC-1\n2 of 2 packages asked, 1 known\n"),
        ([CLEAN, SKIPPED], NOT_ASKED, "1 of 2 packages asked, 0 known\nnot asked: x\n"),
        ([BAD, SKIPPED], 1, "vulnerable: old 1: PYSEC-1\n1 of 2 *\nnot asked: x\n"),
        ([], NOT_ASKED, "0 of 0 packages asked, 0 known\nnot asked: nothing was named\n"),
        (None, NOT_ASKED, "not asked: no route to its service\n"),
    ],
)
def test_what_an_audit_comes_to(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    listed: list[dict[str, Any]] | None,
    status: int,
    said: str,
) -> None:
    tool = tmp_path / "tool"
    answer = "" if listed is None else json.dumps({"dependencies": listed})
    words = "" if listed is not None else "echo no route to its service >&2; exit 1"
    tool.write_text(f"#!/bin/sh\ncat <<'END'\n{answer}\nEND\n{words}\n", encoding="utf-8")
    tool.chmod(0o755)
    assert main(["pins.txt"], tool) == status
    pytest.LineMatcher(capsys.readouterr().out.splitlines()).fnmatch_lines(said.splitlines())
