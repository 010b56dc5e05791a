"""Scale: push, routing, escalation, coordination, several teams, the review, deprecations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from pytest_rollout import NoValueError, Observe, Reported
from suites.bridge.checks.told import observe_each
from suites.bridge.scenarios.raised import Helped, Raised, Rising
from suites.bridge.scenarios.scaled import Pushed, Routed
from suites.bridge.views import papers, people
from suites.bridge.views.pilots import finished
from suites.bridge.views.said import not_done
from suites.bridge.views.schemas import breaks
from suites.bridge.views.service import Bridge

pytestmark = pytest.mark.bridge_phase3

FORTNIGHT = timedelta(days=14)
TICK_S = 6.0


@pytest.mark.criterion("push-subscription")
def test_a_subscriber_gets_each_message_once(pushed: Pushed, observe: Observe) -> None:
    """Also what came while the line was broken; and nothing that is for another alone."""
    problems = {}
    for number, seq in enumerate(pushed.posted):
        came = pushed.pushed.count(seq)
        text = pushed.texts.get(seq)
        problems[f"message {seq}"] = (
            f"it came {came} times"
            if came != 1
            else ""
            if text == f"pushed {number}"
            else f"it says {text!r}"
        )
    observe_each(observe, "push_missing_or_twice", problems)
    assert list(pushed.pushed) == sorted(pushed.pushed), f"they came as {pushed.pushed}"
    assert pushed.hidden not in pushed.pushed, "a message for another agent was pushed"
    assert pushed.strangers == 404, f"who is no member is answered {pushed.strangers}"


@pytest.mark.criterion("advanced-routing")
def test_rules_choose_who_gets_a_message(
    routed: Mapping[str, Routed | int], observe: Observe
) -> None:
    problems = {
        case: ("" if told == 400 else f"it is answered {told}")
        if isinstance(told, int)
        else route_problem(told)
        for case, told in routed.items()
    }
    observe_each(observe, "routed_wrongly", problems)


def route_problem(routed: Routed) -> str:
    """What is wrong with who got a message; empty where those it is for did, and nobody else."""
    if routed.told != routed.wanted:
        return f"it went to {sorted(routed.told)}, not to {sorted(routed.wanted)}"
    odd = routed.readers ^ routed.wanted
    return f"{sorted(odd)} should not read it, or cannot" if odd else ""


@pytest.mark.criterion("escalation-policies")
def test_escalations_rise_until_somebody_handles_them(rising: Rising, observe: Observe) -> None:
    """Each level in its time and once, whom the policy names; none after it was handled."""
    longest = max((after_s for _, _, after_s in rising.policy), default=0)
    if len(rising.policy) < 3:
        not_done(f"the policy has {len(rising.policy)} levels", "state three")
    whole = [
        escalation
        for escalation in rising.escalations
        if open_for(escalation, rising) > longest + TICK_S
    ]
    short = [escalation for escalation in rising.escalations if escalation.handled is not None]
    if not whole or not short:
        not_done("no escalation was left alone, or none was handled in between", "rehearse both")
    problems = {
        f"{escalation.id}, level {level}": level_problem(escalation, rising, level, to, after_s)
        for escalation in rising.escalations
        for level, to, after_s in rising.policy
    }
    observe_each(observe, "escalation_rule_broken", problems)


def open_for(raised: Raised, rising: Rising) -> float:
    """For how many seconds nobody handled it."""
    return ((raised.handled or rising.now) - raised.opened).total_seconds()


def level_problem(raised: Raised, rising: Rising, level: int, to: str, after_s: float) -> str:
    """What is wrong with a level of an escalation; empty where it was reached as stated."""
    reached = [step for step in raised.levels if step[0] == level]
    waited = open_for(raised, rising)
    if waited < after_s:
        return "it was reached too early, or after it was handled" if reached else ""
    if not reached:
        return f"it was not reached within {waited:.0f} s" if waited > after_s + TICK_S else ""
    if len(reached) > 1 or reached[0][1] != to:
        return f"it reached {[step[1] for step in reached]}, not {to}"
    late = (reached[0][2] - raised.opened).total_seconds() - after_s
    return "" if 0 <= late <= TICK_S else f"it came {late:.0f} s late"


@pytest.mark.criterion("coordinator-helpers")
def test_helpers_help_within_their_rights(helped: Helped, observe: Observe) -> None:
    observe_each(observe, "helper_wrong", helped.problems)


@pytest.mark.criterion("multi-team-usage")
def test_teams_use_it(
    threads: Sequence[Reported], bridge: Bridge, today: datetime, observe: Observe
) -> None:
    """A team counts that opened a thread in the last fourteen days, in which two agents wrote."""
    recent = [
        thread
        for thread in threads
        if thread.get("team") and today - FORTNIGHT <= thread.moment("created_at") <= today
    ]
    teams = finished(recent, bridge, "team")
    if not teams:
        not_done("no team finished a thread in the last fourteen days", "see who uses it")
    for team, count in sorted(teams.items()):
        observe("team_active", 1, team=team, threads=count)


@pytest.mark.criterion("prr-passed")
def test_the_review_passed(records: Path, revision: str, today: datetime) -> None:
    reviews = people.signed(records, "production-readiness-review")
    if not reviews:
        raise NoValueError("no production readiness review is on record; hold it")
    people.demand_yes(reviews[-1], revision, today, None)
    still = [
        finding.text("id")
        for finding in reviews[-1].each("findings")
        if finding["closed"] is not True
    ]
    assert not still, f"{', '.join(still)} of its findings are open"


@pytest.mark.criterion("deprecation-window")
def test_what_breaks_has_a_window(
    repository: Path,
    schema: Mapping[str, Any],
    deprecated_asked: Mapping[str, Sequence[tuple[int, str, str]]],
    today: datetime,
    observe: Observe,
) -> None:
    """What is gone since the release before had its window; what is deprecated still works."""
    listed = {
        deprecation.text("operation"): deprecation
        for deprecation in papers.structured(repository, papers.DEPRECATIONS).each("deprecations")
    }
    before = papers.structured(repository, papers.SCHEMA_BEFORE)
    problems = {
        name: "" if not broken else window_problem(listed.get(name), today, over=True, of=broken)
        for name, broken in breaks(before, schema).items()
    }
    for name, entry in listed.items():
        problems[f"deprecated {name}"] = still_works(name, entry, deprecated_asked, today)
    observe_each(observe, "breaking_without_window", problems)
    marked = {
        f"{method.upper()} {path}"
        for path, item in schema["paths"].items()
        for method, said in item.items()
        if isinstance(said, dict) and said.get("deprecated")
    }
    silent = sorted(marked - set(listed))
    assert not silent, f"{silent} are deprecated, and not in the register"


def window_problem(entry: Reported | None, moment: datetime, *, over: bool, of: str = "") -> str:
    """What is wrong with a window; empty where it was published, and lasted (or lasts)."""
    if entry is None:
        return f"{of}, and no window was published"
    announced, ends = (date.fromisoformat(entry.text(name)[:10]) for name in ("announced", "ends"))
    if (ends - announced).days < 28:
        return f"its window is {(ends - announced).days} days long"
    if not entry.text("replacement").strip():
        return "nothing is said to take its place"
    if over and ends >= moment.date():
        return f"{of}, and its window lasts until {ends}"
    return "" if announced <= moment.date() else f"it is announced on {announced}, to come"


def still_works(
    name: str,
    entry: Reported,
    asked: Mapping[str, Sequence[tuple[int, str, str]]],
    moment: datetime,
) -> str:
    """What is wrong with a deprecated operation; empty where it works and says until when."""
    problem = window_problem(entry, moment, over=False)
    if problem or date.fromisoformat(entry.text("ends")[:10]) < moment.date():
        return problem
    for status, deprecation, sunset in asked.get(name, [(0, "", "")]):
        if not 200 <= status < 300:
            return f"in its window it is answered {status or 'by nobody: the suite never asks it'}"
        if not (deprecation and sunset):
            return "its answer does not say that it is deprecated"
        said, ends = day_of(sunset), entry.text("ends")[:10]
        if said != ends:
            return f"its answer says that it ends on {said}, the register {ends}"
    return ""


def day_of(sunset: str) -> str:
    """The day that a header names, as the standard writes it or as the register does."""
    try:
        return parsedate_to_datetime(sunset).date().isoformat()
    except ValueError:
        return sunset[:10]
