"""`rollout request-signoff`: the text that asks people without a terminal for their signatures."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from pytest_rollout.cli.names import PHASE
from pytest_rollout.cli.project import Project, common, print_json
from pytest_rollout.cli.saying import say
from pytest_rollout.cli.signoff_facts import Asked
from pytest_rollout.model.channel import Topic
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.finding import Finding
from pytest_rollout.model.verdict import Verdict
from pytest_rollout.notify import Notice, Telling
from pytest_rollout.redact import hide
from pytest_rollout.report import sentences
from pytest_rollout.report.files import folder_of
from pytest_rollout.report.signoff_request import AskedRole, SignoffRequest, to_markdown
from pytest_rollout.signoff.reviews import substance_line
from pytest_rollout.signoff.signatures import signatures


@click.command("request-signoff")
@click.argument("address", type=PHASE)
@click.option("-o", "--output", metavar="FILE", help="where it is written (default: printed)")
@click.option("--report", "link", metavar="URL", help="where people read the report")
@click.option("--tell", is_flag=True, help="tell the channels whose `about:` holds signoff")
@click.option("--env", "environment", help="which environment (default: the plan's only real one)")
@common
def command(
    address: str,
    output: str | None,
    link: str | None,
    environment: str | None,
    root: str | None,
    ledger: str | None,
    *,
    tell: bool,
    as_json: bool,
) -> int:
    """Write the request for the signatures of ADDRESS (plan.phase/gate), as markdown.

    It is meant for a pull request or a ticket: the decision, its conditions, who is asked, the
    report, and the line that an approval must hold. `rollout ingest approvals` reads approvals.
    """
    project = Project.here(root, ledger)
    asked = Asked.of(project, address, environment)
    request = _request(asked, link or _report(asked))
    text = hide(to_markdown(request))
    if output is not None:
        _written(Path(output), text)
    if as_json:
        line, missing = request.line, [role.role for role in request.roles if not role.given]
        print_json({"text": text, "line": line, "missing": missing, "file": output})
    elif output is not None:
        say(f"the request for {asked.gate} in {asked.environment} is in {output}")
    else:
        click.echo(text, nl=False)
    for words in _told(asked, request, link) if tell else ():
        say(words, err=True)
    return 0


def _told(asked: Asked, request: SignoffRequest, link: str | None) -> Iterator[str]:
    """Tell people that their signatures are asked for; what became of it, in words."""
    open_roles = [role for role in request.roles if not role.given]
    if not open_roles:
        yield "nobody was told: every role has signed"
        return
    if not any(Topic.SIGNOFF in channel.about for channel in asked.plan.channels):
        yield "nobody was told: no channel of `notify` says `about: [signoff]`"
        return
    decision, command = asked.decision, f"rollout sign {asked.gate} --env {asked.environment}"
    people = [
        f"{role.role}: {', '.join(name for name, _ in role.people) or 'nobody holds it today'}"
        for role in open_roles
    ]
    message = Notice(
        f"To sign: {decision.answer.value} of {asked.gate} in {asked.environment}",
        "\n".join([*people, command, *filter(None, [link])]),
        f"{asked.gate} {asked.environment} {decision.substance_digest}",
        {"roles": [role.role for role in open_roles], "substance": decision.substance_digest},
    )
    for outcome in Telling(asked.plan.channels, Topic.SIGNOFF, message).outcomes():
        yield outcome.words


def _request(asked: Asked, report: str) -> SignoffRequest:
    findings = list(signatures(asked.demand, asked.signed()))
    roles = [_role(asked, role, findings) for role in asked.phase.signoff]
    gate = f"{asked.gate} --env {asked.environment}"
    return SignoffRequest(
        decision=asked.decision,
        roles=roles,
        against=[_said(asked, finding) for finding in findings if finding.reason.code in _AGAINST],
        line=substance_line(asked.decision.substance_digest),
        report=report,
        ingest=f"rollout ingest approvals {gate} --repo OWNER/NAME --pull N",
    )


_AGAINST = ("signature.objection", "author.unknown", "author.known")


def _role(asked: Asked, role: str, findings: Sequence[Finding]) -> AskedRole:
    name, demand = f"clearance.signatures.{role}", asked.demand
    (own,) = [
        finding
        for finding in findings
        if finding.id == name and finding.reason.code not in _AGAINST
    ]
    day = demand.now.astimezone(ZoneInfo(asked.plan.timezone)).date()
    able = [
        (person.name, person.github)
        for person in asked.plan.roster.holders(role, day)
        if not demand.by_author(person.id)
    ]
    given = own.verdict is Verdict.PASS
    return AskedRole(role, _said(asked, own), given, tuple(able))


def _said(asked: Asked, finding: Finding) -> str:
    return sentences.text(finding.reason, asked.plan.timezone)


def _report(asked: Asked) -> str:
    folder = asked.project.report / folder_of(asked.decision)
    return Path(os.path.relpath(folder / "report.md", asked.project.root)).as_posix()


def _written(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise RolloutError(f"{path} cannot be written: {error.strerror}") from error
