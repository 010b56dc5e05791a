"""A load record as terminal text of 80 columns: whether it is to be believed comes first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap

from pytest_rollout.model.verdict import Verdict
from pytest_rollout.report.load_cuts import CutSeen, Side
from pytest_rollout.report.load_facts import facts
from pytest_rollout.report.load_figures import QUANTILES, Distribution
from pytest_rollout.report.load_words import (
    CORRECTED,
    GENERATOR_HEAD,
    NO_TIMES,
    NOT_BELIEVED,
    OTHERWISE,
    UNCORRECTED,
    LoadReport,
    generator_rows,
    ms,
    record_rows,
    title,
    told_of_times,
)
from pytest_rollout.report.terminal import Line
from pytest_rollout.report.terminal_text import plain
from pytest_rollout.report.text import count, word

WIDTH = 80
MOST_ERRORS = 10
_NAME = 20  # columns of an endpoint's name
_FACT = 14
_STYLES = {
    **{Side.WITHIN.value: ("green",), word(Verdict.PASS): ("green",)},
    **{Side.WARNED.value: ("yellow",), word(Verdict.WARN): ("yellow",)},
    **{Side.BEYOND.value: ("red",), word(Verdict.FAIL): ("red",)},
}


def to_terminal(report: LoadReport, width: int = WIDTH) -> list[Line]:
    """Return the report as lines of at most so many columns."""
    lines = [*_head(report), *_facts(facts(report)), Line("")]
    lines += [*_latencies(report), Line(""), *_cuts(report), *_errors(report)]
    lines += [*_generators(report), *_facts(record_rows(report))]
    return [Line(text, line.styles) for line in lines for text in _fitted(line.text, width)]


def _head(report: LoadReport) -> Iterator[Line]:
    yield Line(title(report), ("bold",))
    if not report.believed:
        yield Line(f"{NOT_BELIEVED.upper()}: nothing below is a figure of the target", ("red",))
        yield from (Line(f"  - {reason}", ("red",)) for reason in report.reasons)
    elif report.of_times:
        yield Line(f"{NO_TIMES.upper()}", ("red",))
        yield from (Line(f"  - {reason}", ("red",)) for reason in report.of_times)
        yield Line(f"  {OTHERWISE}")
    yield Line("")


def _facts(rows: Iterable[tuple[str, str]]) -> Iterator[Line]:
    for name, value in rows:
        yield Line(f"  {name:<{_FACT}}{value}")


def _latencies(report: LoadReport) -> Iterator[Line]:
    head = "".join(f"{name:>8}" for name in QUANTILES)
    yield Line(f"{'latency in ms':<{_NAME + 8}}{head}", ("bold",))
    if not report.endpoints:
        yield Line("  no request was made, so there is no latency")
    for figures in report.shown:
        name = f"  {_cut(figures.name or 'all together', _NAME - 2)}"
        yield Line(f"{name:<{_NAME}}{figures.requests:>8,} requests, {figures.failures:,} failed")
        if report.record.open_loop:
            yield _row(CORRECTED, figures.latency)
        yield _row(UNCORRECTED, figures.service_time)
    yield from (Line(f"  {note}") for note in told_of_times(report))


def _row(kind: str, times: Distribution) -> Line:
    start = f"    {kind:<{_NAME + 4}}"
    if not times.n:
        return Line(f"{start}no answer was timed")
    return Line(start + "".join(f"{ms(value):>8}" for value in times.spread()))


def _cuts(report: LoadReport) -> Iterator[Line]:
    if not report.seen:
        yield Line("no criterion reads this load")
        yield Line("")
        return
    yield Line("criteria that read it (the decision is the gate's)", ("bold",))
    for cut_seen in report.seen:
        of = f" of {cut_seen.endpoint}" if cut_seen.endpoint else ""
        said = f"{cut_seen.what}{of} was {cut_seen.said}, asked {cut_seen.cut.cut.text}"
        styles = _STYLES.get(side_word(report, cut_seen), ())
        yield Line(f"  {side_word(report, cut_seen)}: {said}", styles)
        yield Line(f"    {cut_seen.cut.criterion}, {count(cut_seen.n, 'value')}")
    yield Line("")


def side_word(report: LoadReport, cut_seen: CutSeen) -> str:
    """Return the decision's verdict; where there is none yet, on which side of a cut a value lies.

    What is not believed is no pass, whatever somebody says of it.
    """
    verdict = report.verdicts.get(cut_seen.cut.criterion)
    if not report.is_evidence_for(cut_seen.cut) and verdict in (None, Verdict.PASS, Verdict.WARN):
        return "not judged"
    return cut_seen.side.value if verdict is None else word(verdict)


def _errors(report: LoadReport) -> Iterator[Line]:
    record = report.record
    if not record.errors and not record.other_errors:
        return
    yield Line("errors", ("bold",))
    for error in sorted(record.errors, key=lambda group: -group.count)[:MOST_ERRORS]:
        yield Line(f"  {error.count:>6,}  {error.endpoint}: {error.says}")
    rest = len(record.errors) - MOST_ERRORS
    if rest > 0:
        yield Line(f"          and {count(rest, 'more kind')}")
    if record.other_errors:
        yield Line(f"  {record.other_errors:>6,}  of kinds that were not kept")
    yield Line("")


def _generators(report: LoadReport) -> Iterator[Line]:
    yield Line("generators", ("bold",))
    rows = list(generator_rows(report))
    if not rows:
        yield Line("  none reported")
    for row in rows:
        told = ", ".join(
            f"{name} {value}" for name, value in zip(GENERATOR_HEAD[1:-1], row[1:-1], strict=True)
        )
        yield Line(f"  {row[0]}: {row[-1]}; {told}")
    yield Line("")


def _fitted(text: str, width: int) -> Sequence[str]:
    """A line in pieces of at most so many columns; those that follow are indented with it."""
    text = plain(text)
    if len(text) <= width:
        return (text,)
    margin = next((place for place, char in enumerate(text) if char != " "), 0)
    return wrap(text, width, subsequent_indent=" " * (margin + 2))


def _cut(text: str, most: int) -> str:
    text = plain(text)
    return text if len(text) <= most else f"{text[: most - 1]}…"
