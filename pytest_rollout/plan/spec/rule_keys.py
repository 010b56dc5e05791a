"""The keys of a rule: which samples are looked at, what is taken of them, what is good."""

from __future__ import annotations

from pytest_rollout.plan.spec.keys import Key, Keys
from pytest_rollout.plan.spec.kinds import SCALAR, Pairs, Whole
from pytest_rollout.plan.spec.kinds import WordKind as Only
from pytest_rollout.plan.spec.shapes import AnyOf, ListOf, MapOf, Nested, Raw
from pytest_rollout.plan.spec.values import ALARMS, CUT, DURATION, LEVEL, NAME, PER, TAKE, UNIT

WHOLE = Whole()


class ScopeKeys(Keys, name="scope", title="a scope of `over`"):
    """How far back a rule looks; a scope has exactly one of the first six keys."""

    exactly_one = ("span", "last", "since", "age", "days", "nights")
    together = {"until": ("since",)}  # noqa: RUF012

    span = Key(DURATION, "The samples of so much time before the moment of judging.", example="5m")
    last = Key(WHOLE, "The newest so many samples of each group.", example="10")
    since = Key(Only("`begin`", ("begin",)), "All samples since the phase began.", example="begin")
    age = Key(DURATION, "Cases of the deciding run that are at least so old.", example="48h")
    days = Key(WHOLE, "The newest so many days of the plan's zone that are over.", example="7")
    nights = Key(WHOLE, "The newest so many nights that are over.", example="3")
    need = Key(
        WHOLE,
        "The fewest samples in this scope that decide.",
        example="7",
        unless="the rule's `need`",
    )
    until = Key(DURATION, "With `since`: how long after the begin samples count.", example="48h")


class SourceKeys(Keys, name="source", title="groups from a series"):
    """Groups that another series names, as every node that is up."""

    from_ = Key(
        NAME,
        "The series whose values of the label are the expected groups.",
        example="node_up",
        required=True,
        missing="",
    )
    at_least = Key(
        WHOLE, "How many groups there are at least.", example="3", required=True, missing=""
    )


class RowKeys(Keys, name="row", title="a row of looks"):
    """How many looks in a row must be good, or of a guardrail bad."""

    n = Key(
        WHOLE,
        "How many looks in a row.",
        example="3",
        required=True,
        missing="{what} has neither `n` nor `for`",
        fix="in_a_row: 3",
    )
    gaps = Key(
        Only("`break` or `skip`", ("break", "skip")),
        "Whether a look without samples breaks the row or is skipped.",
        example="skip",
        unless="break",
    )


class LastingKeys(Keys, name="lasting", title="a row that lasts"):
    """How long looks must be good without a break, or of a guardrail bad."""

    for_ = Key(
        DURATION,
        "How long it must last.",
        example="7d",
        required=True,
        fix="{inside}: {{for: 7d, gap: 1h}}: the longest time without a look",
    )
    gap = Key(
        DURATION,
        "The longest time without a look that does not break it.",
        example="1h",
        required=True,
        fix="{inside}: {{for: 7d, gap: 1h}}: the longest time without a look",
    )


class TolerateKeys(Keys, name="tolerate", title="tolerated failures"):
    """How many samples of a slice may be bad."""

    failures = Key(
        Whole(0),
        "How many samples may be bad.",
        example="2",
        required=True,
        fix="tolerate: {{failures: 1}}",
    )
    in_a_row = Key(Whole(0), "How many of these may follow each other.", example="1")


class VersusKeys(Keys, name="versus", title="the other side of a comparison"):
    """What the rule's own samples are compared with; the cuts are on the difference."""

    not_empty = True

    metric = Key(
        NAME, "The other side's series.", example="errors_before", unless="the rule's own metric"
    )
    where = Key(
        Pairs(), "Labels that a sample of the other side carries.", example='{version: "1.4"}'
    )
    frozen = Key(
        Only("`begin`", ("begin",)),
        "Compare with what was seen when the phase began.",
        example="begin",
    )
    as_ = Key(
        Only(
            "`difference`, `ratio`, `nightly`, `kayenta`",
            ("difference", "ratio", "nightly", "kayenta"),
        ),
        "How the two sides are compared.",
        default="difference",
        example="ratio",
    )
    release = Key(
        NAME,
        "The release whose accepted runs are compared with; `previous` is the newest other one.",
        example="previous",
    )
    baseline = Key(
        WHOLE,
        "With `as: nightly`: how many first nights of the release are compared with.",
        example="60",
        unless="30",
    )
    latest = Key(
        WHOLE,
        "With `as: nightly`: how many nights are added up, tonight included.",
        example="1",
        unless="3",
    )
    confirm = Key(
        Whole(0),
        "With `as: nightly`: how many more runs a night may have where its first is suspicious.",
        example="2",
        unless="1",
    )
    alarms = Key(
        ALARMS,
        "With `as: nightly`: how many false alarms there may be.",
        example="1/y",
        unless="`0.1/y`",
    )


class ConfidenceKeys(Keys, name="confidence", title="a confidence over many windows"):
    """A confidence that holds over all windows of a phase together."""

    level = Key(LEVEL, "The confidence.", example="95%", required=True, fix="confidence: 95%")
    windows = Key(WHOLE, "How many windows the phase can hold at most.", example="500")


class ShareKeys(Keys, name="share", title="the share of good samples"):
    """A share of the samples, by what makes one of them good."""

    share = Key(
        CUT,
        "What a sample must satisfy to be counted in the share.",
        example='"< 500"',
        required=True,
        missing="{what}: no `share`",
        fix='take: {{share: "< 500"}}',
    )


LASTING = Nested(LastingKeys)
GROUPS = AnyOf(
    (
        Raw(
            "list of expected names",
            {"type": "array", "minItems": 1, "items": dict(SCALAR)},
        ),
        WHOLE,
        Nested(SourceKeys),
    )
)


class RuleKeys(Keys):
    """What a criterion, a guardrail and a part of a guardrail judge samples by."""

    metric = Key(NAME, "The series that tests observe.", example="queue_depth")
    unit = Key(
        UNIT,
        "The unit of the metric's numbers, its `range` and its cuts.",
        example="ms",
        unless="none: durations in cuts are seconds",
    )
    where = Key(Pairs(), "Labels that a sample must carry to be looked at.", example="{lane: A}")
    each = Key(
        MapOf(GROUPS, "a label"),
        "The groups that are expected; each is judged by itself, and an absent one is missing.",
        example="{lane: [Code-API, Data-Schema]}",
    )
    over = Key(
        ListOf(Nested(ScopeKeys)),
        "Scopes in order; the first one with enough samples decides.",
        example="[{span: 5m, need: 7}, {last: 10}]",
        unless="the deciding run; of a guardrail, since the phase began",
    )
    take = Key(
        AnyOf((TAKE, Nested(ShareKeys))),
        "The one value that is taken of the samples.",
        example="p95",
        unless="`last` with `check`, else it must be given",
    )
    need = Key(
        AnyOf((WHOLE,)),
        "The fewest samples that decide; with fewer the answer is missing.",
        example="12",
        unless="1, of an `increase` 2",
    )
    pass_ = Key(CUT, "What the value must satisfy to pass.", example='"< 10"')
    warn = Key(CUT, "The worse part of what passes, which is remarked.", example='">= 8"')
    fail = Key(
        CUT,
        "What fails; between passing and failing is HOLD.",
        example='">= 12"',
        unless="whatever does not pass",
    )
    per = Key(
        PER,
        "What is judged as one: each run, day, night, or stretch of time from midnight UTC on.",
        example="day",
    )
    in_a_row = Key(
        AnyOf((WHOLE, Nested(RowKeys), LASTING)),
        "How many looks in a row must be good, or of a guardrail bad.",
        example="3",
    )
    soak = Key(LASTING, "How long it must be good without a break.", example="{for: 7d, gap: 1h}")
    tolerate = Key(
        Nested(TolerateKeys),
        "How many samples may be bad, each judged by itself.",
        example="{failures: 2, in_a_row: 1}",
    )
    versus = Key(
        Nested(VersusKeys),
        "What it is compared with; the cuts are then on the difference.",
        example='{where: {version: "1.4"}}',
    )
    confidence = Key(
        AnyOf((LEVEL, Nested(ConfidenceKeys))),
        "How sure it must be: the bound must satisfy the cut, not the value.",
        example="95%",
    )
    range = Key(
        Raw(
            "two numbers, the least and the greatest",
            {"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "number"}},
        ),
        "The least and the greatest value that the series can have.",
        example="[0, 100]",
    )
