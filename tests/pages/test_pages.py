"""Pages in a real Chromium: axe-core finds nothing, the console is silent, nothing is cut off."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pytest_rollout.cli.board import write_board
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.report.html import to_html
from tests.cli.test_board import PLAN, ROW
from tests.report import demonstration
from tests.report import report_decisions as given

ROOT = Path(__file__).parents[2]
MODULES = ROOT / ".venv/apart/pages"  # which tests/nightly installs
MOST_MS = 1_000
MOST_BYTES = 3_000_000
MANY = 2_000


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What axe-core and the console say of each page in each look."""
    folder = tmp_path_factory.mktemp("pages")
    decision, story = demonstration.story()
    many = tuple(
        given.criterion(f"number-{n}", Verdict.FAIL if n % 100 == 0 else Verdict.PASS)
        for n in range(MANY)
    )
    pages = {
        "story": to_html(decision, "never drilled", (), story),
        "go": to_html(given.go_with_conditions()),
        "hold": to_html(given.held_partial()),
        "no-go": to_html(given.no_go()),
        "rollback": to_html(given.rollback()),
        "drill": to_html(given.drill()),
        "many": to_html(given.decision(Answer.NO_GO, criteria=many)),
    }
    for name, text in pages.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    now = datetime(2025, 11, 10, 15, tzinfo=UTC)
    write_board(folder, [(PLAN, "prod", [ROW], ["it runs v3"])], now)
    chromium = shutil.which("chromium")
    assert chromium, "chromium is not installed: `bash tests/nightly` installs it"
    assert MODULES.is_dir(), f"{MODULES} is not there: `bash tests/nightly` installs it"
    files = [str(path) for path in folder.glob("*.html")]
    look = ["node", "tests/pages/look.mjs", str(MODULES), chromium, *files]
    done = subprocess.run(look, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    assert len(found) == 5 * len(files)
    return found


@pytest.mark.nightly
def test_axe_finds_nothing(seen: list[dict[str, Any]]) -> None:
    assert [
        (one["file"], one["look"], one["violations"]) for one in seen if one["violations"]
    ] == []


@pytest.mark.nightly
def test_the_console_is_silent(seen: list[dict[str, Any]]) -> None:
    assert [(one["file"], one["look"], one["said"]) for one in seen if one["said"]] == []


@pytest.mark.nightly
def test_nothing_is_wider_than_the_screen(seen: list[dict[str, Any]]) -> None:
    assert [(one["file"], one["look"]) for one in seen if one["wide"] > 0] == []


@pytest.mark.nightly
def test_a_page_of_2000_criteria_opens_at_once(seen: list[dict[str, Any]]) -> None:
    many = [one for one in seen if one["file"].endswith("many.html")]
    assert Path(many[0]["file"]).stat().st_size < MOST_BYTES
    assert min(one["loaded_ms"] for one in many) < MOST_MS


def test_what_looks_at_pages_is_pinned() -> None:
    asked = json.loads((ROOT / "tests/pages/package.json").read_text(encoding="utf-8"))
    assert set(asked["dependencies"]) == {"axe-core", "puppeteer-core"}
    assert all(version[0].isdigit() for version in asked["dependencies"].values())
