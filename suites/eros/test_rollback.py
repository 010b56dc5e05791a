"""Rollback by hand: the flag, its file, the controller; and nobody is left without a schedule."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import httpx
import pytest

from pytest_rollout import Observe
from suites.eros.scenarios.at_noon import Noon, observe_later
from suites.eros.scenarios.in_flight import REQUESTS, Surge
from suites.eros.scenarios.rollback_drills import (
    CONFIGURATIONS,
    DRILL,
    OVER,
    Asked,
    Pulled,
    Switch,
)
from suites.eros.views.rule_figures import QUIET
from suites.eros.views.said import not_done

pytestmark = pytest.mark.eros_rollback


def observe_off(switch: Switch, observe: Observe, by: str, at: datetime) -> None:
    """Observe who is on v5 after it was switched off."""
    assert switch.before, f"nobody was on v5 in {switch.configuration} before: it shows nothing"
    for creator, on in switch.after.items():
        labels = {"by": by, "way": switch.way, "configuration": switch.configuration}
        observe("on_v5_after_off", on, at=at, creator=creator, **labels)
    for creator, pipeline in switch.served.items():
        assert pipeline == "v4", (
            f"in {switch.configuration} {pipeline} made the next schedule of {creator} after "
            f"{switch.way} off"
        )


@pytest.mark.criterion("manual-env")
def test_the_flag_sends_everybody_back(
    switched_off: Sequence[Switch], observe: Observe, moment: datetime
) -> None:
    for switch in switched_off:
        observe_off(switch, observe, "flag", moment)
    tried = {switch.configuration for switch in switched_off}
    assert tried == set(CONFIGURATIONS), f"only {sorted(tried)} were tried"


@pytest.mark.criterion("manual-controller")
def test_the_program_of_the_controller_does_the_same(
    pulled: Pulled, observe: Observe, moment: datetime
) -> None:
    observe_off(pulled.first, observe, "controller", moment)
    assert pulled.once.history == pulled.before.history + 1, "the controller keeps no record of it"
    for record in (pulled.state, pulled.state.each("history")[-1]):
        said = (record.text("reason"), record.text("by"))
        assert said == (DRILL, "Olga"), f"{record.source} says {said}, not who went back and why"
    late = abs(pulled.state.moment("at") - pulled.until)
    assert late <= timedelta(minutes=30), f"it is said to be of {late} before or after it was"
    assert any(DRILL in message.text for message in pulled.told), (
        "no message says why v5 was rolled back"
    )
    assert pulled.unexplained.returncode == 2, "the program goes back without a reason"
    assert pulled.unexplained.stderr.strip(), "the program refuses without a word why"
    assert not pulled.before.history, "the program went back although nobody gave a reason"


@pytest.mark.criterion("manual-controller")
def test_the_program_and_the_service_are_one_controller(pulled: Pulled) -> None:
    tried = pulled.program
    said, asked = tried.judged
    assert said == asked, f"of the same runs the program says {said}, the service {asked}"
    assert said.each("cases")[0].text("reason") == "gates", f"a violation is judged as {said}"
    for asked_for, done in tried.refused.items():
        assert (done.returncode, done.stdout) == (2, ""), f"the program would {asked_for}"
        assert done.stderr.strip(), f"the program does not {asked_for}, and says no word why"
    for said, asked in tried.states:
        for name in (*QUIET, "history"):
            assert said[name] == asked[name], (
                f"{name} is {said[name]}, by GET /rollback {asked[name]}"
            )
    over = {name: tried.states[-1][1][name] for name in QUIET}
    assert over == QUIET, f"the program has reset it, and the controller says {over}"
    told = [(line.text("by"), line.text("reason")) for line in tried.resets]
    assert told == [("Olga", OVER)], f"the log says of the reset {told}"


@pytest.mark.criterion("manual-controller")
def test_flags_that_a_rollback_changes_are_its_own(pulled: Pulled) -> None:
    by, reason = pulled.changed.text("by"), pulled.changed.text("reason")
    assert by in ("rollback", "eros-rollback"), f"v5 was switched off by {by}, says the list"
    assert reason == DRILL, f"v5 was switched off because {reason!r}, says the list"


@pytest.mark.criterion("manual-controller")
def test_a_request_to_the_controller_does_the_same(
    requested: Switch, observe: Observe, moment: datetime
) -> None:
    observe_off(requested, observe, "controller", moment)
    assert requested.noted == ("Olga", DRILL), f"of who asked and why it says {requested.noted}"


@pytest.mark.criterion("manual-env")
def test_jobs_of_the_rest_of_the_day_go_to_v4(at_noon: Sequence[Noon], observe: Observe) -> None:
    for noon in at_noon:
        if noon.way == "flag":
            observe_later(noon, observe, "on_v5_after_off", by="flag")


@pytest.mark.criterion("manual-controller")
def test_jobs_go_to_v4_after_the_controller(at_noon: Sequence[Noon], observe: Observe) -> None:
    for noon in at_noon:
        if noon.way != "flag":
            observe_later(noon, observe, "on_v5_after_off", by="controller")


@pytest.mark.criterion("rollback-idempotent")
def test_a_second_rollback_changes_nothing(pulled: Pulled, observe: Observe) -> None:
    assert pulled.once.messages > pulled.before.messages, "the first rollback told nobody"
    assert pulled.once.changes > pulled.before.changes, "the first rollback changed no flag"
    for number, traces in enumerate(pulled.again, 2):
        observe("second_rollback_effect", traces.messages != pulled.once.messages, call=number)
        changed = (traces.changes, traces.history) != (pulled.once.changes, pulled.once.history)
        observe("second_rollback_effect", changed, call=number)


@pytest.mark.criterion("rollback-no-loss")
def test_requests_around_a_rollback_get_a_schedule(surge: Surge, observe: Observe) -> None:
    if len(surge.under_way) < 3 or len(surge.later) < 3:
        seen = f"{len(surge.under_way)} requests were under way, {len(surge.later)} came later"
        not_done(f"the rollback fired among too few requests: {seen}", "ask for more")
    for answer in surge.answers:
        lost = answer.whole("status") != httpx.codes.OK or not answer.get("schedule")
        observe("request_unanswered", lost, during="rollback")
    assert len(surge.answers) == REQUESTS, f"{len(surge.answers)} of {REQUESTS} were answered"


@pytest.mark.criterion("rollback-no-loss")
def test_what_was_under_way_ends_in_a_delivery(surge: Surge) -> None:
    delivered = {run.request_id for run in surge.runs if run.delivered}
    lost = [run for run in surge.under_way if run.request_id not in delivered]
    assert not lost, f"{len(lost)} runs that were under way delivered nothing, also not by v4"
    on_v5 = [run.run_id for run in surge.later if run.pipeline == "v5"]
    assert not on_v5, f"{len(on_v5)} runs of v5 began after the rollback"


@pytest.mark.criterion("flag-flip-zero-downtime")
def test_requests_at_each_change_get_a_schedule(flipped: Sequence[Asked], observe: Observe) -> None:
    for asked in flipped:
        lost = asked.status != httpx.codes.OK or not asked.schedule
        observe("request_unanswered", lost, during="flip", change=asked.change)
