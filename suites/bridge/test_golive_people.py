"""Go-live: who answers for what, what they signed, and what users were shown."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from pytest_rollout import NoValueError, Reported
from suites.bridge.views import papers, people
from suites.bridge.views.exposition import Scrape
from suites.bridge.views.said import is_sentence

pytestmark = pytest.mark.bridge_golive

OWNERS = {
    "owner-product": ("product owner", "adoption"),
    "owner-platform": ("platform engineer", "reliab"),
    "owner-security": ("security owner", "threat"),
    "owner-agent-workflow": ("agent workflow owner", "educat"),
}


@pytest.mark.parametrize(
    "criterion", [pytest.param(name, marks=pytest.mark.criterion(name)) for name in OWNERS]
)
def test_a_role_is_held(criterion: str, repository: Path) -> None:
    """Two people of different names, with the duties that the plan gives them."""
    role, duty = OWNERS[criterion]
    entries = papers.structured(repository, papers.ROLES).each("roles")
    held = [entry for entry in entries if entry.text("role").lower() == role]
    assert len(held) == 1, f"{len(held)} entries are for the {role}"
    name, stand_in = (person(held[0], field) for field in ("name", "stand_in"))
    assert name, f"the {role} has no name"
    assert stand_in, f"the {role} has no stand-in"
    assert name.casefold() != stand_in.casefold(), f"{name} is the stand-in of {name}"
    duties = str(held[0]["duties"]).lower()
    assert duty in duties, f"the duties of the {role} say nothing of {duty}: {duties[:80]}"


def person(entry: Reported, field: str) -> str:
    """A name in an entry; empty for none and for a stand-in for one."""
    text = str(entry.get(field) or "").strip()
    return "" if text.lower() in ("", "tbd", "n/a", "nobody", "none", "unknown", "todo") else text


@pytest.mark.criterion("threat-model-reviewed")
def test_the_threat_model_was_reviewed(
    records: Path, repository: Path, revision: str, today: datetime
) -> None:
    """By the person who holds the role, of this release, after the model was last changed."""
    reviews = people.signed(records, "threat-model")
    if not reviews:
        raise NoValueError("nobody reviewed the threat model; have the security owner do so")
    last = reviews[-1]
    changed = papers.git(repository, "log", "-1", "--format=%cI", "--", papers.THREATS)
    assert changed, f"{papers.THREATS} was never committed"
    people.demand_yes(last, revision, today, datetime.fromisoformat(changed))
    roles = papers.structured(repository, papers.ROLES).each("roles")
    owners = {
        person(entry, field)
        for entry in roles
        if entry.text("role").lower() == "security owner"
        for field in ("name", "stand_in")
    }
    assert last.text("who") in owners, f"{last.text('who')} is not the security owner"
    model = papers.sections(papers.document(repository, papers.THREATS), 2)
    for part in ("Assets", "Trust boundaries", "Threats", "Controls"):
        assert is_sentence(model.get(part, "")), f"{papers.THREATS} says nothing of {part}"


@pytest.mark.criterion("adoption-metrics-defined")
def test_adoption_is_measured(repository: Path, scraped: Scrape) -> None:
    """Each metric has a target, and a source that gives a number."""
    defined = papers.structured(repository, papers.ADOPTION).each("metrics")
    assert defined, "no adoption metric is defined"
    for metric in defined:
        name, source = metric.text("name"), metric.text("source")
        assert name.strip(), "an adoption metric has no name"
        assert str(metric["target"] or "").strip(), f"{name} has no target"
        exported = [bare for bare in papers.words(source) if scraped.has(bare)]
        address = "/v1/" in source
        assert exported or address, f"{name} comes from {source!r}, which gives no number"


@pytest.mark.criterion("user-education-done")
def test_users_were_taught(repository: Path) -> None:
    """Each primary user of the pilot is named with the day on which they were shown the bridge."""
    text = papers.document(repository, papers.EDUCATION)
    users = papers.structured(repository, papers.PILOT)["primary_users"]
    assert users, "the pilot has no primary user"
    for user in users:
        named = [line for line in text.splitlines() if str(user) in line]
        assert named, f"{user} was not shown the bridge"
        assert any(papers.days_in(line) for line in named), f"no day stands beside {user}"


@pytest.mark.criterion("pilot-signoff")
def test_each_primary_user_signed(
    records: Path, repository: Path, revision: str, today: datetime
) -> None:
    users = {str(user) for user in papers.structured(repository, papers.PILOT)["primary_users"]}
    assert users, "the pilot has no primary user"
    newest = {signoff.text("who"): signoff for signoff in people.signed(records, "pilot-users")}
    missing = sorted(users - set(newest))
    assert not missing, f"{', '.join(missing)} did not sign"
    for user in sorted(users):
        people.demand_yes(newest[user], revision, today, None)
