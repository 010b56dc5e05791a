"""`rollout settle`: say on record that what a run did not finish may be taken as not run."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from contextlib import closing, suppress

import click

from pytest_rollout import processes
from pytest_rollout.cli.project import Project, common, print_json
from pytest_rollout.cli.recording import by_option, person, words
from pytest_rollout.cli.saying import say
from pytest_rollout.evidence import opening, settlements
from pytest_rollout.evidence.history import AskingRun
from pytest_rollout.evidence.integrity import damage, damage_since
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.run_facts import ending, failed_of
from pytest_rollout.evidence.run_log import RunLog
from pytest_rollout.evidence.world import read_world
from pytest_rollout.judge import Case, decide
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.plan import EMBEDDED, Address
from pytest_rollout.model.settlement import Settlement
from pytest_rollout.model.verdict import State, Verdict
from pytest_rollout.report import sentences


@click.command("settle")
@click.argument("run")
@by_option
@click.option("--why", required=True, help="why nothing harmful can be in what it did not finish")
@common
def command(
    run: str,
    by: str,
    why: str,
    root: str | None,
    ledger: str | None,
    *,
    as_json: bool,
) -> int:
    """Settle RUN, which was cancelled or killed: what it did not finish is taken as not run.

    The decision before it stands again, rules that reach it go on without its rest, and both say
    so: as a line of the clearance, and as a condition of each GO. What the run did record counts
    as ever. A run that saw something bad is not settled, and neither is one that still runs.
    """
    who, reason = person(by), words("--why", why)
    project = Project.here(root, ledger)
    log = _ended_early(project.ledger, run)
    bad = list(dict.fromkeys(_seen_bad(project, log)))
    if bad:
        shown = "; ".join(bad[:3]) + (f"; and {len(bad) - 3} more" if len(bad) > 3 else "")
        raise RolloutError(
            f"run {run} saw something bad, which nobody can settle: {shown}. Run the checks again"
        )
    environment = log.first.environment
    phases = dict.fromkeys(Address.parse(gate).name for gate in log.start.gates)
    asked = Settlement(run, who, reason, time.time_ns() // 1000, "")
    with closing(opening.to_write(project.ledger_at)) as store:
        settled = [
            settlements.settle(store, Address.parse(phase), environment, asked) for phase in phases
        ]
    if as_json:
        facts = {"environment": environment, "phases": list(phases)}
        print_json({**dataclasses.asdict(settled[0]), **facts})
    else:
        say(f"run {run} of {', '.join(phases)} in {environment} is settled by {who}: {reason}")
        say(f"  it was ended early ({'; '.join(ending(log))}); its rest is taken as not run")
    return 0


def _ended_early(ledger: Ledger, run: str) -> RunLog:
    """The log of a run that can be settled; raises RolloutError with what keeps it from that."""
    log = RunLog(ledger.of_run(run))
    if not log.evidence:
        raise RolloutError(f"run {run} is not in the ledger {ledger.name}")
    wrong = damage(ledger, log) or damage_since(ledger, log.last.sequence)
    if wrong:
        raise RolloutError(f"the ledger was damaged, so nothing can be settled: {wrong}")
    if log.start.watch is not None:
        raise RolloutError(
            f"run {run} is a watch: `rollout reset GUARDRAIL` has a guardrail judged anew"
        )
    if log.first.environment == EMBEDDED or log.start.drill:
        raise RolloutError(f"run {run} is a rehearsal: nothing rests on it, so run it again")
    process = log.start.process
    running = process and processes.runs(process.host, process.pid, process.began)
    if running and not log.finished and process:
        raise RolloutError(f"run {run} still runs, as process {process.pid} of this machine")
    if not log.ended_early:
        raise RolloutError(f"run {run} ended by itself: there is nothing to settle")
    environment = log.first.environment
    for gate in log.start.gates:
        settled = settlements.known_at(ledger, Address.parse(gate).name, environment).get(run)
        if settled:
            raise RolloutError(f"run {run} was settled at {settled.at} by {settled.by}")
    return log


def _seen_bad(project: Project, log: RunLog) -> Iterator[str]:
    """What a run saw to be bad, in words: checks that failed, rules that fail by what it saw."""
    for gate in log.start.gates:
        address = Address.parse(gate)
        for criterion, reason in failed_of(log, address.name):
            yield f"{criterion}: {reason or 'it failed'}"
        yield from _judged_bad(project, log, address)


def _judged_bad(project: Project, log: RunLog, address: Address) -> Iterator[str]:
    """The findings of a gate as if the run had been sealed after what it recorded last."""
    start, run = log.start, log.first.run
    beside = dict(start.beside.get(address.plan, {}))
    asked = AskingRun(run, start.plans[address.plan], log.finished, beside)
    with suppress(RolloutError):  # its plan is not known any more: its checks are
        plan, phase = project.plan_of_run(address, asked)
        reading = read_world(project.ledger, run, address, phase)
        whole = dataclasses.replace(reading.world.run, sealed=True, problems=())
        world = dataclasses.replace(reading.world, run=whole)
        assert address.gate is not None
        decision = decide(Case(plan, phase, world, reading.at_us), address.gate)
        for finding in decision.criteria:
            if finding.verdict is Verdict.FAIL:
                yield f"{finding.id}: {sentences.text(finding.reason, plan.timezone)}"
        for finding in decision.guardrails:
            if finding.state is State.TRIPPED:
                yield f"{finding.id}: {sentences.text(finding.reason, plan.timezone)}"
