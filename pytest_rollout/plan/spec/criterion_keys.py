"""The keys of criteria and guardrails."""

from __future__ import annotations

import re

from pytest_rollout.model.plan import Gate, Kind, Severity, Then
from pytest_rollout.model.rule import Need
from pytest_rollout.plan.spec.check_keys import CHECK, CRITERION_CHECK
from pytest_rollout.plan.spec.ingest_keys import IngestKeys
from pytest_rollout.plan.spec.keys import Key, Keys
from pytest_rollout.plan.spec.kinds import SCALAR, Choice, Flag, Words
from pytest_rollout.plan.spec.rule_keys import LASTING, WHOLE, RuleKeys
from pytest_rollout.plan.spec.shapes import AnyOf, ListOf, MapOf, Nested, Raw
from pytest_rollout.plan.spec.values import CUT, DUE, DURATION, IDENTIFIER, LINES, NAME, NAMES, TEXT

FAULTS = Words("fault, or a list: `NAME`, `NAME:KEY=VALUE`")
CONTROL = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._:/@()+-]{0,79}$")
_FOUND = "^[A-Za-z0-9_-]+([.][A-Za-z0-9_-]+|/(entry|exit))$"


class WhenKeys(Keys, name="when", title="when a criterion applies"):
    """When a criterion applies; otherwise it is reported as not applicable."""

    configured = Key(
        NAME,
        "The environment variable that must be set.",
        example="PD_ROUTING_KEY",
        required=True,
        missing="{what} states no condition",
        fix="when: {{configured: NAME_OF_A_VARIABLE}}",
    )


class ByKeys(Keys, name="by", title="roles that all attest"):
    """Roles that all attest a criterion, as many different people as roles."""

    each = Key(
        NAMES, "The roles.", example="[pm, sre]", required=True,
        missing="{what} names no roles", fix="by: {{each: [ROLE, ROLE]}}",
    )  # fmt: skip


class SourceKeys(Keys, name="document-source", title="where the document says so"):
    """Where the document that a plan comes from says what a criterion asks."""

    section = Key(
        TEXT,
        "The section of the document, as its headings name it.",
        example="Day 3, Success Criteria",
        required=True,
        missing="{what} names no section",
        fix="source: {{section: TITLE, lines: 12-14}}",
    )
    lines = Key(
        LINES, "The line, or the first and the last one.", example="229-231", unless="not said"
    )
    derived = Key(
        TEXT,
        "Why it is asked although the document does not say so in these words.",
        example="a tag that nobody pushed is lost with the laptop",
        unless="the document states it",
    )


class CriterionKeys(RuleKeys, name="criterion", title="a criterion"):
    """One thing that must hold. Without a rule every test bound to it must have run and passed."""

    together = {"warn": ("pass",), "key": ("of",)}  # noqa: RUF012

    id = Key(IDENTIFIER, "Its name, which tests state.", example="no-starvation", required=True)
    says = Key(
        TEXT,
        "What must hold, in a sentence for people.",
        example="Queue depth stays under ten",
        unless="its `id`",
    )
    source = Key(
        Nested(SourceKeys),
        "Where the plan's document says so.",
        example='{section: Success Criteria, lines: "12"}',
    )
    kind = Key(Choice(Kind), "What sort of thing it states.", example="load", required=True)
    gate = Key(
        Choice(Gate), "Whether it is asked before the phase or after it.", default="exit",
        example="entry",
    )  # fmt: skip
    severity = Key(
        Choice(Severity),
        "`hard` blocks its gate, `soft` becomes a condition of the GO, `optional` is reported.",
        default="hard",
        example="soft",
    )
    when = Key(Nested(WhenKeys), "When it applies.", example="{configured: PD_ROUTING_KEY}")
    owner = Key(NAME, "Who meets the condition that it may become.", example="operations")
    due = Key(
        DUE,
        "The gate of this plan or the last day by which such a condition is met: that gate, or "
        "after that day its own, is HOLD while it is open.",
        example="plms.day4/entry",
    )
    check = Key(
        CRITERION_CHECK, "A check that needs no Python.", example="{http: /health, on: web}"
    )
    ingest = Key(
        Nested(IngestKeys),
        "A file of another tool that somebody brings, and what it must hold.",
        example='{junit: contract, cases: ["contract.*"]}',
    )
    by = Key(
        AnyOf((NAMES, Nested(ByKeys))),
        "Roles of which one attests it; `{each: ROLES}`: each of them, by different people.",
        example="[operations]",
        unless="of a `manual` one any role, else nobody",
    )
    by_others = Key(
        Flag(rule="is true or false"),
        "Whether an author of the change may not attest it; the plan says under `author` who that "
        "is.",
        default="false",
        example="true",
    )
    valid_for = Key(
        DURATION,
        "How long an attestation, or what it rolls up, counts.",
        example="7d",
        unless="the environment's `max_age`; what it rolls up, as long as its release",
    )
    max_age = Key(
        DURATION,
        "How old samples of its rule may be, whatever the environment says of others.",
        example="24h",
        unless="the environment's `max_age`",
    )
    rolls_up = Key(
        Words(
            "`PHASE.CRITERION` or `PHASE/exit`, or a list", {"type": "string", "pattern": _FOUND}
        ),
        "Findings of gates that are decided earlier; the worst one decides.",
        example="[day2.all-demos, day2/exit]",
    )
    faults = Key(
        FAULTS, "Faults of the embedded target that must take its pass away.", example="[slow]"
    )
    binds = Key(
        NAMES,
        "Tests that are its checks without a mark: node ids from the plan's folder, in which `*` "
        "and `**` are patterns.",
        example='["tests/test_api.py::test_health"]',
    )
    controls = Key(
        Words("control, or a list: `SOC2-CC8.1`", {**SCALAR, "pattern": CONTROL.pattern}),
        "Controls of a catalogue that it is evidence for, as auditors name them.",
        example="[SOC2-CC8.1, ISO27001:A.8.32]",
    )
    need = Key(
        AnyOf((WHOLE, Choice(Need))),
        "The fewest samples that decide; of a group whether `all`, `any` or its `score` decides.",
        example="12",
        unless="1, of an `increase` 2; of a group `all`",
    )
    of = Key(
        AnyOf(
            (
                NAMES,
                MapOf(
                    Raw("weight above 0", {"type": "number", "exclusiveMinimum": 0}), "a criterion"
                ),
            )
        ),
        "The criteria that it is made of, with or without weights.",
        example="{clarity: 2, tone: 1}",
    )
    key = Key(NAMES, "Members that must not fail, whatever the score.", example="[clarity]")


class PartKeys(RuleKeys, name="part", title="a part of a guardrail"):
    """One of several rules of a guardrail; it trips when one of them does."""

    metric = Key(
        NAME, RuleKeys.metric.says, example=RuleKeys.metric.example, required=True, missing=""
    )
    fail = Key(CUT, "What trips it.", example='"> 0"', required=True, missing="")
    pass_ = Key(CUT, "", refused="{what}: a guardrail only fails", fix="use `fail`")
    warn = Key(CUT, "", refused="{what}: a guardrail only fails", fix="use `fail`")
    soak = Key(LASTING, "", refused="{what}: a guardrail only fails, no `soak`")


class GuardrailKeys(PartKeys, name="guardrail", title="a guardrail"):
    """A rule that only fails. Once tripped it stays so, until a reset is recorded."""

    id = Key(IDENTIFIER, "Its name.", example="cap-exceeded", required=True)
    says = Key(
        TEXT,
        "What must never happen, in a sentence for people.",
        example="No lane runs more than its cap",
        unless="its `id`",
    )
    source = CriterionKeys.source
    then = Key(
        Words(
            ", ".join(f"`{action}`" for action in Then) + ", or a list of them",
            {"enum": [action.value for action in Then]},
        ),
        "What is done when it trips.",
        example="[rollback, notify]",
        unless="pause",
    )
    metric = RuleKeys.metric
    fail = Key(CUT, "What trips it.", example='"> 0"')
    check = Key(
        CHECK,
        "What `rollout watch` asks for its number.",
        example='{prometheus: "sum(rate(errors[5m]))", on: metrics}',
    )
    faults = Key(FAULTS, "Faults of the embedded target that must trip it.", example="[slow]")
    of = Key(
        ListOf(Nested(PartKeys), least=1),
        "Rules of which one is enough to trip it.",
        example='[{metric: errors, take: sum, fail: "> 3"}, {metric: lag, take: max, fail: "> 9"}]',
    )
