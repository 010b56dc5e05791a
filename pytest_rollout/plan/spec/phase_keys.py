"""The keys of phases, of rollbacks and of final reports."""

from __future__ import annotations

from pytest_rollout.model.rollback import Mode
from pytest_rollout.plan.spec.check_keys import STEP
from pytest_rollout.plan.spec.criterion_keys import CriterionKeys, GuardrailKeys
from pytest_rollout.plan.spec.keys import Key, Keys
from pytest_rollout.plan.spec.kinds import SCALAR, Choice, Pairs
from pytest_rollout.plan.spec.kinds import WordKind as Only
from pytest_rollout.plan.spec.shapes import AnyOf, ListOf, MapOf, Nested, Raw
from pytest_rollout.plan.spec.values import (
    DAY,
    DURATION,
    HOURS,
    IDENTIFIER,
    INTERVAL,
    NAME,
    NAMES,
    RISK,
    TAKE,
    TEXT,
)


class RollbackKeys(Keys, name="rollback", title="a rollback and who starts it"):
    """The steps of a rollback, and who starts them."""

    mode = Key(
        Choice(Mode),
        "Whether `rollout watch --execute` asks a person before it runs the steps.",
        default="ask",
        example="auto",
    )
    steps = Key(
        ListOf(STEP, least=1), "The steps in order.", example="[Stop the scheduler]",
        required=True, missing="",
    )  # fmt: skip


class OnRollbackKeys(Keys, name="on-rollback", title="what a rollback takes back"):
    """What must be decided anew after a rollback."""

    revalidate = Key(
        NAMES,
        "Gates that must be GO anew before the phase begins again; of a phase its exit.",
        example="[day2, day3/entry]",
        required=True,
        missing="",
    )


class FigureKeys(Keys, name="figure", title="a figure of a report"):
    """A figure of a final report: of a metric, of recorded events, or a length of time."""

    exactly_one = ("metric", "events", "from")
    together = {"metric": ("take",), "from": ("to",), "to": ("from",)}  # noqa: RUF012

    says = Key(TEXT, "Its name.", example="Uptime", required=True, missing="")
    phase = Key(
        NAME,
        "The phase in which it was observed.",
        example="day2",
        unless="the report's own phase",
    )
    metric = Key(NAME, "The series that it is taken of.", example="probe_answered")
    take = Key(TAKE, "The one value that is taken of the samples.", example="rate")
    where = Key(Pairs(), "Labels that a sample must carry.", example="{lane: A}")
    by = Key(NAME, "The label by which it is split.", example="lane")
    as_ = Key(
        Only("`number` or `percent`", ("number", "percent")),
        "How it is written.",
        example="percent",
        unless="number",
    )
    events = Key(
        NAME, "The type of the recorded events that are counted and listed.", example="incident"
    )
    from_ = Key(NAME, "The phase from whose begin on it lasted.", example="day2")
    to = Key(NAME, "The phase to whose end it lasted.", example="day3")


class SectionKeys(Keys, name="section", title="a section of a report"):
    """A section of a final report."""

    title_ = Key(TEXT, "Its heading.", example="Availability", required=True, missing="")
    each = Key(
        MapOf(Raw("list of values", {"type": "array", "items": dict(SCALAR)}), "one label", 1),
        "One label and its values: a table with a row for each.",
        example="{lane: [A, B]}",
    )
    figures = Key(
        ListOf(Nested(FigureKeys), least=1),
        "What it shows.",
        example="[{says: Uptime, metric: probe_answered, take: rate}]",
        required=True,
        missing="",
    )


class ReportKeys(Keys, name="report", title="a final report"):
    """The final report of a phase. Sign-off, criteria and decision always follow."""

    title_ = Key(TEXT, "Its heading.", default="Report", example="Week one")
    sections = Key(
        ListOf(Nested(SectionKeys)),
        "What it shows first.",
        example="[{title: Availability, figures: [{says: Uptime, metric: up, take: rate}]}]",
    )


_LATER = "{what}: `{key}` is not judged by this version of pytest-rollout"
_LEAVE = "the gate would be decided without it, so leave it out on purpose"


class PhaseKeys(Keys, name="phase", title="a phase"):
    """A step of the rollout, with an entry gate and an exit gate."""

    together = {"until": ("date",), "hours": ("date",)}  # noqa: RUF012

    id = Key(IDENTIFIER, "Its name: `plan.id` in commands.", example="day7", required=True)
    title_ = Key(TEXT, "What people call it.", example="Portfolio scheduler", unless="its `id`")
    marks = Key(
        NAMES,
        "Markers of pytest by which it is asked for.",
        example="[day3, scheduler]",
        unless="its `id`, with `_` for `-`",
    )
    date = Key(DAY, "The day on which it is done.", example="2025-11-10")
    until = Key(DAY, "Its last day, where it takes several.", example="2025-11-12")
    hours = Key(HOURS, "The hours in which it may be changed.", example='"09:00-11:00"')
    owners = Key(NAMES, "Roles that do it.", example="[engineering]")
    risk = Key(
        RISK, "The risk of its changes, which windows and freezes ask for.", example="medium"
    )
    requires = Key(
        NAMES,
        "Phases, also `plan.phase`, whose exit gate must be GO before, for the same release.",
        example="[day2]",
    )
    any_release = Key(
        NAMES, "Required phases whose exit may be GO for another release.", example="[day2]"
    )
    signoff = Key(NAMES, "Roles that sign each of its gates.", example="[operations]")
    criteria = Key(
        ListOf(Nested(CriterionKeys)),
        "What must hold before it and after it.",
        example="[{id: healthy, kind: operational}]",
    )
    guardrails = Key(
        ListOf(Nested(GuardrailKeys)),
        "What must never happen meanwhile.",
        example='[{id: errors, metric: errors, take: sum, fail: "> 3"}]',
    )
    rollback = Key(
        AnyOf((ListOf(STEP), Nested(RollbackKeys))),
        "How its changes are taken back.",
        example="[Stop the scheduler]",
    )
    on_rollback = Key(
        Nested(OnRollbackKeys),
        "What must be decided anew after a rollback.",
        example="{revalidate: [day2]}",
    )
    every = Key(INTERVAL, "How often `rollout watch` looks.", default="15s", example="1m")
    report = Key(
        Nested(ReportKeys),
        "The final report that is written after it.",
        example="{title: Week one}",
    )
    soak = Key(DURATION, "", refused=_LATER, fix=_LEAVE)
    valid_for = Key(DURATION, "", refused=_LATER, fix=_LEAVE)
