"""The nightly command goes on after what fails, bounds its time, and ends with a table."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from tests.nightly import FOLDER, PARTS, Part, main

CONTRIBUTING = Path(__file__).parents[1] / "CONTRIBUTING.md"
GOOD = Part("good", "is well", 1, [[sys.executable, "-c", "print('all well')"]])
BAD = Part("bad", "is not", 1, [[sys.executable, "-c", "raise SystemExit('no good')"]])
HANGS = Part(
    "hangs",
    "never ends, nor does its child",
    0.02,
    [["sh", "-c", f"sleep 600 & echo $! > {FOLDER}/child; wait"]],
)
UNASKED = Part("unasked", "reaches nobody", 1, [["sh", "-c", "exit 75"]])
STEPS = Part("steps", "has two", 1, [["false"], ["touch", f"{FOLDER}/second"]])


def ended(shown: str) -> dict[str, str]:
    """Return how each part ended, from the table."""
    names = {part.name for part in (GOOD, BAD, HANGS, STEPS, UNASKED)}
    rows = [row for row in (line.split() for line in shown.splitlines()) if len(row) > 3]
    return {row[-2]: " ".join(row[:-4]) for row in rows if row[-2] in names}


def test_it_goes_on_after_a_part_that_fails_and_ends_with_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--in", str(tmp_path)], [BAD, HANGS, STEPS, GOOD]) == 1
    shown = capsys.readouterr().out
    assert ended(shown) == {
        "bad": "failed",
        "hangs": "out of time",
        "steps": "failed",
        "good": "ok",
    }
    assert "    no good\n" in shown, "what a part said last"
    assert "all well" not in shown
    assert (tmp_path / "good.log").read_text() == "all well\n"
    assert not (tmp_path / "second").exists(), "a step needs the one before"


def test_what_could_not_be_asked_is_no_pass(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--in", str(tmp_path)], [UNASKED, GOOD]) == 1
    assert ended(capsys.readouterr().out) == {"unasked": "not asked", "good": "ok"}


def test_what_is_out_of_time_is_ended_with_its_children(tmp_path: Path) -> None:
    assert main(["--in", str(tmp_path)], [HANGS]) == 1
    stat = Path("/proc") / (tmp_path / "child").read_text().strip() / "stat"
    until = time.monotonic() + 30
    while stat.exists() and " Z " not in stat.read_text() and time.monotonic() < until:
        time.sleep(0.05)
    assert not stat.exists() or " Z " in stat.read_text()


def test_parts_are_chosen_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["good", "--in", str(tmp_path)], [BAD, GOOD]) == 0
    assert ended(capsys.readouterr().out) == {"good": "ok"}
    with pytest.raises(SystemExit, match="2"):
        main(["god", "--in", str(tmp_path)], [BAD, GOOD])
    assert "no part is named 'god'; there are bad, good" in capsys.readouterr().err


def test_the_list_runs_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list", "--in", str(tmp_path / "none")], [BAD, GOOD]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "bad   is not (at most 1 min)",
        "good  is well (at most 1 min)",
    ]
    assert not (tmp_path / "none").exists()


def test_every_part_stands_in_the_list_of_tiers() -> None:
    text = CONTRIBUTING.read_text(encoding="utf-8")
    assert [part.name for part in PARTS if f"| `{part.name}` | {part.says}" not in text] == []
