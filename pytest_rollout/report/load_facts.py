"""What was offered by a load, whether it was, and what came back, in words."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_rollout.model.load import Law, Shape, ShapeKind
from pytest_rollout.model.rule import duration_words
from pytest_rollout.report.load_figures import QUANTILES, started_share
from pytest_rollout.report.load_words import LoadReport, rate_words, share_words, time_words
from pytest_rollout.report.text import count


def facts(report: LoadReport) -> list[tuple[str, str]]:
    """Return what was offered, whether it was, and what came back, by name."""
    return [*_offer(report), *_start(report), *_answers(report)]


def _offer(report: LoadReport) -> Iterator[tuple[str, str]]:
    record, profile = report.record, report.profile
    lasts = duration_words(record.duration_us)
    shape = _shape(profile.shape) if profile else ""
    if record.open_loop:
        says = f"{count(record.planned, 'arrival')} in {lasts}: {_drawn(report)}"
        says += f", {record.law.value} gaps"
    else:
        says = f"{count(record.most_users, 'user')} for {lasts}, each waits for its answer"
    yield "Planned", says + (f", {shape}" if shape else "")
    warm_up = duration_words(record.warm_up_us) if record.warm_up_us else "none"
    yield "Warm-up", f"first {warm_up}: loaded, and not judged" if record.warm_up_us else warm_up


def _drawn(report: LoadReport) -> str:
    """The rate that is asked beside the one that came out, where they are not the same."""
    profile, offered = report.profile, rate_words(report.rates.offered)
    asked = asked_rate(report)
    if profile is None or not asked or rate_words(profile.offer.rate) == offered:
        return offered
    if profile.shape.kind not in (ShapeKind.STEADY, ShapeKind.SOAK):
        return f"{asked} asked at full load; {offered} over the whole time"
    drew = "the seed drew" if report.record.law is Law.POISSON else "there were"
    return f"{asked} asked; {drew} {offered}"


def asked_rate(report: LoadReport) -> str:
    """Return the rate that the plan asks for: ``40/s``; empty where it asks for users."""
    rate = report.profile.offer.rate if report.profile else None
    if rate is None:
        return ""
    return f"{rate:,.0f}/s" if rate == round(rate) else rate_words(rate)


def _shape(shape: Shape) -> str:
    over, lasts = duration_words(shape.over_us), duration_words(shape.lasts_us)
    match shape.kind:
        case ShapeKind.RAMP:
            return f"ramp over {over}" if shape.over_us else "ramp over half of it"
        case ShapeKind.STAIRS:
            return f"stairs of {shape.steps or 4} steps"
        case ShapeKind.SPIKE:
            return f"spike of {shape.peak:g} times" + (f" for {lasts}" if shape.lasts_us else "")
        case ShapeKind.BURST:
            every = f" every {duration_words(shape.every_us)}" if shape.every_us else ""
            return f"bursts of {lasts if shape.lasts_us else '1s'}{every}"
        case _:
            return shape.kind.value


def _start(report: LoadReport) -> Iterator[tuple[str, str]]:
    record, delay = report.record, report.start_delay
    if not record.open_loop:
        yield "Started", f"{count(record.started, 'request')}: {rate_words(report.rates.started)}"
        return
    share = share_words(started_share(record))
    yield (
        "Started",
        f"{record.started:,} ({share}): {rate_words(report.rates.started)}; "
        f"{record.dropped:,} dropped",
    )
    if not delay.n:
        yield "Start delay", "none is known"
        return
    told = ", ".join(
        f"{name} {time_words(delay.at(QUANTILES[name]))}" for name in ("p50", "p99", "max")
    )
    allowed = report.profile.most_start_delay_us if report.profile else None
    yield "Start delay", told + (f" (p99 may be {time_words(allowed)})" if allowed else "")


def _answers(report: LoadReport) -> Iterator[tuple[str, str]]:
    total = report.total
    failed = f"{total.failures:,} failed ({share_words(total.failed_share)})"
    yield (
        "Answered",
        f"{count(total.requests, 'request')} after the warm-up, {failed}; "
        f"{rate_words(report.rates.answered)} without a failure",
    )
    if report.rests_on:
        yield "Rests on", report.rests_on
