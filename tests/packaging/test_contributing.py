"""What CONTRIBUTING.md says of checks and releases is so."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.packaging.release_notes import CHANGELOG, main

ROOT = Path(__file__).parents[2]
TEXT = "# Log\n\n## 0.2.0 (2030-01-01)\n\n- New.\n\n## 0.1.0\n\n- Old.\n- Older.\n\n## 0.0.1\n"


@pytest.mark.parametrize(
    ("version", "status", "said"),
    [
        ("0.2.0", 0, "- New.\n"),
        ("0.1.0", 0, "- Old.\n- Older.\n"),
        ("0.0.1", 1, "changes.md says nothing of 0.0.1\n"),
        ("0.2", 1, "changes.md has no section `## 0.2`\n"),
    ],
)
def test_release_notes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], version: str, status: int, said: str
) -> None:
    changelog = tmp_path / "changes.md"
    changelog.write_text(TEXT, encoding="utf-8")
    assert main([version], changelog) == status
    assert "".join(capsys.readouterr()) == said


def _project() -> dict[str, dict[str, object]]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_version_that_is_built_has_release_notes() -> None:
    assert main([str(_project()["project"]["version"])], CHANGELOG) == 0


def test_each_check_that_is_left_out_has_its_reason() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    ignored = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["repo-review"]
    assert re.findall(r"^\| ([A-Z]+\d+), ", text, re.MULTILINE) == ignored["ignore"]
