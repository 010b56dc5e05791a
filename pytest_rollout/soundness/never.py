"""Remarks on rules that can never fail, never pass, or never do so at their confidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_rollout.model.finding import Finding
from pytest_rollout.model.rule import Cut, Rule, ScopeKind
from pytest_rollout.model.verdict import Verdict
from pytest_rollout.report.fact_words import count
from pytest_rollout.soundness import extremes, shares
from pytest_rollout.soundness.extremes import GOOD, Extremes
from pytest_rollout.soundness.sample_sets import ENOUGH, scoped
from pytest_rollout.soundness.subject import About, Remark
from pytest_rollout.soundness.words import asked, decisive, needing, where


def remarks_on(about: About, rule: Rule, ends: Sequence[Extremes]) -> Iterator[Remark]:
    """Yield what a rule can never say, in each of its scopes; ``ends`` are its extremes there."""
    for alone, end in zip(scoped(rule), ends, strict=True):
        within = where(rule, end.scope)
        if end.vacuous:
            yield _vacuous(about, alone, end, within)
        if end.unsatisfiable:
            yield _unsatisfiable(about, alone, end, within)
        elif end.best.verdict is Verdict.WARN:
            yield about.remark(f"can pass{within} only with a warning", grave=False)


def _vacuous(about: About, rule: Rule, end: Extremes, within: str) -> Remark:
    verb, worst = "trip" if about.watched else "fail", end.worst
    if about.watched and rule.confidence and end.scope.kind is ScopeKind.LAST:
        level = float(rule.confidence.level) / max(1, len(about.sharing()))
        fewest = extremes.fewest(rule, good=False, level=level, watched=True)
        return _unsure(about, rule, within, fewest, good=False)
    if _open(rule, worst):
        remark = f"is neither shown nor ruled out{within} by {ENOUGH:,} samples, all bad"
        return about.remark(remark, grave=False)
    told = f"at worst {decisive(worst)}"
    if worst.verdict not in GOOD:
        told = f"at worst it is {worst.verdict.value}: {decisive(worst)}"
    fix = shares.bounds(rule, _failing(rule))
    return about.remark(f"can never {verb}{within}: {told}", fix)


def _unsatisfiable(about: About, rule: Rule, end: Extremes, within: str) -> Remark:
    verb, best = "be quiet" if about.watched else "pass", end.best
    if rule.confidence is not None and end.scope.kind is ScopeKind.LAST and not about.watched:
        fewest = extremes.fewest(rule, good=True) if rule.versus is None else 0
        return _unsure(about, rule, within, fewest, good=True)
    if _open(rule, best):
        remark = f"is neither shown nor ruled out{within} by {ENOUGH:,} samples, all good"
        return about.remark(remark, "ask for less", grave=False)
    cut = _failing(rule) if about.watched else rule.bands.passes
    fix = shares.bounds(rule, cut) if best.parts[-1].estimate else ""
    return about.remark(f"can never {verb}{within}: at best {decisive(best)}", fix)


def _failing(rule: Rule) -> Cut:
    """The cut that says whether it fails."""
    return rule.bands.fail or rule.bands.passes


def _unsure(about: About, rule: Rule, within: str, fewest: int, *, good: bool) -> Remark:
    """A window with too few samples for its confidence, unless each is a ratio of many."""
    finding = extremes.of_many(about.ageless, rule, good=good)
    decided = finding.verdict in (GOOD if good else (Verdict.FAIL,))
    scope = rule.scopes[0]
    last = count(scope.last, "sample")
    show = f"do not show {asked(rule)}" if good else "are too few to be sure of a breach"
    verb = "pass" if good else "trip"
    remark = f"can never {verb}{within}: {last}, all {'good' if good else 'bad'}, {show}"
    if decided:
        remark += " (unless each is a ratio of many, as of observe.ratio)"
    fix = f"{fewest} of {fewest} do: {needing(rule, scope, fewest)}" if fewest else ""
    return about.remark(remark, fix, grave=not decided)


def _open(rule: Rule, finding: Finding) -> bool:
    """Whether nothing but the width of its bounds leaves a rule open."""
    bounded = rule.confidence is not None and rule.versus is None and rule.streak is None
    measured = finding.parts[-1].estimate is not None
    return bounded and measured and finding.verdict is Verdict.INCONCLUSIVE
