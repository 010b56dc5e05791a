"""The keys of `loads:`: what load is offered, by whom, and for how long."""

from __future__ import annotations

from pytest_rollout.model.load import Law, ShapeKind
from pytest_rollout.plan.spec.keys import Key, Keys
from pytest_rollout.plan.spec.kinds import Choice, Term, Whole
from pytest_rollout.plan.spec.shapes import AnyOf, Nested
from pytest_rollout.plan.spec.values import DURATION, IDENTIFIER, NAME, TEXT
from pytest_rollout.plan.terms import arrival_rate, host_and_port, times

RATE = Term(
    arrival_rate, r"^\s*[0-9]+(\.[0-9]+)?\s*/\s*(s|m|h)\s*$", "rate: `40/s`, `90/m`, `600/h`"
)
TIMES = Term(times, r"^\s*[0-9]+(\.[0-9]+)?\s*$", "number, at least 1", types=("string", "number"))

BIND = Term(host_and_port, r"^\s*\S.*:[0-9]{1,5}\s*$", "address, as `0.0.0.0:5557`")


class ShapeKeys(Keys, name="shape", title="a shape of load"):
    """How a load changes from its begin to its end."""

    kind = Key(
        Choice(ShapeKind),
        "Which one it is.",
        example="spike",
        required=True,
        fix="kind: ramp",
    )
    over = Key(DURATION, "ramp: how long it goes up.", example="20s", unless="half of it")
    steps = Key(Whole(1), "stairs: how many equal steps.", example="5", unless="4")
    peak = Key(TIMES, "spike: how many times the load.", example="3", unless="2")
    every = Key(
        DURATION, "burst: from one to the next.", example="10s", unless="there is one burst"
    )
    lasts = Key(
        DURATION,
        "burst or spike: how long it lasts.",
        example="2s",
        unless="1s, and a fifth of the load for a spike",
    )


class OfferKeys(Keys):
    """How much is offered."""

    rate = Key(
        RATE,
        "Arrivals that are planned, whatever the target answers.",
        example="40/s",
    )
    users = Key(
        Whole(1),
        "Users who ask one after the other; with `rate`, the most requests at once.",
        example="16",
        unless="with `rate`, twice the arrivals of a second",
    )


class RehearsalKeys(OfferKeys, name="load-rehearsal", title="a load on an embedded target"):
    """What is different where an embedded target is loaded."""

    not_empty = True

    duration = Key(DURATION, "How long it lasts.", example="10s", unless="as stated for others")
    warm_up = Key(
        DURATION,
        "How long answers do not count at first.",
        example="2s",
        unless="as stated for others",
    )


class GeneratorsKeys(Keys, name="generators", title="who makes a load"):
    """The processes that make a load: some of this machine, or workers on others."""

    exactly_one = ("processes", "workers")
    together = {"workers": ("bind",), "bind": ("workers",)}  # noqa: RUF012

    processes = Key(Whole(1), "Processes of this machine.", example="2")
    workers = Key(Whole(1), "Workers that are waited for.", example="3")
    bind = Key(
        BIND,
        "Where they connect.",
        example='"0.0.0.0:5557"',
    )


class LoadKeys(OfferKeys, name="load", title="a load"):
    """A load that criteria judge by `check: {load: …}`, and that `rollout load` runs."""

    at_least_one = ("rate", "users")

    id = Key(IDENTIFIER, "Its name.", example="nightly", required=True)
    says = Key(TEXT, "What it stands for, for people.", example="A working day in a minute")
    locustfile = Key(
        NAME,
        "The locustfile, by its path from the project's folder.",
        example="load/web.py",
        required=True,
    )
    target = Key(NAME, "The target that is loaded.", example="web", required=True)
    duration = Key(DURATION, "How long it lasts.", example="10m", required=True, fix="60s")
    warm_up = Key(
        DURATION, "How long answers do not count at first.", example="10s", unless="they count"
    )
    shape = Key(
        AnyOf((Choice(ShapeKind), Nested(ShapeKeys))),
        "How it changes over time.",
        example="{kind: ramp, over: 20s}",
        unless="steady",
    )
    law = Key(Choice(Law), "How arrivals follow each other.", default="poisson", example="even")
    seed = Key(Whole(0), "The seed of arrivals and users.", default="1", example="7")
    generators = Key(
        Nested(GeneratorsKeys),
        "Who makes it.",
        example="{processes: 2}",
        unless="one process",
    )
    most_start_delay = Key(
        DURATION,
        "How late 99 in 100 arrivals may start; later, and the load was not offered.",
        default="100ms",
        example="50ms",
    )
    need = Key(Whole(1), "How many answers count at least.", default="100", example="1000")
    rehearsal = Key(
        Nested(RehearsalKeys),
        "What is different on an embedded target.",
        example="{duration: 10s}",
        unless="nothing",
    )
