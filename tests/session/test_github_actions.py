"""What GitHub Actions is told: summary, outputs and annotations, and nothing elsewhere."""

from __future__ import annotations

from pathlib import Path

from pytest_rollout.session.github_actions import MOST_SUMMARY, tell_github
from tests.report import report_decisions as given


def environ(folder: Path) -> dict[str, str]:
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
        "GITHUB_OUTPUT": str(folder / "output"),
    }


def reports(folder: Path, *texts: str) -> list[Path]:
    """Folders with a report each."""
    folders = []
    for number, text in enumerate(texts):
        place = folder / str(number)
        place.mkdir()
        (place / "report.md").write_text(text, encoding="utf-8")
        folders.append(place)
    return folders


def test_outside_of_github_nothing_is_written(tmp_path: Path) -> None:
    given_ = environ(tmp_path) | {"GITHUB_ACTIONS": ""}
    assert tell_github([given.no_go()], reports(tmp_path, "x"), [], given_) == []
    assert not (tmp_path / "summary.md").exists()


def test_a_no_is_annotated_and_the_worst_answer_is_the_output(tmp_path: Path) -> None:
    notes: list[str] = []
    lines = tell_github(
        [given.decision(), given.no_go()], reports(tmp_path, "# a", "# b"), notes, environ(tmp_path)
    )
    assert lines[0].startswith("::error title=NO-GO plms.day3/exit::")
    assert all("\n" not in line for line in lines)
    output = (tmp_path / "output").read_text(encoding="utf-8").splitlines()
    assert output[0] == "decision=NO-GO"
    assert (tmp_path / "summary.md").read_text(encoding="utf-8") == "# a\n# b"
    assert notes == []


def test_a_go_is_not_annotated(tmp_path: Path) -> None:
    assert tell_github([given.decision()], reports(tmp_path, "x"), [], environ(tmp_path)) == []


def test_a_summary_keeps_within_githubs_limit(tmp_path: Path) -> None:
    big = "x" * (MOST_SUMMARY - 10)
    tell_github([given.no_go()] * 2, reports(tmp_path, big, big), [], environ(tmp_path))
    text = (tmp_path / "summary.md").read_text(encoding="utf-8")
    assert len(text.encode()) < 1_048_576
    assert "And 1 more in the reports." in text


def test_a_file_that_cannot_be_written_is_a_note(tmp_path: Path) -> None:
    notes: list[str] = []
    given_ = environ(tmp_path) | {"GITHUB_OUTPUT": str(tmp_path / "none" / "output")}
    assert tell_github([given.no_go()], reports(tmp_path, "x"), notes, given_)
    assert notes
    assert "GitHub is not told" in notes[0]
