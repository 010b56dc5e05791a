"""Demands on the run itself: it ended and is sealed, is whole, and judged one release."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_rollout.judge.case import Case
from pytest_rollout.judge.criteria import judge_check
from pytest_rollout.model.evidence import Run
from pytest_rollout.model.finding import Fact, Finding, Reason
from pytest_rollout.model.plan import EMBEDDED
from pytest_rollout.model.verdict import Verdict


def demands(case: Case, *, criteria: int) -> tuple[Finding, ...]:
    """Return the findings that every gate asks of its run, the good ones included."""
    run = case.world.run
    return (
        _sealed(run),
        _whole(run),
        *_reported(case),
        *_unnamed(case),
        *_release(case),
        *_something(criteria),
    )


def _finding(name: str, verdict: Verdict, code: str, **facts: Fact) -> Finding:
    return Finding(name, verdict, Reason(code, facts))


def _sealed(run: Run) -> Finding:
    if run.sealed and not run.problems:
        return _finding("run.sealed", Verdict.PASS, "run.sealed")
    if not run.problems:
        return _finding("run.sealed", Verdict.MISSING, "run.not-ended")
    return _finding("run.sealed", Verdict.MISSING, "run.problems", problems=run.problems)


def _whole(run: Run) -> Finding:
    if not run.partial:
        return _finding("run.whole", Verdict.PASS, "run.whole")
    return _finding("run.whole", Verdict.MISSING, "run.partial", left_out=run.partial)


def _reported(case: Case) -> Iterator[Finding]:
    """Whatever its severity: what a check observed that never reported may have been bad."""
    world = case.world
    silent = world.manifest.unreported(world.checks) if world.run.sealed else ()
    if silent:
        yield _finding("run.reported", Verdict.MISSING, "run.unreported", items=silent)


def _unnamed(case: Case) -> Iterator[Finding]:
    """A test of the phase that names no criterion can pass none, but its failure is known."""
    for item in case.world.manifest.unnamed:
        part = judge_check(item, case.world)
        if part.verdict in (Verdict.FAIL, Verdict.ERROR):
            facts: dict[str, Fact] = {"item": item, "reason": part.reason}
            yield _finding("run.unnamed", Verdict.ERROR, "run.unnamed-failed", **facts)


def _something(criteria: int) -> Iterator[Finding]:
    if criteria == 0:
        yield _finding("gate.criteria", Verdict.MISSING, "gate.no-criterion")


def _release(case: Case) -> Iterator[Finding]:
    run = case.world.run
    for fact in run.releases:
        if fact.reference and run.environment != EMBEDDED:
            facts = {"identity": fact.reference, "environment": run.environment}
            yield _finding("run.environment", Verdict.MISSING, "run.reference-target", **facts)
            break
    if case.plan.release is not None:
        yield _one_release(run, case.plan.release.target)


def _one_release(run: Run, target: str) -> Finding:
    name = "run.release"
    errors = [fact.error for fact in run.releases if fact.error]
    if errors:
        return _finding(name, Verdict.ERROR, "release.unreadable", error=errors[0])
    releases = {fact.release for fact in run.releases}
    moments = {fact.when for fact in run.releases if not fact.scenario}
    if not releases and target and run.environment == EMBEDDED:  # it is read of what checks ask
        return _finding(name, Verdict.MISSING, "release.untouched", target=target)
    if not releases:
        return _finding(name, Verdict.MISSING, "release.not-asked")
    if not all(releases):
        return _finding(name, Verdict.MISSING, "release.unnamed")
    if len(releases) > 1:
        several = tuple(sorted(str(release) for release in releases))
        around = _switched(run)
        facts: dict[str, Fact] = {"scenarios": around} if around else {}
        return _finding(name, Verdict.MISSING, "release.several", releases=several, **facts)
    if moments != {"start", "end"}:
        moment = min(moments, default=None)
        return _finding(name, Verdict.MISSING, "release.once", moment=moment)
    return _finding(name, Verdict.PASS, "release.one", release=next(iter(releases)))


def _switched(run: Run) -> tuple[Reason, ...]:
    """Around which scenarios another release was read than at the start of the run."""
    first = run.releases[0].release
    by_scenario: dict[str, dict[str, None]] = {}
    for fact in run.releases:
        if fact.scenario:
            by_scenario.setdefault(fact.scenario, {})[str(fact.release)] = None
    return tuple(
        Reason("release.in-scenario", {"scenario": name, "releases": tuple(releases)})
        for name, releases in by_scenario.items()
        if set(releases) != {first}
    )
