"""The copy of a project in which mutants are planted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_rollout.mutants.run_through import PhaseLines, lines_of
from pytest_rollout.mutants.workshop import Workshop, reads_are_noted
from tests.mutants.site import Site

LEFT_OUT = (".git/config", ".venv/pyvenv.cfg", "env/pyvenv.cfg", "env/lib/big.py", ".rollout/x")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site.at(tmp_path / "site")


def test_the_copy_holds_the_project_and_no_more(site: Site, tmp_path: Path) -> None:
    before = site.digests()
    for name in (*LEFT_OUT, "small/__pycache__/app.cpython-311.pyc"):
        (site.root / name).parent.mkdir(parents=True, exist_ok=True)
        (site.root / name).write_text("x")
    shop = Workshop.made(site.root, tmp_path / "copy")
    assert Site(shop.copy).digests() == before


def test_a_link_into_the_project_leads_into_the_copy(site: Site, tmp_path: Path) -> None:
    (tmp_path / "far").write_text("far")
    (site.root / "inside").symlink_to(site.root / "small/app.py")
    (site.root / "beside").symlink_to("small/app.py")
    (site.root / "outside").symlink_to(tmp_path / "far")
    shop = Workshop.made(site.root, tmp_path / "copy")
    assert (shop.copy / "inside").resolve() == shop.copy / "small/app.py"
    assert (shop.copy / "beside").resolve() == shop.copy / "small/app.py"
    assert (shop.copy / "outside").resolve() == tmp_path / "far"


def test_a_mutant_is_planted_in_the_copy_and_taken_out_again(site: Site, tmp_path: Path) -> None:
    before = site.digests()
    shop = Workshop.made(site.root, tmp_path / "copy")
    mutant = site.mutant("small/brewing.py", '"sweet"', '"sour"')
    shop.plant(mutant)
    changed = site.digests() | {"small/brewing.py": Site(shop.copy).digests()["small/brewing.py"]}
    assert Site(shop.copy).digests() == changed != before
    assert '"sour"' in (shop.copy / "small/brewing.py").read_text()
    assert site.digests() == before
    shop.restore(mutant)
    assert Site(shop.copy).digests() == before


def test_a_file_that_was_changed_since_is_not_planted_in(site: Site, tmp_path: Path) -> None:
    shop = Workshop.made(site.root, tmp_path / "copy")
    mutant = site.mutant("small/brewing.py", '"sweet"', '"sour"')
    site.change("small/brewing.py", "def taste", "def  taste")
    with pytest.raises(ValueError, match="has changed since"):
        shop.plant(mutant)


def said(shop: Workshop) -> str:
    """What a program says that imports the package, started outside of the copy."""
    command = [sys.executable, "-c", "from small import brewing; print(brewing.taste())"]
    environ = {**os.environ, **shop.environ}
    done = subprocess.run(command, cwd="/", env=environ, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_no_cache_hides_a_change_of_the_same_size_and_second(site: Site, tmp_path: Path) -> None:
    shop = Workshop.made(site.root, tmp_path / "copy")
    assert said(shop) == "sweet"
    compiled = shop.copy / "small/__pycache__"
    assert list(compiled.glob("brewing.*.pyc"))
    mutant = site.mutant("small/brewing.py", '"sweet"', '"swift"')
    shop.plant(mutant)
    source = shop.root / "small/brewing.py"
    os.utime(shop.copy / "small/brewing.py", ns=(0, source.stat().st_mtime_ns))
    assert said(shop) == "swift"
    shop.restore(mutant)
    assert said(shop) == "sweet"


def test_the_copy_comes_first_where_the_project_is_on_the_path(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it is where a package of it was installed as editable, or by PYTHONPATH."""
    (site.root / "src").mkdir()
    (site.root / "small").rename(site.root / "src/small")
    mine = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", f"{site.root / 'src'}{os.pathsep}{mine}")
    monkeypatch.syspath_prepend(str(site.root / "src"))
    shop = Workshop.made(site.root, tmp_path / "copy")
    shop.plant(site.mutant("src/small/brewing.py", '"sweet"', '"sour"'))
    assert said(shop) == "sour"
    assert str(site.root / "src") not in shop.environ["PYTHONPATH"].split(os.pathsep)


def test_who_read_a_file_is_known(site: Site, tmp_path: Path) -> None:
    noted = reads_are_noted(tmp_path)
    shop = Workshop.made(site.root, tmp_path / "copy")
    files = ["small/settings.json", "small/unread.json"]
    shop.forget_reads(iter(files))
    (shop.copy / files[0]).read_text()
    assert [shop.was_read(file) for file in files] == [noted, False]


TEXT = """\
import os

LIMITS = {
    "a": 1,
    "b": 2,
}


@decorated
def one(
    two=3,
):
    if two > (
        4
    ):
        return [
            5,
        ]
    try:
        six()
    except ValueError:
        return 7
"""


@pytest.mark.parametrize(
    ("line", "first", "last"),
    [(1, 1, 1), (5, 3, 6), (9, 9, 12), (11, 9, 12), (14, 13, 15), (17, 16, 18), (21, 21, 21)],
)
def test_lines_that_run_together(line: int, first: int, last: int) -> None:
    assert lines_of(TEXT, line) == range(first, last + 1)


def test_a_text_that_is_no_python_has_lines_of_its_own() -> None:
    assert lines_of("def (", 1) == range(1, 2)


ITEMS = {"sweet": ("t::sweet",), "loud": ("t::loud",), "group": ()}
LINES = PhaseLines(
    lines={"app.py": {3: frozenset({"t::loud"}), 4: frozenset({"fixture said"}), 5: frozenset()}},
    needs={"t::sweet": frozenset({"said"}), "t::loud": frozenset()},
)


@pytest.mark.parametrize(
    ("lines", "criteria"),
    [
        ([3], ["loud"]),
        ([4], ["sweet"]),
        ([3, 4], ["sweet", "loud"]),
        ([5], ["sweet", "loud", "group"]),
        ([6], None),
    ],
)
def test_criteria_that_a_line_was_run_for(lines: list[int], criteria: list[str] | None) -> None:
    contexts = LINES.runs("app.py", lines)
    assert (contexts is None) == (criteria is None)
    if contexts is not None:
        assert LINES.criteria(contexts, ITEMS) == criteria


def test_what_ran_before_any_check_ran_for_all() -> None:
    assert LINES.criteria(frozenset({"", "t::loud"}), ITEMS) == ["sweet", "loud", "group"]
