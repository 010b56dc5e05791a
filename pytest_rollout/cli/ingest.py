"""`rollout ingest`: bring in what people said, and what other tools found, elsewhere."""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import replace
from typing import Any

import click

from pytest_rollout.cli.ingest_results import junit, load
from pytest_rollout.cli.names import PHASE
from pytest_rollout.cli.project import Project, common, print_json
from pytest_rollout.cli.saying import say
from pytest_rollout.cli.signoff_facts import Asked
from pytest_rollout.evidence import opening, signatures
from pytest_rollout.evidence.decisions import first_decided
from pytest_rollout.github.pull_requests import API, read_pull_request
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.review import PullRequest
from pytest_rollout.redact import cap
from pytest_rollout.report import sentences
from pytest_rollout.report.stored import plain
from pytest_rollout.signoff.reviews import Given, Opinion, opinions

_TOKENS = ("GITHUB_TOKEN", "GH_TOKEN")
_MOST_WORDS = 1_000  # characters of an objection


@click.group("ingest")
def command() -> None:
    """Bring in what people said, and what other tools found, elsewhere."""


command.add_command(load)
command.add_command(junit)


@command.command("approvals")
@click.argument("address", type=PHASE)
@click.option("--repo", required=True, metavar="OWNER/NAME", help="the repository at GitHub")
@click.option("--pull", type=click.IntRange(min=1), required=True, metavar="N", help="its number")
@click.option("--api", metavar="URL", help="of GitHub Enterprise (default: GITHUB_API_URL, else "
              f"{API})")  # fmt: skip
@click.option("--env", "environment", help="which environment (default: the plan's only real one)")
@common
def approvals(
    address: str,
    repo: str,
    pull: int,
    api: str | None,
    environment: str | None,
    root: str | None,
    ledger: str | None,
    *,
    as_json: bool,
) -> int:
    """Record reviews of a pull request as signatures of ADDRESS (plan.phase/gate).

    An approval counts where its login stands in roles.yaml for a person who held the role then,
    did not open the pull request, and named this state of the decision, or looked at the commit
    that is the release after it was decided. A request for changes is a signature against it.
    The token is read from GITHUB_TOKEN or GH_TOKEN. Asking again changes nothing.
    """
    project = Project.here(root, ledger)
    asked = Asked.of(project, address, environment)
    token = next((os.environ[name] for name in _TOKENS if os.environ.get(name)), "")
    if not token:
        raise RolloutError("GITHUB_TOKEN is not set: GitHub is asked with a token")
    where = api or os.environ.get("GITHUB_API_URL") or API
    pull_request = read_pull_request(repo, pull, token, where.rstrip("/"))
    first_us = first_decided(project.ledger, asked.gate, asked.environment, asked.decision)
    told = [
        _bounded(opinion)
        for opinion in opinions(asked.demand, pull_request, asked.signed(), first_us)
    ]
    given = [approval for opinion in told for approval in opinion.given]
    if given:
        with closing(opening.to_write(project.ledger_at)) as store:
            for approval in given:
                signatures.add(store, approval.signature, "", approval.review)
    if as_json:
        print_json(_as_plain(asked, pull_request, told))
    else:
        _say(asked, pull_request, told)
    return 0


def _bounded(opinion: Opinion) -> Opinion:
    """The same with words that may be kept: without secrets, and not without end."""

    def kept(approval: Given) -> Given:
        why = cap(approval.signature.why, _MOST_WORDS)
        return replace(approval, signature=replace(approval.signature, why=why))

    facts = {
        name: cap(fact, _MOST_WORDS) if name == "why" and isinstance(fact, str) else fact
        for name, fact in opinion.reason.facts.items()
    }
    reason = replace(opinion.reason, facts=facts)
    return replace(opinion, reason=reason, given=tuple(map(kept, opinion.given)))


def _say(asked: Asked, pull: PullRequest, told: list[Opinion]) -> None:
    for opinion in told:
        mark = "new" if opinion.given else "   "
        says = sentences.text(opinion.reason, asked.plan.timezone)
        say(f"  {mark}  {opinion.review.login or 'an account that is gone'}: {says}")
    if not told:
        say(f"  nobody has approved or requested changes of {pull.url}")
    n = sum(len(opinion.given) for opinion in told)
    recorded = f"{n or 'nothing'} recorded{'' if n else ' anew'}"
    gate = f"{asked.gate} --env {asked.environment}"
    say(f"{recorded} from {pull.url}; `rollout clear {gate}` says what is missing")


def _as_plain(asked: Asked, pull: PullRequest, told: list[Opinion]) -> dict[str, Any]:
    return {
        "gate": str(asked.gate),
        "environment": asked.environment,
        "pull": pull.url,
        "recorded": sum(len(opinion.given) for opinion in told),
        "reviews": [
            {
                "login": opinion.review.login,
                "url": opinion.review.url,
                "state": opinion.review.state.value,
                "recorded": [approval.signature.role for approval in opinion.given],
                "reason": plain(opinion.reason, asked.plan.timezone),
            }
            for opinion in told
        ],
    }
