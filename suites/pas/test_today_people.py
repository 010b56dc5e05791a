"""Today: the documents that were delivered, and what people reviewed, tested and signed."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from pytest_rollout import NoValueError, Observe, Reported, Stage
from suites.pas.scenarios.people import FirstDay
from suites.pas.views import documents
from suites.pas.views.records import ROLES

pytestmark = pytest.mark.pas_today

BOXES = 5
LEAST_LINES, ABOUT = 400, (288, 352)  # of the stub; of the client, 320 give or take a tenth
BRIEFLY = timedelta(minutes=5)  # less is no review


@pytest.fixture(scope="session")
def checkout(phase: Stage) -> Path:
    """The git repository."""
    return phase.file("checkout")


@pytest.mark.criterion("delivered-files-exist")
def test_each_delivered_file_is_there(checkout: Path, observe: Observe) -> None:
    for name in documents.DELIVERED:
        path = checkout / name
        least = 0 if name in documents.MARKERS else 1
        missing = not path.is_file() or len(path.read_text(encoding="utf-8").split()) < least
        observe("file_missing", missing, file=name)


@pytest.mark.criterion("pas-prd-content")
def test_the_requirements_treat_six_topics(checkout: Path, observe: Observe) -> None:
    document = documents.text(checkout, documents.PRD)
    for name, topic in documents.TOPICS.items():
        treated = documents.treats(document, re.compile(topic, re.IGNORECASE))
        observe("topic_missing", not treated, topic=name)


@pytest.mark.criterion("integration-plan-phases")
def test_the_integration_plan_has_five_phases(checkout: Path, observe: Observe) -> None:
    weeks: set[int] = set()
    headings = list(documents.sections(documents.text(checkout, documents.PLAN)))
    for number in range(1, 6):
        mine = [text for text in headings if re.match(rf"Phase {number}\b", text)]
        span = re.search(r"Weeks? (\d+)(?:\D+(\d+))?", mine[0]) if len(mine) == 1 else None
        observe("phase_undescribed", span is None, of=f"phase {number}")
        if span:
            weeks |= set(range(int(span[1]), int(span[2] or span[1]) + 1))
    assert weeks == set(range(1, 11)), f"the five phases cover weeks {sorted(weeks)}"


@pytest.mark.criterion("size-claims")
def test_stated_sizes_hold(checkout: Path) -> None:
    stub = len(documents.text(checkout, "services/pas/stub/app.py").splitlines())
    client = len(documents.text(checkout, "cli/vp.py").splitlines())
    assert stub >= LEAST_LINES, f"the stub has {stub} lines"
    assert ABOUT[0] <= client <= ABOUT[1], f"the client has {client} lines, not about 320"


# People


@pytest.mark.criterion("plan-reviewed")
def test_everybody_reviewed_the_plan(first_day: FirstDay) -> None:
    told = first_day.records.demand(
        "review", "nobody put a review of the integration plan on record", what="integration-plan"
    )
    who = {}
    for review in told:
        if first_day.begin <= review.moment("at") <= first_day.end:
            long = timedelta(minutes=review.number("minutes")) >= BRIEFLY
            assert long, f"{review['who']} reviewed it in {review['minutes']} minutes"
            who[review.text("role")] = review.text("who")
    _by_all(who, "reviewed the integration plan")


def _by_all(who: dict[str, str], did: str) -> None:
    missing = set(ROLES) - set(who)
    assert not missing, f"{', '.join(sorted(missing))} never {did}"
    people = [who[role].strip().casefold() for role in ROLES]
    assert all(len(name) > 1 for name in people), f"somebody without a name {did}"
    assert len(set(people)) == len(ROLES), f"one person {did} for two roles: {who}"


@pytest.mark.criterion("plan-signed-off")
def test_everybody_signed_the_plan(first_day: FirstDay) -> None:
    told = first_day.records.demand(
        "signoff", "nobody signed the plan of ten weeks", what="ten-week-plan"
    )
    who = {}
    for signoff in told:
        verdict = signoff.text("verdict")
        assert verdict == "approved", f"{signoff['role']} says {verdict!r}, not approved"
        if first_day.begin <= signoff.moment("at") <= first_day.end:
            who[signoff.text("role")] = signoff.text("who")
    _by_all(who, "approved the plan of ten weeks on the day")


def _tests(first_day: FirstDay) -> list[Reported]:
    return first_day.records.demand("test-run", "no test of stub or client is on record")


@pytest.mark.criterion("stub-and-cli-tested")
def test_stub_and_client_were_tested(first_day: FirstDay) -> None:
    for what in ("stub", "client"):
        mine = [test for test in _tests(first_day) if test.text("what") == what]
        assert mine, f"no test of the {what} is on record"
        last = mine[-1]
        counts = last.whole("passed"), last.whole("failed")
        assert last.text("outcome") == "passed", f"the {what} was tested, and {last['outcome']}"
        assert counts[0] > 0, f"the test of the {what} that passed ran nothing"
        assert counts[1] == 0, f"the test of the {what} has {counts[1]} failures"
        during = first_day.begin <= last.moment("began") < last.moment("ended") <= first_day.end
        assert during, f"the {what} was tested from {last['began']} to {last['ended']}"


@pytest.mark.criterion("time-budget-stub")
@pytest.mark.criterion("time-budget-cli")
def test_tests_take_their_time(first_day: FirstDay, observe: Observe) -> None:
    for test in _tests(first_day):
        took = test.moment("ended") - test.moment("began")
        of = test.text("what")
        observe("test_duration", took.total_seconds(), at=test.moment("ended"), of=of)


@pytest.mark.criterion("prechecked-boxes-verified")
def test_a_ticked_box_has_an_outcome(first_day: FirstDay, observe: Observe) -> None:
    """The run that a box names must be there, have passed, and have ended before the tick."""
    boxes = [box for box in first_day.records.of("box") if box.flag("ticked")]
    if not boxes:
        raise NoValueError("no box of the acceptance list is on record")
    runs = {run.text("id"): run for run in _tests(first_day)}
    for box in boxes:
        named = box["evidence"] or []
        good = [
            name for name in named
            if name in runs
            and runs[name].text("outcome") == "passed"
            and runs[name].whole("failed") == 0
            and runs[name].moment("ended") <= box.moment("at")
        ]  # fmt: skip
        unproven = not named or len(good) < len(named)
        observe("tick_without_outcome", unproven, box=box.text("item"))
    items = {box.text("item") for box in boxes}
    assert len(items) == BOXES, f"the list of today has {BOXES} boxes, on record are {len(items)}"
