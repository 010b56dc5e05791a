"""`rollout export`: one file with a gate's decision and all that it rests on."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from pytest_rollout.bundles import archive, bundle
from pytest_rollout.cli.names import PHASE
from pytest_rollout.cli.project import Project, common, environment_option, parsed, print_json
from pytest_rollout.cli.real_environment import environment_of
from pytest_rollout.cli.saying import say
from pytest_rollout.evidence.drills import last_no
from pytest_rollout.evidence.history import AskingRun
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.mutation_drills import MutationDrills
from pytest_rollout.evidence.verify import verify
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.plan import Plan
from pytest_rollout.plan import people
from pytest_rollout.report import files
from pytest_rollout.report.html import to_html
from pytest_rollout.report.markdown import to_markdown
from pytest_rollout.report.mutation import drilled_words
from pytest_rollout.signoff import ssh


@click.command("export")
@click.argument("address", type=PHASE)
@click.option("-o", "--output", metavar="FILE", help="where (default: PLAN-PHASE-GATE-ENV.zip)")
@environment_option
@common
def command(
    address: str,
    output: str | None,
    environment: str | None,
    root: str | None,
    ledger: str | None,
    *,
    as_json: bool,
) -> int:
    """Write the last decision of ADDRESS (plan.phase/gate) as a bundle that outsiders verify.

    It holds plan, evidence, decision, reports, signatures and the keys of people, as they are now.
    `rollout verify FILE` checks it years later, without this project and its ledger. Note the
    digest that is printed where the bundle is not: it tells this bundle from any other.
    """
    project = Project.here(root, ledger)
    asked = parsed(address)
    environment = environment_of(project.plan(asked.plan), environment)
    where = project.gate(address, environment)
    standing, decision, text = project.standing(where, environment)
    wrong = verify(project.ledger, ()).problems
    if wrong:
        why = f"the ledger is damaged, nothing was exported: {wrong[0]}"
        raise RolloutError(why, code="ledger.damaged", damage=wrong[0])
    held = _plan_files(project, standing.asked) | bundle.evidence(project.ledger)
    held |= rendered(project.ledger, decision)
    held |= {bundle.DECISION: text.encode(), bundle.README: bundle.HOW.encode()}
    held |= _signed(project, decision)
    held |= _attested(project, decision)
    raw = archive.packed(held, facts_of(project.ledger, decision))
    path = Path(output or _name(decision))
    part = path.with_name(f"{path.name}.part")
    part.write_bytes(raw)
    part.replace(path)
    digest = archive.digest_of(raw)
    if as_json:
        print_json({"file": str(path), "digest": digest, "decision": decision.answer.value})
    else:
        say(f"{where} in {environment} {decision.answer.value}: {path} ({len(held) + 1} files)")
        say(f"digest {digest}")
        say(f"to check it anywhere: rollout verify {path} --digest {digest}")
    return 0


def facts_of(ledger: Ledger, decision: Decision) -> dict[str, Any]:
    """What the manifest of a bundle says besides its files: of what it is, and by whom."""
    head = ledger.head()
    return {
        "kind": "pytest-rollout bundle",
        "gate": str(decision.address),
        "environment": decision.environment,
        "release": decision.release,
        "run": decision.run,
        "decided_at": decision.decided_at,
        "decision": decision.answer.value,
        "substance": decision.substance_digest,
        "ledger": {"sequence": head.sequence, "hash": head.hash},
        "versions": {
            "pytest-rollout": version("pytest-rollout"),
            "judge": decision.judge,
            "decision schema": decision.schema,
            "zone data": decision.zone_data,
        },
    }


def rendered(ledger: Ledger, decision: Decision) -> dict[str, bytes]:
    """The reports of a decision, as this version writes them."""
    gate = decision.address
    mutated = MutationDrills(ledger).of_gate(gate, decision.plan_digest)
    no = drilled_words(last_no(ledger, gate, decision.plan_digest), mutated, decision)
    return {
        bundle.MARKDOWN: to_markdown(decision, no).encode("utf-8", "replace"),
        bundle.HTML: to_html(decision, no).encode("utf-8", "replace"),
    }


def _plan_files(project: Project, asked: AskingRun) -> dict[str, bytes]:
    """The plan that was judged by, and the files beside it."""
    wanted = {"rollout.yaml": asked.plan_digest, **asked.beside}
    texts = {name: project.ledger.text(digest) for name, digest in wanted.items()}
    lost = [name for name, text in texts.items() if text is None]
    if lost:
        why = f"the {lost[0]} that was judged by is not in the ledger"
        raise RolloutError(why, code="plan.lost", digest=asked.plan_digest)
    return bundle.plan_files({name: str(text) for name, text in texts.items()})


def _signed(project: Project, decision: Decision) -> dict[str, bytes]:
    """What people signed, their roles and their keys."""
    gate, environment = decision.address, decision.environment
    contents = bundle.signature_files(project.ledger, gate, environment, ssh.payload)
    plan = next((plan for plan in project.plans if plan.id == gate.plan), None)
    if plan is None:
        if contents:
            raise RolloutError(
                f"plan {gate.plan} is not here any more, and holds its people's keys"
            )
        return {}
    keys = (
        (bundle.SIGNERS, plan.roster.allowed_signers),
        (bundle.REVOKED, plan.roster.revoked_keys),
    )
    for name, path in ((bundle.ROLES, people.NAME), *keys):
        file = _beside(project, plan, path)
        if file.is_file():
            contents[name] = file.read_bytes()
        elif contents and name == bundle.SIGNERS:
            raise RolloutError(
                f"{path} beside {plan.path} is gone: without the keys of people "
                "nobody can verify what they signed"
            )
    return contents


def _beside(project: Project, plan: Plan, name: str) -> Path:
    return (project.root / plan.path).with_name(name)


def _attested(project: Project, decision: Decision) -> dict[str, bytes]:
    """The signed statements of the decision, where they were written."""
    path = project.report / files.folder_of(decision) / bundle.ATTESTATION
    return {bundle.ATTESTATION: path.read_bytes()} if path.is_file() else {}


def _name(decision: Decision) -> str:
    address = decision.address
    parts = (address.plan, address.phase, decision.gate.value, decision.environment)
    return "-".join(parts) + ".zip"
