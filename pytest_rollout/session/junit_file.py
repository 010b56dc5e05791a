"""The gates in the file of pytest's own `--junitxml`, so that it is red where they say no."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree.ElementTree import ParseError, fromstring, tostring

import pytest

from pytest_rollout.model.decision import Decision
from pytest_rollout.report.junit import to_junit


def add_gates(config: pytest.Config, decisions: Sequence[Decision], notes: list[str]) -> None:
    """Add a suite for each gate to the file; what cannot be done is a note."""
    given = config.getoption("xmlpath", None)
    if not given or not decisions:
        return
    path = Path(given)
    try:
        root = fromstring(path.read_text(encoding="utf-8"))
        for decision in decisions:
            root.extend(fromstring(to_junit(decision)))
        text = tostring(root, encoding="unicode")
        path.write_text(f'<?xml version="1.0" encoding="utf-8"?>{text}\n', encoding="utf-8")
    except (OSError, ParseError) as error:
        notes.append(f"the gates are not in {given}: {error}")
