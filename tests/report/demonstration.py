"""One phase with every sort of verdict, as people would meet them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from pytest_rollout.judge import Case, decide
from pytest_rollout.model.attestation import Attestation
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.evidence import Attempt, ReleaseFact, Seen, World
from pytest_rollout.model.plan import Gate, Plan
from pytest_rollout.model.story import Evaluation, Happened, Kind, StepState, Story
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.plan.load import parse
from pytest_rollout.report.todo import todo
from pytest_rollout.session.storytelling import measured_of
from tests.judge.worlds import AT, NINE, SECOND, samples, seen, world_of

PLAN = """\
plan: shop
title: The new checkout
timezone: America/New_York
release: {target: api, path: /version}
environments:
  prod: {targets: {api: "http://api"}, max_age: 24h}
roles: {pm: Product, sre: On call}
phases:
  - id: canary
    title: One customer in ten
    date: 2025-11-10
    hours: "09:00-11:00"
    owners: [sre]
    criteria:
      - {id: payments, kind: slo, says: Nearly every payment goes through, metric: payment_ok,
         take: rate, pass: ">= 0.95", confidence: 95%, need: 59}
      - {id: page-opens, kind: demo, says: The checkout page opens}
      - {id: queue, kind: load, says: The queue stays short, metric: queue_depth, take: max,
         pass: "< 10", warn: ">= 8", need: 3}
      - {id: latency, kind: slo, says: Nineteen of twenty pages come quickly, metric: page_time,
         take: p95, pass: "< 500ms", fail: "> 800ms", need: 20}
      - {id: refunds, kind: kpi, says: Refunds work, metric: refund_ok, take: rate,
         pass: ">= 0.9", need: 10}
      - {id: emails, kind: kpi, says: Receipts are sent, metric: mail_ok, take: rate,
         pass: ">= 0.9", need: 10}
      - {id: coupons, kind: kpi, says: Coupons are honoured, metric: coupon_ok, take: rate,
         pass: ">= 0.9", confidence: 95%, need: 20}
      - {id: stock, kind: invariant, says: No warehouse oversells, metric: oversold, take: sum,
         pass: "<= 0", each: {warehouse: [Berlin, Boston]}}
      - {id: search, kind: demo, says: Search finds the product}
      - {id: banner, kind: kpi, says: The banner is seen, metric: banner_ok, take: rate,
         pass: ">= 0.9", need: 10}
      - {id: pager, kind: alerting, says: An outage wakes somebody, when: {configured: PAGER}}
      - {id: colours, kind: demo, severity: soft, owner: design, due: shop.full/entry,
         says: The colours are those of the brand}
      - {id: rubric, kind: kpi, says: The help text is good, of: {clear: 2, friendly: 1},
         need: score, pass: ">= 80"}
      - {id: clear, kind: kpi, severity: optional, says: It is clear}
      - {id: friendly, kind: kpi, severity: optional, says: It is friendly}
      - {id: legal, kind: manual, by: [pm], says: The terms were read by a lawyer}
      - {id: drill, kind: manual, by: [sre], says: The rollback was exercised}
      - {id: calm-nights, kind: kpi, says: Three nights pass without an alarm, metric: alarms,
         take: sum, pass: "<= 0", per: night, in_a_row: 3}
      - {id: unbound, kind: demo, says: Gift cards are accepted}
      - {id: not-slower, kind: slo, says: It is not slower than the old one, metric: page_time,
         where: {version: new}, take: mean, versus: {where: {version: old}}, pass: "<= 50ms"}
      - {id: retried, kind: demo, says: A retry charges once}
      - {id: shipping, kind: kpi, says: Parcels are counted, metric: parcel_ok, take: rate,
         pass: ">= 0.9"}
      - {id: returns, kind: kpi, says: Parcels come back whole, metric: return_ok, take: rate,
         pass: ">= 0.9"}
      - {id: history, kind: kpi, says: Old orders can be read, metric: order_ok, take: rate,
         pass: ">= 0.9", over: [{last: 10, need: 10}]}
    guardrails:
      - {id: errors, says: Errors stay rare, metric: request_error, take: rate, fail: "> 0.2",
         over: [{last: 10, need: 10}], then: [rollback]}
      - {id: disk, says: The disk does not fill, metric: disk_share, take: max, fail: "> 0.9"}
      - {id: money, says: No payment is booked twice, metric: booked_twice, take: sum,
         fail: "> 0", then: [pause]}
  - {id: full, requires: [canary]}
"""
WAIVERS = """\
waivers:
  - {criterion: banner, phase: canary, limit: ">= 0.6", until: 2025-11-30, author: Ann,
     approver: Bo, reason: the banner goes next month}
"""


def plan() -> Plan:
    """The plan with its waiver."""
    found = parse(PLAN, Path("rollout.yaml"), "rollout.yaml", {"waivers.yaml": WAIVERS})
    assert found.problems == (), [str(problem) for problem in found.problems]
    assert found.plan is not None
    return found.plan


def outcomes(series: str, good: int, bad: int, every: float = 60) -> list[Seen]:
    """So many good ones, then so many bad ones."""
    return samples(*[1] * good, *[0] * bad, series=series, every=every)


def observed() -> list[Seen]:
    """What was seen of each series."""
    night = 86_400.0
    stale = [seen(1, -90_000 + n, "order_ok", recorded=-90_000 + n) for n in range(10)]
    return [
        *outcomes("payment_ok", 100, 0, every=30),
        *samples(3, 9, 4, series="queue_depth"),
        *samples(*[0.25] * 18, 0.65, 0.65, series="page_time"),
        *outcomes("refund_ok", 8, 4),
        *outcomes("mail_ok", 7, 0),
        *samples(1, 2, series="parcel_ok"),
        *(seen(1, t, "return_ok", recorded=60) for t in (60, 3720)),  # judged at 3600
        *outcomes("coupon_ok", 22, 0),
        *samples(0, 0, series="oversold", warehouse="Berlin"),
        *outcomes("banner_ok", 7, 3),
        *(seen(0, -night * n - 18_000, "alarms", recorded=0) for n in (1, 0)),
        *samples(0.31, 0.35, series="page_time", version="new", every=7),
        *samples(0.24, 0.26, series="page_time", version="old", every=7),
        *stale,
        *samples(*[0] * 7, 1, 1, 1, 0, series="request_error"),
        *samples(0.4, 0.5, series="disk_share"),
    ]


def _attested() -> tuple[Attestation, ...]:
    when = NINE - 30 * 86_400 * SECOND
    return (
        Attestation(
            criterion="shop.canary.drill",
            passed=True,
            by="Cy",
            role="sre",
            note="rolled back in four minutes",
            at_us=when,
            release="v2",
        ),
    )


def world(plan_: Plan) -> World:
    """All that was seen in the run."""
    bound: dict[str, tuple[str, ...]] = {
        f"shop.canary.{one.id}": (f"suites/shop/test_shop.py::test_{one.id.replace('-', '_')}",)
        for one in plan_.phases[0].criteria
        if one.of is None and not one.attested
    }
    bound["shop.canary.unbound"] = ()
    checks = {
        "search": [Attempt(Verdict.ERROR, "ConnectionError: connection refused by 10.0.0.7:443")],
        "colours": [Attempt(Verdict.FAIL, "the button is #ff0000, #cc0000 is the brand's")],
        "friendly": [Attempt(Verdict.FAIL, "2 of 5 readers found it friendly, 4 are asked for")],
        "retried": [Attempt(Verdict.FAIL, "charged twice"), Attempt(Verdict.PASS)],
    }
    facts = (ReleaseFact("start", "v2"), ReleaseFact("end", "v2"))
    found = world_of(
        plan_,
        observed(),
        items=bound,
        checks={f"suites/shop/test_shop.py::test_{key}": said for key, said in checks.items()},
        environment="prod",
        releases=facts,
        configured={"PAGER": False},
    )
    manifest = dataclasses.replace(found.manifest, items=bound)
    return dataclasses.replace(found, manifest=manifest, attestations=_attested())


def decision(**changes: Any) -> tuple[Plan, Decision]:
    """The plan and what is decided of its exit gate, in a world with some changes."""
    stated = plan()
    seen_ = dataclasses.replace(world(stated), **changes)
    return stated, decide(Case(stated, stated.phases[0], seen_, AT), Gate.EXIT)


BACK = NINE + 700 * SECOND
QUEUES = ({"shop.canary.queue": "3"}, {"shop.canary.queue": "9"})


def story() -> tuple[Decision, Story]:
    """The decision of the exit gate, and what the ledger might tell beside it."""
    stated, decided = decision()
    case = Case(stated, stated.phases[0], world(stated), AT)
    told = Story(
        measured=measured_of(case, decided),
        happened=(
            Happened(Kind.BEGIN, NINE, "begun by Cy"),
            Happened(Kind.CHANGE, NINE + 60 * SECOND, "caps <raised>"),
            Happened(Kind.FREEZE, NINE + 90 * SECOND, "stand-up", NINE + 120 * SECOND),
            Happened(Kind.TRIP, NINE + 600 * SECOND, "errors tripped"),
        ),
        evaluations=(
            Evaluation("2025-11-09T10:00:00-05:00", Answer.GO, "v1", {"pass": 2}, QUEUES[0]),
            Evaluation(decided.decided_at, decided.answer, "v2", {"fail": 1}, QUEUES[1]),
        ),
        todo=todo(stated, stated.phases[0], decided),
        steps=(
            StepState(
                "traffic goes back", by_hand=False, outcome="done", at_us=NINE + 700 * SECOND
            ),
            StepState("the customer is called", by_hand=True),
        ),
    )
    return decided, told
