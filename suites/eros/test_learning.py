"""Four weeks of Phase 7: what was learnt, what agents load, what came of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import fmean

import pytest

from pytest_rollout import NoValueError, Observe, Reported
from suites.eros.scenarios.learning import AgentRuns, Learnt
from suites.eros.views.contract import demand_lines
from suites.eros.views.journal import Run
from suites.eros.views.learning_conditions import held
from suites.eros.views.learning_history import Version, at, changes, taken_back
from suites.eros.views.learning_log import AGENTS, happened, moment, within, written
from suites.eros.views.learning_reviews import RIGHT, added, verdicts, wrong_ids
from suites.eros.views.learnings import FIGURES, FILE

pytestmark = [pytest.mark.learning_weeks, pytest.mark.learning]

WEEKS, DAYS, BY_HAND = 4, 28, 14
LAST_DAYS = ("added", "promoted", "deprecated")


# Entry: are learnings applied?


@pytest.mark.criterion("learnings-are-loaded")
def test_agents_load_learnings_from_day_1_on(agent_runs: AgentRuns, observe: Observe) -> None:
    begun, day = agent_runs.begun, timedelta(days=1)
    for start, due in ((begun - day, False), (begun, True)):
        runs = [run for run in agent_runs.runs if start <= run.started < start + day]
        loads = [all(FILE in agent["read"] for agent in run.said.each("agents")) for run in runs]
        if runs:
            wrong = sum(loaded != due for loaded in loads)
            observe.ratio("loaded_otherwise", bad=wrong, of=len(runs), at=start + day)


# What was learnt


@pytest.mark.criterion("learnings-10", "high-below-5", "medium-at-least-5", "medium-at-most-15")
def test_figures_of_the_status(four_weeks: Learnt, observe: Observe) -> None:
    said = four_weeks.status.said()
    counted = four_weeks.history[-1].file.counted
    shown = {block: dict(said.inner(block)) for block in FIGURES}
    for name in ("confidence", "source"):
        figures = said.inner(f"by_{name}")
        observe("learnings_by_status", sum(figures.whole(key) for key in figures), by=name)
    confidence = said.inner("by_confidence")
    observe("learnings_high", confidence.whole("high"))
    observe("learnings_medium", confidence.whole("medium"))
    assert four_weeks.weeks.days_over(four_weeks.now) >= DAYS, "four weeks are not over"
    assert shown == counted, f"the status says {shown}, {FILE} holds {counted}"


@pytest.mark.criterion("done-10")
def test_learnings_in_the_file(four_weeks: Learnt, observe: Observe) -> None:
    stood = at(four_weeks.history, four_weeks.window[1]).file
    observe("learnings_in_file", len(stood.active))


@pytest.mark.criterion("incorrect-0")
def test_no_learning_was_reverted(four_weeks: Learnt, observe: Observe) -> None:
    judged, wrong = wrong_ids(four_weeks.history, four_weeks.records)
    now = four_weeks.history[-1].file
    gone = {change.learning.id for change in taken_back(four_weeks.history)}
    for change in added(four_weeks.history, four_weeks.window):
        entry = now.find(change.learning.id)
        stands = entry is not None and entry.active
        bad = change.learning.id in gone or (change.learning.id in wrong and stands)
        observe("learning_reverted", bad, at=change.version.at)
    said = [version.commit[:9] for version in four_weeks.history if version.reverts]
    assert not said, f"{', '.join(said)} say that they revert something"
    assert judged, "nobody reviewed a single learning"


# What agents load, and how good their schedules are


@pytest.mark.criterion("application-100")
def test_agents_load_what_was_committed(
    agent_runs: AgentRuns, four_weeks: Learnt, observe: Observe
) -> None:
    demand_lines(AGENTS, [line for lines in agent_runs.accesses.values() for line in lines])
    slips: list[str] = []
    for number in range(1, DAYS + 1):
        start, end = four_weeks.weeks.day(number)
        asked, before = 0, len(slips)
        for run in (run for run in agent_runs.runs if start <= run.started < end):
            agents = run.said.each("agents")
            asked += max(1, len(agents))
            slips += [] if agents else [f"run {run.run_id} names no agent"]
            for agent in agents:
                said = _unloaded(agent_runs, four_weeks.history, run, agent)
                slips += [f"{agent.text('name')} of run {run.run_id} {said}"] if said else []
        if asked:
            observe.ratio("agent_unlearnt", bad=len(slips) - before, of=asked, at=end)
    assert not slips, f"{len(slips)} agents: {slips[0]}"


def _unloaded(agent_runs: AgentRuns, history: Sequence[Version], run: Run, agent: Reported) -> str:
    """How an agent did not load the learnings as they stood; empty: it did."""
    if FILE not in agent["read"]:
        return f"did not load {FILE}"
    opened = agent_runs.accesses.get((run.run_id, agent.text("name")), ())
    blobs = [
        (moment(access), access.text("blob")) for access in opened if access.text("path") == FILE
    ]
    if not blobs:
        return f"says that it loaded {FILE}, and its log has no access"
    stood = {at(history, when).blob for when, _ in blobs}
    return "" if {blob for _, blob in blobs} == stood else "loaded another text than was committed"


@pytest.mark.criterion("quality-trend")
def test_quality_does_not_fall(agent_runs: AgentRuns, four_weeks: Learnt, observe: Observe) -> None:
    means = []
    for number in range(1, WEEKS + 1):
        week = four_weeks.weeks.week(number)
        scores = [
            run.quality
            for run in agent_runs.runs
            if week[0] <= run.started < week[1] and run.quality is not None
        ]
        if not scores:
            raise NoValueError(f"no run of week {number} has a quality")
        means.append((week[1], fmean(scores)))
    for (_, before), (end, after) in pairwise(means):
        observe("weekly_quality_delta", after - before, at=end)


@pytest.mark.criterion("done-quality")
def test_quality_before_and_since(
    agent_runs: AgentRuns, four_weeks: Learnt, observe: Observe
) -> None:
    four_weeks.weeks.demand(DAYS, four_weeks.now)
    days: dict[datetime, list[float]] = defaultdict(list)
    for run in agent_runs.runs:
        if run.quality is not None:
            day = (run.started - agent_runs.begun) // timedelta(days=1)
            days[agent_runs.begun + timedelta(days=day + 1)].append(run.quality)
    for end, scores in days.items():
        when = "after" if end > agent_runs.begun else "before"
        observe.distribution("quality_of_run", scores, at=end, phase7=when)


# What the status said at each look


@pytest.mark.criterion("status-consistent")
def test_figures_agree_at_each_look(four_weeks: Learnt, observe: Observe) -> None:
    problems = []
    for look in within(happened(four_weeks.log, "status"), four_weeks.window):
        said = "; ".join(_odd(four_weeks, look))
        observe("status_mismatch", bool(said), at=moment(look), of="status")
        problems += [f"at {moment(look)} {said}"] if said else []
    for version in four_weeks.history:
        wrong = [f"{figure}: {said}" for figure, said in version.file.mismatches.items() if said]
        when = max(version.at, four_weeks.weeks.begun)
        observe("status_mismatch", bool(wrong), at=when, of="file")
        problems += [f"{version.commit[:9]}: {wrong[0]}"] if wrong else []
    if len({len(version.file.active) for version in four_weeks.history}) < 2:
        raise NoValueError(f"{FILE} always held as many learnings, so figures may be constants")
    assert not problems, "; ".join(problems[:3])


def _odd(learnt: Learnt, look: Reported) -> Iterator[str]:
    """What a look at the status says otherwise than the history does, or than itself."""
    said, when = look.inner("answered"), moment(look)
    stood = at(learnt.history, when).file.counted
    shown = {block: dict(said.inner(block)) for block in FIGURES}
    yield from (f"{block} is {shown[block]}" for block in FIGURES if shown[block] != stood[block])
    sums = {block: sum(figures.values()) for block, figures in shown.items()}
    if len(set(sums.values())) > 1:
        yield f"the sums are {sums}"
    recent = said.inner("last_7_days")
    young = [
        change
        for change in changes(learnt.history)
        if when - timedelta(days=7) < change.version.at <= when
    ]
    due = {name: sum(change.kind == name for change in young) for name in LAST_DAYS}
    if dict(recent) != due:
        yield f"last_7_days is {dict(recent)}, not {due}"
    ever = sum(
        change.kind == "added" and change.version.at <= when for change in changes(learnt.history)
    )
    if recent.whole("added") > ever:
        yield f"more were added in seven days than ever: {ever}"


# Is Phase 7 done?


@pytest.mark.criterion("done-4-weeks", "done-no-rollbacks")
def test_each_week_learnt_and_took_nothing_back(four_weeks: Learnt, observe: Observe) -> None:
    incidents = written(four_weeks.records, "learning-incident")
    back = taken_back(four_weeks.history)
    reverts = [version for version in four_weeks.history if version.reverts]
    for number in range(1, WEEKS + 1):
        week = four_weeks.weeks.week(number)
        new = added(four_weeks.history, week)
        undone = any(week[0] <= change.version.at < week[1] for change in back)
        undone |= any(week[0] <= version.at < week[1] for version in reverts)
        observe("stable_week", bool(new) and not undone, at=week[1])
        observe("learning_rollback", undone or bool(within(incidents, week)), at=week[1])


@pytest.mark.criterion("done-auto-stable")
def test_auto_has_run_without_error(four_weeks: Learnt, observe: Observe) -> None:
    assert four_weeks.status.said().flag("auto"), "auto is off"
    window = four_weeks.weeks.day(BY_HAND + 1)[0], four_weeks.window[1]
    settings = [
        setting
        for setting in happened(four_weeks.log, "setting")
        if setting.text("setting") == "auto"
    ]
    off = [
        moment(setting)
        for setting in settings
        if not setting.flag("after") and moment(setting) >= window[0]
    ]
    assert not off, f"auto was switched off at {off[0]}"
    alone = [
        reflection
        for reflection in happened(four_weeks.log, "reflection")
        if reflection.text("mode") == "auto"
    ]
    signals = happened(four_weeks.log, "signal")
    for end in within(happened(four_weeks.log, "session-end"), window):
        session = end.text("session")
        if any(signal.text("session") == session for signal in signals):
            runs = [reflection for reflection in alone if reflection.get("session") == session]
            failed = not runs or any(reflection["error"] is not None for reflection in runs)
            observe("auto_error", failed, at=moment(end))


@pytest.mark.criterion("done-team-trained")
def test_training_is_on_record(four_weeks: Learnt) -> None:
    _signed_off(four_weeks, "operations-training")


@pytest.mark.criterion("done-weekly-cadence")
def test_weekly_review_is_set_up(four_weeks: Learnt) -> None:
    _signed_off(four_weeks, "weekly-review")


def _signed_off(learnt: Learnt, what: str) -> None:
    notes = [note for note in written(learnt.records, "signoff") if note.text("what") == what]
    if not notes:
        raise NoValueError(f"records have no signoff of {what}")
    assert notes[-1].text("who").strip(), f"the signoff of {what} names nobody"


# The series of the guardrails: a scan a day, a review each


@pytest.mark.criterion("done-4-weeks")
def test_a_scan_of_each_day(four_weeks: Learnt, observe: Observe) -> None:
    for number in range(1, DAYS + 1):
        day = four_weeks.weeks.day(number)
        new = added(four_weeks.history, day)
        high = sum(change.learning.section == "HIGH" for change in new)
        observe("learnings_added", len(new), at=day[1])
        observe("high_learnings_added", high, at=day[1])
    warnings = held(four_weeks.history, four_weeks.weeks.begun, four_weeks.now)
    observe("warnings_held", len(warnings))


@pytest.mark.criterion("incorrect-0")
def test_what_became_of_each_proposal(four_weeks: Learnt, observe: Observe) -> None:
    gone = {
        change.learning.id: change.version.at
        for change in changes(four_weeks.history)
        if change.kind == "deprecated"
    }
    issues = {change.learning.id: change.version.at for change in taken_back(four_weeks.history)}
    for when, id_, said in verdicts(four_weeks.records):
        observe("learning_deprecated", id_ in gone, at=gone.get(id_, when), learning=id_)
        if id_ not in issues:
            observe("learning_issues", said != RIGHT, at=when, proposal="applied", learning=id_)
    for id_, when in issues.items():
        observe("learning_issues", 1, at=when, proposal="applied", learning=id_)
    observe("wrong_learnings", len(wrong_ids(four_weeks.history, four_weeks.records)[1]))
    for reflection in happened(four_weeks.log, "reflection"):
        declined = sum(answer == "n" for answer in reflection.inner("answers").values())
        if declined:
            observe("learning_issues", declined, at=moment(reflection), proposal="declined")
