"""What `judging.py` measures: each take, each scope, guardrails and comparisons."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

_HEADER = "plan: p\nphases:\n  - id: one\n    criteria:\n      - {id: c, kind: load"


def latencies(drawn: random.Random) -> str:
    """A latency in milliseconds, as a ledger holds it."""
    return f"{drawn.lognormvariate(5, 0.5):.1f}"


def outcomes(drawn: random.Random) -> str:
    """The outcome of a request: 1 is good, as 99 in 100 are."""
    return str(int(drawn.random() < 0.99))


@dataclass(frozen=True, slots=True)
class Case:
    """A rule, what it judges, and how many samples of it (a comparison: on each side)."""

    rule: str
    values: Callable[[random.Random], str]
    size: int = 100_000
    guardrail: bool = False
    each: int = 0  # samples of one run, one after the other; 0: all are of one run
    mixed: bool = False  # whether a tenth of these is of the next run already

    @property
    def plan(self) -> str:
        """The text of a plan with this rule."""
        if self.guardrail:
            rail = f"    guardrails:\n      - {{id: g, metric: m, {self.rule}, then: [pause]}}\n"
            return f"{_HEADER}}}\n{rail}"
        return f"{_HEADER}, metric: m, {self.rule}}}\n"

    @property
    def sides(self) -> tuple[str, ...]:
        """The versions that were observed."""
        return ("new", "old") if "versus" in self.rule else ("new",)

    @property
    def lanes(self) -> int:
        """How many groups are observed by turns."""
        return _LANES if "lane" in self.rule else 1


def rail(rule: str, values: Callable[[random.Random], str] = latencies, each: int = 0) -> Case:
    """A guardrail, which is judged at the time of each sample."""
    return Case(rule, values, guardrail=True, each=each)


_LANES = 20
_NAMES = ", ".join(f"l{lane}" for lane in range(_LANES))
_VERSUS = "where: {version: new}, versus: {where: {version: old}"
_BOUND = f"confidence: 95%, {_VERSUS}}}"
_SPAN = "over: [{span: 5m, need: 10}]"
_HOUR = "over: [{span: 1h, need: 10}]"
_LAST = "over: [{last: 10, need: 10}]"
_SINCE = "over: [{since: begin}]"
_FEW = "take: p95, pass: '< 500'"
_SLOW = "take: p95, fail: '> 900'"
_TAKES = ("count", "sum", "mean", "min", "max", "last", "increase", "p50", "p95")
_GOOD = "{share: '< 500'}"
# Each take in one slice, and its bound where it has one.
_OF_RUN = {
    **{take: Case(f"take: {take}, pass: '> -1'", latencies) for take in _TAKES},
    "share": Case(f"take: {_GOOD}, pass: '> 0.5'", latencies),
    "rate": Case("take: rate, pass: '>= 0.98'", outcomes),
    "tolerate": Case("take: max, pass: '< 2000', tolerate: {failures: 9, in_a_row: 2}", latencies),
    "p95-bound": Case(f"{_FEW}, confidence: 95%", latencies),
    "share-bound": Case(f"take: {_GOOD}, pass: '> 0.5', confidence: 95%", latencies),
    "rate-bound": Case("take: rate, pass: '>= 0.98', confidence: 95%", outcomes),
    "mean-bound": Case("take: mean, range: [0, 1], pass: '>= 0.5', confidence: 95%", outcomes),
    "mean-bound-many": Case(
        "take: mean, range: [0, 100000], pass: '< 500', confidence: 95%", latencies
    ),
}
# Each scope of a criterion.
_OF_SCOPE = {
    "over-span": Case(f"{_FEW}, over: [{{span: 7d}}]", latencies),
    "over-last": Case(f"{_FEW}, over: [{{last: 1000000}}]", latencies),
    "over-since": Case(f"{_FEW}, {_SINCE}", latencies),
    "over-until": Case(f"{_FEW}, over: [{{since: begin, until: 7d}}]", latencies),
    "over-age": Case(f"{_FEW}, over: [{{age: 1h}}]", latencies),
    "over-days": Case(f"{_FEW}, over: [{{days: 7}}, {{last: 10}}]", latencies),
    "over-nights": Case(f"{_FEW}, over: [{{nights: 7}}, {{last: 10}}]", latencies),
    "over-several": Case(f"{_FEW}, over: [{{span: 1m, need: 1000}}, {{span: 1d}}]", latencies),
    "per-run": Case(f"{_FEW}, per: run, {_SINCE}", latencies, each=1_000),
    "per-5m": Case(f"{_FEW}, per: 5m", latencies),
    "per-day": Case(f"{_FEW}, per: day, {_SINCE}", latencies),
    "per-night": Case(f"{_FEW}, per: night, {_SINCE}", latencies),
    "row": Case(f"{_FEW}, in_a_row: 3", latencies),
    "row-span": Case(f"take: mean, pass: '< 500', {_SPAN}, in_a_row: 100000", latencies),
    "row-days": Case(f"{_FEW}, over: [{{days: 1}}], in_a_row: 3", latencies),
    "soak": Case("take: last, pass: '< 100000', soak: {for: 30d, gap: 1h}", latencies),
    "soak-last": Case(
        f"take: mean, pass: '< 900', {_LAST}, soak: {{for: 30d, gap: 1h}}", latencies
    ),
    "soak-bound": Case(
        f"take: rate, pass: '>= 0.5', confidence: 95%, {_SPAN}, soak: {{for: 30d, gap: 1h}}",
        outcomes,
    ),
    "each": Case(f"{_FEW}, each: {{lane: [{_NAMES}]}}", latencies),
    "each-count": Case(f"{_FEW}, each: {{lane: {_LANES}}}", latencies),
    "each-from": Case(f"{_FEW}, each: {{lane: {{from: m, at_least: 2}}}}", latencies),
}
# Guardrails, by take and by scope.
_OF_RAILS = {
    "rail-since-max": rail(f"take: max, fail: '> 100000', {_SINCE}"),
    "rail-since-p95": rail(f"{_SLOW}, {_SINCE}"),
    "rail-since-rate": rail(f"take: rate, fail: '< 0.98', confidence: 95%, {_SINCE}", outcomes),
    "rail-until": rail(f"{_SLOW}, over: [{{since: begin, until: 7d}}]"),
    **{f"rail-span-{take}": rail(f"take: {take}, fail: '< -1', {_HOUR}") for take in _TAKES},
    "rail-span-share": rail(f"take: {_GOOD}, fail: '< 0.5', {_HOUR}"),
    "rail-span-rate": rail(f"take: rate, fail: '< 0.9', {_HOUR}", outcomes),
    "rail-span-bound": rail(
        f"take: rate, fail: '< 0.98', {_HOUR}, confidence: {{level: 95%, windows: 99999}}", outcomes
    ),
    "rail-span-tolerate": rail(
        f"take: max, fail: '> 2000', {_HOUR}, tolerate: {{failures: 9, in_a_row: 2}}"
    ),
    "rail-last": rail(f"take: rate, fail: '< 0.5', {_LAST}", outcomes),
    "rail-last-many": rail(f"{_SLOW}, over: [{{last: 10000}}]"),
    "rail-days": rail(f"{_SLOW}, over: [{{days: 1}}, {{last: 10}}]"),
    "rail-several": rail(f"{_SLOW}, over: [{{span: 1m, need: 100}}, {{span: 1h}}]"),
    "rail-runs": rail(f"{_SLOW}, {_HOUR}", each=1_000),
    "rail-runs-mixed": Case(f"{_SLOW}, {_HOUR}", latencies, guardrail=True, each=1_000, mixed=True),
    "rail-each": rail(f"{_SLOW}, {_HOUR}, each: {{lane: [{_NAMES}]}}"),
    "rail-per-5m": rail(f"{_SLOW}, per: 5m"),
    "rail-per-day": rail(f"{_SLOW}, per: day"),
    "rail-row": rail("take: last, fail: '> 100000', in_a_row: 3"),
    "rail-row-mean": rail(f"take: mean, fail: '> 900', in_a_row: 3, {_SINCE}"),
    "rail-row-span": rail(f"take: mean, fail: '> 900', in_a_row: 3, {_SPAN}"),
    "rail-row-lasting": rail("take: last, fail: '> 900', in_a_row: {for: 5m, gap: 1m}"),
    "rail-versus": rail(f"take: mean, fail: '> 900', {_SINCE}, {_VERSUS}}}"),
    "rail-versus-span": rail(f"take: mean, fail: '> 900', {_SPAN}, {_VERSUS}}}"),
}
_COMPARED = ("sum", "mean", "min", "max", "last", "increase", "p50", "p95")
# Comparisons of each take, and with bounds.
_OF_TWO = {
    **{
        f"versus-{take}": Case(f"take: {take}, pass: '< 100000000', {_VERSUS}}}", latencies)
        for take in _COMPARED
    },
    "versus-share": Case(f"take: {_GOOD}, pass: '> -1', {_VERSUS}}}", latencies),
    "versus-rate": Case(f"take: rate, pass: '> -1', {_VERSUS}}}", outcomes),
    "versus-ratio": Case(f"take: mean, pass: '< 1.1', {_VERSUS}, as: ratio}}", latencies),
    "versus-mean-bound": Case(f"take: mean, pass: '< 10', {_BOUND}", latencies),
    "versus-p50-bound": Case(f"take: p50, pass: '< 10', {_BOUND}", latencies),
    "versus-ratio-bound": Case(
        f"take: mean, pass: '< 1.1', confidence: 95%, {_VERSUS}, as: ratio}}", latencies
    ),
    "versus-share-bound": Case(f"take: {_GOOD}, pass: '> -0.1', {_BOUND}", latencies),
    "versus-rate-bound": Case(f"take: rate, pass: '> -0.1', {_BOUND}", outcomes),
    "versus-kayenta": Case(
        f"severity: soft, need: 50, take: mean, pass: '< 1.1', {_VERSUS}, as: kayenta}}", latencies
    ),
}
CASES = {**_OF_RUN, **_OF_SCOPE, **_OF_RAILS, **_OF_TWO}
