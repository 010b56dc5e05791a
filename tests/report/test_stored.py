"""The stored form of a decision: the bytes that `json.dumps` would write."""

from __future__ import annotations

import json
from pathlib import Path

from pytest_rollout.report.stored import to_json
from tests.evidence.runs import FAIL, Writer, opened


def test_a_decision_is_spelled_as_json_spells_it(tmp_path: Path) -> None:
    with opened(tmp_path / "ledger.db") as ledger:
        run = Writer(ledger)
        run.start()
        run.manifest()
        run.checks(works=FAIL)
        run.seal()
        decision = run.decide().decisions[-1]
    text = to_json(decision)
    assert '"text": "' in text
    assert ": []" in text  # what holds nothing stays on its line
    assert text == json.dumps(json.loads(text), indent=2) + "\n"
