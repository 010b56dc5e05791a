"""`rollout load … --load ID`: one load alone, and its figures."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from pytest_rollout.cli.ending import ended_by_signal
from pytest_rollout.cli.project import Project, print_json
from pytest_rollout.cli.saying import say
from pytest_rollout.load import honesty
from pytest_rollout.load.alone import make_alone
from pytest_rollout.model.coding import encode
from pytest_rollout.model.errors import RolloutError, UnknownNameError
from pytest_rollout.model.finding import Reason
from pytest_rollout.model.load import LoadProfile, LoadRecord
from pytest_rollout.model.plan import Plan
from pytest_rollout.model.verdict import Answer
from pytest_rollout.plan.reader import nearest
from pytest_rollout.report import sentences
from pytest_rollout.report.load import to_terminal
from pytest_rollout.report.load_cuts import cuts_of
from pytest_rollout.report.load_figures import QUANTILES, EndpointFigures
from pytest_rollout.report.load_follow import LINE_EVERY_S, Drawing
from pytest_rollout.report.load_live import live, live_line
from pytest_rollout.report.load_words import LoadReport


class _View:
    """Shows a load while it is made: drawn anew on a terminal, elsewhere a line now and then."""

    def __init__(self) -> None:
        self._drawn = Drawing(sys.stderr) if sys.stderr.isatty() else None
        self._said_s = time.monotonic()

    def show(self, report: LoadReport) -> None:
        """Show how far the load is."""
        if self._drawn:
            self._drawn.show(live(report, self._drawn.width))
        elif time.monotonic() - self._said_s >= LINE_EVERY_S:
            self._said_s = time.monotonic()
            say(live_line(report), err=True)


def one_load(project: Project, plans: Sequence[Plan], load: str, *, as_json: bool) -> int:
    """Make one load of the plans and say what it came to; return the exit status."""
    stating = [plan for plan in plans if plan.load(load)]
    if not stating:
        known = sorted({stated.id for plan in plans for stated in plan.loads})
        why = f"no such load: `{load}` ({nearest(load, known)})"
        raise UnknownNameError(why, "load", load, known)
    if len(stating) > 1:
        names = " and ".join(plan.id for plan in stating)
        raise RolloutError(f"{names} both state a load {load}: name one, as {stating[0].id}.PHASE")
    (plan,) = stating
    stated = plan.load(load)
    assert stated is not None
    profile = stated.rehearsed()
    view = _View()
    with ended_by_signal():
        record = make_alone(
            plan,
            profile,
            project.root,
            lambda part: None if as_json else view.show(_report(plan, profile, part)),
        )
    doubts, of_times = honesty.doubts(profile, record), honesty.doubts_of_times(record)
    report, reasons = _report(plan, profile, record, doubts, of_times), (*doubts, *of_times)
    if as_json:
        print_json(_data(plan, report, reasons))
    else:
        for line in to_terminal(report):
            say(line.text)
    return Answer.HOLD.exit_status if reasons else 0


def _report(
    plan: Plan,
    profile: LoadProfile,
    record: LoadRecord,
    doubts: Sequence[Reason] = (),
    of_times: Sequence[Reason] = (),
) -> LoadReport:
    in_words = _said(plan)
    cuts, place = cuts_of(plan, profile.id), f"{plan.id}, alone; judged by no gate"
    return LoadReport(
        record,
        profile,
        tuple(map(in_words, doubts)),
        cuts,
        place,
        zone=plan.timezone,
        of_times=tuple(map(in_words, of_times)),
    )


def _data(plan: Plan, report: LoadReport, reasons: Sequence[Reason]) -> dict[str, Any]:
    record = report.record
    return {
        "plan": plan.id,
        "load": record.profile,
        "believed": not reasons,
        "doubts": [encode(reason, said=_said(plan)) for reason in reasons],
        "planned": record.planned,
        "started": record.started,
        "endpoints": [_endpoint(endpoint) for endpoint in report.endpoints],
    }


def _said(plan: Plan) -> Callable[[Reason], str]:
    return lambda reason: sentences.text(reason, plan.timezone)


def _endpoint(endpoint_figures: EndpointFigures) -> dict[str, Any]:
    """One endpoint: times are microseconds, those of latency from the planned start."""
    times = {"latency": endpoint_figures.latency, "service_time": endpoint_figures.service_time}
    return {
        "name": endpoint_figures.name,
        "requests": endpoint_figures.requests,
        "failures": endpoint_figures.failures,
        **{
            f"{kind}_us": {name: histogram.at(QUANTILES[name]) for name in QUANTILES}
            for kind, histogram in times.items()
        },
    }
