"""`rollout attestation`: a gate's last decision as signed in-toto statements."""

from __future__ import annotations

import json
from pathlib import Path

import click

from pytest_rollout.cli.names import PHASE
from pytest_rollout.cli.project import Project, common, environment_option, parsed, print_json
from pytest_rollout.cli.real_environment import shown_environment
from pytest_rollout.cli.saying import say
from pytest_rollout.evidence.overrides import overrides_of
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.errors import OptionError
from pytest_rollout.report import files
from pytest_rollout.report.statements import (
    DECISION,
    RESULT,
    SUMMARY,
    TESTS,
    passed,
    resource_uri,
    statements,
)
from pytest_rollout.signoff.envelope import sealed

_PREDICATES = {"summary": SUMMARY, "result": RESULT, "tests": TESTS, "decision": DECISION}


@click.command("attestation")
@click.argument("address", type=PHASE)
@click.option("--key", metavar="FILE", help="private key: OpenSSH or PEM")
@click.option(
    "--predicate",
    type=click.Choice(list(_PREDICATES)),
    help="print one predicate, unsigned, for another signer; write nothing",
)
@click.option("--jsonl", is_flag=True, help="print the envelopes, a line each; write nothing")
@environment_option
@common
def command(
    address: str,
    key: str | None,
    predicate: str | None,
    environment: str | None,
    root: str | None,
    ledger: str | None,
    *,
    jsonl: bool,
    as_json: bool,
) -> int:
    """Sign the last decision of ADDRESS (plan.phase/gate) as in-toto statements of its release.

    Writes attestation.json beside decision.json: DSSE envelopes of a SLSA verification summary,
    a simple verification result, a test result, and the whole decision. Only a GO of a real
    environment is PASSED; HOLD, NO-GO, ROLLBACK, rehearsals and partial runs are FAILED.
    """
    project = Project.here(root, ledger)
    shown = shown_environment(project, environment, [parsed(address)])
    where = project.gate(address, shown.name)
    shown.note(str(where))
    _, decision, _ = project.standing(where, shown.name)
    made = statements(decision, overridden=_overridden(project, decision))
    if predicate is not None:
        predicates = {statement["predicateType"]: statement["predicate"] for statement in made}
        print_json(predicates[_PREDICATES[predicate]])
        return 0
    if key is None:
        raise OptionError("--key", "say which key signs, or what another signs (--predicate)")
    envelopes = sealed(made, Path(key))
    if jsonl:
        for envelope in envelopes:
            click.echo(json.dumps(envelope, sort_keys=True))
        return 0
    knows_earlier = project.knows_earlier(decision)
    path = files.write_attestation(project.report, decision, envelopes, knows_earlier)
    result = "PASSED" if passed(decision) else "FAILED"
    if as_json:
        facts = {"file": str(path), "decision": decision.answer.value, "result": result}
        print_json({**facts, "resource": resource_uri(decision)})
    else:
        say(f"{where} in {shown.name} {decision.answer.value}, attested as {result}: {path}")
    return 0


def _overridden(project: Project, decision: Decision) -> bool:
    """Whether two people let a change pass although something stood against this decision."""
    overrides = overrides_of(project.ledger, decision.address, decision.environment)
    return any(override.substance == decision.substance_digest for override in overrides)
