"""`rollout trend`: a criterion's figure over the nights; a remark, never a verdict."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from pytest_rollout.cli.names import CRITERION
from pytest_rollout.cli.project import Project, common, environment_option, parsed, print_json
from pytest_rollout.cli.real_environment import environment_of
from pytest_rollout.cli.saying import say
from pytest_rollout.cli.trend_rows import Pinned, Row, pinned_of, refuted, rows_of
from pytest_rollout.evidence.figures_by_run import figures_by_run
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.load.change_points import ChangePoint, ChangePointError, change_points
from pytest_rollout.model.errors import RolloutError, UnknownNameError
from pytest_rollout.model.finding import Labels
from pytest_rollout.model.plan import Address, Criterion
from pytest_rollout.model.verdict import Verdict
from pytest_rollout.plan.reader import nearest
from pytest_rollout.report import trend_plot
from pytest_rollout.report.fact_words import count
from pytest_rollout.report.trend_plot import (
    TrendBand,
    TrendCut,
    TrendMark,
    TrendPoint,
    trend_line,
)
from pytest_rollout.soundness.nightly import finds

_FEWEST = 12  # values with which it is worth looking for change points


@dataclass(frozen=True)
class _Trend:
    """The trend of one group."""

    criterion: Criterion
    group: Labels
    rows: Sequence[Row]
    pinned: Pinned | None
    changes: Sequence[ChangePoint]
    silent: str  # why no change points were looked for

    @property
    def known(self) -> list[Row]:
        return [row for row in self.rows if row.value is not None]

    @property
    def name(self) -> str:
        return ", ".join(f"{label} {value}" for label, value in self.group)


@click.command("trend")
@click.argument("criterion", type=CRITERION)
@click.option("--svg", metavar="FILE", help="also draw it; of several groups FILE-1.svg and so on")
@click.option("--width", type=click.IntRange(40, 400), default=100, help="columns of a line")
@environment_option
@common
def command(
    criterion: str,
    svg: str | None,
    width: int,
    environment: str | None,
    root: str | None,
    ledger: str | None,
    *,
    as_json: bool,
) -> int:
    """Show the figure of CRITERION (plan.phase.slug) over all runs, the noise and what changed.

    Change points are found by Apache Otava where it is installed. They are a remark: what decides
    is the criterion's own rule.
    """
    project = Project.here(root, ledger)
    phase_name, _, slug = criterion.rpartition(".")
    if "." not in phase_name:
        why = f"{criterion!r} is not plan.phase.criterion"
        raise RolloutError(why, code="address", address=criterion)
    address = parsed(phase_name)
    plan, phase = project.plan(address.plan), project.phase(address)
    stated = next((criterion for criterion in phase.criteria if criterion.id == slug), None)
    if stated is None:
        known = [criterion.id for criterion in phase.criteria]
        why = f"{address.name} has no criterion `{slug}` ({nearest(slug, known)})"
        raise UnknownNameError(why, "criterion", slug, known)
    if stated.rule is None:
        raise RolloutError(f"{criterion} judges no series, so it has no trend")
    where = environment_of(plan, environment)
    gate = Address(plan.id, phase.id, stated.gate)
    figures = figures_by_run(project.ledger, gate, where)
    trends = [_of(stated, *item) for item in rows_of(plan, stated, figures).items()]
    if svg:
        _draw(trends, Path(svg), criterion)
    if as_json:
        print_json(
            {"criterion": criterion, "environment": where, "trends": list(map(_data, trends))}
        )
        return 0
    say(f"{criterion} in {where}: {count(len(figures), 'run')} known")
    for trend in trends:
        for line in _lines(trend, width):
            say(line)
    return 0


def _of(stated: Criterion, group: Labels, rows: Sequence[Row]) -> _Trend:
    assert stated.rule is not None
    values = [row.value for row in rows if row.value is not None]
    changes: Sequence[ChangePoint] = ()
    silent = ""
    if len(values) < _FEWEST:
        silent = f"{len(values)} values are too few to look for change points"
    else:
        try:
            changes = change_points(values)
        except ChangePointError as error:
            silent = f"no change points were looked for: {error}"
    return _Trend(stated, group, rows, pinned_of(stated.rule, rows), changes, silent)


def _points(trend: _Trend) -> list[TrendPoint]:
    changed = {id(trend.known[change.index]) for change in trend.changes}
    cleared = set(refuted(trend.rows))
    return [
        TrendPoint(row.at, row.value, marks=tuple(_marks(row, changed, cleared)), says=_says(row))
        for row in trend.rows
    ]


def _marks(row: Row, changed: set[int], cleared: set[str]) -> Iterator[TrendMark]:
    if id(row) in changed:
        yield TrendMark.CHANGE
    if row.verdict is Verdict.FAIL:
        yield TrendMark.ALARM
    if row.code == "nightly.worse":
        yield TrendMark.CONFIRMED
    if row.run in cleared:
        yield TrendMark.REFUTED


def _says(row: Row) -> str:
    release = f"release {row.release}, " if row.release else ""
    return f"{release}run {row.run}" + (f": {row.why}" if row.why else "")


def _band(trend: _Trend) -> TrendBand | None:
    if trend.pinned is None or trend.criterion.rule is None or trend.criterion.rule.versus is None:
        return None
    low, high = trend.pinned.band
    return TrendBand(
        low, high, trend.pinned.middle, f"release {trend.criterion.rule.versus.release}"
    )


def _cut(trend: _Trend) -> TrendCut | None:
    """The limit that the plan states; of a nightly rule its margin."""
    rule = trend.criterion.rule
    assert rule is not None
    passes = rule.bands.passes
    limit = float(passes.limit)
    if rule.versus is not None and trend.pinned is None:
        return None
    if trend.pinned is not None:
        limit *= trend.pinned.middle
    return TrendCut(limit, not passes.upward, f"pass {passes.text}")


def _draw(trends: Sequence[_Trend], path: Path, label: str) -> None:
    for number, trend in enumerate(trends, 1):
        named = path if len(trends) == 1 else path.with_name(f"{path.stem}-{number}{path.suffix}")
        name = " ".join(filter(None, (label, trend.name)))
        drawn = trend_plot.trend(
            _points(trend), _band(trend), _cut(trend), label=name, standalone=True
        )
        named.write_text(drawn, encoding="utf-8")


def _lines(trend: _Trend, width: int) -> Iterator[str]:
    rule = trend.criterion.rule
    assert rule is not None
    name = f"{trend.name}: " if trend.name else ""
    yield f"  {name}{trend_line(_points(trend), _band(trend), width - 2 - len(name))}"
    if trend.pinned is not None and rule.nightly is not None:
        noise = f"{100 * math.expm1(trend.pinned.apart):.2g} %"
        yield (
            f"  noise floor: {trend.pinned.base.percent:.2g} % from night to night, {noise} by "
            f"{trend.pinned.pairs} A/A pairs of neighbouring nights"
        )
        yield f"  {finds(rule.nightly, trend.pinned.base)}"
    for change in trend.changes:
        row = trend.known[change.index]
        size = 100 * (change.after / change.before - 1) if change.before else math.nan
        yield (
            f"  change point (a remark): from {row.at} on {change.after:.4g}, before "
            f"{change.before:.4g} ({size:+.1f} %), run {row.run}"
        )
    if trend.silent:
        yield f"  {trend.silent}"


def _data(trend: _Trend) -> dict[str, Any]:
    pinned = trend.pinned
    return {
        "group": dict(trend.group),
        "runs": [
            {
                "at": row.at,
                "run": row.run,
                "release": row.release,
                "value": row.value,
                "verdict": row.verdict.value if row.verdict else None,
                "reason": row.code or None,
                "why": row.why or None,
            }
            for row in trend.rows
        ],
        "pinned": None
        if pinned is None
        else {
            "nights": pinned.base.n,
            "middle": pinned.middle,
            "noise": pinned.base.noise,
            "noise_of_pairs": pinned.apart,
            "common": pinned.base.shared,
        },
        "change_points": [
            {"run": trend.known[change.index].run, "before": change.before, "after": change.after}
            for change in trend.changes
        ],
        "silent": trend.silent or None,
    }
