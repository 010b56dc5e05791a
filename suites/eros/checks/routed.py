"""Checks of who is on v5 in a step, and by which flags."""

from __future__ import annotations

import pytest

from pytest_rollout import Observe
from suites.eros.scenarios.widening import PERCENTAGES, Step, flags_in, selected
from suites.eros.views.records import days_between
from suites.eros.views.routing import Flags
from suites.eros.views.said import not_done


def decided(step: Step) -> dict[str, str]:
    """The last decision for each creator since the step began, by the router's log."""
    targets = {}
    for decision in step.decisions_since:
        targets[decision.text("creator")] = decision.text("target")
    return targets


@pytest.mark.criterion("step-before-stands")
def test_the_step_before_stands(widened: Step) -> None:
    stood, wanted = widened.before, widened.wanted_before
    assert stood == wanted, f"before the change the flags are {stood}, not {wanted}"


@pytest.mark.criterion("config-percentage")
def test_the_percentage_is_set(widened: Step) -> None:
    share = PERCENTAGES[widened.name]
    stands = widened.service.get("/flags").whole("EROS_V5_PERCENTAGE")
    assert stands == share, f"EROS_V5_PERCENTAGE is {stands}, not {share}"
    began = widened.change
    assert began is not None, f"nobody set the percentage to {share}"


@pytest.mark.criterion("config-percentage")
def test_each_decision_was_made_with_the_percentage(widened: Step) -> None:
    share = PERCENTAGES[widened.name]
    used = {
        decision.inner("flags").whole("EROS_V5_PERCENTAGE") for decision in widened.decisions_since
    }
    if not used:
        not_done("no request was routed since the step began", "let jobs run")
    assert used == {share}, f"decisions since then were made with {sorted(used)}, not with {share}"


@pytest.mark.criterion("shadow-off-enabled-on")
def test_the_other_flags_stay(widened: Step, observe: Observe) -> None:
    answer = widened.service.get("/flags")
    stands = {
        "EROS_V5_ENABLED": answer.flag("EROS_V5_ENABLED"),
        "EROS_V5_SHADOW_MODE": answer.flag("EROS_V5_SHADOW_MODE"),
        "EROS_V5_CREATORS": frozenset(answer["EROS_V5_CREATORS"]),
        "EROS_V5_AUTO_FALLBACK": answer.flag("EROS_V5_AUTO_FALLBACK"),
    }
    wanted = widened.wanted
    due = {
        "EROS_V5_ENABLED": wanted.enabled,
        "EROS_V5_SHADOW_MODE": wanted.shadow,
        "EROS_V5_CREATORS": wanted.creators,
        "EROS_V5_AUTO_FALLBACK": wanted.fallback,
    }
    for flag, value in stands.items():
        observe("flag_changed", value != due[flag], flag=flag, is_=str(value)[:60])


@pytest.mark.criterion("shadow-off-enabled-on")
def test_no_change_touched_another_flag(widened: Step) -> None:
    begun = widened.begun
    for change in widened.changes:
        if change.moment("at") >= begun:
            after = flags_in(change, "after")
            kept = Flags(after.enabled, after.shadow, widened.wanted.percentage, after.creators)
            assert kept == widened.wanted, f"at {change.moment('at')} flags were set to {after}"


@pytest.mark.criterion("traffic-share")
def test_those_on_v5_are_those_selected(widened: Step, observe: Observe) -> None:
    """The hash is computed here; asked are the router, its log and the runs."""
    names = widened.service.names
    due = selected(names, widened.wanted)
    _, decisions = widened.service.decide(names)
    says = {decision.text("creator"): decision.text("target") for decision in decisions}
    was = decided(widened)
    ran = {run.creator for run in widened.runs}
    for name in names:
        seen = {"router": says.get(name) == "v5", "log": was.get(name) == "v5", "run": name in ran}
        wrong = sorted(where for where, on_v5 in seen.items() if on_v5 != (name in due))
        by = ", ".join(wrong) or "none"
        observe("creator_differs", bool(wrong), at=widened.now, creator=name, by=by)


@pytest.mark.criterion("traffic-share")
def test_everybody_gets_what_is_due(widened: Step) -> None:
    """Users who are selected get what v5 drafted, the other ones what v4 did, each day."""
    widened.deliveries.demand_served(widened.due, days_between(widened.begun, widened.now))


@pytest.mark.criterion("no-creator-lost")
def test_nobody_is_back_on_v4(widened: Step, observe: Observe) -> None:
    before = {run.creator for run in widened.earlier}
    if not before:
        not_done("nobody was on v5 in the step before", "see what ran")
    _, decisions = widened.service.decide(sorted(before))
    says = {decision.text("creator"): decision.text("target") for decision in decisions}
    ran = {run.creator for run in widened.runs}
    for creator in sorted(before):
        lost = says.get(creator) != "v5" or creator not in ran
        observe("creator_lost", lost, at=widened.now, creator=creator)
