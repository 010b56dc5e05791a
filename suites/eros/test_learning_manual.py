"""Days 1 to 14 of Phase 7: people reflect by hand, and review what they learn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import pytest

from pytest_rollout import NoValueError, Observe, Reported
from suites.eros.scenarios.learning import Learnt
from suites.eros.scenarios.learning_grades import GRADES, Graded
from suites.eros.scenarios.learning_sandbox import ALOUD, Reflected
from suites.eros.scenarios.learning_warnings import Side
from suites.eros.views.contract import demand_answer
from suites.eros.views.learning_conditions import DEPRECATIONS, HIGH, ZERO
from suites.eros.views.learning_history import Change, at, changes
from suites.eros.views.learning_log import happened, moment, within
from suites.eros.views.learning_reviews import added, confirmed_by, wrong_ids
from suites.eros.views.learnings import Learnings

pytestmark = [pytest.mark.learning_manual, pytest.mark.learning]

DAYS = 14
SATURDAY = 5


# Entry: is there anything to reflect on?


@pytest.mark.criterion("capture-is-on")
def test_signals_are_captured_and_auto_is_off(manual_begun: Reported) -> None:
    assert manual_begun.flag("active"), "the status says that no signals are captured"
    assert not manual_begun.flag("auto"), "sessions reflect by themselves already"


# What people did


@pytest.mark.criterion("step2-daily-reflect")
def test_somebody_reflected_on_each_working_day(two_weeks: Learnt, observe: Observe) -> None:
    by_hand = [
        reflection
        for reflection in happened(two_weeks.log, "reflection")
        if reflection.text("mode") == "manual"
    ]
    for number in range(1, DAYS + 1):
        day = two_weeks.weeks.day(number)
        if day[0].weekday() < SATURDAY:
            observe("day_without_reflection", not within(by_hand, day), at=day[1])


@pytest.mark.criterion("step2-reviewed")
def test_each_commit_was_confirmed_before(two_weeks: Learnt, observe: Observe) -> None:
    problems = []
    for change in added(two_weeks.history, two_weeks.window):
        said = unconfirmed(change, two_weeks.log)
        observe("unreviewed_commit", bool(said), at=change.version.at)
        problems += [f"{change.learning.id}: {said}"] if said else []
    assert not problems, "; ".join(problems)


def unconfirmed(change: Change, log: Sequence[Reported]) -> str:
    """Why a learning counts as committed without a person's word; empty: it does not."""
    by, named = confirmed_by(change, log), change.version.reviewed_by
    if not named:
        return "its commit names nobody who reviewed it"
    if by is None:
        return "no reflection says that somebody confirmed it"
    return "" if by == named else f"its commit names {named}, the log says {by} confirmed it"


@pytest.mark.criterion("step2-reviewed")
def test_only_a_yes_commits(reflected: Reflected) -> None:
    assert not reflected.unclear, (
        f"{reflected.unclear} learnings were committed, and nobody had said yes to them"
    )
    assert reflected.alone == 1, (
        f"somebody said yes to one of three learnings, and {reflected.alone} were committed"
    )


@pytest.mark.criterion("step2-reviewed")
def test_a_reflection_is_told_as_it_was(reflected: Reflected) -> None:
    """What it answers, and its line in the log, say what became of each proposal."""
    lines = [line for line in reflected.log if line.text("mode") == "manual"]
    assert len(lines) == len(reflected.told), f"{len(lines)} reflections are in the log"
    answered = set[str]()
    for told, line in zip(reflected.told, lines, strict=True):
        proposed = told.said.each("proposed")
        keys = [proposal.text("key") for proposal in proposed]
        texts = [proposal.text("text") for proposal in proposed]
        again = [text for text in texts if text in answered or texts.count(text) > 1]
        assert not again, f"proposed again, or twice: {again}"
        answers = dict(zip(keys, told.given, strict=False))
        due = {key: word for key, word in answers.items() if word in ("y", "n")}
        no = [key for key, word in due.items() if word == "n"]
        said = sorted(told.said["declined"])
        assert said == sorted(no), f"declined was {no}, it says {said}"
        left = [key for key in keys if key not in due]
        said = sorted(told.said["open"])
        assert said == sorted(left), f"left open was {left}, it says {said}"
        yes = {
            proposal.text("text") for proposal in proposed if due.get(proposal.text("key")) == "y"
        }
        ids = told.said["committed"]
        kept = {entry.text for entry in reflected.last.entries if entry.id in ids}
        assert kept == yes, f"a yes was said to {yes}; committed is {kept}, by its ids {ids}"
        answered |= {proposal.text("text") for proposal in proposed if proposal["key"] in due}
        shown = (line["session"], line["by"], sorted(line["proposed"]), line["answers"])
        asked = (told.session or None, "suite", sorted(keys), due)
        assert shown == asked, f"the log says {shown}, it was {asked}"
        assert sorted(line["committed"]) == sorted(ids), f"the log says {line['committed']}"
        assert line["error"] is None, f"the log says {line['error']!r}"
        signals = [reflected.signals[id_] for id_ in line["signals"]]
        felt = {signal.text("says") for signal in signals}
        assert {*texts} <= felt, f"its signals say {felt}"
        others = {signal.text("session") for signal in signals} - {told.session}
        assert not (told.session and others), f"its signals are of {others}"


@pytest.mark.criterion("step2-reviewed")
def test_proposals_are_read_before_somebody_confirms(read_aloud: tuple[str, Learnings]) -> None:
    text, file = read_aloud
    unsaid = [lesson for lesson in ALOUD if lesson not in text]
    assert not unsaid, f"in words nothing is said of {unsaid}"
    (first, *_) = sorted(ALOUD, key=text.index)
    kept = [entry.text for entry in file.entries]
    assert kept == [first], f"the first one asked, {first!r}, got a yes alone; kept is {kept}"


@pytest.mark.criterion("step2-rejects-wrong")
def test_what_is_declined_is_not_stored(reflected: Reflected, observe: Observe) -> None:
    for said in (reflected.asked, reflected.again):
        demand_answer("reflection", said)
    texts = [entry.text for entry in reflected.first.entries]
    kept = [text for text in reflected.proposed if text != reflected.declined]
    assert sorted(text for text in texts if text in kept) == sorted(kept), (
        f"{kept} were confirmed, and {texts} are in the file"
    )
    for file in (reflected.first, reflected.last):
        stored = any(entry.text == reflected.declined for entry in file.entries)
        observe("rejected_but_stored", stored)
    again = [proposal.text("text") for proposal in reflected.again.each("proposed")]
    assert reflected.declined not in again, "what was declined is proposed again"


@pytest.mark.criterion("step2-at-least-5", "step2-at-most-10")
def test_learnings_of_each_day(two_weeks: Learnt, observe: Observe) -> None:
    new = added(two_weeks.history, two_weeks.window)
    for number in range(1, DAYS + 1):
        start, end = two_weeks.weeks.day(number)
        count = sum(start <= change.version.at < end for change in new)
        observe("learnings_added", count, at=end)


@pytest.mark.criterion("step2-min-5")
def test_learnings_in_the_file(two_weeks: Learnt, observe: Observe) -> None:
    stood = at(two_weeks.history, two_weeks.window[1]).file
    observe("learnings_in_file", len(stood.active))


@pytest.mark.criterion("step2-no-incorrect")
def test_no_learning_turned_out_wrong(two_weeks: Learnt, observe: Observe) -> None:
    judged, wrong = wrong_ids(two_weeks.history, two_weeks.records)
    new = added(two_weeks.history, two_weeks.window)
    for change in new:
        id_ = change.learning.id
        if id_ in judged | wrong:
            observe("incorrect_learning", id_ in wrong, at=change.version.at)
    left = [change.learning.id for change in new if change.learning.id not in judged | wrong]
    if left:
        raise NoValueError(f"nobody reviewed {', '.join(left)}")


@pytest.mark.criterion("step2-stats-updating")
def test_statistics_follow_each_commit(two_weeks: Learnt, observe: Observe) -> None:
    problems = []
    for version in two_weeks.history:
        for figure, said in version.file.mismatches.items():
            observe(
                "statistics_mismatch", bool(said), at=_since(two_weeks, version.at), figure=figure
            )
            problems += [f"{version.commit[:9]}: {figure}: {said}"] if said else []
    assert len(changes(two_weeks.history)) >= 5, "the file hardly changed, so nothing is shown"
    assert not problems, "; ".join(problems[:3])


@pytest.mark.criterion("step2-stats-updating")
def test_learnings_are_counted_as_what_they_are(graded: Graded) -> None:
    """Source and confidence of each kind of feedback; statistics count what stands there."""
    stand = {entry.text: entry for entry in graded.file.entries}
    for text, due in GRADES.items():
        entry = stand.get(text)
        assert entry is not None, f"{text!r} was confirmed, and is not in the file"
        got = (entry.source, entry.section)
        assert got == due, f"{text!r} is counted as {' and '.join(got)}, not {' and '.join(due)}"
        assert entry.day == graded.now.date(), f"{entry.id} is of {entry.day}, not {graded.now}"
    for proposal in graded.proposed:
        said = (proposal.text("source"), proposal.text("confidence"))
        due = GRADES[proposal.text("text")]
        assert said == due, f"{proposal['text']!r} is proposed as {' and '.join(said)}"
    assert len(graded.promoted) == 3, "what was promoted is not in the file any more"
    before, *rose = graded.promoted
    for after, section in zip(rose, ("MEDIUM", "HIGH"), strict=True):
        assert after == replace(before, section=section), f"{before} was promoted to {after}"
    assert not graded.moved, f"where learnings were moved, {'; '.join(graded.moved)}"
    for version in graded.history:
        wrong = [f"{name}: {said}" for name, said in version.file.mismatches.items() if said]
        assert not wrong, f"after {version.message.splitlines()[0]!r}, {wrong[0]}"


@pytest.mark.criterion("step2-stats-updating")
def test_each_learning_is_of_its_day_and_its_signals(two_weeks: Learnt) -> None:
    sources = {
        signal.text("id"): signal.text("source") for signal in happened(two_weeks.log, "signal")
    }
    signals = {
        id_: {sources[name] for name in reflection["signals"] if name in sources}
        for reflection in happened(two_weeks.log, "reflection")
        for id_ in reflection["committed"]
    }
    for change in added(two_weeks.history, two_weeks.window):
        entry, at_ = change.learning, change.version.at
        assert entry.day == at_.date(), f"{entry.id} says {entry.day}, it was committed {at_}"
        of = signals.get(entry.id)
        assert of is None or entry.source in of, (
            f"{entry.id} says {entry.source}, its signals are of {', '.join(sorted(of))}"
        )


def _since(learnt: Learnt, moment_: datetime) -> datetime:
    """A moment, or day 1 where it lies before."""
    return max(moment_, learnt.weeks.begun)


@pytest.mark.criterion("step2-idempotent")
def test_reflecting_again_adds_nothing(reflected: Reflected, observe: Observe) -> None:
    first = {entry.text for entry in reflected.first.entries}
    assert len(first) >= 2, f"{len(first)} learnings were confirmed, so nothing can be doubled"
    for text in sorted(first):
        count = sum(entry.text == text for entry in reflected.last.entries)
        observe("duplicate_learning", count > 1)
    assert len(set(reflected.commits)) == 1, f"the history has {reflected.commits} commits in turn"


@pytest.mark.criterion("step3-not-before-day-15")
def test_auto_was_off_for_two_weeks(two_weeks: Learnt, observe: Observe) -> None:
    settings = [
        setting
        for setting in happened(two_weeks.log, "setting")
        if setting.text("setting") == "auto"
    ]
    alone = [
        reflection
        for reflection in happened(two_weeks.log, "reflection")
        if reflection.text("mode") == "auto"
    ]
    looks = happened(two_weeks.log, "status")
    for number in range(1, DAYS + 1):
        day = two_weeks.weeks.day(number)
        before = [setting for setting in settings if moment(setting) < day[1]]
        shown = [look.inner("answered").flag("auto") for look in within(looks, day)]
        on = bool(before and before[-1].flag("after")) or bool(within(alone, day)) or any(shown)
        observe("auto_on_before_day_15", on, at=day[1])


# Warnings, at both sides of their limits


@pytest.mark.parametrize(
    "warning",
    [
        pytest.param(HIGH, marks=pytest.mark.criterion("warning-high")),
        pytest.param(ZERO, marks=pytest.mark.criterion("warning-zero")),
        pytest.param(DEPRECATIONS, marks=pytest.mark.criterion("warning-deprecations")),
    ],
)
def test_warning_is_given_from_its_limit_on(
    warned: Mapping[str, list[Side]], warning: str, observe: Observe
) -> None:
    for side in warned[warning]:
        observe("warning_boundary_error", side.given != side.due, warning=warning)
    wrong = [side for side in warned[warning] if side.given != side.due]
    said = [f"{side.when} the warning is {'' if side.given else 'not '}given" for side in wrong]
    assert not said, "; ".join(said)
