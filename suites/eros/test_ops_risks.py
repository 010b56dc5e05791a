"""The risks of the plan, and the weekly summary."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction

import httpx
import pytest

from pytest_rollout import Message, Observe, Reported
from suites.eros.scenarios.risks import Days, Drafted, Hung
from suites.eros.scenarios.summaries import Summaries
from suites.eros.views import figures, oracle
from suites.eros.views.alarms import LEADERSHIP
from suites.eros.views.journal import Run
from suites.eros.views.said import not_done

pytestmark = pytest.mark.alerting_ops


@pytest.mark.criterion("risk-invalid-schedules")
def test_an_invalid_schedule_is_found_in_shadow_mode(bad_drafts: Drafted, observe: Observe) -> None:
    shadows = [draft for draft in bad_drafts.drafts if draft.text("run_id") in bad_drafts.shadows]
    bad = [(draft, bad_drafts.broken(draft)) for draft in shadows]
    invalid = [(draft, broken) for draft, broken in bad if broken]
    missing = set(oracle.RULES) - {rule for _, broken in invalid for rule in broken}
    if missing:
        not_done(f"no draft of v5 breaks {', '.join(sorted(missing))}", "rehearse it")
    for draft, broken in invalid:
        pair = bad_drafts.pairs.get(draft.text("run_id"))
        told = pair is not None and pair.flag("regression")
        right = draft.text("gate") == "reject" and set(draft["violations"]) == set(broken)
        observe("invalid_undetected", not (told and right), breaks=", ".join(broken))
    if bad_drafts.told:
        due = sorted(sorted(rules) for rules in bad_drafts.told if rules)
        done = sorted(sorted(broken) for _, broken in invalid)
        assert done == due, f"drafts were to break {due}, by the rules they break {done}"


@pytest.mark.criterion("risk-invalid-schedules")
def test_a_valid_schedule_is_let_through(bad_drafts: Drafted) -> None:
    good = [draft for draft in bad_drafts.drafts if not bad_drafts.broken(draft)]
    assert good, "no draft of v5 keeps the rules"
    wrong = [draft.text("run_id") for draft in good if draft.text("gate") != "pass"]
    assert not wrong, f"{len(wrong)} valid drafts were rejected: {wrong[0]}"


@pytest.mark.criterion("risk-invalid-schedules")
def test_what_is_delivered_is_valid_and_lacks_nothing_else(bad_drafts: Drafted) -> None:
    if not bad_drafts.delivered:
        not_done("v5 has delivered nothing", "let it serve")
    for schedule, draft in bad_drafts.delivered:
        items, drafted = schedule.each("schedule"), draft.each("draft")
        creator = bad_drafts.roster[schedule.text("creator")]
        broken, run = oracle.broken(items, creator), schedule.text("run_id")
        assert not broken, f"{creator['name']} got what breaks {', '.join(broken)} (run {run})"
        assert oracle.within(items, drafted, creator), f"{run} drafted other items than it delivers"
        lost = oracle.lost(items, drafted, creator)
        assert not lost, f"of what {run} drafted {lost} items are lost that break no rule"
    rules = {rule for _, draft in bad_drafts.delivered for rule in bad_drafts.broken(draft)}
    missing = sorted(set(oracle.RULES) - rules)
    assert not bad_drafts.told or not missing, f"no run was delivered that broke {missing}"


@pytest.mark.criterion("risk-instant-rollback")
def test_the_next_decision_is_for_v4(slow_runs: Sequence[int], observe: Observe) -> None:
    for decisions in slow_runs:
        observe("decisions_to_effect", decisions)


@pytest.mark.criterion("risk-no-data-loss")
def test_each_creator_has_a_schedule_each_day(served_days: Days, observe: Observe) -> None:
    if not served_days.failed:
        not_done("no run of v5 failed on these days", "rehearse it: nothing had to be made good")
    if not served_days.served:
        not_done("no day has passed", "wait for one")
    for name in served_days.names:
        without = [day for day, names in served_days.served.items() if name not in names]
        observe("day_without_schedule", len(without), creator=name)


@pytest.mark.criterion("risk-no-data-loss")
def test_no_request_was_left_without_a_schedule(served_days: Days) -> None:
    if not served_days.served:
        not_done("no day has passed", "wait for one")
    lost = served_days.lost
    assert not lost, f"{len(lost)} requests got no schedule, one of {lost[0]}"


@pytest.mark.criterion("risk-agent-timeouts")
def test_an_agent_that_hangs_is_ended(
    hung_agents: tuple[float, Sequence[Hung]], observe: Observe
) -> None:
    limit, runs = hung_agents
    twice = 2 * limit
    assert twice <= 120, f"two attempts of {limit:g} s are more than the 120 s of a run"
    for hung in runs:
        agents = hung.run.said.each("agents")
        attempts = [seconds for agent in agents for seconds in agent["seconds"]]
        unbounded = any(seconds is None or seconds > limit + 1 for seconds in attempts)
        unbounded = unbounded or hung.run.said["ended"] is None
        observe("unbounded_wait", unbounded, how=hung.how)


@pytest.mark.criterion("risk-agent-timeouts")
def test_an_agent_that_hangs_is_tried_once_more(
    hung_agents: tuple[float, Sequence[Hung]],
) -> None:
    limit, runs = hung_agents
    for hung in runs:
        for run in (hung.run, *hung.others):
            _demand_attempts(run, limit)
        agents = hung.run.said.each("agents")
        timeouts = max(agent.whole("timeouts") for agent in agents)
        tried = max(agent.whole("attempts") for agent in agents)
        assert hung.status == httpx.codes.OK, f"{hung.how}: the caller got {hung.status}"
        assert tried == 2, f"{hung.how}: the agent was tried {tried} times"
        if hung.how == "hang-once":
            assert hung.run.ok, "one hang is no failure of the run"
            assert timeouts == 1
        else:
            assert timeouts == 2, f"{hung.how}: {timeouts} of two attempts timed out"
            assert not hung.run.ok, "an agent that always hangs is a failure of the run"
            saved = [run for run in hung.others if run.fallback and run.delivered]
            assert saved, "nobody made good what failed"


def _demand_attempts(run: Run, limit: float) -> None:
    """Raise AssertionError where what a run says of its agents' attempts cannot be."""
    for agent in run.said.each("agents"):
        ended = [took for took in agent["seconds"] if took is not None]
        seconds, timeouts = [float(took) for took in ended], agent.whole("timeouts")
        told = f"{agent['name']} of run {run.run_id}: {timeouts} timeouts, attempts of {seconds} s"
        assert agent.whole("attempts") == len(seconds), f"{agent['attempts']} attempts; {told}"
        assert len(seconds) - 1 <= timeouts <= len(seconds) - run.ok, told  # one got through
        assert all(abs(took - limit) <= 1 for took in seconds[:timeouts]), told
        assert sum(seconds) <= run.seconds + 1, f"it took {run.seconds} s; {told}"


# The weekly summary

SUMMARISED = {
    "success": figures.success,
    "duration_s_p95": figures.latency,
    "quality": figures.quality,
}


@pytest.mark.criterion("leadership-weekly")
def test_leadership_got_a_summary_each_week(summaries: Summaries, observe: Observe) -> None:
    told = summaries.told
    for week, (begin, end) in enumerate(summaries.weeks, 1):
        ours = [summary for summary in told if summary.whole("week") == week]
        posted = [
            message
            for message in summaries.inbox
            if message.channel == LEADERSHIP and message.body.get("week") == week
        ]
        wrong = not ours or not posted
        observe("week_without_summary", wrong, at=end, week=str(week))
        if not wrong:
            _demand_figures(summaries, ours[-1], posted[-1], (begin, end))


def _demand_figures(
    summaries: Summaries, told: Reported, posted: Message, week: tuple[datetime, datetime]
) -> None:
    """Raise AssertionError where a week's summary, or what was sent of it, has other figures."""
    runs, written = summaries.runs_of(week), told.moment("at")
    due: dict[str, Fraction | None] = {
        "percentage": Fraction(summaries.flags_at(written).percentage),
        **{name: take(runs) for name, take in SUMMARISED.items()},
        "violations": Fraction(sum(bool(run.violations) for run in runs)),
        "rollbacks": Fraction(sum(at < written for at in summaries.rollbacks)),
    }
    for name, value in due.items():
        said = told.number_or_none(name)
        shown = "nothing" if value is None else f"{float(value):.4g}"
        assert not figures.differs(said, value), (
            f"the summary of week {told['week']} says {name} {said}; it was {shown}"
        )
        assert value is None or names_figure(str(posted.body.get("text")), value), (
            f"the summary of week {told['week']} that was sent does not say that {name} is {shown}"
        )


def names_figure(text: str, value: Fraction) -> bool:
    """Whether a text names a figure, as it is or in percent, rounded or not."""
    for word in re.findall(r"-?\d+(?:\.\d+)?", text):
        digits = len(word.partition(".")[2])
        near = max(Fraction(1, 2 * 10**digits), Fraction(1, 10**6))
        if any(abs(Fraction(word) - value * times) <= near for times in (1, 100)):
            return True
    return False


@pytest.mark.criterion("leadership-weekly")
def test_a_summary_says_all_that_leadership_asks(summaries: Summaries) -> None:
    fields = ("phase", "percentage", "success", "duration_s_p95", "quality", "violations")
    if not summaries.told:
        not_done("no summary is on record", "write each down")
    for summary in summaries.told:
        lacking = [name for name in (*fields, "rollbacks", "next") if name not in summary]
        assert not lacking, f"week {summary['week']}: the summary lacks {', '.join(lacking)}"
        assert summary.text("next").strip(), (
            f"week {summary['week']}: it says nothing of the next step"
        )
