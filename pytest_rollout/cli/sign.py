"""`rollout sign`: a person's signature for a role, over the substance of a gate's decision."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import click

from pytest_rollout import calendar
from pytest_rollout.cli.names import PHASE
from pytest_rollout.cli.project import Project, common, environment_option, parsed, print_json
from pytest_rollout.cli.real_environment import real_environment
from pytest_rollout.cli.recording import words
from pytest_rollout.cli.saying import say
from pytest_rollout.cli.who import git_email, known
from pytest_rollout.evidence import opening, signatures
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.errors import OptionError, RolloutError, UnknownNameError
from pytest_rollout.model.people import Signature, Stance
from pytest_rollout.model.plan import Gate, Phase, Plan
from pytest_rollout.report import sentences
from pytest_rollout.signoff import ssh
from pytest_rollout.signoff.signatures import Signed, SignoffDemand, why_not_counted


@click.command("sign")
@click.argument("address", type=PHASE)
@click.option("--as", "role", required=True, metavar="ROLE", help="a role of the phase's signoff")
@click.option("--key", required=True, metavar="FILE", help="SSH key, or its .pub for an agent's")
@click.option("--by", metavar="ID", help="who signs, as in roles.yaml (default: git's user.email)")
@click.option("--against", is_flag=True, help="sign against it; it blocks until you sign for it")
@click.option("--withdraw", is_flag=True, help="take back what you signed before")
@click.option("--override", is_flag=True, help="accept what stands against a change, with another")
@click.option("--why", default="", help="needed with --against, --withdraw and --override")
@environment_option
@common
def command(
    address: str,
    role: str,
    key: str,
    by: str | None,
    why: str,
    environment: str | None,
    root: str | None,
    ledger: str | None,
    *,
    against: bool,
    withdraw: bool,
    override: bool,
    as_json: bool,
) -> int:
    """Sign the last decision of ADDRESS (plan.phase/gate), as ROLE.

    What is signed is the substance of the decision: release, criteria, verdicts, conditions and
    waivers. A later run that changes nothing of it voids nothing. `rollout clear` asks for a
    signature of each role in `signoff`, of as many different people.
    """
    project = Project.here(root, ledger)
    phase, plan = project.phase(parsed(address)), project.plan(parsed(address).plan)
    embedded = "a rehearsal is signed by nobody"
    environment = real_environment(plan, environment, embedded=embedded)
    gate = project.gate(address, environment)
    stance = _stance(against=against, withdraw=withdraw, override=override, why=why)
    standing, decision, _ = project.standing(gate, environment)
    _allowed(plan, phase, role, stance)
    person = by or git_email(project.root)
    signature = _signature(decision, role, person, stance, why.strip())
    known(plan, signature.person, role, datetime.fromisoformat(signature.at))
    armour = ssh.sign(signature, Path(key))
    doubt = ssh.why_invalid(signature, armour, allowed_signers(project, plan), plan.roster.revoked)
    if doubt:
        raise RolloutError(f"{doubt}; nothing was recorded")
    with closing(opening.to_write(project.ledger_at)) as store:
        signatures.add(store, signature, armour)
    now = datetime.now(UTC)
    demand = SignoffDemand(plan, phase, decision, now, standing.asked.authors)
    _tell(demand, signature, as_json=as_json)
    return 0


def _tell(demand: SignoffDemand, signature: Signature, *, as_json: bool) -> None:
    """Say what was signed, and why it does not count where it does not."""
    why = why_not_counted(demand, Signed(signature, calendar.to_us(demand.now)))
    says = sentences.text(why, demand.plan.timezone) if why else ""
    if as_json:
        names = ("gate", "environment", "role", "person", "stance", "substance")
        facts = {name: getattr(signature, name) for name in names}
        print_json({**facts, "does_not_count": says or None})
        return
    done = f"{_DONE[signature.stance]} {signature.decision}"
    where = f"{signature.gate} in {signature.environment}"
    say(f"{signature.person} {done} of {where} as {signature.role}")
    if says:
        say(f"  it does not count: {says}")


def allowed_signers(project: Project, plan: Plan) -> str:
    """Return the text of the plan's allowed_signers; raises RolloutError without one."""
    path = (project.root / plan.path).with_name(plan.roster.allowed_signers)
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RolloutError(
            f"{path.name} beside {plan.path} cannot be read ({error}); it holds a line for each "
            "person: ID ssh-ed25519 KEY"
        ) from error


_DONE = {
    Stance.FOR: "signed",
    Stance.AGAINST: "signed against",
    Stance.WITHDRAWN: "withdrew",
    Stance.OVERRIDE: "signed an override of",
}


def _stance(*, against: bool, withdraw: bool, override: bool, why: str) -> Stance:
    given = {Stance.AGAINST: against, Stance.WITHDRAWN: withdraw, Stance.OVERRIDE: override}
    asked = [stance for stance, wanted in given.items() if wanted]
    if len(asked) > 1:
        rule = "either sign against it, or withdraw a signature, or override"
        option = "--withdraw" if asked[0] is Stance.WITHDRAWN else f"--{asked[0]}"
        raise OptionError(option, rule)
    if not asked:
        return Stance.FOR
    words("--why", why)
    return asked[0]


def _allowed(plan: Plan, phase: Phase, role: str, stance: Stance) -> None:
    if stance is not Stance.OVERRIDE and role not in phase.signoff:
        asked = ", ".join(phase.signoff) or "nobody"
        why = f"--as: {plan.id}.{phase.id} is signed by {asked}, not by `{role}`"
        raise UnknownNameError(why, "role", role, phase.signoff)


def _signature(decision: Decision, role: str, person: str, stance: Stance, why: str) -> Signature:
    return Signature(
        gate=str(decision.address.at(Gate(decision.gate))),
        environment=decision.environment,
        release=decision.release,
        decision=decision.answer.value,
        substance=decision.substance_digest,
        role=role,
        person=person,
        stance=stance,
        at=datetime.now(UTC).replace(microsecond=0).isoformat(),
        why=why,
    )
