"""What people keep on record: who they are, what they decided, and who was on call."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from pytest_rollout import NoValueError, Reported, RolloutError
from suites.pipeline.views.plan_days import WEEK, week_of

ROLES = {  # as the contact matrix names them, by the roles of the plan
    "rollout-lead": "Rollout Lead",
    "devops": "DevOps",
    "site-monitoring": "Site Monitoring",
    "workflow-assignment": "Workflow Assignment",
    "issue-processing": "Issue Processing",
    "copilot-operations": "Copilot Operations",
    "on-call": "On-Call Engineer",
}
DUTIES = {  # what the matrix has each of them for
    "rollout-lead": "Overall coordination",
    "devops": "GitHub Actions, infrastructure",
    "site-monitoring": "Content discovery",
    "workflow-assignment": "AI classification",
    "issue-processing": "Specialist guidance",
    "copilot-operations": "Assignment execution",
    "on-call": "Incident response",
}
DECISION = ("at", "day", "about", "decision", "by", "role", "gate", "waiver", "figures")
GATES = ("GO", "HOLD", "NO-GO")
DAYS = {-1: "proceed", 7: "proceed", 14: "proceed", 21: "proceed", 28: "success", 35: "close"}
_PLACEHOLDER = re.compile(
    r"\[.*\]|<.*>|\{\{.*\}\}|_{2,}|(?:tbd|tba|todo|n/?a|none|nobody|name|\?+|-+|…|\.\.\.)",
    re.IGNORECASE | re.DOTALL,
)
_ADDRESS = re.compile(r"[^@\s\[\]<>]+@[^@\s\[\]<>]+\.[a-z]{2,}", re.IGNORECASE)


def placeholder(text: object) -> bool:
    """Whether a field was never filled in: empty, in brackets, or a word that stands for none."""
    said = str(text or "").strip()
    return not said or bool(_PLACEHOLDER.fullmatch(said))


def kept(records: Path, name: str) -> Reported:
    """A YAML file of the records; raises NoValueError where nobody keeps one."""
    path = records / name
    if not path.is_file():
        raise NoValueError(f"there is no {name} among the records")
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise RolloutError(f"{name} is no YAML: {error}") from None
    if not isinstance(data, dict):
        raise RolloutError(f"{name} holds no mapping")
    return Reported(data, name)


def lines(records: Path, name: str) -> list[Reported]:
    """The lines of a JSON Lines file of the records; raises NoValueError without the file."""
    path = records / name
    if not path.is_file():
        raise NoValueError(f"there is no {name} among the records")
    texts = path.read_text(encoding="utf-8").splitlines()
    return [
        Reported(json.loads(text), f"{name}:{number}")
        for number, text in enumerate(texts, 1)
        if text.strip()
    ]


@dataclass(frozen=True, slots=True)
class Contact:
    """A row of the contact matrix."""

    role: str
    duty: str
    fields: Mapping[str, Mapping[str, Any]]  # primary and backup

    def unfilled(self, field: str) -> bool:
        """Whether primary or backup is no person who can be reached, or both are the same."""
        person, other = (
            self.fields[field],
            self.fields["backup" if field == "primary" else "primary"],
        )
        reachable = _ADDRESS.fullmatch(str(person.get("email") or ""))
        same = person.get("name") == other.get("name") and field == "backup"
        return placeholder(person.get("name")) or not reachable or same

    @property
    def names(self) -> set[str]:
        """Who may speak for the role."""
        return {str(person.get("name")) for person in self.fields.values()}


def contacts(records: Path) -> dict[str, Contact]:
    """The contact matrix by role; raises NoValueError where nobody keeps one."""
    by_title = {title.lower(): role for role, title in ROLES.items()}
    matrix = {}
    for row in kept(records, "roles.yaml").get("roles") or []:
        stated = str(row.get("role", ""))
        role = by_title.get(stated.lower(), stated)
        fields = {name: row.get(name) or {} for name in ("primary", "backup")}
        odd = {name: {"name": said} for name, said in fields.items() if not isinstance(said, dict)}
        matrix[role] = Contact(role, str(row.get("responsibility") or ""), {**fields, **odd})
    return matrix


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the log of decisions."""

    at: datetime
    day: int | None
    about: str
    decision: str
    by: str
    role: str
    gate: str
    waiver: str

    @property
    def lets_begin(self) -> bool:
        """Whether what follows may begin."""
        return self.day is not None and self.decision == DAYS.get(self.day)


def decisions(records: Path) -> list[Entry]:
    """The log of decisions, the oldest first."""
    entries = [
        Entry(
            at=row.moment("at"),
            day=row.get("day"),
            about=str(row.get("about") or ""),
            decision=row.text("decision"),
            by=row.text("by"),
            role=row.text("role"),
            gate=str(row.get("gate") or ""),
            waiver=str(row.get("waiver") or ""),
        )
        for row in lines(records, "decisions.jsonl")
    ]
    return sorted(entries, key=lambda entry: entry.at)


def demand_whole(records: Path) -> None:
    """Demand that each decision of the log has each of its fields."""
    for row in lines(records, "decisions.jsonl"):
        shown = f"the decision of {row['at']} about {row['about']}"
        lacking = [name for name in DECISION if name not in row]
        assert not lacking, f"{shown} lacks {', '.join(lacking)}"
        assert row["gate"] in GATES, f"{shown} was made at the gate {row['gate']}"
        assert isinstance(row["figures"], dict), f"{shown} has the figures {row['figures']}"


def demand_priorities(records: Path, entry: Entry) -> None:
    """Demand that the stakeholders said of priorities, with a decision, whether they change."""
    said = {
        other.decision
        for other in decisions(records)
        if other.about == "priorities" and other.at.date() == entry.at.date()
    }
    known = bool(said) and said <= {"unchanged", "changed"}
    assert known, f"on {entry.at.date()} it is said of priorities: {sorted(said) or 'nothing'}"


def decided(records: Path, day: int) -> Entry:
    """The newest decision of a day; raises NoValueError where there is none."""
    entries = [entry for entry in decisions(records) if entry.day == day]
    if not entries:
        raise NoValueError(f"decisions.jsonl has no decision of Day {day}; record it there")
    return entries[-1]


def spoke_for(records: Path, entry: Entry) -> None:
    """Demand that an entry is by a person who may speak for the Rollout Lead."""
    lead = contacts(records).get("rollout-lead")
    assert lead is not None, "the contact matrix has no Rollout Lead"
    roles = {"rollout-lead", ROLES["rollout-lead"].lower()}
    assert entry.role.lower() in roles, f"the decision is in the role {entry.role}"
    assert entry.by in lead.names, f"{entry.by} is neither the Rollout Lead nor the backup"


def start_date(records: Path) -> date:
    """Day 1; raises NoValueError where the start is no date."""
    stated = kept(records, "plan.yaml").get("start_date")
    try:
        return stated if isinstance(stated, date) else date.fromisoformat(str(stated))
    except ValueError:
        raise NoValueError(f"the start of the rollout is {stated!r}, and no date") from None


def gaps_of_cover(records: Path, begin: datetime, end: datetime) -> float:
    """For how many hours of a time nobody was on call."""
    path = records / "on-call.csv"
    if not path.is_file():
        raise NoValueError("there is no on-call.csv among the records")
    shifts = sorted(
        (datetime.fromisoformat(row["from"]), datetime.fromisoformat(row["to"]))
        for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines())
        if not placeholder(row["person"])
    )
    uncovered, covered_to = timedelta(), begin
    for since, until in shifts:
        if since > covered_to:
            uncovered += min(since, end) - min(covered_to, end)
        covered_to = max(covered_to, until)
    uncovered += max(timedelta(), end - covered_to)
    return uncovered / timedelta(hours=1)


def demand_validated(records: Path, stage: str, week: int) -> None:
    """Demand that a stage of the daily run was validated, on record, in the week before one."""
    begin, _ = week_of(start_date(records), week)
    told = [entry for entry in decisions(records) if entry.about == f"validated {stage}"]
    if not told:
        raise NoValueError(f"decisions.jsonl has no entry about `validated {stage}`")
    first = told[0].at
    assert begin - WEEK <= first <= begin, (
        f"{stage} was validated at {first:%Y-%m-%d %H:%M}, not in the week before week {week}"
    )
