"""The observations of a run as CSV, for a spreadsheet or a notebook."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from zoneinfo import ZoneInfo

from pytest_rollout import calendar
from pytest_rollout.model.evidence import Hole, Seen
from pytest_rollout.model.numbers import exact_text
from pytest_rollout.report import sentences
from pytest_rollout.report.terminal_text import plain

_FIRST = ("time", "series", "value", "count", "missing")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how a cell begins that a spreadsheet would execute


def to_csv(seen: Sequence[Seen], zone: str) -> Iterator[str]:
    """Yield the lines of a table of what was seen, in order of time, with a column a label.

    Times have the plan's zone, values are exact. A slot of several values has a row for each. One
    without a value says why under ``missing``.
    """
    labels = sorted({name for sample in seen for name, _ in sample.slot.labels})
    yield _line([*_FIRST, *map(_harmless, labels)])
    for sample in sorted(
        seen, key=lambda sample: (sample.slot.t_us, sample.slot.series, sample.slot.seq)
    ):
        named = dict(sample.slot.labels)
        mine = [_harmless(named.get(label, "")) for label in labels]
        time = calendar.from_us(sample.slot.t_us).astimezone(ZoneInfo(zone)).isoformat()
        for value in _values(sample, zone):
            yield _line([time, _harmless(sample.slot.series), *value, *mine])


def _values(sample: Seen, zone: str) -> Iterator[tuple[str, str, str]]:
    """Yield value, count and why there is none."""
    if isinstance(sample.value, Hole):
        n = "" if sample.value.n is None else str(sample.value.n)
        yield "", n, _harmless(sentences.text(sample.value.reason, zone))
        return
    for value, count in sample.value:
        yield exact_text(value), str(count), ""


def _harmless(text: str) -> str:
    """A text as a cell that drives neither a terminal nor a spreadsheet."""
    cell = plain(text)
    return f"'{cell}" if text.startswith(_FORMULA) else cell


def _line(cells: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(cells)
    return text.getvalue()
