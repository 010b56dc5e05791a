"""Demands on the run itself: it ended and is sealed, is whole, and judged one release."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_rollout.judge import words
from pytest_rollout.model.decision import Finding
from pytest_rollout.model.evidence import Run, World
from pytest_rollout.model.plan import EMBEDDED, Plan
from pytest_rollout.model.verdict import Verdict


def demands(plan: Plan, world: World, *, criteria: int) -> tuple[Finding, ...]:
    """The findings that every gate asks of its run, the good ones included."""
    run = world.run
    return (
        _sealed(run),
        _whole(run),
        *_reported(world),
        *_release(plan, run),
        *_something(criteria),
    )


def _sealed(run: Run) -> Finding:
    if run.sealed and not run.problems:
        return Finding("run.sealed", Verdict.PASS, "the run ended by itself and is sealed")
    why = "; ".join(run.problems) or "the run did not end by itself"
    return Finding("run.sealed", Verdict.MISSING, why)


def _whole(run: Run) -> Finding:
    if not run.partial:
        return Finding("run.whole", Verdict.PASS, "nothing that is bound was left out")
    return Finding("run.whole", Verdict.MISSING, "partial run: " + "; ".join(run.partial))


def _reported(world: World) -> Iterator[Finding]:
    """Whatever its severity: what a check observed that never reported may have been bad."""
    silent = world.manifest.unreported(world.checks) if world.run.sealed else ()
    if silent:
        shown = words.joined([item.rpartition("::")[2] for item in silent])
        because = f"{words.count(len(silent), 'bound check')} never reported: {shown}"
        yield Finding("run.reported", Verdict.MISSING, because)


def _something(criteria: int) -> Iterator[Finding]:
    if criteria == 0:
        yield Finding(
            "gate.criteria",
            Verdict.MISSING,
            "nothing to judge: the plan states no criterion for this gate",
        )


def _release(plan: Plan, run: Run) -> Iterator[Finding]:
    for fact in run.releases:
        if fact.reference and run.environment != EMBEDDED:
            because = (
                f"the target answers as a reference target ({fact.reference}); "
                f"its evidence is worth nothing in {run.environment}"
            )
            yield Finding("run.environment", Verdict.MISSING, because)
            break
    if plan.release is not None:
        yield _one_release(run)


def _one_release(run: Run) -> Finding:
    errors = [fact.error for fact in run.releases if fact.error]
    if errors:
        return Finding("run.release", Verdict.ERROR, f"the release could not be read: {errors[0]}")
    known = {fact.release for fact in run.releases}
    moments = {fact.when for fact in run.releases}
    if not known:
        because = "the release is unknown: no target was asked for it"
        return Finding("run.release", Verdict.MISSING, because)
    if not all(known):
        because = "the release is unknown: the target was asked and named none"
        return Finding("run.release", Verdict.MISSING, because)
    if len(known) > 1:
        seen = ", ".join(sorted(str(release) for release in known))
        return Finding("run.release", Verdict.MISSING, f"more than one release was judged: {seen}")
    if moments != {"start", "end"}:
        because = f"the release was read only at the {min(moments)} of the run"
        return Finding("run.release", Verdict.MISSING, because)
    (release,) = known
    return Finding("run.release", Verdict.PASS, f"{release}, at start and end")


def release_of(run: Run) -> str | None:
    """The one release that the run judged, or None."""
    known = {fact.release for fact in run.releases}
    return known.pop() if len(known) == 1 else None


def configuration_of(run: Run) -> str | None:
    """The fingerprint of the configuration as it was last read."""
    return next((fact.configuration for fact in reversed(run.releases)), None)
