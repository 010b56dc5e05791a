"""Day 1: the job where nobody can be told, and over checkers that contradict themselves."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from pytest_rollout import Stage, scenario
from suites.plms.scenarios.failure_drill import Job, executed, logs_of
from suites.plms.views.host import Host, channels, open_channels

PLACEHOLDER = "your_routing_key"  # what the plan exports in the place of a key
# What a checker that cannot be believed prints, and exits with.
CONTRADICTIONS: Mapping[str, tuple[str, int]] = {
    "says OK and counts three": ('{"status": "OK", "violations": 3, "details": []}', 0),
    "says OK and exits with 1": ('{"status": "OK", "violations": 0, "details": []}', 1),
    "says FAIL and counts none": ('{"status": "FAIL", "violations": 0, "details": []}', 0),
    "prints nothing and exits with 0": ("", 0),
}


@dataclass(frozen=True, slots=True)
class JobTried:
    """What came of running the job by hand where something around it is not well."""

    host: Host
    slack_only: Job  # with a broken row; nobody to mail is configured, and no routing key
    unreachable: Job  # with a broken row; nobody listens at any channel
    unreachable_log: str  # what the logs have of that run
    untold: Job  # where all is well, and no channel is configured
    contradicting: Mapping[str, Job]  # by what the checker does


@scenario(effect="change", own_target=True)
def job_tried(phase: Stage) -> JobTried | None:
    """The job is run with channels that are not there, and with checkers that are no checkers.

    In production it is left alone: None.
    """
    if not phase.embedded:
        return None
    host = Host.of(phase)
    open_channels(phase)
    configured, nowhere = channels(host), _closed_port()
    row = phase.operate("plms", "plant-row").get("row")
    # Where they would be told is known; whom to tell is not.
    ways = {name: value for name, value in configured.items() if name != "ALERT_EMAIL"}
    slack_only = _run(host, {**ways, "PD_ROUTING_KEY": PLACEHOLDER})
    before = logs_of(host)
    away = f"http://{nowhere}/"
    gone = {"SLACK_WEBHOOK_URL": away, "SMTP_RELAY": nowhere, "PD_EVENTS_URL": away}
    unreachable = _run(host, {**configured, **gone})
    said = [text for name, text in logs_of(host).items() if before.get(name) != text]
    if row is not None:
        phase.operate("plms", "remove-row", row=row)
    untold = _run(host, {})
    contradicting = {}
    for what, (prints, exits) in CONTRADICTIONS.items():
        with _in_place(host, f"#!/bin/sh\necho '{prints}'\nexit {exits}\n"):
            contradicting[what] = _run(host, configured)
    return JobTried(host, slack_only, unreachable, "\n".join(said), untold, contradicting)


def _run(host: Host, variables: Mapping[str, str]) -> Job:
    """Run the job by hand, with these variables of channels and no other."""
    names = {*channels(host), "PD_EVENTS_URL"}
    rest = {name: value for name, value in os.environ.items() if name not in names}
    job = host.release / "scripts/run_invariants.sh"
    return executed(host, [str(job)], {**rest, **variables}, host.release)


@contextmanager
def _in_place(host: Host, script: str) -> Iterator[None]:
    """Another checker in the place of that of the release."""
    kept = host.checker.with_suffix(".kept")
    shutil.move(host.checker, kept)
    try:
        host.checker.write_text(script, encoding="utf-8")
        host.checker.chmod(0o755)
        yield
    finally:
        shutil.move(kept, host.checker)


def _closed_port() -> str:
    """An address at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{taken.getsockname()[1]}"
