"""A load that is under way, as a few lines of a terminal, and as one line of a log; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from math import floor

from pytest_rollout.model.load import THROUGHPUT, LoadRecord, LoadSecond
from pytest_rollout.report.load_cuts import CutSeen, LoadCut, Side, all_seen
from pytest_rollout.report.load_facts import asked_rate
from pytest_rollout.report.load_figures import QUANTILES, SECOND_US
from pytest_rollout.report.load_words import (
    LoadReport,
    rate_words,
    share_words,
    time_words,
)
from pytest_rollout.report.terminal import Line
from pytest_rollout.report.terminal_text import plain
from pytest_rollout.report.text import count

LAST = 5  # seconds that the present is told from
MOST_CUTS = 8
_BAR = 10
_WIDE = 60
_MARKS = "▁▂▃▄▅▆▇█"
_SIDES = {
    Side.WITHIN: "within so far",
    Side.WARNED: "within, but warned of",
    Side.BEYOND: "beyond so far",
    Side.FEW: "too few so far",
    Side.UNTOLD: "decided at the end",
}


def live(report: LoadReport, width: int = 80) -> list[Line]:
    """Return the lines of a load whose record so far is given; none is longer than the width."""
    lines = [_head(report), *_offered(report), *_answered(report, width)]
    lines += _cuts(report, width)
    lines += (Line(f"  {says}", ("red",)) for says in _warnings(report))
    return [Line(_fit(line.text, width), line.styles) for line in lines]


def live_line(report: LoadReport) -> str:
    """Return the load so far as one line, for a log."""
    record, last = report.record, last_seconds(report.record)
    cuts = _seen(report)
    p95 = report.total.latency.at(QUANTILES["p95"])
    warned = "".join(f"; {says}" for says in _warnings(report))
    return plain(
        f"load {record.profile}: {_clock(_elapsed_us(record))} of {_clock(record.duration_us)}, "
        f"{_users(last)} users, started {rate_words(_rate(last, 'started'))} of "
        f"{rate_words(_rate(last, 'planned'))} planned{_asked(report)}, p95 {time_words(p95)}, "
        f"{report.total.failures:,} of {report.total.requests:,} failed{_counted(cuts)}{warned}"
    )


def _asked(report: LoadReport) -> str:
    asked = asked_rate(report)
    return f" ({asked} asked)" if asked else ""


def _counted(cuts: Sequence[CutSeen]) -> str:
    """How many cuts are on which side, with those that tell nothing yet."""
    if not cuts:
        return ""
    beyond = sum(cut_seen.side is Side.BEYOND for cut_seen in cuts)
    few = sum(cut_seen.side is Side.FEW for cut_seen in cuts)
    later = sum(cut_seen.side is Side.UNTOLD for cut_seen in cuts)
    says = f", {beyond} of {count(len(cuts), 'cut')} beyond so far"
    says += f", {few} too few so far" if few else ""
    return says + (f", {later} decided at the end" if later else "")


def last_seconds(record: LoadRecord) -> tuple[LoadSecond, ...]:
    """Return the newest whole seconds: the one that is under way would tell too little."""
    over = floor(_elapsed_us(record) / SECOND_US)
    return tuple(second for second in record.seconds if over - LAST <= second.second < over)


def _elapsed_us(record: LoadRecord) -> int:
    return max(0, record.ended_us - record.started_us)


def _head(report: LoadReport) -> Line:
    record = report.record
    elapsed = _elapsed_us(record)
    left = record.duration_us - elapsed
    says = f"load {record.profile}: {_clock(elapsed)} of {_clock(record.duration_us)}, "
    says += f"{_clock(left)} left" if left > 0 else "waiting for the last answers"
    if elapsed < record.warm_up_us:
        says += f"; warm-up for {_clock(record.warm_up_us - elapsed)} more"
    return Line(says, ("bold",))


def _offered(report: LoadReport) -> Iterator[Line]:
    record, last = report.record, last_seconds(report.record)
    rates = ", ".join(
        f"{name} {rate_words(_rate(last, name))}" for name in ("planned", "started", "answered")
    )
    yield Line(f"  now       {_users(last)} users; {rates} (last {LAST} s)")
    if record.open_loop:
        late = time_words(report.start_delay.at(QUANTILES["p99"]))
        share = share_words(record.started / record.planned if record.planned else None)
        yield Line(
            f"  offered   {record.started:,} of {record.planned:,} planned started ({share}), "
            f"p99 {late} late{_asked(report)}"
        )


def _answered(report: LoadReport, width: int) -> Iterator[Line]:
    record, total, last = report.record, report.total, last_seconds(report.record)
    failed = sum(load_second.failed for load_second in last)
    yield Line(
        f"  failed    {total.failures:,} of {total.requests:,} "
        f"({share_words(total.failed_share)}); {failed:,} in the last {LAST} s",
        ("red",) if failed else (),
    )
    recent = max(
        (load_second.p95_us for load_second in last if load_second.p95_us is not None), default=None
    )
    p95 = total.latency.at(QUANTILES["p95"])
    yield Line(
        f"  p95       {time_words(p95)} since the warm-up; "
        f"{time_words(recent)} in the worst of the last {LAST} s"
    )
    drawn = sparkline([second.p95_us for second in record.seconds], max(10, width - 36))
    if drawn:
        yield Line(f"  p95 a second  {drawn}")


def _cuts(report: LoadReport, width: int) -> Iterator[Line]:
    cuts = _seen(report)
    for cut_seen in cuts[:MOST_CUTS]:
        styles = ("red",) if cut_seen.side is Side.BEYOND else ()
        bar = f"{_bar(cut_seen):<{_BAR}} " if width >= _WIDE else ""
        of = f" of {cut_seen.endpoint}" if cut_seen.endpoint else ""
        said = f"  {cut_seen.said:>9} {cut_seen.cut.cut.text:<9} {bar}"
        yield Line(f"{said}{cut_seen.what}{of}: {_SIDES[cut_seen.side]}", styles)
    rest = len(cuts) - MOST_CUTS
    if rest > 0:
        yield Line(f"  and {rest} more cuts")


def _seen(report: LoadReport) -> tuple[CutSeen, ...]:
    """The cuts with what was seen so far: seconds that are still to come had no answer yet.

    Where a rule asks for a confidence, the side is that of what was seen: nothing is decided yet.
    """
    record = report.record
    over = min(record.duration_us, _elapsed_us(record) // SECOND_US * SECOND_US)
    until = replace(record, duration_us=over)
    return tuple(
        cut_seen
        for cut in report.cuts
        for cut_seen in all_seen(until if cut.rule.metric == THROUGHPUT else record, [_sure(cut)])
    )


def _sure(cut: LoadCut) -> LoadCut:
    return replace(cut, rule=replace(cut.rule, confidence=None))


def _bar(cut_seen: CutSeen) -> str:
    """How much of its limit a value takes, where small is good."""
    limit = cut_seen.cut.cut.limit
    if cut_seen.value is None or limit <= 0 or cut_seen.cut.cut.upward:
        return ""
    filled = min(_BAR, round(_BAR * cut_seen.value / limit))
    return "█" * filled + "·" * (_BAR - filled)


def _warnings(report: LoadReport) -> Iterator[str]:
    """What already takes from the record that it can be believed."""
    most = report.profile.most_start_delay_us if report.profile else None
    late = report.start_delay.at(QUANTILES["p99"])
    if most is not None and late is not None and late > most:
        yield f"arrivals start late: p99 {time_words(late)}, allowed {time_words(most)}"
    yield from report.doubts


def sparkline(values: Sequence[float | None], width: int) -> str:
    """Return values as marks of eight heights, at most so many; each is the largest of its part.

    Where there is no value stands a space.
    """
    known = [value for value in values if value is not None]
    if not known or width < 1:
        return ""
    parts = min(width, len(values))
    edges = [len(values) * part // parts for part in range(parts + 1)]
    low, high = min(known), max(known)
    drawn = ""
    for start, end in pairwise(edges):
        inside = [value for value in values[start:end] if value is not None]
        height = (max(inside) - low) / (high - low) if inside and high > low else 0
        drawn += _MARKS[round(height * (len(_MARKS) - 1))] if inside else " "
    return drawn


def _users(last: Sequence[LoadSecond]) -> int:
    return last[-1].users if last else 0


def _rate(last: Sequence[LoadSecond], name: str) -> float | None:
    return sum(getattr(load_second, name) for load_second in last) / len(last) if last else None


def _clock(us: int) -> str:
    seconds = round(us / SECOND_US)
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def _fit(text: str, width: int) -> str:
    text = plain(text)
    return text if len(text) <= width else f"{text[: max(0, width - 1)]}…"
