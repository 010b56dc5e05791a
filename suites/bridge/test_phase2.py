"""Hardening: roles, retries, keys, retention, filters, counters, schema, and the pilot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pytest_rollout import Observe, Reported, Stage
from suites.bridge.checks.told import observe_each
from suites.bridge.scenarios.governed import CORPUS, Filtered, Kept
from suites.bridge.scenarios.hardened import MESSAGES, PARALLEL, Indicated, OneKey, Retried
from suites.bridge.scenarios.measured import Measured
from suites.bridge.views import oracle, papers
from suites.bridge.views.exposition import Between
from suites.bridge.views.pilots import Day, days_of, finished, stable
from suites.bridge.views.said import not_done
from suites.bridge.views.schemas import breaks
from suites.bridge.views.service import Bridge

pytestmark = pytest.mark.bridge_phase2

Cells = Mapping[tuple[str, str, str], str]


@pytest.mark.criterion("policy-role-controls")
def test_each_role_has_its_own_operations(
    policy_cells: Cells, settings_tried: Mapping[str, int], observe: Observe
) -> None:
    problems = {
        " ".join(cell): "" if became == oracle.allowed(*cell) else f"it is {became}"
        for cell, became in policy_cells.items()
    }
    problems |= {
        what: "" if status == 403 else f"it is answered {status}"
        for what, status in settings_tried.items()
    }
    observe_each(observe, "policy_cell_wrong", problems)
    allowed = {
        role: frozenset(
            (operation, state)
            for (operation, state, of), became in policy_cells.items()
            if of == role and became == "allow"
        )
        for role in oracle.ROLES
    }
    assert len(set(allowed.values())) == len(allowed), "two roles may do the same"


@pytest.mark.criterion("retry-reliability")
def test_messages_arrive_once(retried: Retried, today: datetime, observe: Observe) -> None:
    """What was lost and what is there twice counts alike; failures must have been there."""
    if retried.failures < MESSAGES // 40:
        not_done(f"only {retried.failures} requests failed", "have one in twenty fail")
    for number, text in enumerate(retried.sent):
        observe("kept_once", retried.kept[text] == 1, at=today, n=number)
    strangers = sorted(set(retried.kept) - set(retried.sent))
    assert not strangers, f"{strangers[0]!r} was posted by nobody"


@pytest.mark.criterion("idempotency-concurrent")
def test_one_key_makes_one_message(one_key: OneKey, observe: Observe) -> None:
    for number, answers in enumerate(one_key.rounds):
        assert len(answers) == PARALLEL, f"{len(answers)} were answered"
        refused = sorted({status for status, _ in answers if status != 201})
        assert not refused, f"some were answered {refused}"
        observe("ids_of_one_key", len({id_ for _, id_ in answers}), round=str(number))
    status, own = one_key.other
    taken = {id_ for answers in one_key.rounds for _, id_ in answers}
    assert status == 201, f"a key that another agent has used is answered {status}"
    assert own not in taken, "an agent is answered with the message of another, by its key"
    due, stored = len(one_key.rounds) + 1, len(one_key.stored)
    assert stored == due, f"{due} keys made {stored} messages"


# Retention and content


@pytest.mark.criterion("retention-controls")
def test_retention_removes_what_is_old(retained: Kept, observe: Observe) -> None:
    missing = sorted(set(retained.wanted) - retained.control)
    assert not missing, f"{missing} were gone before there was a rule"
    problems = {
        name: "" if (name in retained.found) == stays else "it is gone" if stays else "it is kept"
        for name, stays in retained.wanted.items()
    }
    observe_each(observe, "retention_wrong", problems)
    due = sum(not stays for stays in retained.wanted.values())
    assert retained.removed == due, f"{retained.removed} were removed, it says; {due} were old"


@pytest.mark.criterion("content-filtering")
def test_filters_refuse_and_mask(filtered: Filtered, observe: Observe) -> None:
    refused = sorted(text for text, status in filtered.before.items() if status != 201)
    assert not refused, f"{refused[0]!r} was refused without a rule"
    problems = {text: filter_problem(text, filtered) for text in CORPUS}
    observe_each(observe, "filter_wrong", problems)
    due = [wanted for wanted in CORPUS.values() if wanted is not None]
    assert list(filtered.read) == due, f"what is read is {filtered.read}"


def filter_problem(text: str, filtered: Filtered) -> str:
    """What is wrong with what became of a text under the rules."""
    wanted, status = CORPUS[text], filtered.statuses[text]
    if (status == 403) != (wanted is None):
        return f"it was answered {status}"
    decided = filtered.decisions.get(filtered.requests[text], ())
    rule = ("words",) if wanted is None else () if wanted == text else ("keys",)
    if tuple(dict.fromkeys(decided)) != rule:
        return f"the log names the rules {list(decided)}, not {list(rule)}"
    return "the log holds its text" if text != wanted and text in filtered.raw else ""


# Counters


@pytest.mark.criterion("sli-post-success-measurable")
def test_post_success_can_be_computed(indicated: Indicated, observe: Observe) -> None:
    problems = shares(
        indicated.posts,
        "message_posts_total",
        "message_post_failures_total",
        (indicated.posted, indicated.posts_failed),
        exact=indicated.exact,
    )
    observe_each(observe, "sli_wrong", problems, sli="post")


@pytest.mark.criterion("sli-read-success-measurable")
def test_read_success_can_be_computed(indicated: Indicated, observe: Observe) -> None:
    problems = shares(
        indicated.reads,
        "message_reads_total",
        "message_read_failures_total",
        (indicated.read, indicated.reads_failed),
        exact=indicated.exact,
    )
    observe_each(observe, "sli_wrong", problems, sli="read")


def shares(
    part: Between, total: str, failed: str, made: tuple[int, int], *, exact: bool
) -> dict[str, str]:
    """What is wrong with the two counters of a share."""
    if exact and not made[1]:
        not_done("nothing failed, so a counter of failures shows nothing", "have some fail")
    problems = {}
    for name, wanted in zip((total, failed), made, strict=True):
        risen = part.rose(name)
        right = risen == wanted if exact else risen >= wanted
        problems[name] = "" if right else f"it rose by {risen:g}, callers saw {wanted}"
    causes = part.after.by(failed, "cause")
    problems["cause"] = "" if causes.keys() - {""} else f"{failed} names no cause"
    return problems


@pytest.mark.criterion("sli-visible-latency-measurable")
def test_visibility_can_be_computed(indicated: Indicated, observe: Observe) -> None:
    """A first read counts, a second one does not, and the time is no more than the suite's."""
    part, name = indicated.visible, "post_to_visible_seconds"
    risen = part.rose(f"{name}_count")
    right = risen == indicated.seen if indicated.exact else risen >= indicated.seen
    seconds = part.rose(f"{name}_sum")
    buckets = part.after.by(f"{name}_bucket", "le")
    limits = {float(bound) for bound in buckets if bound not in ("", "+Inf")}
    problems = {
        "count": "" if right else f"it rose by {risen:g}, and {indicated.seen} were read first",
        "seconds": "" if 0 <= seconds <= 2 * max(risen, 1) else f"they took {seconds:g} s",
        "target": "" if 2.0 in limits else f"no bucket ends at 2 s, but at {sorted(limits)[:6]}",
    }
    observe_each(observe, "sli_wrong", problems, sli="visible")


# Targets


@pytest.mark.criterion("slo-post-success")
def test_posts_succeed(measured: Measured, observe: Observe) -> None:
    measured.observe_posts(observe)


@pytest.mark.criterion("slo-read-success")
def test_reads_succeed(measured: Measured, observe: Observe) -> None:
    measured.observe_reads(observe)


@pytest.mark.criterion("slo-post-to-visible")
def test_messages_are_soon_visible(measured: Measured, observe: Observe) -> None:
    measured.observe_visible(observe)


@pytest.mark.criterion("slo-message-to-wake")
def test_agents_are_soon_woken(measured: Measured, observe: Observe) -> None:
    measured.observe_wakes(observe)


# The pilot


@pytest.mark.criterion("pilot-multi-project")
def test_the_pilot_is_on_several_projects(
    pilot_threads: Sequence[Reported], bridge: Bridge, observe: Observe
) -> None:
    """A project counts with a review that was closed, in which two agents wrote."""
    projects = finished(pilot_threads, bridge, "project")
    if not projects:
        not_done("no project has a review that was finished", "run the pilot")
    for project, threads in sorted(projects.items()):
        observe("project_active", 1, project=project, reviews=threads)


@pytest.mark.criterion("pilot-stable")
def test_the_pilot_is_stable(
    phase: Stage,
    repository: Path,
    records: Path,
    threads: Sequence[Reported],
    bridge: Bridge,
    observe: Observe,
    today: datetime,
) -> None:
    """Each day by its own figures, its incidents, and what became of its threads."""
    days: Sequence[Day] = days_of(repository, records, phase.file("logs"), threads, bridge)
    if not days:
        not_done("no day of the pilot is on record", "run it")
    problems = {}
    for day in days:
        problems[day.day.isoformat()] = stable(day)
        at = datetime.combine(day.day, datetime.min.time(), today.tzinfo) + timedelta(hours=12)
        observe("day_stable", not stable(day), at=at)
    gaps = [later.day for day, later in pairwise(days) if (later.day - day.day).days != 1]
    assert not gaps, f"nothing is told of the day before {gaps[0]}"
    odd = [f"{day}: {problem}" for day, problem in problems.items() if problem.startswith("told")]
    assert not odd, "; ".join(odd)


@pytest.mark.criterion("additive-minor-changes")
def test_the_schema_only_gained(
    repository: Path, schema: Mapping[str, Any], observe: Observe
) -> None:
    before = papers.structured(repository, papers.SCHEMA_BEFORE)
    problems = breaks(before, schema)
    observe_each(observe, "schema_broken", problems)
