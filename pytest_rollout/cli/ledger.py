"""`rollout ledger`: what is done to the ledger as a whole."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing

import click

from pytest_rollout.cli.project import Project, common, instant_in, print_json
from pytest_rollout.cli.recording import person, words
from pytest_rollout.cli.saying import say
from pytest_rollout.evidence import opening
from pytest_rollout.evidence.compacting import Choice, choose, compact, compared_in
from pytest_rollout.model.errors import OptionError
from pytest_rollout.report.text import count


@click.group("ledger")
def command() -> None:
    """Keep a ledger that has grown for years."""


@command.command("compact")
@click.option("--before", required=True, metavar="TIME", help="RFC 3339, with an offset")
@click.option("--by", default="", metavar="NAME", help="who does it; without it nothing is done")
@click.option("--why", default="", help="why it is done; it stays on record")
@common
def compacted(
    before: str, by: str, why: str, root: str | None, ledger: str | None, *, as_json: bool
) -> int:
    """Take observations of runs that ended before TIME out of the ledger.

    Without --by it only says what would go, what stays and why, and which decisions cannot be
    judged again afterwards. Records, decisions, signatures and the chain stay, and `rollout
    verify` still checks them. What a gate stands on stays: its newest decision and all runs that
    it was made from, phases that have begun, and releases that may be compared with.
    """
    before_us = instant_in("--before", before)
    if bool(by) != bool(why):
        missing, asks = ("--why", "say why it is done") if by else ("--by", "say who does it")
        raise OptionError(missing, f"a compaction stays on record: {asks}")
    project = Project.here(root, ledger)
    plans = [project.plan(loaded.id) for loaded in project.loaded]  # none of them broken
    choice = choose(project.ledger, before_us, compared_in(plans))
    done = bool(by and choice.going)
    if done:
        who, reason = person(by), words("--why", why)
        with closing(opening.to_write(project.ledger_at)) as store:
            compact(store, choice, who, reason, time.time_ns() // 1000)
            store.store.shrink()
    if as_json:
        print_json(_facts(choice, done=done))
    else:
        for line in _lines(choice, done=done):
            say(line)
    return 0


def _facts(choice: Choice, *, done: bool) -> dict[str, object]:
    return {
        "done": done,
        "runs": [run.name for run in choice.going],
        "observations": choice.observations,
        "staying": dict(choice.staying),
        "not_again": [
            {"gate": gate, "environment": environment, "decisions": decisions}
            for (gate, environment), decisions in choice.not_again.items()
        ],
    }


def _lines(choice: Choice, *, done: bool) -> Iterator[str]:
    runs = count(len(choice.going), "run")
    observations = count(choice.observations, "observation")
    if not choice.going:
        yield "nothing can be taken out"
    elif done:
        yield f"taken out: {observations} of {runs}"
    else:
        yield f"can be taken out: {observations} of {runs}"
    for why, number in choice.staying.items():
        stay = "stays" if number == 1 else "stay"
        yield f"  {count(number, 'run')} from before then {stay}: {why}"
    can = "can no longer" if done else "could no longer"
    for (gate, environment), number in choice.not_again.items():
        yield f"  {count(number, 'decision')} of {gate} in {environment} {can} be judged again"
    if choice.going and not done:
        yield "nothing was changed: --by NAME --why WHY does it, and says so on record for ever"
