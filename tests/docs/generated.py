"""The pages of docs/reference that come from the code: options, verbs, reasons."""

from __future__ import annotations

from pathlib import Path

from tests.docs import pytest_side, reasons, verbs

REFERENCE = Path(__file__).parents[2] / "docs/reference"


def pages() -> dict[Path, str]:
    """Return the text of each page by its path."""
    return {
        REFERENCE / "pytest.md": pytest_side.text(),
        REFERENCE / "verbs.md": verbs.text(),
        REFERENCE / "reasons.md": reasons.text(),
    }
