"""When a change starts, for how long it needs what it rests on, and until when that holds. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime

from pytest_rollout import calendar
from pytest_rollout.judge.case import instant
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.finding import Fact, Finding, Reason
from pytest_rollout.model.verdict import Verdict

Demand = Callable[[datetime], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Moment:
    """When a change starts, and how long it takes at the most."""

    now: datetime
    for_us: int = 0

    @property
    def now_us(self) -> int:
        """Its start."""
        return calendar.to_us(self.now)

    @property
    def end_us(self) -> int:
        """Its end."""
        return self.now_us + self.for_us


def passed(name: str, code: str, **facts: Fact) -> Finding:
    """A demand that is met."""
    return Finding(f"clearance.{name}", Verdict.PASS, Reason(code, facts))


def refused(name: str, code: str, **facts: Fact) -> Finding:
    """A demand that is not met."""
    return held(name, Reason(code, facts))


def held(name: str, reason: Reason) -> Finding:
    """The same, for a reason that is known."""
    return Finding(f"clearance.{name}", Verdict.MISSING, reason)


def named(finding: Finding) -> str:
    """The demand that a finding is about: ``window``, ``signatures``."""
    return finding.id.split(".")[1]


def title(finding: Finding) -> str:
    """The same as people read it, with whom it is about: ``signatures operations``."""
    return " ".join(finding.id.split(".")[1:])


def lasting(demand: Demand, moment: Moment, zone: str) -> Iterator[Finding]:
    """What a demand finds at the start of a change, and whether that holds to its end.

    The demand must be one that, once it is not met, is never met again.
    """
    for number, finding in enumerate(demand(moment.now)):
        if finding.verdict.holds_back or not moment.for_us:
            yield finding
            continue
        late = _at(demand, moment.end_us, number)
        if late is None or not late.verdict.holds_back:
            yield finding
            continue
        until_us = _last(demand, moment, number)
        facts: dict[str, Fact] = {
            "until": instant(until_us, zone),
            "for_us": moment.for_us,
            "reason": late.reason,
        }
        yield replace(late, reason=Reason("clear.not-as-long", facts))


def _at(demand: Demand, at_us: int, number: int) -> Finding | None:
    findings = list(demand(calendar.from_us(at_us)))
    return findings[number] if number < len(findings) else None


def _last(demand: Demand, moment: Moment, number: int) -> int:
    """The last instant of a change at which a demand is still met."""
    good, bad = moment.now_us, moment.end_us
    while bad - good > 1:
        middle = (good + bad) // 2
        finding = _at(demand, middle, number)
        if finding is not None and finding.verdict.holds_back:
            bad = middle
        else:
            good = middle
    return good
