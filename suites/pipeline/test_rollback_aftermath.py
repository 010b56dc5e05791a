"""After a rollback: who is told, what is written down, and what becomes of the issues."""

from __future__ import annotations

import csv
import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from pytest_rollout import Message, NoValueError, Observe, Reported
from suites.pipeline.scenarios.way_back import ALERTED, WayBack
from suites.pipeline.views.channels import mails, posts, text_of
from suites.pipeline.views.journal import ASSIGNED, COPILOT, DONE, MACHINES, Issue, demand
from suites.pipeline.views.people import contacts, placeholder
from suites.pipeline.views.schedules import LIVE

pytestmark = pytest.mark.pipeline_rollback

TRIGGER = "security-alert"
SOON = timedelta(minutes=15)
_TIMED = re.compile(r"^- (?P<at>\S+): (?P<text>.+)$", re.MULTILINE)
_NAMED = re.compile(r"security[ -]alert", re.IGNORECASE)


@pytest.mark.criterion("announced")
def test_the_channel_hears_of_it(way_back: WayBack) -> None:
    told = demand(posts(list(way_back.told), "rollback: "), "announcement in #wf-modernization")
    text = text_of(told[0])
    named = text.startswith(f"rollback: {TRIGGER}")
    assert named, f"the announcement does not begin with its trigger: {text[:100]}"
    assert ALERTED in text, f"it does not say which workflow it is about: {text[:100]}"
    late = told[0].at - way_back.triggered
    assert timedelta() <= late <= SOON, f"it was announced {late} after the trigger"


@pytest.mark.criterion("reason-logged")
def test_the_progress_log_has_the_reason(way_back: WayBack) -> None:
    path = way_back.checkout / "docs/progress-log.md"
    if not path.is_file():
        raise NoValueError("there is no docs/progress-log.md")
    entries = [
        entry["text"]
        for entry in _TIMED.finditer(path.read_text(encoding="utf-8"))
        if way_back.triggered <= datetime.fromisoformat(entry["at"]) <= way_back.triggered + SOON
    ]
    reasons = [text for text in entries if _NAMED.search(text)]
    assert reasons, f"the progress log says of that time: {'; '.join(entries) or 'nothing'}"


@pytest.mark.criterion("incident-report")
def test_the_incident_report_has_a_root_cause(way_back: WayBack) -> None:
    path = way_back.checkout / f"docs/incidents/{way_back.triggered.date()}.md"
    if not path.is_file():
        raise NoValueError(f"there is no docs/incidents/{path.name}")
    text = path.read_text(encoding="utf-8")
    _, _, rest = text.partition("## Root cause\n")
    cause = rest.partition("\n## ")[0].strip()
    assert not placeholder(cause), f"its root cause is {cause!r}"
    assert ALERTED in cause, f"its root cause names another workflow or none: {cause!r}"
    assert _NAMED.search(text), "it does not name what triggered the rollback"


# The issues that were on their way


def _between(way_back: WayBack) -> dict[int, frozenset[str]]:
    """The issues that were assigned or with Copilot when the rollback began."""
    states = {
        issue.number: issue.labels_at(way_back.triggered) & {ASSIGNED, COPILOT}
        for issue in way_back.final.work
    }
    there = {number: labels for number, labels in states.items() if labels}
    return dict(demand(list(there.items()), "issue on its way when the rollback began"))


def _decisions(way_back: WayBack) -> dict[int, dict[str, str]]:
    """What was decided about each issue; raises NoValueError where nobody kept it."""
    path = way_back.folder / "issues.csv"
    if not path.is_file():
        raise NoValueError("nobody kept rollback/issues.csv")
    rows = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    return {int(row["issue"]): row for row in rows}


@pytest.mark.criterion("intermediate-issues-reviewed")
def test_each_issue_was_looked_at(way_back: WayBack, observe: Observe) -> None:
    decided = _decisions(way_back)
    for number in _between(way_back):
        row = decided.get(number, {})
        bare = placeholder(row.get("decision")) or placeholder(row.get("by"))
        observe("intermediate_unreviewed", bare, at=way_back.end, issue=number)


@pytest.mark.criterion("intermediate-issues-resolved")
def test_each_issue_was_reassigned_or_completed(way_back: WayBack) -> None:
    decided = _decisions(way_back)
    left = [
        number
        for number in _between(way_back)
        if not _resolved(way_back, number, str(decided.get(number, {}).get("decision")))
    ]
    assert not left, f"issues {left[:9]} were neither reassigned nor completed"


def _resolved(way_back: WayBack, number: int, decision: str) -> bool:
    """Whether what was decided about an issue happened to it as well."""
    issue = way_back.final.issues[number]
    if decision == "completed":
        return DONE in issue.labels or issue.closed
    reassigned = [e for e in issue.events if e.kind == "assigned" and e.at > way_back.triggered]
    return decision == "reassigned" and bool(reassigned)


# The export


@pytest.mark.criterion("states-exported")
def test_the_export_has_every_issue_as_it_was(way_back: WayBack) -> None:
    said = _read(way_back.folder / "export.json")
    at = said.moment("at")
    assert way_back.triggered <= at <= way_back.triggered + SOON, f"the export is of {at}"
    told = {row.whole("number"): row for row in said.each("issues")}
    there = [issue for issue in way_back.final.issues.values() if _opened(issue) <= at]
    lost = sorted({issue.number for issue in there} - set(told))
    assert not lost, f"{len(lost)} of {len(there)} issues are not in the export, as {lost[:5]}"
    wrong = [
        f"#{issue.number} has {sorted(told[issue.number]['labels'])}"
        for issue in there
        if _names(told[issue.number]["labels"]) != issue.labels_at(at)
    ]
    assert not wrong, f"{len(wrong)} issues had other labels: {'; '.join(wrong[:3])}"
    for issue in there:
        row, state = told[issue.number], "open" if issue.open_at(at) else "closed"
        shown = f"#{issue.number} was {state} and with {sorted(issue.assigned_at(at))}"
        same = row["state"] == state and set(row["assignees"]) == issue.assigned_at(at)
        assert same, f"{shown}, not {row['state']} and with {row['assignees']}"


@pytest.mark.criterion("automatic-is-immediate")
def test_the_journal_has_each_act(way_back: WayBack) -> None:
    path = way_back.folder / "journal.jsonl"
    if not path.is_file():
        raise NoValueError("there is no rollback/journal.jsonl")
    rows = [Reported(json.loads(text), path.name) for text in path.read_text().splitlines()]
    told = [row.text("what") for row in rows]
    due = {"exported", "announced", *(f"disabled {file}" for file in LIVE)}
    ends = {run.id: run.conclusion for run in way_back.after.runs}
    due |= {f"cancelled {run.id}" for run in way_back.working if ends[run.id] == "cancelled"}
    assert told[:1] == ["triggered"], f"the journal begins with {told[:1]}"
    assert due <= set(told), f"the journal has nothing of {sorted(due - set(told))}"
    for row in rows:
        named = row["trigger"] == TRIGGER
        assert named, f"{row.text('what')} is said to be because of {row['trigger']}"
        late = row.moment("at") - way_back.triggered
        assert timedelta() <= late <= SOON, f"{row.text('what')} came {late} after the trigger"


@pytest.mark.criterion("automatic-is-immediate")
def test_the_change_of_main_is_a_pull_request(way_back: WayBack) -> None:
    rows = [row for row in way_back.hub.pages("/pulls", state="closed") if row["merged_at"]]
    others = {row["merged_at"] for row in rows if row["user"]["login"] not in MACHINES}
    late = [datetime.fromisoformat(at) - way_back.triggered for at in others]
    soon = [delay for delay in late if timedelta(seconds=-1) <= delay <= SOON]
    assert len(soon) == 1, f"{len(soon)} pull requests were merged for the rollback, not one"


def _names(labels: list[object]) -> frozenset[str]:
    return frozenset(str(x["name"]) if isinstance(x, dict) else str(x) for x in labels)


def _opened(issue: Issue) -> datetime:
    return issue.events[0].at if issue.events else datetime.max.replace(tzinfo=UTC)


def _read(path: Path) -> Reported:
    if not path.is_file():
        raise NoValueError(f"there is no rollback/{path.name}")
    text = path.read_text(encoding="utf-8")
    data = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    return Reported(data, path.name)


# People


@pytest.mark.criterion("stakeholder-mail")
def test_each_contact_got_a_summary(way_back: WayBack, observe: Observe) -> None:
    sent = mails(list(way_back.told), "[rollback]")
    for role, contact in contacts(way_back.kept).items():
        for field in ("primary", "backup"):
            address = str(contact.fields[field].get("email"))
            got = [m for m in sent if m.channel == address and _gives_the_reason(m)]
            observe("contact_without_mail", not got, role=role, contact=field)


def _gives_the_reason(mail: Message) -> bool:
    text = text_of(mail)
    return ALERTED in text and _NAMED.search(text) is not None


@pytest.mark.criterion("postmortem-48h")
def test_the_post_mortem_is_soon(way_back: WayBack, observe: Observe) -> None:
    held = _moment(_read(way_back.folder / "post-mortem.yaml")["held_at"])
    assert way_back.triggered < held <= way_back.end, f"it is said to be held at {held}"
    observe("postmortem_delay", (held - way_back.triggered) / timedelta(hours=1), at=held)


def _moment(value: object) -> datetime:
    """A time, as YAML or a text has it."""
    at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    if at.tzinfo is None:
        raise NoValueError(f"{value} has no zone")
    return at


@pytest.mark.criterion("action-plan")
def test_each_action_has_an_owner_and_a_date(way_back: WayBack, observe: Observe) -> None:
    actions = _read(way_back.folder / "action-plan.yaml").each("actions")
    for action in actions:
        owner, due = action.get("owner"), action.get("due")
        day = _day(due)
        after = day is not None and day >= way_back.triggered.date()
        bare = placeholder(owner) or placeholder(action.get("what")) or not after
        observe("action_without_owner_or_date", bare, what=str(action.get("what"))[:80])


def _day(value: object) -> date | None:
    """A day, as YAML or a text has it; None where it is none."""
    try:
        return value if isinstance(value, date) else date.fromisoformat(str(value))
    except ValueError:
        return None
