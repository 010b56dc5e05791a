"""Loads that plan fewer answers than are needed of them: known before any is made; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from pytest_rollout.load.schedule import pieces
from pytest_rollout.model.check import CheckMeans
from pytest_rollout.model.load import THROUGHPUT, LoadProfile
from pytest_rollout.model.plan import EMBEDDED, Plan
from pytest_rollout.model.rule import Rule, ScopeKind

_SECOND_US = 1_000_000
_OWN = "its own `need`"


def shortfalls(plan: Plan) -> Iterator[str]:
    """Yield each load whose arrivals, or whose seconds, are fewer than what is judged needs.

    An answer for each arrival is supposed; tasks that ask several times give more.
    """
    real = any(not environment.embedded for environment in plan.environments.values())
    for load in plan.loads:
        needs = _needs(plan, load)
        if not needs:
            continue
        if EMBEDDED in plan.environments:
            name = "its rehearsal" if load.rehearsal else "it"
            yield from _of(plan, name, load.rehearsed(), needs)
        if real and (load.rehearsal or EMBEDDED not in plan.environments):
            lone = {name: rule for name, rule in needs.items() if _of_one_run(rule)}
            yield from _of(plan, "it", load, lone)


def after_warm_up(profile: LoadProfile) -> float:
    """Return how many arrivals are planned after the warm-up, on average over seeds."""
    offer = profile.offer
    start = offer.warm_up_us / _SECOND_US
    late = [piece for piece in pieces(profile.shape, offer.duration_us) if piece.end > start]
    cut = (
        replace(piece, start=(at := max(piece.start, start)), first=piece.at(at)) for piece in late
    )
    return sum(piece.offered for piece in cut) * (offer.rate or 0)


def _needs(plan: Plan, load: LoadProfile) -> Mapping[str, Rule]:
    """The rules that judge samples of one load, by criterion."""
    return {
        criterion.id: criterion.rule
        for _, criterion in plan.criteria()
        if criterion.rule is not None
        and criterion.rule.per is None
        and criterion.rule.nightly is None
        and criterion.check is not None
        and (criterion.check.means, criterion.check.text) == (CheckMeans.LOAD, load.id)
    }


def _of_one_run(rule: Rule) -> bool:
    """Whether earlier runs cannot make up for what one lacks."""
    return all(scope.kind is ScopeKind.RUN for scope in rule.scopes)


def _of(plan: Plan, who: str, load: LoadProfile, needs: Mapping[str, Rule]) -> Iterator[str]:
    place, offer = f"{plan.path}:{load.line}: load {load.id}: {who}", load.offer
    asked = {name: min(scope.need for scope in rule.scopes) for name, rule in needs.items()}
    seconds = offer.duration_us // _SECOND_US + -offer.warm_up_us // _SECOND_US
    short = [name for name in asked if needs[name].metric == THROUGHPUT and asked[name] > seconds]
    if short:
        many = f"{max(seconds, 0)} whole second{'' if seconds == 1 else 's'}"
        fix = "a longer `duration`, or a smaller `need`"
        yield f"{place} has {many} after the warm-up, and {_least(short, asked)} ({fix})"
    if offer.rate is None:
        return
    planned = after_warm_up(load)
    asked = {_OWN: load.need} | {n: asked[n] for n in asked if needs[n].metric != THROUGHPUT}
    short = [name for name in asked if asked[name] > planned]
    if short:
        many = f"about {round(planned)} arrival{'' if round(planned) == 1 else 's'}"
        fix = "a longer `duration`, a higher `rate`, or tasks that ask more than once"
        yield f"{place} plans {many} after the warm-up, and {_least(short, asked)} ({fix})"


def _least(names: list[str], asked: Mapping[str, int]) -> str:
    """Who needs how many."""
    told = ", ".join(f"{name} {asked[name]}" for name in names)
    return f"more are needed: {told}"
