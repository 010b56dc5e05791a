"""A load record as markdown: whether it is to be believed comes first."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_rollout.report.escaping import code as _code
from pytest_rollout.report.escaping import item as _item
from pytest_rollout.report.escaping import plain as _plain
from pytest_rollout.report.escaping import row as _row
from pytest_rollout.report.escaping import table as _table
from pytest_rollout.report.load import side_word
from pytest_rollout.report.load_facts import facts
from pytest_rollout.report.load_figures import QUANTILES, Distribution, EndpointFigures
from pytest_rollout.report.load_words import (
    CORRECTED,
    GENERATOR_HEAD,
    NO_TIMES,
    NOT_BELIEVED,
    NOTHING,
    OTHERWISE,
    UNCORRECTED,
    LoadReport,
    generator_rows,
    ms,
    record_rows,
    title,
    told_of_times,
)

MOST_ROWS = 100  # endpoints and errors


def to_markdown(report: LoadReport) -> str:
    """Return the report as markdown."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: LoadReport) -> Iterator[str]:
    yield from (f"# {_plain(title(report))}", "")
    if not report.believed:
        yield f"> **{NOT_BELIEVED}.** Nothing below is a figure of the target."
        yield ">"
        yield from (f"> - {_item(reason)}" for reason in report.reasons)
        yield ""
    elif report.of_times:
        yield from (f"> **{NO_TIMES}.** {OTHERWISE}", ">")
        yield from (f"> - {_item(reason)}" for reason in report.of_times)
        yield ""
    yield from (f"- {name}: {_plain(value)}" for name, value in facts(report))
    yield from _latencies(report)
    yield from _cuts(report)
    yield from _errors(report)
    yield from _generators(report)
    yield from ("", "## For the record", "")
    yield from (f"- {name}: {_code(value)}" for name, value in record_rows(report))


def _latencies(report: LoadReport) -> Iterator[str]:
    yield from ("", "## Latency in ms", "")
    if not report.endpoints:
        yield "No request was made, so there is no latency."
        return
    yield from _table("Endpoint", "Requests", "Failed", "Measured", *QUANTILES)
    shown = report.shown[-MOST_ROWS:]
    for endpoint_figures in shown:
        name = _code(endpoint_figures.name) if endpoint_figures.name else "**all together**"
        counts = (f"{endpoint_figures.requests:,}", f"{endpoint_figures.failures:,}")
        if report.record.open_loop:
            yield _row(
                name, *counts, CORRECTED, *_times(endpoint_figures, endpoint_figures.latency)
            )
            yield _row(
                "", "", "", UNCORRECTED, *_times(endpoint_figures, endpoint_figures.service_time)
            )
        else:
            yield _row(
                name, *counts, UNCORRECTED, *_times(endpoint_figures, endpoint_figures.service_time)
            )
    if len(shown) < len(report.shown):
        yield from ("", f"And {len(report.shown) - len(shown):,} more endpoints in the record.")
    for note in told_of_times(report):
        yield from ("", note)


def _times(endpoint_figures: EndpointFigures, times: Distribution) -> tuple[str, ...]:
    if not times.n:
        return ("no answer was timed", *[NOTHING] * (len(QUANTILES) - 1))
    return tuple(map(ms, times.spread()))


def _cuts(report: LoadReport) -> Iterator[str]:
    yield from ("", "## Criteria that read it", "")
    if not report.seen:
        yield "No criterion reads this load."
        return
    yield from ("The verdicts are the gate's; this is what the record comes to.", "")
    yield from _table(
        "Criterion", "Taken", "Seen", "Asked", "Values", "Verdict" if report.verdicts else "Side"
    )
    for cut_seen in report.seen:
        taken = cut_seen.what + (f" of {cut_seen.endpoint}" if cut_seen.endpoint else "")
        cells = (
            _plain(taken),
            _plain(cut_seen.said),
            _plain(cut_seen.cut.cut.text),
            f"{cut_seen.n:,}",
        )
        yield _row(_code(cut_seen.cut.criterion), *cells, side_word(report, cut_seen))


def _errors(report: LoadReport) -> Iterator[str]:
    record = report.record
    if not record.errors and not record.other_errors:
        return
    yield from ("", "## Errors", "", *_table("Count", "Endpoint", "What it says"))
    errors = sorted(record.errors, key=lambda group: -group.count)
    for error in errors[:MOST_ROWS]:
        yield _row(f"{error.count:,}", _code(error.endpoint), _plain(error.says))
    if len(errors) > MOST_ROWS:
        yield from ("", f"And {len(errors) - MOST_ROWS:,} more kinds in the record.")
    if record.other_errors:
        yield from ("", f"And {record.other_errors:,} failures of kinds that were not kept.")


def _generators(report: LoadReport) -> Iterator[str]:
    yield from ("", "## Generators", "")
    rows = list(generator_rows(report))
    if not rows:
        yield "None reported."
        return
    yield from _table(*GENERATOR_HEAD)
    yield from (_row(_plain(row[0]), *map(_plain, row[1:])) for row in rows)
