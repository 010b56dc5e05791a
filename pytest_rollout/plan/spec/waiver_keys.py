"""The keys of the files beside a plan: waivers, and stand-ins for attestations."""

from __future__ import annotations

from pytest_rollout.model.waiver import WindowDemand
from pytest_rollout.plan.spec.criterion_keys import FAULTS
from pytest_rollout.plan.spec.keys import Key, Keys
from pytest_rollout.plan.spec.kinds import Flag, Text, WordKind
from pytest_rollout.plan.spec.shapes import ListOf, Nested
from pytest_rollout.plan.spec.values import CUT, DAY, NAME

_SAID = Text("text", r"\S")


class WaiverKeys(Keys, name="waiver", title="a waiver"):
    """A reviewed exception; it ends with its phase and on its last day."""

    exactly_one = ("criterion", "window", "requires")
    together = {"limit": ("criterion",)}  # noqa: RUF012

    criterion = Key(NAME, "The criterion of the phase that need not pass.", example="queue-depth")
    window = Key(
        WordKind(
            ", ".join(f"`{window_demand}`" for window_demand in WindowDemand),
            tuple(demand.value for demand in WindowDemand),
        ),
        "What `rollout clear` does not mind.",
        example="freeze",
    )
    requires = Key(NAME, "The phase that need not be GO before.", example="day2")
    phase = Key(
        NAME,
        "The phase that it is for.",
        example="day3",
        required=True,
        missing="{what} names no `phase` to end with",
    )
    limit = Key(CUT, "How far a rule may be missed.", example='"< 20"', unless="however far")
    reason = Key(_SAID, "Why it is accepted.", example="The queue drains at night", required=True)
    author = Key(_SAID, "Who asks for it.", example="A. Turing", required=True)
    approver = Key(
        _SAID, "Who approves it: somebody else than the author.", example="G. Hopper", required=True
    )
    until = Key(
        DAY, "Its last day, in the plan's zone.", example="2025-11-30", required=True,
        fix="until: 2025-11-30",
    )  # fmt: skip
    release = Key(NAME, "The release that it is for.", example='"1.4.0"', unless="any")
    guardrail = Key(
        NAME,
        "",
        refused="a guardrail cannot be waived",
        fix="change its limit in the plan, where the change is reviewed",
    )


class WaiversKeys(Keys, name="waivers", title="waivers.yaml"):
    """The reviewed exceptions beside a plan."""

    waivers = Key(
        ListOf(Nested(WaiverKeys)),
        "The exceptions.",
        example="[{requires: day2, phase: day3, reason: R, author: A, approver: B, "
        "until: 2025-11-30}]",
    )


class StandInKeys(Keys, name="stand-in", title="a stand-in"):
    """An answer to a criterion that people attest, for rehearsals only."""

    phase = Key(NAME, "The phase of the criterion.", example="day3", required=True, missing="")
    criterion = Key(
        NAME, "The criterion that it answers.", example="manual", required=True, missing=""
    )
    by = Key(NAME, "Who would answer it.", example="A. Turing", required=True, missing="")
    role = Key(NAME, "The role of that person.", example="operations", required=True, missing="")
    note = Key(NAME, "What that person would say.", example="seen", required=True, missing="")
    fail = Key(
        Flag(rule="is true or false"), "Whether the answer is no.", default="false", example="true"
    )
    faults = Key(FAULTS, "Drills in which the answer is no.", example="[operator-away]")


class StandInsKeys(Keys, name="stand-ins", title="attestations.embedded.yaml"):
    """The answers to criteria that people attest, for rehearsals only."""

    attestations = Key(
        ListOf(Nested(StandInKeys)),
        "The answers.",
        example="[{phase: day3, criterion: manual, by: A, role: operations, note: seen}]",
    )
