"""Whether the calendar lets a change start, and lasts until its end; what waivers lift. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pytest_rollout import calendar
from pytest_rollout.judge.case import instant
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.finding import Fact, Finding, Reason, said
from pytest_rollout.model.plan import Phase, Plan
from pytest_rollout.model.verdict import Verdict
from pytest_rollout.model.waiver import Waiver, WaiverUse, Waives, WindowDemand
from pytest_rollout.signoff.moments import Moment, held, passed, refused


def is_open(plan: Plan, phase: Phase, release: str | None, moment: Moment) -> Iterator[Finding]:
    """What the calendar says of a change, with the next opening that lasts as long as it takes."""
    facts = _facts(plan, phase, moment)
    span = (moment.now_us, max(moment.end_us, moment.now_us + 1))
    closings = calendar.closings(plan, phase, span)
    met = True
    for demand, at_us in closings.items():
        now = at_us == moment.now_us
        reason = _closed(plan, phase, demand, moment, facts)
        if not now:
            reason = _closes(plan, phase, demand, at_us, facts | {"for_us": moment.for_us})
        waivers = plan.waivers_of(Waives.WINDOW, phase.id, demand.value)
        finding = waived(plan, reason, "window", waivers, release, moment)
        yield finding
        met = met and not now and not finding.verdict.holds_back
    if met:
        yield passed("window", "clear.open", **facts)


def _facts(plan: Plan, phase: Phase, moment: Moment) -> dict[str, Fact]:
    """Now, and the next opening: in words, and its start where there is one."""
    opening = calendar.next_opening(plan, phase, moment.now, moment.for_us)
    since = max(calendar.to_us(opening.since), moment.now_us) if opening else None
    return {
        "at": instant(moment.now_us, plan.timezone),
        "opens": calendar.opening_words(plan, phase, moment.now, moment.for_us),
        "since": None if since is None else instant(since, plan.timezone),
    }


def _closed(
    plan: Plan, phase: Phase, demand: WindowDemand, moment: Moment, facts: dict[str, Fact]
) -> Reason:
    """What stands against a change at its start."""
    if demand is WindowDemand.PHASE:
        words = calendar.window_words(plan, phase)
        return Reason("clear.outside", {**facts, "window": words})
    if demand is WindowDemand.FREEZE:
        freeze = calendar.frozen(plan, moment.now, phase.risk)
        return Reason("clear.frozen", {**facts, "freeze": str(freeze)})
    return Reason("clear.not-admitted", {**facts, "risk": phase.risk})


def _closes(
    plan: Plan, phase: Phase, demand: WindowDemand, at_us: int, facts: dict[str, Fact]
) -> Reason:
    """What begins, or ends, before a change does."""
    then = {
        WindowDemand.PHASE: "its window is over",
        WindowDemand.CHANGE: "its change window is over",
        WindowDemand.FREEZE: str(calendar.frozen(plan, calendar.from_us(at_us), phase.risk)),
    }[demand]
    until = instant(at_us, plan.timezone)
    return Reason("clear.closes", {**facts, "until": until, "then": then})


def waived(
    plan: Plan,
    reason: Reason,
    name: str,
    waivers: tuple[Waiver, ...],
    release: str | None,
    moment: Moment,
) -> Finding:
    """What stands against a change, unless a waiver of it is in force until its end."""
    for waiver in waivers:
        if waiver.release not in (None, release):
            continue
        terms: dict[str, Fact] = {"reason": reason, "until": waiver.until.isoformat()}
        if over(plan, waiver, moment.now):
            return refused(name, "waiver.expired", **terms)
        if over(plan, waiver, calendar.from_us(moment.end_us)):
            return _ends(plan, name, waiver, terms, moment)
        terms |= {"approver": waiver.approver, "why": waiver.reason}
        return Finding(f"clearance.{name}", Verdict.WAIVED, Reason("waived", terms))
    return held(name, reason)


def _ends(plan: Plan, name: str, waiver: Waiver, terms: dict[str, Fact], moment: Moment) -> Finding:
    """A waiver that ends before the change does."""
    until = instant(calendar.end_of_day(waiver.until, plan.timezone), plan.timezone)
    late = Reason("waiver.expired", terms)
    return refused(name, "clear.not-as-long", until=until, for_us=moment.for_us, reason=late)


def over(plan: Plan, waiver: Waiver, now: datetime) -> bool:
    """Whether a waiver's last day is over."""
    return calendar.end_of_day(waiver.until, plan.timezone) <= calendar.to_us(now)


def waivers_kept(plan: Plan, phase: Phase, decision: Decision, now: datetime) -> Iterator[Finding]:
    """The waivers that the decision rests on must still stand, as they were."""
    for used in decision.waivers:
        if used.use is not WaiverUse.APPLIED:
            continue
        slug = used.id.rpartition(".")[2]
        stated = plan.waivers_of(Waives.CRITERION, phase.id, slug)
        same = [waiver for waiver in stated if waiver.kept(used.id, WaiverUse.APPLIED) == used]
        if not same:
            yield refused("waivers", "clear.waiver-changed", criterion=used.id)
        elif over(plan, same[0], now):
            yield refused("waivers", "clear.waiver-over", criterion=used.id, until=used.until)
        else:
            yield Finding("clearance.waivers", Verdict.PASS, said(used.words))
