"""A site: a service on loopback, a plan about it, a ledger, and what happens there."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from pytest_rollout.evidence.bodies import StoredEvent, TripEvent
from pytest_rollout.evidence.phase_life import PhaseLife
from pytest_rollout.evidence.records import RecordKind
from pytest_rollout.model.plan import Address
from pytest_rollout.model.verdict import Answer as Decided
from pytest_rollout.targets.address import addresses
from tests.cli.conftest import Answer, Project
from tests.evidence.runs import ENTRY, PASS, Writer, plan_of
from tests.targets.test_identity import answering, saying

PLAN = """\
plan: demo
roles: {sre: Reliability, pm: Product}
release: {target: api, path: /version, json: version}
environments:
  embedded: {targets: {api: {serve: "app:app"}}}
  prod: {targets: {api: "URL"}, allow: [observe, change]}
phases:
  - id: canary
    owners: [sre]
    criteria:
      - {id: ready, gate: entry, kind: operational, says: The target is ready}
      - {id: works, kind: demo, says: It works}
      - {id: errors, kind: slo, says: No request fails, metric: errors, take: max, pass: "<= 0",
         need: 2}
    guardrails:
      - {id: rail, metric: lag, take: max, fail: "> 9", over: [{span: 5m}], then: [rollback]}
    rollback: [the customer is called]
"""
ROLES = "people:\n  - {id: ada@x.org, roles: [sre]}\n  - {id: bob@x.org, roles: [pm]}\n"
OVERRIDE = ("--override", "--by", "ada@x.org", "--by", "bob@x.org", "--reason", "INC-12")
RESET = ("reset", "demo.canary.rail", "--by", "A", "--reason", "INC-8")


class _Placed(Writer):
    """A run that says where the targets were."""

    def append(
        self, kind: RecordKind, body: dict[str, Any], plan: str = "", subject: str = ""
    ) -> None:
        if kind is RecordKind.RUN:
            found = plan_of(self.text).environments[self.environment]
            body = {**body, "targets": {"demo": addresses(found)}}
        super().append(kind, body, plan, subject)


@dataclass
class Site:
    """A project, and the service that its plan is about."""

    project: Project
    stack: ExitStack
    version: str | None = "v1"

    def serve(self) -> None:
        """The service starts at an address of its own, and the plan says so."""

        def respond(handler: BaseHTTPRequestHandler) -> None:
            saying(json.dumps({"version": self.version}))(handler)

        url = self.stack.enter_context(answering(respond))
        self.project.plan.write_text(PLAN.replace("URL", url))

    def change(self, old: str, new: str) -> None:
        """Edit the plan."""
        text = self.project.plan.read_text()
        assert old in text
        self.project.plan.write_text(text.replace(old, new))

    def writer(self, run: str, environment: str = "prod", gate: Address = ENTRY) -> Writer:
        """A run that asks for one gate."""
        ledger = self.stack.enter_context(self.project.ledger())
        text = self.project.plan.read_text()
        return _Placed(ledger, run, environment, text, gates=(gate,), release=self.version)

    def decided(self, run: str = "r1", ready: tuple[tuple[str, str], ...] = PASS) -> None:
        """A full run of the entry gate."""
        writer = self.writer(run)
        writer.start()
        writer.manifest()
        writer.batch("t.py::test_ready", ready)
        writer.batch("t.py::test_works")
        writer.batch("t.py::test_errors", errors=(0, 0, 0))
        writer.seal()
        writer.decide()

    def tripped(self, answer: Decided = Decided.ROLLBACK) -> None:
        """A watch saw a guardrail trip."""
        with self.project.ledger() as ledger:
            trip = TripEvent(
                type=TripEvent.TYPE,
                t_us=1_700_000_000_000_000,
                says="max of lag was 12",
                guardrail="demo.canary.rail",
                answer=answer,
                release="v1",
            )
            PhaseLife(ledger, ENTRY, "prod").record(trip)

    def frozen(self, word: str = "freeze") -> None:
        """Somebody records a freeze, or a resume."""
        with self.project.ledger() as ledger:
            event = StoredEvent(type=word, t_us=time.time_ns() // 1000, says="INC-7 (A)")
            PhaseLife(ledger, ENTRY, "prod").record(event)

    def clear(self, *more: str) -> Answer:
        """What the deploy script asks."""
        return self.project.rollout("clear", "demo.canary", *more)


@pytest.fixture
def site(project: Project) -> Iterator[Site]:
    with ExitStack() as stack:
        site = Site(project, stack)
        site.serve()
        yield site
