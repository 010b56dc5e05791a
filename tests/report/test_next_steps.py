"""Who is next about a phase, and with what: the worst first, and no step that leads nowhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_rollout.model.people import Person, Roster
from pytest_rollout.model.plan import Gate
from pytest_rollout.model.story import StepState
from pytest_rollout.model.verdict import Answer
from pytest_rollout.plan.load import parse
from pytest_rollout.report.next_steps import (
    GateAnswer,
    PhaseStanding,
    Urgency,
    next_steps,
)

TEXT = """\
plan: shop
title: A shop
environments: {prod: {targets: {api: "http://127.0.0.1:1"}}}
phases:
  - id: preflight
    criteria:
      - {id: ready, gate: entry, kind: operational, says: It is ready}
  - id: canary
    owners: [sre]
    requires: [preflight]
    criteria:
      - {id: ready, gate: entry, kind: operational, says: It is ready}
      - {id: told, kind: manual, by: [pm], says: People were told}
    guardrails:
      - {id: lag, says: It keeps up, metric: lag, take: max, fail: "> 5", then: [rollback]}
    rollback: [the customer is called]
"""
LAG = "shop.canary.lag"
UNDECIDED, GO = GateAnswer(), GateAnswer(Answer.GO)
NO_GO = GateAnswer(Answer.NO_GO, "ready: 9, allowed < 5")
PYTEST = "`pytest -m canary --rollout-env prod`"
WATCH = "`rollout watch shop.canary --env prod`"


def standing(entry: GateAnswer = UNDECIDED, exit_: GateAnswer = UNDECIDED, **more: Any) -> Any:
    loaded = parse(TEXT, Path("rollout.yaml"), "rollout.yaml", {})
    assert loaded.plan is not None, loaded.problems
    phase = loaded.plan.phase("canary")
    assert phase is not None
    gates = {Gate.ENTRY: entry, Gate.EXIT: exit_}
    if "tripped" in more:
        more.setdefault("steps", (StepState("the customer is called", by_hand=True),))
    people = {"sre": "Ada", "pm": "Eve"}
    found = PhaseStanding(loaded.plan, phase, "prod", gates, people=people)
    return replace(found, **more)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (standing(), [f"sre (Ada): {PYTEST} decides its entry gate"]),
        (standing(lacking=("preflight",)), ["waits until preflight/exit is GO"]),
        (
            standing(NO_GO),
            [f"sre (Ada): fix what made canary/entry NO-GO, then {PYTEST}: ready: 9, allowed < 5"],
        ),
        (
            standing(GateAnswer(Answer.HOLD, "the ledger was damaged", believed=False)),
            [f"sre (Ada): {PYTEST} anew: the ledger was damaged"],
        ),
        (standing(GO), ["sre (Ada): `rollout begin shop.canary --env prod --by NAME`"]),
        (standing(GO, shut="opens Monday"), ["waits for its window: opens Monday"]),
        (
            standing(GateAnswer(Answer.GO, unsigned={"pm": "Eve", "cto": ""}), shut="opens later"),
            [
                "pm (Eve): `rollout sign shop.canary/entry --as pm --env prod --key FILE`",
                "cto (nobody holds the role): "
                "`rollout sign shop.canary/entry --as cto --env prod --key FILE`",
            ],
        ),
        (
            standing(GateAnswer(Answer.GO, objections=(("eve (pm)", "too early"),))),
            [
                "eve (pm): signed against canary/entry: too early; settle it with them",
                "sre (Ada): `rollout begin shop.canary --env prod --by NAME`",
            ],
        ),
        (
            standing(GO, GateAnswer(unattested={"told": ("pm",)}), begun=True),
            [
                f"sre (Ada): {WATCH}: nobody watches its guardrails",
                "pm (Eve): `rollout attest shop.canary.told --env prod --by NAME --role pm "
                "--note WHAT`",
                f"sre (Ada): {PYTEST} decides its exit gate",
            ],
        ),
        (
            standing(GO, begun=True, watched=True),
            [f"sre (Ada): once the watch has ended {PYTEST} decides its exit gate"],
        ),
        (
            standing(GO, GO, begun=True, watched=True, frozen="since 09:30: INC-7"),
            [
                "sre (Ada): `rollout record shop.canary resume --env prod --says WHY --by NAME` "
                "lifts the freeze (since 09:30: INC-7)",
                "sre (Ada): `rollout end shop.canary --env prod --by NAME`",
            ],
        ),
        (
            standing(
                GO, GO, begun=True, tripped=("shop.canary.lag",), revalidate=("canary/entry",)
            ),
            [
                "sre (Ada): roll back by hand (the customer is called) and fix it, then "
                "`rollout reset shop.canary.lag --env prod --by NAME --reason WHY`",
                f"sre (Ada): {PYTEST[:-1]} --rollout-gate entry` must make canary/entry GO "
                "anew after the ROLLBACK",
            ],
        ),
        (standing(GO, GO, ended=True), []),
        (
            standing(GO, GO, ended=True, done=True),
            [
                "the plan is done in prod; a new rollout begins with `pytest -m preflight "
                "--rollout-env prod`, which decides the entry gate of preflight"
            ],
        ),
        (
            standing(UNDECIDED, ended=True, again=True),
            [f"sre (Ada): {PYTEST} decides its entry gate"],
        ),
        (
            standing(GateAnswer(Answer.HOLD, "it never finished", believed=False, process=4711)),
            ["waits for the run of canary/entry that still runs (process 4711)"],
        ),
        (
            standing(GateAnswer(Answer.GO, unsigned={"pm": ""})),
            [
                "pm (only an author of the change holds the role): "
                "`rollout sign shop.canary/entry --as pm --env prod --key FILE`",
            ],
        ),
        (
            standing(GO, GO, begun=True, watched=True, blind={LAG: "it is blind"}),
            [
                f"sre (Ada): `rollout reset {LAG} --env prod --by NAME --reason WHY`, once it is "
                "understood: it is blind",
                "sre (Ada): `rollout end shop.canary --env prod --by NAME`",
            ],
        ),
    ],
)
def test_each_state_of_a_phase_says_who_is_next(given: PhaseStanding, says: list[str]) -> None:
    steps = next_steps(given)
    assert [step.words for step in steps] == says
    assert {step.phase for step in steps} <= {"shop.canary"}
    assert [step.urgency for step in steps] == sorted(step.urgency for step in steps)


def test_the_phase_that_ended_last_names_the_next_one() -> None:
    given = standing(GO, GO, ended=True)
    (step,) = next_steps(replace(given, following=given.plan.phases[0]))
    assert step.urgency is Urgency.DONE
    entry = "`pytest -m preflight --rollout-env prod` decides its entry gate"
    assert step.words == f"preflight is next: {entry}"


RUNS = "roll back (`rollout watch shop.canary --env prod --execute` runs the steps) and fix it"
CALL = "roll back by hand (the customer is called) and fix it"


@pytest.mark.parametrize(
    ("turned", "called", "says"),
    [
        ("", "", RUNS),
        ("failed", "", RUNS),
        ("done", "to be done by hand", CALL),
        ("done", "done", "every step of the rollback is done: fix it"),
    ],
)
def test_a_trip_says_what_is_left_of_the_rollback(turned: str, called: str, says: str) -> None:
    steps = (
        StepState("traffic goes back", by_hand=False, outcome=turned),
        StepState("the customer is called", by_hand=True, outcome=called),
    )
    (step,) = next_steps(standing(GO, GO, begun=True, tripped=(LAG,), steps=steps))
    assert step.do.startswith(f"{says}, then ")


def test_a_rollback_without_stated_steps_is_asked_for() -> None:
    (step,) = next_steps(standing(GO, GO, begun=True, tripped=(LAG,), steps=()))
    assert step.do.startswith("roll back and fix it, then ")


def test_who_has_a_key_attests_with_it() -> None:
    given = standing(GO, GateAnswer(unattested={"told": ("pm", "cto")}), begun=True, watched=True)
    roster = Roster((Person("eve", "Eve", ("pm",)),), keys="eve ssh-ed25519 AAAA")
    told = next_steps(replace(given, plan=replace(given.plan, roster=roster)))[0]
    what = "--by NAME --role ROLE --note WHAT --key FILE"
    assert told.do == f"`rollout attest shop.canary.told --env prod {what}`"


def test_a_trip_is_worse_than_anything_else() -> None:
    given = standing(NO_GO, frozen="x", tripped=("shop.canary.lag",), revalidate=("canary/entry",))
    assert next_steps(given)[0].urgency is Urgency.TRIPPED


def test_a_gate_without_a_criterion_needs_one() -> None:
    bare = standing()
    bare = replace(bare, phase=replace(bare.phase, criteria=()))
    (step,) = next_steps(bare)
    assert step.words.startswith("sre (Ada): state a criterion of canary/entry")
