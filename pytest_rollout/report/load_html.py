"""A load record as one HTML page that stands alone: no script, nothing fetched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from markupsafe import Markup

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.load import FAILED, LATENCY, THROUGHPUT
from pytest_rollout.model.verdict import Verdict
from pytest_rollout.report.html import page
from pytest_rollout.report.load import side_word
from pytest_rollout.report.load_curve import percentile_plot
from pytest_rollout.report.load_cuts import CutSeen, Side
from pytest_rollout.report.load_facts import facts
from pytest_rollout.report.load_figures import QUANTILES, Distribution
from pytest_rollout.report.load_plots import (
    NARROW,
    WIDE,
    Size,
    latency_plot,
    throughput_plot,
)
from pytest_rollout.report.load_ranges import MOST_ROWS as MOST_ROWS_DRAWN
from pytest_rollout.report.load_ranges import ranges_plot
from pytest_rollout.report.load_words import (
    CORRECTED,
    GENERATOR_HEAD,
    NO_TIMES,
    NOT_BELIEVED,
    OTHERWISE,
    UNCORRECTED,
    LoadReport,
    generator_rows,
    measured,
    ms,
    rate_words,
    record_rows,
    share_words,
    time_words,
    title,
    told_of_times,
)
from pytest_rollout.report.text import count, word

MOST_ROWS = 200  # endpoints and errors
_TONES = {  # by what stands beside a cut, the worst first
    **{word(Verdict.FAIL): "bad", Side.BEYOND.value: "bad"},
    **{word(Verdict.WAIVED): "note", word(Verdict.WARN): "note", Side.WARNED.value: "note"},
    **{word(Verdict.PASS): "good", Side.WITHIN.value: "good"},
    **{word(Verdict.NOT_APPLICABLE): "none", "not judged": "none"},
}
_RANKS = {"bad": 0, "held": 1, "note": 2, "none": 3, "good": 4}


@dataclass(frozen=True, slots=True)
class Figure:
    """A plot, drawn for a wide page and for a narrow one, or words where there is none."""

    title: str
    says: str
    wide: Markup
    narrow: Markup
    none: str  # what is said where there is nothing to draw


def to_html(report: LoadReport) -> str:
    """Return the report as HTML."""
    template, style, policy = page("load.html.j2", "plot.css", "load.css")
    errors = sorted(report.record.errors, key=lambda group: -group.count)
    return template.render(
        report=report,
        title=title(report),
        not_believed=NOT_BELIEVED,
        no_times=NO_TIMES,
        otherwise=OTHERWISE,
        tiles=list(_tiles(report)),
        facts=facts(report),
        cuts=[
            (cut_seen, side_word(report, cut_seen), _tone(report, cut_seen))
            for cut_seen in report.seen
        ],
        mark="Verdict" if report.verdicts else "Side",
        figures=list(_figures(report)),
        spread=_spread(report),
        sides=list(_sides(report)),
        quantiles=tuple(QUANTILES),
        rows=report.shown[-MOST_ROWS:],
        hidden=max(0, len(report.shown) - MOST_ROWS),
        kinds=_kinds(report),
        notes=told_of_times(report),
        ms=ms,
        share_words=share_words,
        errors=errors[:MOST_ROWS],
        more_errors=max(0, len(errors) - MOST_ROWS),
        generators=list(generator_rows(report)),
        generator_head=GENERATOR_HEAD,
        record_rows=record_rows(report),
        style=style,
        policy=policy,
    )


def _kinds(report: LoadReport) -> tuple[tuple[str, str], ...]:
    """The kinds of latency that are shown: their words and the field that holds each."""
    service = (UNCORRECTED, "service_time")
    return ((CORRECTED, "latency"), service) if report.record.open_loop else (service,)


def _sides(report: LoadReport) -> Iterator[tuple[str, str]]:
    """How many cuts have which mark, worst first; none where the record is not believed."""
    marks = Counter(
        (side_word(report, cut_seen), _tone(report, cut_seen)) for cut_seen in report.seen
    )
    for said, tone in sorted(marks, key=lambda mark: _RANKS[mark[1]]):
        if report.believed:
            yield f"{marks[said, tone]:,} {said}", tone


def _tone(report: LoadReport, cut_seen: CutSeen) -> str:
    tone = _TONES.get(side_word(report, cut_seen), "held")
    if report.is_evidence_for(cut_seen.cut) or tone not in ("good", "note"):
        return tone
    return "held"


def _tiles(report: LoadReport) -> Iterator[tuple[str, str, str, str]]:
    """The figures that are looked at first: name, value, what stands below it, and its tone."""
    latency, service = report.total.latency, report.total.service_time
    if not report.record.open_loop:
        latency = service
    failed = report.total
    for name in ("p50", "p95", "p99", "max"):
        both = report.record.open_loop and service.n
        beside = f"{_time(service, name)} {UNCORRECTED}" if both else ""
        if 2 * failed.failures > failed.requests:
            beside = (
                f"of the {count(failed.requests - failed.failures, 'answer')} that did not fail"
            )
        yield name, _time(latency, name), beside, _tile_tone(report, LATENCY, name)
    yield (
        "Failed",
        share_words(failed.failed_share),
        f"{failed.failures:,} of {failed.requests:,} requests",
        _tile_tone(report, FAILED),
    )
    offered = rate_words(report.rates.offered)
    yield (
        "Answered",
        rate_words(report.rates.answered),
        f"without a failure; offered {offered}" if report.record.open_loop else "without a failure",
        _tile_tone(report, THROUGHPUT),
    )


def _tile_tone(report: LoadReport, metric: str, take: str = "") -> str:
    """Red where a criterion on the figure fails; a failure that nobody judges is noted."""
    if not report.believed:
        return ""
    failed = report.total.failures
    about = [cut_seen for cut_seen in report.seen if cut_seen.cut.rule.metric == metric]
    tones = {
        _tone(report, cut_seen) for cut_seen in about if take in ("", cut_seen.cut.rule.take.text)
    }
    if "bad" in tones:
        return "bad"
    if metric == LATENCY and (report.of_times or 2 * failed > report.total.requests):
        return "dim"
    return "note" if metric == FAILED and failed and not about else ""


def _time(times: Distribution, name: str) -> str:
    return time_words(times.at(QUANTILES[name]))


def _figures(report: LoadReport) -> Iterator[Figure]:
    yield _figure(
        report,
        latency_plot,
        "Latency over time",
        f"A second at a time, {measured(report)}. Red: beyond a limit; grey: no answer "
        "without a failure; hatched: warm-up, of which no time counts.",
        "No request was answered in any second, so there is nothing to draw.",
    )
    yield _figure(
        report,
        throughput_plot,
        "Throughput over time",
        "What was planned, started and answered in each second.",
        "The record holds no second.",
    )
    yield _figure(
        report,
        percentile_plot,
        "Latency by percentile",
        "After the warm-up, all endpoints together. What lies between the lines is the time that "
        "arrivals had to wait before anybody asked: a closed loop does not see it."
        if report.record.open_loop
        else "After the warm-up, all endpoints together.",
        "No request was answered after the warm-up, so there is no percentile.",
    )


def _spread(report: LoadReport) -> Figure:
    """The plot above the table of endpoints."""
    says = "Dot: p50, bar: p95, end of the line: p99, thin: up to the slowest. Red: beyond a limit."
    if len(report.shown) > MOST_ROWS_DRAWN:
        says += f" The {MOST_ROWS_DRAWN} slowest."
    none = "No request was answered, so there is nothing to draw."
    return _figure(report, ranges_plot, "Latency by endpoint", says, none)


def _figure(
    report: LoadReport,
    draw: Callable[[LoadReport, Size], str],
    title: str,
    says: str,
    none: str,
) -> Figure:
    wide, narrow = (Markup(draw(report, size)) for size in (WIDE, NARROW))
    return Figure(title, says, wide, narrow, none)
