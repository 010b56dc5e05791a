"""What GitHub Actions shows of a run: its step summary, outputs, and annotations."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from pytest_rollout.model.decision import Decision
from pytest_rollout.model.story import NO_STORY
from pytest_rollout.model.verdict import Answer, worst_answer
from pytest_rollout.report import text
from pytest_rollout.report.blockers import blockers
from pytest_rollout.session import clean_reports

MOST_SUMMARY = 1_000_000  # bytes; GitHub refuses a summary of more than 1 MiB
MOST_ANNOTATIONS = 10  # of one kind in a step; GitHub shows no more


def tell_github(
    decisions: Sequence[Decision],
    folders: Iterable[Path],
    notes: list[str],
    environ: Mapping[str, str] = os.environ,
) -> list[str]:
    """Write summary and outputs; return the lines that make annotations, none elsewhere.

    ``folders`` hold the reports of the decisions. What cannot be written becomes a note.
    """
    if environ.get("GITHUB_ACTIONS") != "true" or not decisions:
        return []
    try:
        if environ.get("GITHUB_STEP_SUMMARY"):
            reports = (folder / "report.md" for folder in folders)
            summary = _fitted(path.read_text(encoding="utf-8") for path in reports)
            _append(environ["GITHUB_STEP_SUMMARY"], summary)
        if environ.get("GITHUB_OUTPUT"):
            _append(environ["GITHUB_OUTPUT"], "".join(_outputs(decisions)))
    except OSError as error:
        notes.append(f"GitHub is not told of the decision: {error}")
    return [clean_reports.shown(line) for line in _annotations(decisions)]


def _append(path: str, words: str) -> None:
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(words)


def _fitted(summaries: Iterable[str]) -> str:
    """As many whole summaries as fit, and how many do not."""
    kept, left, size = [], 0, 0
    for summary in summaries:
        size += len(summary.encode()) + 1
        if size > MOST_SUMMARY:
            left += 1
        else:
            kept.append(summary)
    more = f"\nAnd {left} more in the reports.\n" if left else ""
    return "\n".join(kept) + more


def _outputs(decisions: Sequence[Decision]) -> Iterator[str]:
    yield f"decision={worst_answer(decision.answer for decision in decisions).value}\n"
    for decision in decisions:
        name = str(decision.address).replace(".", "_").replace("/", "_").replace("-", "_")
        yield f"{name}={decision.answer.value}\n"


def _annotations(decisions: Iterable[Decision]) -> Iterator[str]:
    shown = 0
    for decision in decisions:
        if decision.answer is Answer.GO:
            continue
        for blocker in blockers(decision, NO_STORY):
            if shown == MOST_ANNOTATIONS:
                return
            shown += 1
            title = f"{decision.answer.value} {decision.address}"
            said = ": ".join(filter(None, (blocker.id, blocker.says, blocker.because)))
            yield f"::error title={_property(title)}::{_data(text.cut(said))}"


def _data(words: str) -> str:
    return words.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(words: str) -> str:
    return _data(words).replace(":", "%3A").replace(",", "%2C")
