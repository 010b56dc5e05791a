"""Day 15 of Phase 7 and later: sessions reflect at their end, and learning can be taken back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from pytest_rollout import NoValueError, Observe, Reported
from suites.eros.scenarios.auto_sandbox import AutoTried
from suites.eros.scenarios.learning import Learnt
from suites.eros.scenarios.learning_sandbox import RESET, TakenBack
from suites.eros.views.contract import demand_answer, demand_lines
from suites.eros.views.learning_history import Version, changes, git
from suites.eros.views.learning_log import LEARNING, happened, moment, within, written
from suites.eros.views.learning_reviews import added, confirmed_by, wrong_ids
from suites.eros.views.learnings import Learnings

pytestmark = [pytest.mark.learning_auto, pytest.mark.learning]

BY_HAND = 14  # days
AUTO = "auto"


def since_auto(learnt: Learnt) -> tuple[datetime, datetime]:
    """From day 15 to the end of the days that are due."""
    return learnt.weeks.day(BY_HAND + 1)[0], learnt.window[1]


# Entry: were the two weeks successful?


@pytest.mark.criterion("two-weeks-by-hand")
def test_two_weeks_taught_something(two_weeks: Learnt, observe: Observe) -> None:
    new = added(two_weeks.history, two_weeks.window)
    confirmed = [change for change in new if confirmed_by(change, two_weeks.log)]
    observe("learnings_by_hand", len(confirmed))


# What happens at the end of a session


@pytest.mark.criterion("step3-min-signals")
def test_one_signal_is_enough(four_weeks: Learnt, auto_tried: AutoTried) -> None:
    said = four_weeks.status.said().inner("settings").whole("min_signals")
    assert said == 1, f"min_signals is {said}, not 1"
    assert "one" in auto_tried.reflected, "a session with one signal does not reflect"


@pytest.mark.criterion("step3-require-confirmation")
def test_confirmation_is_required(four_weeks: Learnt) -> None:
    demand_answer("status", four_weeks.status.said())
    settings = four_weeks.status.said().inner("settings")
    assert settings.flag("require_confirmation"), "require_confirmation is false"


@pytest.mark.criterion("step3-triggers-at-end")
def test_sessions_reflect_where_they_left_a_signal(
    four_weeks: Learnt, auto_tried: AutoTried, observe: Observe
) -> None:
    demand_lines(LEARNING, four_weeks.log)
    observe("auto_trigger_error", "one" not in auto_tried.reflected, signals=1)
    for without in ("empty", "idle"):
        observe("auto_trigger_error", without in auto_tried.reflected, signals=0)
    again = bool(auto_tried.often)
    observe("auto_trigger_error", again, signals=0, again=", ".join(auto_tried.often))
    for end, signals, alone in ended_sessions(four_weeks, since_auto(four_weeks)):
        observe("auto_trigger_error", bool(signals) != bool(alone), at=moment(end))


def ended_sessions(
    learnt: Learnt, window: tuple[datetime, datetime]
) -> list[tuple[Reported, list[Reported], list[Reported]]]:
    """The sessions that ended: their end, their signals, and how often they reflected then."""
    signals, log = happened(learnt.log, "signal"), happened(learnt.log, "reflection")
    return [
        (
            end,
            [signal for signal in signals if signal.text("session") == end.text("session")],
            [
                reflection
                for reflection in log
                if reflection.text("mode") == AUTO
                and reflection.get("session") == end.text("session")
            ],
        )
        for end in within(happened(learnt.log, "session-end"), window)
    ]


@pytest.mark.criterion("step3-confirmation-enforced")
def test_nothing_is_committed_unasked(
    four_weeks: Learnt, auto_tried: AutoTried, observe: Observe
) -> None:
    for step in auto_tried.steps:
        more = [text for text in step.committed if text not in step.yes]
        observe("unconfirmed_commit", bool(more), tried=step.what)
        assert not more, f"{step.what} committed {more}, to which nobody said yes"
        assert [*step.committed] == [*step.yes], (
            f"{step.what}: somebody said yes to {list(step.yes)}, committed was {step.committed}"
        )
    for change in added(four_weeks.history, since_auto(four_weeks)):
        unasked = confirmed_by(change, four_weeks.log) is None or not change.version.reviewed_by
        observe("unconfirmed_commit", unasked, at=change.version.at)
    for reflection in happened(four_weeks.log, "reflection"):
        by_itself = reflection.text("mode") == AUTO and reflection["committed"]
        assert not by_itself, (
            f"at its end session {reflection.get('session')} committed {reflection['committed']}, "
            "and nobody was there to be asked"
        )
    assert auto_tried.reviewed_by == "suite", "the commit does not name who confirmed it"


@pytest.mark.criterion("step3-quality-maintained")
def test_learnings_since_auto_are_no_worse(four_weeks: Learnt, observe: Observe) -> None:
    judged, wrong = wrong_ids(four_weeks.history, four_weeks.records)
    gone = {
        change.learning.id for change in changes(four_weeks.history) if change.kind == "deprecated"
    }
    new = added(four_weeks.history, since_auto(four_weeks))
    for change in new:
        id_ = change.learning.id
        if id_ in judged | wrong | gone:
            observe("incorrect_or_deprecated", id_ in wrong | gone, at=change.version.at)
    left = [change.learning.id for change in new if change.learning.id not in judged | wrong | gone]
    if left:
        raise NoValueError(f"nobody reviewed {', '.join(left)}")


# The way back


@pytest.mark.criterion("rollback-off")
def test_off_stops_auto_at_once(auto_tried: AutoTried, observe: Observe) -> None:
    if "one" not in auto_tried.reflected:
        raise NoValueError("no session reflected by itself before, so off shows nothing")
    observe("auto_run_after_off", bool(auto_tried.off), sessions=", ".join(sorted(auto_tried.off)))
    assert not auto_tried.off, f"since off these reflected: {', '.join(sorted(auto_tried.off))}"
    back = [when for when, on in auto_tried.stands if on]
    assert not back, f"after off the status says that auto is on {', '.join(back)}"
    assert auto_tried.settings == ["False to True", "True to False"], (
        f"the log says that auto went {', '.join(auto_tried.settings) or 'nowhere'}"
    )


@pytest.mark.criterion("rollback-off")
def test_no_session_reflected_while_auto_was_off(four_weeks: Learnt) -> None:
    log = four_weeks.log
    settings = [setting for setting in happened(log, "setting") if setting.text("setting") == AUTO]
    if not happened(log, "reflection"):
        raise NoValueError("no session reflected, so none did while auto was off")
    for reflection in happened(log, "reflection"):
        before = [setting for setting in settings if moment(setting) <= moment(reflection)]
        on = bool(before) and before[-1].flag("after")
        assert on or reflection.text("mode") != AUTO, (
            f"session {reflection.get('session')} reflected by itself at {moment(reflection)}, "
            "and auto was off"
        )


@pytest.mark.criterion("rollback-findable")
def test_commits_are_found_by_their_message(four_weeks: Learnt, observe: Observe) -> None:
    commits = git(four_weeks.repository, "log", "--grep=reflect", "--format=%H").split()
    versions, lost = _changing(four_weeks.history), []
    if not versions:
        raise NoValueError("nothing was learnt, so there is no commit to find")
    for version in versions:
        observe("learning_commit_not_found", version.commit not in commits, at=version.at)
        lost += [] if version.commit in commits else [version.commit[:9]]
    assert not lost, f"git log --grep=reflect does not find {', '.join(lost)}"


def _changing(history: Sequence[Version]) -> list[Version]:
    """The versions that changed a learning, each once; those that take one back aside."""
    kinds = ("added", "promoted", "lowered", "deprecated")
    versions = {
        change.version.commit: change.version for change in changes(history) if change.kind in kinds
    }
    return list(versions.values())


@pytest.mark.criterion("rollback-revert")
def test_revert_takes_out_one_learning(learning_taken_back: TakenBack, observe: Observe) -> None:
    back, problems = learning_taken_back, list(learning_taken_back.refused)
    for number, file in enumerate(back.steps, 1):
        gone = set(back.reverted[:number])
        for id_ in back.learnings:
            wrong = (file.find(id_) is None) != (id_ in gone)
            observe("revert_error", wrong, step=number, learning=id_)
            state = "gone" if file.find(id_) is None else "there"
            problems += [f"after {number} reverts {id_} is {state}"] if wrong else []
        due = [entry for entry in back.before.entries if entry.id not in gone]
        changed = sorted({entry.id for entry in {*due} ^ {*file.entries}} - gone)
        problems += [f"after {number} reverts {id_} is not as it was" for id_ in changed]
        problems += _miscounted(file, number)
    assert not problems, "; ".join(problems)


def _miscounted(file: Learnings, number: int) -> list[str]:
    said = [f"{figure}: {words}" for figure, words in file.mismatches.items() if words]
    return [f"after {number} reverts {problem}" for problem in [*file.problems, *said]]


@pytest.mark.criterion("rollback-reset")
def test_reset_gives_the_initial_file(learning_taken_back: TakenBack) -> None:
    back = learning_taken_back
    first, last = back.initial, back.reset
    assert not first.file.entries, (
        f"the first version has {len(first.file.entries)} entries already"
    )
    left = [entry.id for entry in last.file.entries]
    assert not left, f"after the reset {', '.join(left)} are still there"
    assert last.blob == first.blob, "after the reset the file is not as it first was"
    assert last.message.strip() == RESET, f"the newest commit says {last.message.strip()!r}"
    counts = {block: dict(back.status.inner(block)) for block in ("by_confidence", "by_source")}
    some = {block for block, figures in counts.items() if any(figures.values())}
    assert not some, f"after the reset the status counts {counts}"


@pytest.mark.criterion("rollback-resume-manual")
def test_auto_came_back_with_a_reason(learning_resumed: Learnt, observe: Observe) -> None:
    log = learning_resumed.log
    settings = [setting for setting in happened(log, "setting") if setting.text("setting") == AUTO]
    offs = [setting for setting in settings if not setting.flag("after")]
    if not offs:
        raise NoValueError("nobody ever switched auto off; drill the way back of the runbook")
    back = [(off, on) for off in offs if (on := _next_on(off, settings)) is not None]
    if not back:
        raise NoValueError(f"auto is off since {moment(offs[-1])}, and did not come back")
    problems = []
    for off, on in back:
        said = _unexplained(learning_resumed, moment(off), moment(on))
        observe("auto_reenabled_without_fix", bool(said), at=moment(on))
        problems += [f"auto is on again since {moment(on)}, and {said}"] if said else []
    assert not problems, "; ".join(problems)


def _next_on(off: Reported, settings: Sequence[Reported]) -> Reported | None:
    later = [
        setting for setting in settings if moment(setting) > moment(off) and setting.flag("after")
    ]
    return later[0] if later else None


def _unexplained(learnt: Learnt, off: datetime, on: datetime) -> str:
    """What is missing between the end of auto and its return; empty: nothing."""
    window = (off, on + timedelta(microseconds=1))
    incidents = within(written(learnt.records, "learning-incident"), window)
    if not any(
        incident.text("cause").strip() and incident.text("fix").strip() for incident in incidents
    ):
        return "no incident on record names cause and fix"
    by_hand = [
        reflection
        for reflection in happened(learnt.log, "reflection")
        if reflection.text("mode") == "manual"
    ]
    return "" if within(by_hand, window) else "nobody reflected by hand in between"
