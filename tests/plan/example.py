"""A plan with every part of the plan language, and a way to spoil it."""

from __future__ import annotations

from pathlib import Path

from pytest_rollout.plan.load import Loaded, parse

TEXT = """\
plan: plms
title: PLMS Tier 1, seven-day rollout
timezone: America/New_York
release: {target: plms, path: /version, json: version}
environments:
  embedded: {targets: {plms: {serve: "fixtures.plms:app"}, registry: {file: registry.db, of: plms}}}
  prod: {targets: {plms: "${PLMS_URL}", registry: "${REG}"}, max_age: 24h, allow: [observe, change]}
roles: {engineering: Engineering, operations: Operations}
windows:
  change: [{days: mon-thu, hours: "09:00-16:00"}, {days: sat-sun, risk: low}]
  freeze: [{days: mon-fri, hours: "09:30-09:45", why: daily stand-up}]
phases:
  - id: day2
    title: Demo hardening
  - id: day3
    title: Portfolio scheduler
    marks: [day3]
    date: 2025-11-10
    until: 2025-11-10
    hours: "09:00-11:00"
    owners: [engineering, operations]
    risk: medium
    requires: [day2]
    signoff: [engineering, operations]
    criteria:
      - id: target-healthy
        gate: entry
        kind: operational
        owner: operations
        due: plms.day3/exit
        says: API, registry, cache and file system answer as healthy
      - id: lane-cap-code-api
        kind: operational
        says: Code-API may run four at once
      - id: queue-depth
        kind: load
        severity: soft
        says: Queue depth stays under ten at every sample
        metric: queue_depth
        take: max
        pass: "< 10"
        warn: ">= 8"
        fail: ">= 12"
        need: 12
      - id: no-starvation
        kind: load
        says: No lane that has work runs at or under a fifth of what it could
        metric: lane_utilization
        where: {demand: "yes"}
        each: {lane: [Code-API, Data-Schema]}
        take: {share: "> 0.20"}
        pass: ">= 1"
        need: 12
      - id: pagerduty-incident
        kind: alerting
        severity: optional
        when: {configured: PD_ROUTING_KEY}
        says: An incident is opened
      - id: registry-reachable
        kind: operational
        check: {sql: "select count(*) from lane_configs", on: registry}
        pass: ">= 4"
    guardrails:
      - id: cap-exceeded
        says: No lane runs more than its cap
        metric: running_minus_cap
        each: {lane: [Code-API, Data-Schema, Narrative, Viz-Charts]}
        over: [{span: 5m, need: 7}, {last: 10, need: 10}, {since: begin}]
        take: max
        fail: "> 0"
        then: [rollback, notify]
    rollback:
      - {sql: "...", on: registry, says: lanes get back the caps recorded at begin}
"""


def loaded(text: str) -> Loaded:
    return parse(text, Path("suites/plms/rollout.yaml"), "rollout.yaml")


def messages(text: str) -> list[str]:
    return [str(problem) for problem in loaded(text).problems]


def spoiled(old: str, new: str) -> list[str]:
    """The problems of the example with one thing changed."""
    assert TEXT.count(old) >= 1
    return messages(TEXT.replace(old, new, 1))


def line_of(text: str, within: str = TEXT) -> int:
    """The number of the first line that holds a text."""
    return next(n for n, line in enumerate(within.split("\n"), 1) if text in line)
