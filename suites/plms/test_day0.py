"""Day 0: the release is tagged, backups are taken, channels and checker are tried."""

from __future__ import annotations

import os
import re
import smtplib
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest

from pytest_rollout import Observe, Stage, read_inbox
from suites.plms.scenarios.preparation import Prepared
from suites.plms.views.host import (
    TAG,
    Host,
    channels,
    configured,
    contents,
    git,
    newest,
    restored,
    run,
    stamped,
    tag_on_origin,
)
from suites.plms.views.portfolio import observe_slot

pytestmark = pytest.mark.day0


# Entry: may the preparations start?


@pytest.mark.criterion("checkout-clean")
def test_checkout_holds_what_the_origin_has(host: Host) -> None:
    assert git(host.release, "status", "--porcelain") == "", "the checkout has changes of its own"
    ahead = git(host.release, "rev-list", "--count", "origin/main..HEAD")
    assert ahead == "0", f"the checkout is {ahead} commits ahead of origin/main"


@pytest.mark.criterion("tag-is-free")
def test_nobody_has_taken_the_tag(host: Host) -> None:
    taken = tag_on_origin(host.release)
    assert not taken, f"the origin has a tag {TAG} already: {taken}"


# The release


def _tag(checkout: Path) -> str:
    """The id of the tag's object; raises AssertionError where there is no tag."""
    assert git(checkout, "tag", "--list", TAG) == TAG, f"the checkout has no tag {TAG}"
    return git(checkout, "rev-parse", f"refs/tags/{TAG}")


@pytest.mark.criterion("release-tag-exists")
@pytest.mark.criterion("release-tag-annotated")
def test_tag_is_an_object_of_its_own(prepared: Prepared) -> None:
    kind = git(prepared.host.release, "cat-file", "-t", _tag(prepared.host.release))
    assert kind == "tag", f"{TAG} names a {kind}, so it is not annotated"


@pytest.mark.criterion("release-tag-annotated")
def test_tag_has_a_message(prepared: Prepared) -> None:
    _tag(prepared.host.release)
    said = git(prepared.host.release, "tag", "--list", "--format=%(contents)", TAG)
    assert said.strip(), f"{TAG} has no message"


@pytest.mark.criterion("release-tag-pushed")
def test_origin_has_the_same_tag(prepared: Prepared) -> None:
    here, there = _tag(prepared.host.release), tag_on_origin(prepared.host.release)
    assert there == here, f"{TAG} is {there or 'absent'} on the origin, here {here}"


@pytest.mark.criterion("freeze-declared")
def test_nothing_was_committed_after_the_tag(prepared: Prepared) -> None:
    _tag(prepared.host.release)
    ahead = git(prepared.host.release, "rev-list", "--count", f"{TAG}..HEAD")
    assert ahead == "0", f"what is deployed is {ahead} commits ahead of {TAG}"


# The backups


@pytest.mark.criterion("registry-backup-nonempty")
def test_copy_of_the_registry_has_bytes(prepared: Prepared, observe: Observe) -> None:
    copy = newest(prepared.host.backups, "registry_*.db")
    observe("backup_bytes", copy.stat().st_size)


@pytest.mark.criterion("registry-backup-restorable")
def test_copy_can_be_restored(prepared: Prepared, tmp_path: Path) -> None:
    copy = restored(newest(prepared.host.backups, "registry_*.db"), tmp_path)
    now = {name: len(rows) for name, rows in contents(prepared.host.registry).items()}
    then = {name: len(rows) for name, rows in contents(copy).items()}
    assert then == now, f"the copy holds {then} rows, the registry {now}"


@pytest.mark.criterion("logs-backup-nonempty")
def test_archive_holds_every_log(prepared: Prepared) -> None:
    archive = newest(prepared.host.backups, "plms_logs_*.tar.gz")
    listed = run("tar", "-tzf", archive)
    assert listed.returncode == 0, f"tar cannot read {archive.name}: {listed.stderr.strip()}"
    members = {Path(line).name for line in listed.stdout.splitlines() if not line.endswith("/")}
    assert members, f"{archive.name} has {archive.stat().st_size} bytes and no member"
    left_out = {path.name for path in prepared.host.logs.iterdir()} - members
    assert not left_out, f"{archive.name} lacks {sorted(left_out)}"


@pytest.mark.criterion("logs-backup-nonempty")
def test_archiver_reported_success(prepared: Prepared) -> None:
    exits = [re.search(r"tar exit (\d+)", event.says) for event in prepared.actions]
    found = [int(match[1]) for match in exits if match]
    assert found, "no action says how tar ended"
    assert found[-1] == 0, f"tar exited {found[-1]}, not 0"


@pytest.mark.criterion("backups-are-fresh")
@pytest.mark.parametrize("pattern", ["registry_*.db", "plms_logs_*.tar.gz"])
def test_backup_was_taken_in_the_slot(
    prepared: Prepared, phase: Stage, observe: Observe, pattern: str
) -> None:
    backup = newest(prepared.host.backups, pattern)
    written = datetime.fromtimestamp(backup.stat().st_mtime, UTC)
    for moment in (stamped(backup), written):
        age = (phase.window[1] - moment).total_seconds()
        assert age >= 0, f"{backup.name} is dated {moment}, after the end of the slot"
        observe("backup_age", age, backup=pattern)


# The channels


@pytest.mark.criterion("slack-webhook-200")
def test_slack_takes_a_message(prepared: Prepared) -> None:
    webhook = configured(prepared.host, "SLACK_WEBHOOK_URL")
    answer = httpx.post(webhook, json={"text": "[PLMS] Day 0: a test message"})
    assert answer.status_code == httpx.codes.OK, (
        f"the webhook answers {answer.status_code} {answer.text!r}, not 200"
    )


@pytest.mark.criterion("smtp-relay-test")
def test_mail_is_taken_and_delivered(prepared: Prepared) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"] = "plms@localhost", configured(prepared.host, "ALERT_EMAIL")
    mail["Subject"] = "[PLMS] Email test"
    mail.set_content("Day 0: a test message\n")
    host, _, port = configured(prepared.host, "SMTP_RELAY").rpartition(":")
    try:
        with smtplib.SMTP(host, int(port), timeout=10) as relay:
            relay.send_message(mail)
    except smtplib.SMTPException as refused:
        pytest.fail(f"the relay did not take a mail to {mail['To']}: {refused}")
    subjects = [
        one.body["subject"] for one in read_inbox(prepared.host.inbox) if one.service == "mail"
    ]
    assert "[PLMS] Email test" in subjects, f"the mailbox has {subjects}, not the test mail"


@pytest.mark.criterion("pagerduty-test")
def test_pagerduty_takes_an_event(prepared: Prepared) -> None:
    configured(prepared.host, "PD_ROUTING_KEY")
    text = "[PLMS][test] PagerDuty integration check"
    helper = prepared.host.release / "scripts/alert_pd.py"
    done = run(helper, text, env={**os.environ, **channels(prepared.host)})
    assert done.returncode == 0, f"the helper exits {done.returncode}: {done.stderr.strip()}"
    events = [one for one in read_inbox(prepared.host.inbox) if one.service == "pagerduty"]
    assert any(text in event.text for event in events), "no such event was enqueued"


# The trial of the checker


@pytest.mark.criterion("invariants-dry-run-status-ok")
def test_checker_says_ok(prepared: Prepared, observe: Observe) -> None:
    observe.attach("invariants.json", prepared.dry_run.output, "application/json")
    assert prepared.dry_run.status == "OK", f"the checker says {prepared.dry_run.status!r}, not OK"


@pytest.mark.criterion("invariants-dry-run-zero-violations")
def test_checker_counts_no_violation(prepared: Prepared, observe: Observe) -> None:
    observe("invariants_violations", prepared.dry_run.violations)


@pytest.mark.criterion("invariants-dry-run-exit-code")
def test_checker_itself_exits_well(prepared: Prepared) -> None:
    status = prepared.dry_run.exit_status
    assert status == 0, f"the checker exits {status}, not 0"


@pytest.mark.criterion("invariants-dry-run-staging-first")
def test_staging_came_before_production(prepared: Prepared) -> None:
    runs = [re.search(r"dry run on (\w+)", event.says) for event in prepared.actions]
    order = [match[1] for match in runs if match]
    assert order, "no dry run is recorded"
    assert order[0] == "staging", f"the checker was tried on {order[0]} first"
    assert "production" in order, f"the checker was tried on {order} only"


# What day 0 must leave alone


@pytest.mark.criterion("no-production-change")
def test_registry_is_as_it_was(prepared: Prepared) -> None:
    assert prepared.after == prepared.before, "the registry holds other rows than before day 0"


@pytest.mark.criterion("in-window")
def test_work_stays_in_the_slot(prepared: Prepared, phase: Stage, observe: Observe) -> None:
    observe_slot(phase, prepared.actions, observe)
