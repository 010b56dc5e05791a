"""Day 0: the release is tagged, backups are taken, the checker is tried."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pytest_rollout import Observe, Stage
from suites.plms.scenarios.preparation import Prepared
from suites.plms.views.answers import not_done, recorded
from suites.plms.views.checker import PLANTED
from suites.plms.views.host import (
    TAG,
    TAG_MESSAGE,
    Host,
    git,
    newest,
    stamped,
    tag_on_origin,
    unpacked,
)
from suites.plms.views.portfolio import observe_slot

pytestmark = pytest.mark.day0
DRY_RUN = re.compile(
    r"dry run on (?P<where>\w+): (?P<status>\w+), (?P<count>\d+) violations?"
    r"(?:, strict)?, exit (?P<exit>\d+), of (?P<registry>\S+)"
)
BACKUPS = ("registry_*.db", "plms_logs_*.tar.gz")


# Entry: may the preparations start?


@pytest.mark.criterion("checkout-clean")
def test_checkout_holds_what_the_origin_has(host: Host) -> None:
    _demand_clean(host.release)
    here = git(host.release, "rev-parse", "HEAD")
    listed = git(host.release, "ls-remote", "origin", "refs/heads/main").split()
    assert listed, "the origin has no branch main"
    assert listed[0] == here, (
        f"the checkout is at {here[:12]}, the origin's main at {listed[0][:12]}"
    )


@pytest.mark.criterion("tag-is-free")
def test_nobody_has_taken_the_tag(host: Host) -> None:
    taken = tag_on_origin(host.release)
    assert not taken, f"the origin has a tag {TAG} already: {taken}"
    assert not git(host.release, "tag", "--list", TAG), f"the checkout has a tag {TAG} already"


def _demand_clean(checkout: Path) -> None:
    """Raise AssertionError where the working tree holds other files than its commit."""
    changed = git(checkout, "status", "--porcelain", "--untracked-files=all")
    assert changed == "", f"the checkout has changes of its own: {changed[:200]}"
    # Files that git was told to overlook would not be listed.
    flags = [line for line in git(checkout, "ls-files", "-v").splitlines() if line[0] != "H"]
    assert not flags, f"git overlooks changes of {flags[:5]}"


# The release


def _tag(prepared: Prepared) -> str:
    """The id of the tag's object; raises AssertionError where there is no tag."""
    assert prepared.tagged.result
    checkout = prepared.host.release
    assert git(checkout, "tag", "--list", TAG) == TAG, f"the checkout has no tag {TAG}"
    return git(checkout, "rev-parse", f"refs/tags/{TAG}")


def _deployed(prepared: Prepared) -> tuple[str, str]:
    """The commit that the tag names, and the one that is deployed."""
    checkout, tag = prepared.host.release, _tag(prepared)
    return git(checkout, "rev-parse", f"{tag}^{{commit}}"), git(checkout, "rev-parse", "HEAD")


@pytest.mark.criterion("release-tag-exists")
@pytest.mark.criterion("release-tag-annotated")
def test_tag_is_an_object_of_its_own(prepared: Prepared) -> None:
    tag, checkout = _tag(prepared), prepared.host.release
    kind = git(checkout, "cat-file", "-t", tag)
    assert kind == "tag", f"{TAG} names a {kind}, so it is not annotated"
    named = git(checkout, "for-each-ref", "--format=%(tag) of a %(*objecttype)", f"refs/tags/{TAG}")
    assert named == f"{TAG} of a commit", f"the tag's object says {named!r}"


@pytest.mark.criterion("release-tag-exists")
def test_tag_names_what_is_deployed(prepared: Prepared) -> None:
    tagged, deployed = _deployed(prepared)
    assert tagged == deployed, f"{TAG} is commit {tagged[:12]}, deployed is {deployed[:12]}"


@pytest.mark.criterion("release-tag-annotated")
def test_tag_has_the_message_of_the_plan(prepared: Prepared) -> None:
    _tag(prepared)
    said = git(prepared.host.release, "tag", "--list", "--format=%(contents:subject)", TAG)
    assert said == TAG_MESSAGE, f"the message of {TAG} is {said!r}, not {TAG_MESSAGE!r}"


@pytest.mark.criterion("release-tag-pushed")
def test_origin_has_the_same_tag(prepared: Prepared) -> None:
    checkout, here = prepared.host.release, _tag(prepared)
    there = tag_on_origin(checkout)
    assert there == here, f"{TAG} is {there or 'absent'} on the origin, here {here}"
    url, folder = git(checkout, "remote", "get-url", "origin"), checkout.resolve()
    within = {(checkout / url).resolve(), (checkout / url).resolve().parent}
    assert folder not in within, f"the origin {url} is the checkout itself: nothing was pushed"


@pytest.mark.criterion("freeze-declared")
def test_nothing_was_committed_after_the_tag(prepared: Prepared) -> None:
    _tag(prepared)
    ahead = git(prepared.host.release, "rev-list", "--count", f"{TAG}..HEAD")
    assert ahead == "0", f"what is deployed is {ahead} commits ahead of {TAG}"
    _demand_clean(prepared.host.release)


# The backups


@pytest.mark.criterion("registry-backup-nonempty")
def test_copy_of_the_registry_has_bytes(prepared: Prepared, observe: Observe) -> None:
    copy = newest(prepared.host.backups, "registry_*.db")
    observe("backup_bytes", copy.stat().st_size)


@pytest.mark.criterion("registry-backup-nonempty")
@pytest.mark.criterion("registry-backup-restorable")
def test_copy_restores_to_the_rows_of_the_registry(prepared: Prepared) -> None:
    differences = prepared.backups.result.registry
    assert not differences, "; ".join(differences)


@pytest.mark.criterion("logs-backup-nonempty")
def test_archive_holds_every_log_whole(prepared: Prepared) -> None:
    differences = prepared.backups.result.logs
    plain = unpacked(newest(prepared.host.backups, BACKUPS[1]))
    assert not plain, plain
    assert not differences, "; ".join(differences)


@pytest.mark.criterion("logs-backup-nonempty")
def test_archiver_reported_success(prepared: Prepared) -> None:
    archive = newest(prepared.host.backups, "plms_logs_*.tar.gz").name
    exits = [
        re.search(rf"{re.escape(archive)}, tar exit (\d+)", event.says)
        for event in prepared.actions
    ]
    told = [int(match[1]) for match in exits if match]
    if not told:
        how = recorded("day0", "action", f"logs archived to {archive}, tar exit 0")
        not_done(f"nothing says how tar ended for {archive}", how)
    assert told[-1] == 0, f"tar exited {told[-1]}, not 0"


@pytest.mark.criterion("backups-are-fresh")
@pytest.mark.parametrize("pattern", BACKUPS)
def test_backup_was_taken_in_the_slot(
    prepared: Prepared, phase: Stage, observe: Observe, pattern: str
) -> None:
    backup = newest(prepared.host.backups, pattern)
    for moment in _dates(backup):
        age = (phase.window[1] - moment).total_seconds()
        assert age >= 0, f"{backup.name} is dated {moment}, after the end of the slot"
        observe("backup_age", age, backup=pattern)


def _dates(backup: Path) -> tuple[datetime, datetime]:
    """When a backup was taken, by its name and by its file."""
    return stamped(backup), datetime.fromtimestamp(backup.stat().st_mtime, UTC)


# The trial of the checker


@pytest.mark.criterion("invariants-dry-run-status-ok")
def test_checker_says_ok(prepared: Prepared, observe: Observe) -> None:
    checked = prepared.trial.result.production
    observe.attach("invariants.json", checked.output, "application/json")
    assert checked.status == "OK", f"the checker says {checked.status!r}, not OK"


@pytest.mark.criterion("invariants-dry-run-status-ok")
def test_checker_does_not_say_ok_of_broken_rows(prepared: Prepared) -> None:
    status = prepared.trial.result.control.status
    assert status != "OK", f"the checker says {status} of a copy with {PLANTED} broken rows too"


@pytest.mark.criterion("invariants-dry-run-zero-violations")
def test_checker_counts_no_violation(prepared: Prepared, observe: Observe) -> None:
    observe("invariants_violations", prepared.trial.result.production.violations)


@pytest.mark.criterion("invariants-dry-run-zero-violations")
def test_checker_counts_broken_rows(prepared: Prepared) -> None:
    trial = prepared.trial.result
    more = trial.control.violations - trial.production.violations
    assert more >= PLANTED, f"the checker counts {more} of {PLANTED} broken rows in a copy"


@pytest.mark.criterion("invariants-dry-run-exit-code")
def test_checker_itself_exits_well(prepared: Prepared) -> None:
    status = prepared.trial.result.production.exit_status
    assert status == 0, f"the checker exits {status}, not 0"


@pytest.mark.criterion("invariants-dry-run-exit-code")
def test_checker_exits_otherwise_with_broken_rows(prepared: Prepared) -> None:
    status = prepared.trial.result.control.exit_status
    assert status != 0, f"the checker exits {status} also where rows are broken"


@pytest.mark.criterion("invariants-dry-run-staging-first")
def test_staging_came_before_production_and_was_well(prepared: Prepared, phase: Stage) -> None:
    runs = [match for event in prepared.actions if (match := DRY_RUN.search(event.says))]
    if not runs:
        says = "invariants dry run on staging: OK, 0 violations, strict, exit 0, of FILE"
        not_done("no dry run is on record", recorded("day0", "action", says))
    order = [match["where"] for match in runs]
    assert order[0] == "staging", f"the checker was tried on {order[0]} first"
    assert "production" in order, f"the checker was tried on {order[0]} only"
    files = {"staging": phase.file("staging"), "production": prepared.host.registry}
    for match in runs[: order.index("production") + 1]:
        outcome = (match["status"], match["count"], match["exit"])
        assert outcome == ("OK", "0", "0"), f"the dry run is on record as {match[0]!r}"
        named = Path(match["registry"]).name
        assert named == files[match["where"]].name, f"that on {match['where']} was of {named}"


@pytest.mark.criterion("invariants-dry-run-staging-first")
def test_staging_is_another_registry_and_holds(prepared: Prepared) -> None:
    staging = prepared.staging.result
    staging.found.demand()
    same = staging.registry.samefile(prepared.host.registry)
    assert not same, "staging is the registry of production"


# What day 0 must leave alone


@pytest.mark.criterion("no-production-change")
def test_registry_is_as_it_was(prepared: Prepared) -> None:
    changes = prepared.changes.result
    assert not changes, f"production has changed: {'; '.join(changes)}"


@pytest.mark.criterion("in-window")
def test_work_stays_in_the_slot(prepared: Prepared, phase: Stage, observe: Observe) -> None:
    if not prepared.actions:
        says = "logs archived to FILE, tar exit 0"
        not_done("nothing that was done is on record", recorded("day0", "action", says))
    observe_slot(phase, prepared.actions, observe)


@pytest.mark.criterion("in-window")
def test_tag_and_backups_are_of_the_slot(
    prepared: Prepared, phase: Stage, observe: Observe
) -> None:
    begin, end = phase.window
    if git(prepared.host.release, "tag", "--list", TAG):
        made = git(
            prepared.host.release, "tag", "--list", "--format=%(creatordate:iso-strict)", TAG
        )
        observe("work_outside_window", not begin <= datetime.fromisoformat(made) < end, what=TAG)
    for backup in (newest(prepared.host.backups, pattern) for pattern in BACKUPS):
        outside = not begin <= stamped(backup) < end
        observe("work_outside_window", outside, what=backup.name)
