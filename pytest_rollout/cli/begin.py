"""`rollout begin`: begin a phase in a real environment, once it is clear."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing

import click

from pytest_rollout.cli.clearing import clearances
from pytest_rollout.cli.clearing_output import refused
from pytest_rollout.cli.names import PHASE
from pytest_rollout.cli.project import (
    Project,
    common,
    environment_option,
    keep_texts,
    parsed,
    print_json,
)
from pytest_rollout.cli.real_environment import identified, real_environment
from pytest_rollout.cli.recording import by_option, person
from pytest_rollout.cli.saying import say
from pytest_rollout.cli.verify import reported
from pytest_rollout.evidence import opening
from pytest_rollout.evidence.baselines import baselines
from pytest_rollout.evidence.bodies import PhaseBegun, StoredEvent
from pytest_rollout.evidence.phase_life import PhaseLife
from pytest_rollout.evidence.rollbacks import last_rollback
from pytest_rollout.evidence.run_log import Told
from pytest_rollout.judge.case import criteria_digest, instant
from pytest_rollout.judge.since_begin import statements_of
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.plan import Address, Criterion, Gate, Guardrail, Phase, Plan
from pytest_rollout.model.verdict import Answer
from pytest_rollout.report.fact_words import wall
from pytest_rollout.report.statement_words import statement_words
from pytest_rollout.report.text import count
from pytest_rollout.targets.address import addresses


@click.command("begin")
@click.argument("address", type=PHASE)
@by_option
@environment_option
@common
def command(
    address: str,
    by: str,
    environment: str | None,
    root: str | None,
    ledger: str | None,
    *,
    as_json: bool,
) -> int:
    """Begin the phase ADDRESS (plan.phase), where `rollout clear` says yes to its entry.

    From then on `pytest -m PHASE --rollout-env ENV` decides the exit gate, checks may change the
    target inside the window, and guardrails are judged since this moment. On record are who began
    it, the release and configuration, the entry decision, and what the exit gate asked then. A
    phase that was rolled back may begin anew, without an end in between.
    """
    project = Project.here(root, ledger)
    where = parsed(address)
    phase, plan = project.phase(where), project.plan(where.plan)
    embedded = "a rehearsal begins its phases by itself"
    environment = real_environment(plan, environment, embedded=embedded)
    who = person(by)
    life = PhaseLife(project.ledger, where.at(Gate.ENTRY), environment)
    running = life.begin()
    if running is not None and not _rolled_back(project, where, environment, running):
        at = wall(instant(running.body.t_us, plan.timezone), plan.timezone)
        raise RolloutError(
            f"{where.name} is on record as begun in {environment} at {at} ({running.body.says}); "
            f"`rollout end {where.name} --env {environment}` ends it"
        )
    anchors = reported(project) if ledger is None else ()
    (entry,) = clearances(project, plan, where.at(Gate.ENTRY), environment, None, anchors)
    if entry.answer is not Answer.GO:
        return refused(entry, plan, environment, as_json=as_json)
    begun = _begun(project, plan, phase, environment, who)
    with closing(opening.to_write(project.ledger_at)) as store:
        keep_texts(store, project.loaded_plan(plan))
        told = PhaseLife(store, where, environment).record(begun)
    at = wall(instant(told.body.t_us, plan.timezone), plan.timezone)
    if as_json:
        facts = {"phase": where.name, "environment": environment, "begun_at": at, "by": who}
        frozen = {"asks": sorted(begun.stated), "baselines": dict(begun.baselines)}
        print_json({**facts, "release": begun.release, **frozen})
    else:
        for line in _lines(phase, where, environment, at, begun):
            say(line)
    return 0


def _rolled_back(
    project: Project, where: Address, environment: str, running: Told[StoredEvent]
) -> bool:
    """Whether a phase was rolled back since it began: it begins anew, and ends only after that."""
    back = last_rollback(project.ledger, where, environment)
    return back is not None and back.sequence > running.record.sequence


def _begun(project: Project, plan: Plan, phase: Phase, environment: str, who: str) -> PhaseBegun:
    """What is put on record of a phase that is clear to begin."""
    standing = project.history.standing(plan.address(phase.id, Gate.ENTRY), environment)
    assert standing is not None
    assert standing.decision is not None  # or it were not clear
    fact = identified(project, plan, environment)
    if fact is not None and fact.error:
        raise RolloutError(f"the release could not be read, and a begin freezes it: {fact.error}")
    judged = standing.decision
    if fact is not None and (fact.release, fact.configuration) != (
        judged.release,
        judged.configuration,
    ):
        raise RolloutError(
            f"{environment} runs {fact.release} now, and {judged.release} was cleared (or another "
            "configuration of it): nothing was recorded; decide the entry gate again"
        )
    loaded = project.loaded_plan(plan)
    where, release = plan.address(phase.id), fact.release if fact else None
    exit_: tuple[Criterion | Guardrail, ...] = (*phase.of(Gate.EXIT), *phase.guardrails)
    return PhaseBegun(
        type=PhaseBegun.TYPE,
        t_us=time.time_ns() // 1000,
        says=f"begun by {who}",
        by=who,
        release=release,
        configuration=fact.configuration if fact else None,
        entry=standing.decision.substance_digest,
        asked=criteria_digest(phase, Gate.EXIT),
        plan_digest=plan.digest,
        beside=loaded.digests,
        stated=statements_of(phase),
        words={guardrail.id: statement_words(guardrail) for guardrail in exit_},
        targets=addresses(plan.environments[environment]),
        baselines=baselines(project.ledger, where, phase, environment, release),
    )


def _lines(
    phase: Phase, where: Address, environment: str, at: str, begun: PhaseBegun
) -> Iterator[str]:
    release = begun.release or "unknown"
    yield f"{where.name} began in {environment} at {at}, release {release}"
    rails, criteria = len(phase.guardrails), len(phase.of(Gate.EXIT))
    yield (
        f"  frozen: {count(criteria, 'exit criterion', 'exit criteria')}, "
        f"{count(rails, 'guardrail')}, the release, the configuration, where targets are"
    )
    for slug, baseline in begun.baselines.items():
        yield f"  {slug} is compared with release {baseline}, whatever is accepted later"
    yield f"  next: pytest {phase.chosen} --rollout-env {environment}"
    if phase.guardrails:
        yield f"  watch it: rollout watch {where.name} --env {environment}"
