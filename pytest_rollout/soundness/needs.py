"""Remarks on a `need` that is too small for what is asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from pytest_rollout.judge.intervals import least
from pytest_rollout.judge.rules import assess
from pytest_rollout.judge.slices import Slice
from pytest_rollout.judge.tally import Assessed, Terms
from pytest_rollout.model.check import CheckMeans
from pytest_rollout.model.evidence import Seen, Slot
from pytest_rollout.model.ingest import ResultKind
from pytest_rollout.model.load import FAILED, LATENCY, LOAD, SERVICE_TIME
from pytest_rollout.model.plan import Guardrail
from pytest_rollout.model.rule import Rule, Scope, Take
from pytest_rollout.report.fact_words import count
from pytest_rollout.soundness import extremes
from pytest_rollout.soundness.extremes import GOOD
from pytest_rollout.soundness.sample_sets import values
from pytest_rollout.soundness.subject import About, Remark
from pytest_rollout.soundness.words import asked, needing, percent, where

_EACH_ANSWER = (LATENCY, SERVICE_TIME, FAILED)  # series with a sample for each answer


def of(rule: Rule) -> tuple[int, Scope]:
    """Return the fewest samples that a rule decides from, and the scope that asks for them."""
    scope = min(rule.scopes, key=lambda scope: scope.need)
    return (rule.need if rule.per else scope.need), scope


def _asked(about: About, rule: Rule) -> tuple[int, Scope]:
    """The same of a criterion, whose load or file is not judged with fewer answers either."""
    need, scope = of(rule)
    whole = not rule.each and set(rule.where) <= {LOAD} and rule.metric in _EACH_ANSWER
    return (max(need, _answers(about)) if whole else need), scope


def _answers(about: About) -> int:
    """How many answers a criterion's load or file must hold; 0 where it asks for none."""
    stated = about.stated
    if isinstance(stated, Guardrail):
        return 0
    if stated.ingest is not None:
        return stated.ingest.need if stated.ingest.kind is ResultKind.LOAD else 0
    if stated.check is None or stated.check.means is not CheckMeans.LOAD:
        return 0
    return next((load.need for load in about.plan.loads if load.id == stated.check.text), 0)


def unshown(about: About, rule: Rule) -> Iterator[Remark]:
    """Yield a remark on a `need` with which a criterion's confidence shows nothing."""
    if rule.confidence is None or rule.versus is not None or about.watched:
        return
    need, _ = _asked(about, rule)
    fewest = extremes.fewest(rule, good=True)
    if need < fewest:
        remark = f"needs {count(need, 'sample')}, which cannot show {asked(rule)}"
        many = f"{fewest} good ones of {fewest} are the fewest that do: need: {fewest}"
        yield about.remark(remark, many, grave=False)


def of_one_bad(about: About, rule: Rule) -> Iterator[Remark]:
    """Yield a remark on a share or quantile of so few samples that a single bad one decides.

    Not where none may be bad however many there are: that is what the plan asks.
    """
    take = rule.take.take
    if take not in (Take.RATE, Take.SHARE, Take.QUANTILE) or rule.confidence is not None:
        return
    need, scope = _asked(about, rule)
    fewest = _fewest_with_one_bad(rule)
    if fewest is None or need >= fewest:
        return
    many, within = count(need, "sample"), where(rule, scope)
    ends = "trips it" if about.watched else "keeps it from passing"
    if take is Take.QUANTILE:
        edge = "smallest" if rule.bands.passes.upward else "largest"
        remark = f"takes {rule.take.text} of as few as {many}{within}, where it is the {edge}"
        remark += f": one bad sample {ends}"
    else:
        share = percent(Fraction(1, need))
        remark = f"decides on {_cut(about, rule)} from as few as {many}{within}, of which one bad "
        remark += f"sample is {share} and {ends}"
    can = "does not trip it" if about.watched else "can pass"
    fix = f"{needing(rule, scope, fewest)}, with which one bad sample {can}"
    yield about.remark(remark, fix, grave=False)


def _cut(about: About, rule: Rule) -> str:
    """What is taken and the cut on it, as the plan states it."""
    fail = rule.bands.fail
    cut = fail.text if about.watched and fail else rule.bands.passes.text
    of = rule.take.share_of
    take = f"share ({of.text})" if of else rule.take.text
    if rule.versus is None:
        return f"{take} {cut}"
    return f"a {'ratio' if rule.versus.ratio else 'difference'} of {take} {cut}"


def _fewest_with_one_bad(rule: Rule) -> int | None:
    """The fewest samples that pass with one bad one; of a comparison, where no other is bad."""
    plain = replace(rule, versus=None)
    good, bad = (values(plain, good=sort)[0] for sort in (True, False))
    slot = Slot(rule.metric, (), 0)
    judged = plain if rule.take.take is Take.QUANTILE else rule

    def passes(n: int) -> bool:
        sorts = tuple((value, many) for value, many in ((good, n - 1), (bad, 1)) if many)
        own, other = (Seen(slot, sorts),), (Seen(slot, ((good, n),)),)
        assessed = assess(judged, Slice((), own, rule.scopes[0], 1, other), Terms("UTC"))
        return isinstance(assessed, Assessed) and assessed.verdict in GOOD

    return least(passes)
