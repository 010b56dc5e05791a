"""The site is built without a warning, and a broken link or heading is one."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Pages that are no part of the site, but link into it.
BESIDE = [ROOT / "README.md", ROOT / "ARCHITECTURE.md"]
BESIDE += [*ROOT.glob("suites/*/README.md"), *ROOT.glob("examples/*/README.md")]
LINK = re.compile(r"\]\(([^)\s#]*)(?:#([\w-]+))?\)")


def build(docs: Path, out: Path) -> subprocess.CompletedProcess[str]:
    """Build a site as tests/site does."""
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", str(docs), str(out)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    done = build(ROOT / "docs", tmp_path / "site")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "site/index.html").read_text("utf-8")
    fetched = re.findall(r'<(?:link|script|img)[^>]+(?:href|src)="(?:https?:)?//[^"]+', page)
    assert fetched == []


@pytest.mark.slow
def test_a_broken_link_fails_the_build(tmp_path: Path) -> None:
    docs = tmp_path / "docs"
    docs.mkdir()
    shutil.copy(ROOT / "docs/conf.py", docs)
    shutil.copytree(ROOT / "docs/_static", docs / "_static")
    (docs / "index.md").write_text("# Site\n\n[there](other.md#here)\n\n```{toctree}\nother\n```\n")
    mistakes = "[a](gone.md) [b](index.md#gone-heading) [c](../gone.txt) ![d](gone.png)"
    (docs / "other.md").write_text(f"# Other\n\n## Here\n\n{mistakes}\n")
    done = build(docs, tmp_path / "site")
    assert done.returncode != 0
    for name in ("gone.md", "gone-heading", "gone.txt", "gone.png"):
        assert len(re.findall(rf"other.md:\d+: WARNING: .*{name}", done.stderr)) == 1
    assert "index.md" not in re.sub("other.md.*", "", done.stderr)  # what is right is not named


def headings(page: Path) -> set[str]:
    """Return where headings of a page can be linked to, as GitHub names them."""
    titles = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w-]", "", title.lower().replace(" ", "-")) for title in titles}


@pytest.mark.parametrize("page", BESIDE, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_link_of_a_page_beside_the_site_is_broken(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    for place, heading in LINK.findall(text):
        if "://" not in place:
            there = (page.parent / place).resolve() if place else page
            assert there.exists(), place
            assert not heading or heading in headings(there), f"{place}#{heading}"


@pytest.mark.parametrize("file", ["pytest_rollout", "suites", "load", "fixtures"])
def test_no_page_that_the_code_names_is_gone(file: str) -> None:
    for path in sorted((ROOT / file).rglob("*.py")):
        for name in re.findall(
            r"\bdocs/(?:how-to|reference|explanation|tutorial)/[\w/-]+\.\w+",
            path.read_text("utf-8"),
        ):
            assert (ROOT / name).is_file(), f"{path}: {name}"
