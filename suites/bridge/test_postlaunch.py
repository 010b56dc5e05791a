"""After the launch: the review, and what it compared, judged and ordered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from pytest_rollout import NoValueError, Observe, Reported
from suites.bridge.checks.told import observe_each
from suites.bridge.views import papers, people
from suites.bridge.views.launching import launch_lines
from suites.bridge.views.said import is_sentence

pytestmark = pytest.mark.bridge_postlaunch

SCOPE = {  # of phase 2, by words that an item must speak of
    "policy and roles": ("polic", "role"),
    "retries and idempotency": ("retr", "idempot"),
    "dashboard of thread health": ("dashboard", "health"),
    "retention and filtering": ("retention", "archiv", "filter"),
}


@dataclass(frozen=True, slots=True)
class Aftermath:
    """The launch and its review, as they are on record."""

    records: Path

    @property
    def launched(self) -> Reported:
        """The record of the launch; raises NoValueError without one."""
        return people.launch(self.records)

    @property
    def review(self) -> Reported:
        """The first review that was held after the launch; raises NoValueError without one."""
        since = self.launched.moment("at")
        held = [
            review
            for review in people.written(self.records, "review")
            if review.moment("at") > since
        ]
        if not held:
            raise NoValueError("no review after the launch is on record; hold it and write it down")
        return held[0]


@pytest.fixture(scope="session")
def aftermath(records: Path) -> Aftermath:
    """The launch and its review."""
    return Aftermath(records)


@pytest.mark.criterion("launched")
def test_the_launch_is_on_record(
    aftermath: Aftermath, repository: Path, revision: str, today: datetime
) -> None:
    launched = aftermath.launched
    assert launched.text("who").strip(), "nobody is named who launched it"
    assert launched.text("revision") == revision, (
        f"revision {launched.text('revision')} was launched, and {revision} runs"
    )
    assert launched.text("run").strip(), "the run that was judged for it is not named"
    assert launched.moment("at") <= today, f"it is dated {launched.moment('at')}, still to come"
    signed = launch_lines(papers.document(repository, papers.LAUNCH)).get("run")
    assert launched.text("run").split()[0] == signed, (
        f"run {launched['run']!r} was launched on, and the launch document is of run {signed!r}"
    )


@pytest.mark.criterion("review-on-record")
def test_the_review_says_what_it_is_of(aftermath: Aftermath, today: datetime) -> None:
    launched, review = aftermath.launched, aftermath.review
    assert review.text("who").strip(), "nobody is named who led the review"
    present = [str(name) for name in review["present"] if str(name).strip()]
    assert len(set(present)) >= 2, f"only {present} took part"
    assert review.moment("at") <= today, f"it is dated {review.moment('at')}, still to come"
    of = review.get("launch")
    assert of in (None, launched.text("revision")), f"it is of the launch of {of}"


@pytest.mark.criterion("review-within-2-weeks")
def test_the_review_was_in_time(aftermath: Aftermath, observe: Observe) -> None:
    launched, review = aftermath.launched, aftermath.review
    days = (review.moment("at") - launched.moment("at")).total_seconds() / 86_400
    observe("days_launch_to_review", days)


@pytest.mark.criterion("cycle-time-compared")
def test_cycle_times_are_compared(
    aftermath: Aftermath, pilot_threads: Sequence[Reported], observe: Observe
) -> None:
    """After the launch each time is that of its thread; before it each has a number."""
    launched, review, records = aftermath.launched, aftermath.review, aftermath.records
    comparisons = people.written(records, "cycle-time")
    if not comparisons:
        raise NoValueError("nobody compared cycle times; compare them")
    told = comparisons[-1]
    problems = {
        "baseline": _baseline_problem(told),
        "after": _after_problem(told, pilot_threads, launched.moment("at"), told.moment("at")),
        "definition": "" if told.text("definition") == "opened to closed" else "it has another one",
    }
    observe_each(observe, "cycle_time_wrong", problems)
    assert told.moment("at") <= review.moment("at"), "it was compared after the review"


def _baseline_problem(told: Reported) -> str:
    baseline = told.get("baseline")
    if not isinstance(baseline, list) or not baseline:
        return "there is no figure from before the launch"
    numbers = [number for number in baseline if isinstance(number, int | float) and number > 0]
    return "" if len(numbers) == len(baseline) else f"{baseline!r:.60} is no list of seconds"


def _after_problem(
    told: Reported, threads: Sequence[Reported], since: datetime, until: datetime
) -> str:
    after = told.inner("after")
    if not after:
        return "there is no figure from after the launch"
    closed = {
        thread.text("id"): seconds(thread)
        for thread in threads
        if thread.text("state") == "closed"
        and thread.moment("created_at") >= since
        and thread.moment("updated_at") <= until
    }
    left_out = sorted(set(closed) - set(after))
    if left_out:
        return f"{len(left_out)} threads are left out, {left_out[0]} among them"
    for thread in after:
        if thread not in closed:
            return f"{thread} is no thread that was closed since the launch"
        if abs(after.number(thread) - closed[thread]) > 1:
            return f"{thread} took {closed[thread]:.0f} s, not {after.number(thread):.0f}"
    return ""


def seconds(thread: Reported) -> float:
    """How long a closed thread was open."""
    return (thread.moment("updated_at") - thread.moment("created_at")).total_seconds()


@pytest.mark.criterion("escalations-reviewed")
def test_escalations_are_reviewed(
    aftermath: Aftermath, escalations: Sequence[Reported], observe: Observe
) -> None:
    """Each escalation since the launch has one verdict, and the share that is told is theirs."""
    launched, review, records = aftermath.launched, aftermath.review, aftermath.records
    since, until = launched.moment("at"), review.moment("at")
    due = [escalation for escalation in escalations if since <= escalation.moment("at") <= until]
    if not due:
        raise NoValueError("nothing was escalated between launch and review; there is no share")
    verdicts = {
        verdict.text("escalation"): verdict.text("verdict")
        for verdict in people.written(records, "escalation-verdict")
    }
    odd = "it has no verdict, or an odd one"
    problems = {
        escalation.text("id"): ""
        if verdicts.get(escalation.text("id")) in ("right", "false-alarm")
        else odd
        for escalation in due
    }
    observe_each(observe, "escalation_unreviewed", problems)
    told = people.written(records, "escalation-summary")
    assert told, "the share of false alarms is not on record"
    false = sum(verdicts[name] == "false-alarm" for name in problems)
    assert told[-1].whole("count") == len(due), (
        f"{told[-1].whole('count')} escalations are told of, and there were {len(due)}"
    )
    share = told[-1].number("false_share")
    assert abs(share - false / len(due)) < 0.005, f"{share} were false, by the verdicts {false}"


@pytest.mark.criterion("operator-feedback")
def test_operators_said_how_autonomy_is(
    aftermath: Aftermath, operators_since: Sequence[str]
) -> None:
    """Everybody who ran a command since the launch, between it and the review."""
    launched, review, records = aftermath.launched, aftermath.review, aftermath.records
    told = {
        answer.text("who"): answer.text("text")
        for answer in people.written(records, "feedback")
        if answer.text("about") == "autonomy"
        and launched.moment("at") <= answer.moment("at") <= review.moment("at")
    }
    if not told:
        raise NoValueError("no operator was asked; ask them")
    silent = sorted(set(operators_since) - set(told))
    assert not silent, f"{', '.join(silent)} used the commands and was not asked"
    for who, text in told.items():
        assert is_sentence(text), f"{who} said {text!r}"


@pytest.mark.criterion("phase2-backlog-prioritised")
def test_the_backlog_is_ranked(aftermath: Aftermath, repository: Path, observe: Observe) -> None:
    """Ranks are 1, 2, 3 and so on, once each, since the launch; the whole scope has an item."""
    launched, records = aftermath.launched, aftermath.records
    items = papers.structured(repository, papers.BACKLOG).each("items")
    due = [item for item in items if str(item.get("phase")) in ("phase2", "2")]
    ranks = [item.get("rank") for item in due]
    problems = {item.text("id"): _rank_problem(item.get("rank"), ranks) for item in due}
    titles = " ".join(item.text("title").lower() for item in due)
    for part, named in SCOPE.items():
        problems[part] = "" if any(word in titles for word in named) else "no item is about it"
    observe_each(observe, "backlog_item_unranked", problems)
    ordered = people.written(records, "backlog-order")
    assert ordered, "nobody put on record that the backlog was ordered"
    assert ordered[-1].moment("at") >= launched.moment("at"), "it was ordered before the launch"
    commit = ordered[-1].text("revision")
    assert papers.is_commit(repository, commit), f"the repository has no commit {commit}"


def _rank_problem(rank: object, ranks: Sequence[object]) -> str:
    if not isinstance(rank, int) or isinstance(rank, bool):
        return "it has no rank"
    if ranks.count(rank) > 1:
        return f"rank {rank} is given more than once"
    return "" if 1 <= rank <= len(ranks) else f"rank {rank} is none of {len(ranks)}"
