"""The keys of a plan outside of its phases."""

from __future__ import annotations

from pytest_rollout.model.bindings import Bindings
from pytest_rollout.model.check import Effect
from pytest_rollout.model.windows import CalendarUse
from pytest_rollout.plan.spec.keys import Key, Keys
from pytest_rollout.plan.spec.kinds import SCALAR, Choice, Pairs, Text, Words
from pytest_rollout.plan.spec.kinds import WordKind as Only
from pytest_rollout.plan.spec.load_keys import LoadKeys
from pytest_rollout.plan.spec.phase_keys import PhaseKeys
from pytest_rollout.plan.spec.shapes import AnyOf, ListOf, MapOf, Nested, Raw
from pytest_rollout.plan.spec.values import (
    DAY,
    DURATION,
    HOURS,
    JSON_PATH,
    MARKER,
    MOMENT,
    NAME,
    NAMES,
    PATTERN,
    RISK,
    TEXT,
    ZONE,
)

SECRET = Only("`${VARIABLE}`, whose value is a secret", pattern=r"^\$\{[A-Za-z_][A-Za-z0-9_]*\}$")


class ReadingKeys(Keys, name="reading", title="where a fact is read"):
    """Where the release or the configuration of a target is read."""

    exactly_one = ("target", "command", "variable")
    together = {  # noqa: RUF012
        "target": ("path",),
        "path": ("target",),
        "header": ("target",),
        "headers": ("target",),
    }

    target = Key(NAME, "The target that is asked.", example="web")
    path = Key(NAME, "The path that answers it.", example="/version")
    json = Key(
        JSON_PATH,
        "Where it stands in the JSON of the answer.",
        example='build["app.version"]',
        unless="the whole answer",
    )
    header = Key(NAME, "The header of the answer that says it.", example="X-Release")
    headers = Key(
        Pairs(),
        "Headers of the request; `${VARIABLES}` are filled in.",
        example='{Authorization: "Bearer ${TOKEN}"}',
    )
    command = Key(
        Raw("list of a program and its words", {"type": "array", "minItems": 1, "items": SCALAR}),
        "A program that prints it. It is ended after 30 s with all that it started.",
        example="[kubectl, get, deploy, web]",
    )
    variable = Key(NAME, "The environment variable that holds it.", example="GIT_SHA")
    matches = Key(
        PATTERN,
        "The part that counts: group `release`, else the first group, else all that is found.",
        example="'v?([0-9]+[.][0-9]+[.][0-9]+)'",
        unless="all of it",
    )


class TargetKeys(Keys, name="target", title="a target"):
    """A system under test: served for a rehearsal, at an address, or a file."""

    at_least_one = ("serve", "url", "file")

    serve = Key(
        NAME,
        "`module:attribute` of an ASGI application that the rehearsal serves.",
        example='"fixtures.web:app"',
    )
    url = Key(
        NAME,
        "Its address; `${VARIABLES}` are filled in. With `of` the file in which it stands.",
        example='"${WEB_URL}"',
    )
    file = Key(NAME, "A file, as a database of SQLite.", example="registry.db")
    of = Key(
        NAME,
        "The served target in whose folder the file stands, or that of the address.",
        example="web",
    )
    reads = Key(
        Words("method and path, or a list of them", {"type": "string"}),
        "Requests that only read, although their method might change something.",
        example='["POST /search"]',
    )


class EnvironmentKeys(Keys, name="environment", title="an environment"):
    """Where phases are judged; `embedded` is the rehearsal."""

    targets = Key(
        MapOf(AnyOf((Text("address"), Nested(TargetKeys))), "a target's name"),
        "The systems under test.",
        example='{web: "${WEB_URL}"}',
    )
    max_age = Key(DURATION, "How old evidence may be.", example="24h", unless="no limit")
    allow = Key(
        Words(
            "`observe`, `change`, `disrupt`, or a list of them",
            {"enum": [effect.value for effect in Effect]},
        ),
        "What checks may do to its targets; `embedded` allows everything.",
        example="[observe, change]",
        unless="observe",
    )


class WindowKeys(Keys, name="window", title="a change window or a freeze"):
    """A time in which changes may be made, or may not."""

    days = Key(
        Words("`mon-thu`, `fri`, or a list of these"),
        "Days of the week.",
        example="mon-thu",
        unless="every day",
    )
    hours = Key(
        HOURS,
        "Hours of the day; over midnight they belong to the day on which they begin.",
        example='"09:00-16:00"',
        unless="the whole day",
    )
    date = Key(DAY, "That day alone.", example="2025-11-14")
    from_ = Key(
        MOMENT,
        "The first day, or with a time of day the begin of one stretch.",
        example="2025-12-20",
    )
    to = Key(
        MOMENT,
        "The last day, which is included, or the end of the stretch, which is not.",
        example="2026-01-02",
    )
    zone = Key(
        ZONE, "The zone of its days and hours.", example="Europe/Berlin", unless="the plan's"
    )
    risk = Key(
        RISK,
        "Changes up to this risk may be made: in a window no others, in a freeze nevertheless.",
        example="low",
    )
    why = Key(TEXT, "The reason, said wherever the window is.", example="daily stand-up")


class WindowsKeys(Keys, name="windows", title="when changes may be made"):
    """When changes may be made, and when not."""

    change = Key(
        ListOf(Nested(WindowKeys)),
        "Times in which changes may be made.",
        example='[{days: mon-thu, hours: "09:00-16:00"}]',
        unless="always",
    )
    freeze = Key(
        ListOf(Nested(WindowKeys)),
        "Times in which they may not, whatever `change` says.",
        example="[{from: 2025-12-20, to: 2026-01-02, why: year end}]",
    )


class CalendarKeys(Keys, name="calendar", title="a shared calendar"):
    """A file in iCalendar whose events are freezes or change windows."""

    file = Key(
        NAME, "The file, by its path from the plan.", example="ops.ics", required=True, missing=""
    )
    as_ = Key(
        Choice(CalendarUse),
        "What its events are.",
        example="freeze",
        required=True,
        missing="a calendar does not say what its events are",
        fix="as: freeze",
    )
    zone = Key(
        ZONE,
        "The zone of whole days and of times that name none.",
        example="Europe/Berlin",
        unless="the plan's",
    )
    risk = Key(RISK, "As in a window: changes up to this risk may be made.", example="low")
    url = Key(
        NAME,
        "",
        refused="a calendar: plans are read without network",
        fix="fetch it first (curl -fsS -o ops.ics URL) and give its `file`",
    )


class ChannelKeys(Keys, name="channel", title="a channel"):
    """Where people are told. Addresses are secrets, so variables hold them."""

    exactly_one = ("slack", "webhook", "pagerduty", "email", "apprise")
    together = {"email": ("from", "smtp")}  # noqa: RUF012

    slack = Key(SECRET, "A webhook that takes a text.", example="${SLACK_WEBHOOK}")
    webhook = Key(SECRET, "A webhook that takes all facts as JSON.", example="${WEBHOOK}")
    pagerduty = Key(SECRET, "The routing key of PagerDuty's events.", example="${PD_KEY}")
    email = Key(NAMES, "Who gets an e-mail.", example="[ops@example.com]")
    from_ = Key(NAME, "The sender of an e-mail.", example="rollout@example.com")
    smtp = Key(SECRET, "The mail server with its password.", example="${SMTP_URL}")
    apprise = Key(
        SECRET,
        "An address of Apprise, which speaks to Teams, Matrix, ntfy and a hundred more.",
        example="${TEAMS}",
    )
    about = Key(
        NAMES,
        "What it is told of: trips (and nights that are no GO), decisions that differ from the "
        "gate's last, signoff (requests for signatures).",
        default="[trips]",
        example="[trips, decisions]",
    )
    url = Key(
        NAME,
        "The address of PagerDuty's events, where it is another.",
        example="https://eu.example",
    )


class PlanKeys(Keys, name="plan", title="rollout.yaml"):
    """A rollout plan."""

    plan = Key(
        MARKER,
        "The plan's name, which is a marker of pytest, too.",
        example="plms",
        required=True,
        missing="the plan has no `plan:` with its name",
    )
    title_ = Key(TEXT, "What people call it.", example="PLMS Tier 1", unless="its name")
    version = Key(TEXT, "The plan's own version, for people.", example='"2"')
    document = Key(
        TEXT, "The document that it was written from, for people.", example="Rollout plan, v1.0"
    )
    timezone = Key(
        TEXT, "The zone of all its times: an IANA name.", default="UTC", example="Europe/Berlin"
    )
    release = Key(
        Nested(ReadingKeys),
        "Where the release is read, at the start and the end of each run.",
        example="{target: web, path: /version}",
    )
    no_release = Key(
        TEXT,
        "Why there is no release to read; without one of both keys nothing is cleared.",
        example="the appliance has no version to read",
    )
    configuration = Key(
        Nested(ReadingKeys),
        "Where the configuration is read; of what it answers a digest is kept.",
        example="{target: web, path: /configuration}",
    )
    author = Key(
        Nested(ReadingKeys),
        "Where the authors of the change are read, one a line, when a run begins: they do not sign "
        "it, and where they cannot be read nothing is cleared.",
        example='{command: [git, log, -1, "--format=%ae", HEAD]}',
    )
    environments = Key(
        MapOf(Nested(EnvironmentKeys), "an environment's name"),
        "Where phases are judged: `embedded` is the rehearsal.",
        example='{prod: {targets: {web: "${WEB_URL}"}}}',
    )
    roles = Key(
        Pairs(),
        "Names for `owners`, `signoff` and `by`, and what they mean.",
        example="{operations: Who runs it}",
        unless="any role may be named",
    )
    windows = Key(
        Nested(WindowsKeys), "When changes may be made.", example="{change: [{days: mon-thu}]}"
    )
    calendars = Key(
        ListOf(Nested(CalendarKeys)),
        "Shared calendars of freezes or change windows.",
        example="[{file: ops.ics, as: freeze}]",
    )
    nights = Key(HOURS, "The hours of a night.", example='"23:00-05:00"', unless='"22:00-06:00"')
    notify = Key(
        ListOf(Nested(ChannelKeys)),
        "Where people are told of trips.",
        example='[{slack: "${SLACK_WEBHOOK}"}]',
    )
    bindings = Key(
        Choice(Bindings),
        "With `strict`, `rollout check` fails where tests beside bound ones belong to no criterion "
        "and where bindings.txt lacks one that is bound; else both are remarks.",
        default="open",
        example="strict",
    )
    loads = Key(
        ListOf(Nested(LoadKeys)),
        "Loads that criteria judge, and that `rollout load` runs.",
        example="[{id: nightly, locustfile: load/web.py, target: web, rate: 40/s, duration: 60s}]",
    )
    phases = Key(
        ListOf(Nested(PhaseKeys), least=1),
        "The steps of the rollout, in order.",
        example="[{id: day3}]",
        required=True,
        missing="",
    )
    include = Key(
        NAME,
        "",
        refused="{what}: `{key}` is not judged by this version of pytest-rollout",
        fix="the gate would be decided without it, so leave it out on purpose",
    )
