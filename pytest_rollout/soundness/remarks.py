"""Mistakes of a plan that no single key shows: what the judge can never, or will too often, say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from pytest_rollout.model.errors import Problem
from pytest_rollout.model.finding import Fact, Finding, Reason
from pytest_rollout.model.numbers import decimal
from pytest_rollout.model.plan import (
    EMBEDDED,
    Address,
    Criterion,
    Environment,
    Gate,
    Guardrail,
    Phase,
    Plan,
)
from pytest_rollout.model.rule import Rule, ScopeKind, Take, duration_words
from pytest_rollout.model.verdict import Verdict
from pytest_rollout.report import sentences
from pytest_rollout.report.facts import count
from pytest_rollout.soundness import extremes
from pytest_rollout.soundness.alarms import LEVEL, Alarms, alarms, surer
from pytest_rollout.soundness.extremes import GOOD, Extremes
from pytest_rollout.soundness.supposed import ENOUGH, length_of

OFTEN = 0.05  # a chance of a false alarm that is worth a remark
_MOMENTS = ("at", "until", "since", "newest")  # facts that are supposed, and say nothing
_DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Remark:
    """What is wrong with one thing that a plan states; grave where it is a defect for certain."""

    id: str  # plan.phase.slug
    problem: Problem
    grave: bool = True


@dataclass(frozen=True, slots=True)
class Assumed:
    """What false alarms are reckoned with; None: half of the bad ones that a guardrail allows."""

    healthy: Fraction | None = None  # the share of good samples
    looks: int | None = None  # samples of a group that a phase holds


def remarks(plan: Plan, assumed: Assumed | None = None) -> Iterator[Remark]:
    """Every remark on the rules of a plan, and on what refers to each other in it."""
    for phase in plan.phases:
        for criterion in phase.criteria:
            about = _About(plan, phase, criterion)
            yield from about.due()
            if criterion.of is not None:
                yield from about.group()
            elif criterion.rule is not None:
                yield from about.rule(criterion.rule)
        for rail in phase.guardrails:
            about = _About(plan, phase, rail)
            for rule in rail.rules:
                yield from about.rule(rule)
                yield from about.false_alarms(rule, assumed or Assumed())


@dataclass(frozen=True, slots=True)
class _About:
    """One criterion or guardrail, and what there is to remark on it."""

    plan: Plan
    phase: Phase
    stated: Criterion | Guardrail

    @property
    def rail(self) -> bool:
        return isinstance(self.stated, Guardrail)

    def remark(self, what: str, fix: str = "", *, grave: bool = True) -> Remark:
        kind = "guardrail" if self.rail else "criterion"
        said = Problem(self.plan.path, self.stated.line, f"{kind} {self.stated.id} {what}", fix)
        return Remark(f"{self.plan.id}.{self.phase.id}.{self.stated.id}", said, grave)

    def rule(self, rule: Rule) -> Iterator[Remark]:
        sound = True
        for found in extremes.of_rule(self.plan, self.phase, self.stated, rule):
            several = f" {found.scope.words}" if len(rule.scopes) > 1 else ""
            one = replace(rule, scopes=(found.scope,))
            if found.vacuous:
                sound = False
                yield self._vacuous(one, found, several)
            if found.unsatisfiable:
                sound = False
                yield self._unsatisfiable(one, found, several)
            elif found.best.verdict is Verdict.WARN:
                yield self.remark(f"can pass{several} only with a warning", grave=False)
        if not sound:
            return
        yield from self._too_few(rule)
        yield from self._too_short(rule)
        if not self.rail:
            yield from self._stale(rule)

    def group(self) -> Iterator[Remark]:
        """A score that no members can reach, or that any reach."""
        assert isinstance(self.stated, Criterion)
        best, worst = extremes.of_group(self.plan, self.phase, self.stated)
        if best.verdict not in GOOD:
            yield self.remark(
                f"can never pass: with all members passing {_told(best.reason)}", _SCORE
            )
        if worst.verdict is not Verdict.FAIL:
            yield self.remark(
                f"can never fail: with all members failing {_told(worst.reason)}", _SCORE
            )

    def due(self) -> Iterator[Remark]:
        """A condition of a GO that is to be met before, or when, the GO is given."""
        assert isinstance(self.stated, Criterion)
        due = Address.parse(self.stated.due) if self.stated.due else None
        if due is None or due.plan != self.plan.id:
            return
        same = due.phase == self.phase.id
        later = same and self.stated.gate is Gate.ENTRY and due.gate is Gate.EXIT
        if (same and not later) or due.phase in _before(self.plan, self.phase):
            own = f"{self.plan.id}.{self.phase.id}/{self.stated.gate}"
            what = f"is due at {due}, which is decided no later than its own gate, {own}"
            yield self.remark(f"{what}: a circle", "name a gate that comes after")

    def false_alarms(self, rule: Rule, assumed: Assumed) -> Iterator[Remark]:
        """A plain guardrail that often trips where nothing is wrong."""
        found = alarms(rule, assumed.healthy, assumed.looks)
        if found is None or found.chance < OFTEN:
            return
        each = f" of each of {found.groups} groups" if found.groups > 1 else ""
        unit = rule.per.plural if rule.per else "samples"
        least = "" if found.exact else "at least "
        yield self.remark(
            f"trips without need: a healthy service, with {_percent(found.bad)} of its samples "
            f"bad, trips it with a chance of {least}{_percent(found.chance)} within {found.looks} "
            f"{unit}{each}",
            self._surer(rule, found),
            grave=False,
        )

    def _surer(self, rule: Rule, found: Alarms) -> str:
        """What to write instead."""
        sure = surer(rule, found.looks)
        if sure is None:
            return "look at more samples at once, or ask for more bad looks in a row"
        sharing = sum(one.confidence is not None for r in self.phase.guardrails for one in r.rules)
        level = float(LEVEL) / (1 + sharing)
        confidence = sure.confidence
        assert confidence is not None
        windows = confidence.windows
        stated = f"{{level: 95%, windows: {windows}}}" if windows else "95%"
        fewest = extremes.fewest(sure, good=False, level=level, watched=True)
        longer = rule.scopes[0].kind is ScopeKind.LAST and fewest > rule.scopes[0].last
        over = f", over: [{{last: {fewest}, need: {fewest}}}]" if longer else ""
        return f"confidence: {stated}{over} trips it with a chance of 5 % at most"

    def _vacuous(self, rule: Rule, found: Extremes, several: str) -> Remark:
        verb, worst = "trip" if self.rail else "fail", found.worst
        if self.rail and rule.confidence and found.scope.kind is ScopeKind.LAST:
            fewest = extremes.fewest(rule, good=False, level=self._level(rule), watched=True)
            return self._unsure(rule, several, fewest, good=False)
        if _open(rule, worst):
            what = f"is neither shown nor ruled out{several} by {ENOUGH:,} samples, all bad"
            return self.remark(what, grave=False)
        said = f"at worst {_said(worst)}"
        if worst.verdict not in GOOD:
            said = f"at worst it is {worst.verdict.value}: {_said(worst)}"
        return self.remark(f"can never {verb}{several}: {said}", _limit(rule))

    def _unsatisfiable(self, rule: Rule, found: Extremes, several: str) -> Remark:
        verb = "be quiet" if self.rail else "pass"
        if rule.confidence is not None and found.scope.kind is ScopeKind.LAST and not self.rail:
            fewest = extremes.fewest(rule, good=True) if rule.versus is None else 0
            return self._unsure(rule, several, fewest, good=True)
        if _open(rule, found.best):
            what = f"is neither shown nor ruled out{several} by {ENOUGH:,} samples, all good"
            return self.remark(what, "ask for less", grave=False)
        fix = _limit(rule) if found.best.parts[-1].estimate else ""
        return self.remark(f"can never {verb}{several}: at best {_said(found.best)}", fix)

    def _unsure(self, rule: Rule, several: str, fewest: int, *, good: bool) -> Remark:
        """A window with too few samples for its confidence, unless each is a ratio of many."""
        found = extremes.of_many(self.plan, self.phase, self.stated, rule, good=good)
        decided = found.verdict in (GOOD if good else (Verdict.FAIL,))
        last = count(rule.scopes[0].last, "sample")
        show = f"do not show {_asked(rule)}" if good else "are too few to be sure of a breach"
        verb = "pass" if good else "trip"
        what = f"can never {verb}{several}: {last}, all {'good' if good else 'bad'}, {show}"
        if decided:
            what += " (unless each is a ratio of many, as of observe.ratio)"
        fix = f"{fewest} of {fewest} do: over: [{{last: {fewest}, need: {fewest}}}]"
        return self.remark(what, fix if fewest else "", grave=not decided)

    def _level(self, rule: Rule) -> float:
        assert rule.confidence is not None
        sharing = sum(one.confidence is not None for r in self.phase.guardrails for one in r.rules)
        return float(rule.confidence.level) / max(1, sharing)

    def _too_few(self, rule: Rule) -> Iterator[Remark]:
        """A `need` with which a confidence decides nothing."""
        if rule.confidence is None or rule.versus is not None or self.rail:
            return
        need = rule.need if rule.per else min(scope.need for scope in rule.scopes)
        fewest = extremes.fewest(rule, good=True)
        if need < fewest:
            what = f"needs {count(need, 'sample')}, which cannot show {_asked(rule)}"
            many = f"{fewest} good ones of {fewest} are the fewest that do: need: {fewest}"
            yield self.remark(what, many, grave=False)

    def _too_short(self, rule: Rule) -> Iterator[Remark]:
        """A row or a soak that is longer than the phase."""
        lasts_us = length_of(self.plan, self.phase)
        streak = rule.streak
        if lasts_us is None or streak is None:
            return
        wants_us = streak.span_us or streak.n * _DAY_US * _by_days(rule)
        if wants_us > lasts_us:
            what = (
                f"wants {duration_words(wants_us)}, and the phase lasts "
                f"{duration_words(lasts_us)}: only what was seen before it can make up the rest"
            )
            yield self.remark(what, "a shorter one, or a later phase that judges it", grave=False)

    def _stale(self, rule: Rule) -> Iterator[Remark]:
        """A scope whose older part is stale where evidence has a `max_age`."""
        for environment in self.plan.environments.values():
            if environment.max_age_us is None or environment.name == EMBEDDED:
                continue
            found = list(
                extremes.of_rule(self.plan, self.phase, self.stated, rule, environment.name)
            )
            if all(one.unsatisfiable for one in found):
                yield self._outlived(rule, environment)

    def _outlived(self, rule: Rule, environment: Environment) -> Remark:
        assert environment.max_age_us is not None
        age, name = duration_words(environment.max_age_us), environment.name
        fix = f"a longer max_age of {name}, or a shorter scope"
        if all(scope.kind is ScopeKind.SINCE for scope in rule.scopes):
            what = f"can pass in {name} only in the first {age}: then what was seen first is stale"
            return self.remark(what, fix, grave=False)
        if _by_days(rule):
            what = (
                f"can pass in {name} only where one run reads all of its days from a history: "
                f"what earlier runs saw is stale after {age}"
            )
            return self.remark(what, fix, grave=False)
        what = (
            f"can never pass in {name}: it reaches further back than max_age, {age}, so that a "
            "part of it is always stale"
        )
        return self.remark(what, fix)


_SCORE = "state a score between 0 and 100 that depends on the members"


def _before(plan: Plan, phase: Phase) -> set[str]:
    """The phases that are required by one, through others too."""
    found: set[str] = set()
    todo = list(phase.requires)
    while todo:
        name = todo.pop()
        earlier = plan.phase(name)
        if name not in found and earlier is not None:
            todo += earlier.requires
        found.add(name)
    return found


def _said(found: Finding) -> str:
    """What is found of the first group that decides, without the moments that are supposed."""
    parts = [part for part in found.parts if part.verdict is found.verdict]
    part = parts[-1]
    name = f"{part.subject.name}: " if part.subject.name else ""
    return name + _told(part.reason)


def _told(reason: Reason) -> str:
    return sentences.text(_timeless(reason), "UTC")


def _timeless(reason: Reason) -> Reason:
    """The reason without supposed moments, which say nothing."""
    facts: dict[str, Fact] = {
        key: _timeless(fact) if isinstance(fact, Reason) else fact
        for key, fact in reason.facts.items()
        if key not in _MOMENTS
    }
    return Reason(reason.code, facts)


def _open(rule: Rule, found: Finding) -> bool:
    """Whether nothing but the width of its bounds leaves a rule open."""
    bounded = rule.confidence is not None and rule.versus is None and rule.streak is None
    measured = found.parts[-1].estimate is not None
    return bounded and measured and found.verdict is Verdict.INCONCLUSIVE


def _asked(rule: Rule) -> str:
    assert rule.confidence is not None
    return f"{rule.take.text} {rule.bands.passes.text} at {rule.confidence.text} confidence"


def _limit(rule: Rule) -> str:
    if rule.versus is None and rule.take.take in (Take.RATE, Take.SHARE):
        return f"a {rule.take.take.value} lies between 0 and 1"
    if rule.take.take is Take.COUNT:
        return "fewer than `need` are too few to judge: ask for less in `need`"
    return ""


def _by_days(rule: Rule) -> bool:
    by = rule.per.words if rule.per else rule.scopes[0].kind.value.removesuffix("s")
    return by in ("day", "night")


def _percent(share: float | Fraction) -> str:
    return f"{decimal(Fraction(f'{float(share) * 100:.2g}'))} %"
