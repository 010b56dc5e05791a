"""The keys of checks that need no Python, and of the steps of a rollback."""

from __future__ import annotations

from pytest_rollout.plan.spec.keys import Key, Keys
from pytest_rollout.plan.spec.kinds import SCALAR, Flag, Pairs, Text, WordKind, Words
from pytest_rollout.plan.spec.shapes import AnyOf, Nested, Raw
from pytest_rollout.plan.spec.values import (
    DURATION,
    EFFECT,
    IDENTIFIER,
    JSON_PATH,
    NAMES,
    PATTERN,
    TEXT,
    statuses,
)

METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
METHOD = WordKind(
    ", ".join(f"`{name}`" for name in METHODS),
    (*METHODS, *(name.lower() for name in METHODS)),
)
ONE = Words("name of one target", most=1)
COMMAND = Raw(
    "list of a program and its words, or one line with `shell`",
    {"anyOf": [{"type": "array", "minItems": 1, "items": dict(SCALAR)}, {"type": "string"}]},
)


class WordingKeys(Keys, name="wording", title="what a text holds"):
    """What a text must hold, must not hold, or must look like."""

    not_empty = True

    has = Key(NAMES, "Texts that must be in it.", example="[ready, healthy]")
    lacks = Key(NAMES, "Texts that must not be in it.", example="error")
    matches = Key(
        PATTERN, "A regular expression that is found in it.", example="'^ready in [0-9]+'"
    )


class ExpectKeys(Keys):
    """What answers in JSON have in common."""

    json = Key(
        Raw("object or list", {"type": ["object", "array"]}),
        "What the JSON must hold: of an object these keys, everything else exactly.",
        example="{status: ok}",
    )


_TEXT_OF = AnyOf((Raw("the whole text", dict(SCALAR)), Nested(WordingKeys)))


class ExpectCommandKeys(ExpectKeys, name="expect-command", title="what a command answers"):
    """What a command must answer."""

    not_empty = True

    exit = Key(statuses(0, 255), "Exit statuses that are good.", example="[0, 3]", unless="0")
    stdout = Key(_TEXT_OF, "What it writes to its standard output.", example="{has: ok}")
    stderr = Key(_TEXT_OF, "What it writes to its standard error.", example="{lacks: error}")


class ExpectHttpKeys(ExpectKeys, name="expect-http", title="what a request answers"):
    """What a request must answer. Redirects are not followed."""

    not_empty = True

    status = Key(
        statuses(100, 599), "HTTP statuses that are good.", example="204", unless="200 to 299"
    )
    body = Key(_TEXT_OF, "What the body is.", example="{has: ok}")


class ExpectSqlKeys(Keys, name="expect-sql", title="what a query answers"):
    """What a query must answer, where no rule judges its number."""

    not_empty = True

    value = Key(
        Raw("text, number, true or false", dict(SCALAR)), "What its one value is.", example="ok"
    )


class AskKeys(Keys):
    """What every means has."""

    on = Key(
        ONE,
        "The target of the environment that is asked.",
        example="web",
        required=True,
        missing="",
    )
    timeout = Key(DURATION, "How long it may take.", default="30s", example="10s")
    effect = Key(
        EFFECT,
        "What it does to the target; what the environment does not allow is refused.",
        default="observe",
        example="change",
    )
    fixtures = Key(
        NAMES, "Fixtures of pytest that are set up before the check.", example="[two_projects]"
    )


class CommandKeys(AskKeys, name="check-command", title="a command"):
    """A check that runs a command. It is ended after `timeout` with all that it started."""

    command = Key(
        COMMAND,
        "The program and its words; `${VARIABLES}` are filled in.",
        example="[bin/health, --json]",
        required=True,
    )
    shell = Key(
        Flag(),
        "Whether `command` is one line that `bash -e -o pipefail` reads.",
        default="false",
        example="true",
    )
    on = Key(
        NAMES,
        "Targets whose address or path it finds as `ROLLOUT_TARGET_NAME`.",
        example="[web, registry]",
    )
    cwd = Key(
        TEXT,
        "Its folder below the project's root.",
        example="tools",
        unless="the project's root",
    )
    env = Key(
        NAMES,
        "The variables that it gets besides `PATH`, `HOME` and locale.",
        example="[TOKEN]",
        unless="all",
    )
    json = Key(
        JSON_PATH,
        "Where the rule's number stands in the JSON that it prints.",
        example="lanes.0.depth",
        unless="the whole text is the number",
    )
    samples = Key(
        Flag(),
        "Whether it prints samples, a line of JSON each with `at`, `value` and `labels`.",
        example="true",
        unless="it prints one number",
    )
    expect = Key(Nested(ExpectCommandKeys), "What it must answer.", example="{stdout: {has: ok}}")


class HttpKeys(AskKeys, name="check-http", title="a request"):
    """A check that sends a request."""

    http = Key(
        Text("path, as `/health`", "^/"),
        "The path on the target.",
        example="/health",
        required=True,
    )
    method = Key(
        METHOD,
        "The method; other than GET, HEAD and OPTIONS needs an `effect`, or `reads` of the target.",
        default="GET",
        example="HEAD",
    )
    headers = Key(
        Pairs(),
        "Headers of the request; `${VARIABLES}` are filled in.",
        example="{Authorization: 'Bearer ${TOKEN}'}",
    )
    send = Key(Raw("any value", {}), "The body, sent as JSON.", example="{dry_run: true}")
    json = Key(
        JSON_PATH,
        "Where the rule's number stands in the JSON of the body.",
        example="""'["http.server.requests"].p95'""",
        unless="the whole body is the number",
    )
    expect = Key(Nested(ExpectHttpKeys), "What it must answer.", example="{status: 204}")


class SqlKeys(AskKeys, name="check-sql", title="a query of SQL"):
    """A check that asks a file of SQLite, opened for reading."""

    sql = Key(TEXT, "One statement.", example='"select count(*) from lane_configs"', required=True)
    on = Key(ONE, AskKeys.on.says, example="registry", required=True, missing="")
    expect = Key(Nested(ExpectSqlKeys), "What it must answer.", example="{value: ok}")


class PrometheusKeys(AskKeys, name="check-prometheus", title="a query of Prometheus"):
    """A check that asks a server of Prometheus for what holds now."""

    prometheus = Key(TEXT, "The instant query.", example='"sum(rate(errors[5m]))"', required=True)
    headers = Key(
        Pairs(),
        "Headers of the request; `${VARIABLES}` are filled in.",
        example="{Authorization: 'Bearer ${TOKEN}'}",
    )


class ExtensionKeys(AskKeys, name="check-extension", title="a means of another package"):
    """A check by a means that another package installs, which is a key of its own."""

    on = Key(NAMES, "The targets that it is asked of.", example="[web]")
    with_ = Key(Raw("object", {"type": "object"}), "What else the means takes.", example="{n: 2}")
    expect = Key(Nested(ExpectSqlKeys), "What it must answer.", example="{value: ok}")


class LoadCheckKeys(AskKeys, name="check-load", title="a check by a load"):
    """A check that makes a load, once in a phase; the rule beside it judges what was answered."""

    load = Key(IDENTIFIER, "One of the plan's `loads`.", example="nightly", required=True)
    on = Key(ONE, "", refused="{what}: the load itself says which target it is of")
    timeout = Key(  # type: ignore[assignment]
        DURATION, "", refused="{what}: a load takes as long as it states itself"
    )
    effect = Key(EFFECT, AskKeys.effect.says, default="change", example="disrupt")


_ASKED = (CommandKeys, HttpKeys, SqlKeys, PrometheusKeys)
CHECK = AnyOf(tuple(Nested(keys) for keys in _ASKED))
CRITERION_CHECK = AnyOf(tuple(Nested(keys) for keys in (*_ASKED, LoadCheckKeys)))


class StepKeys(Keys, name="step", title="a step that people take"):
    """A step of a rollback that people take."""

    says = Key(
        TEXT,
        "What is done, for people.",
        example="Lanes get back the caps recorded at the begin",
        required=True,
        fix="people read it",
    )
    load = Key(IDENTIFIER, "", refused="{what}: no load is made to go back")
    check = Key(
        CHECK,
        "What holds once the step is done, so that nobody does it twice.",
        example="{http: /health, on: web}",
    )


class ActKeys(StepKeys):
    """What every step has that the command takes."""

    effect = Key(EFFECT, "What it does to the target.", default="change", example="disrupt")
    fixtures = Key(NAMES, "", refused="{what}: fixtures are set up by pytest only")
    json = Key(JSON_PATH, "", refused="{what}: no rule judges a number")


class StepCommandKeys(ActKeys, CommandKeys, name="step-command", title="a step that runs one"):
    """A step of a rollback that runs a command."""

    samples = Key(Flag(), "", refused="{what}: no rule judges samples")


class StepHttpKeys(ActKeys, HttpKeys, name="step-http", title="a step that sends a request"):
    """A step of a rollback that sends a request."""

    http = Key(
        Text("path, the method before it: `POST /cancel`", rf"^(({'|'.join(METHODS)}) +)?/"),
        "The path on the target, with the method before it or in `method`.",
        example="POST /cancel",
        required=True,
    )


class StepSqlKeys(ActKeys, SqlKeys, name="step-sql", title="a step that changes a database"):
    """A step of a rollback that changes a file of SQLite."""

    expect = Key(
        Nested(ExpectSqlKeys),
        "",
        refused="{what}: a change gives no value to expect",
        fix="ask for it in the step's `check`",
    )


STEP = AnyOf(
    (
        Text("sentence that people read"),
        *(
            Nested(step_keys)
            for step_keys in (StepKeys, StepCommandKeys, StepHttpKeys, StepSqlKeys)
        ),
    )
)
