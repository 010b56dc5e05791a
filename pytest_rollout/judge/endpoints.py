"""Which endpoints of a load were asked, where a rule is of one that was not."""

from __future__ import annotations

from dataclasses import replace

from pytest_rollout.judge.case import Case
from pytest_rollout.model.finding import Part, Reason
from pytest_rollout.model.load import ENDPOINT, SERIES
from pytest_rollout.model.rule import Rule

_MOST = 20


def named(part: Part, rule: Rule, case: Case) -> Part:
    """Return a part of no sample at all with the endpoints of which there are some in this run."""
    reason, subject = part.reason, part.subject
    asked = dict(subject.labels).get(ENDPOINT) or rule.where.get(ENDPOINT)
    if reason.code != "few" or reason.facts["n"] or rule.metric not in SERIES or not asked:
        return part
    where = {label: value for label, value in rule.where.items() if label != ENDPOINT}
    seen = case.recorded.having(rule.metric, where)
    mine = (sample for sample in seen if sample.run == case.world.run.id)
    others = sorted({dict(sample.slot.labels).get(ENDPOINT) or "" for sample in mine} - {"", asked})
    if not others:
        return part
    facts = {**reason.facts, "endpoint": asked, "seen": tuple(others[:_MOST])}
    return replace(part, reason=Reason("few.endpoint", facts))
