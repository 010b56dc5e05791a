"""`rollout attest`: record a person's answer to a criterion that no test can see."""

from __future__ import annotations

import dataclasses
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from pytest_rollout.cli.names import CRITERION
from pytest_rollout.cli.project import Project, common, environment_option, parsed, print_json
from pytest_rollout.cli.real_environment import real_environment, release_now
from pytest_rollout.cli.saying import say
from pytest_rollout.cli.who import git_email, known
from pytest_rollout.evidence import opening
from pytest_rollout.evidence.attestations import as_kept, attest
from pytest_rollout.evidence.ledger import MOST_ATTACHED
from pytest_rollout.judge.people import shelf_life
from pytest_rollout.model.attestation import Attestation, Proof
from pytest_rollout.model.errors import OptionError, RolloutError, UnknownNameError
from pytest_rollout.model.plan import Criterion, Phase, Plan
from pytest_rollout.model.rule import duration_words
from pytest_rollout.plan import stand_ins
from pytest_rollout.plan.reader import nearest
from pytest_rollout.signoff import ssh

_MOST = {"--by": 200, "--note": 4000}
_SHOWN = ("criterion", "by", "role", "note", "passed", "release", "file", "digest")


@click.command("attest")
@click.argument("criterion", type=CRITERION)
@click.option("--by", help="who answers; of people with keys their id (default: git's user.email)")
@click.option("--role", required=True, help="in which role of the plan")
@click.option("--note", required=True, help="what was seen")
@click.option("--key", metavar="FILE", help="SSH key to sign with, or its .pub for an agent's")
@click.option("--file", "file_", metavar="FILE", help="kept as evidence, by its digest")
@click.option("--fail", is_flag=True, help="it does not hold")
@environment_option
@common
def command(
    criterion: str,
    by: str | None,
    role: str,
    note: str,
    key: str | None,
    file_: str | None,
    environment: str | None,
    root: str | None,
    ledger: str | None,
    *,
    fail: bool,
    as_json: bool,
) -> int:
    """Attest CRITERION (plan.phase.slug), of the release that its target runs now.

    It counts from the next run on, for as long as the plan says. A later answer replaces it.
    Where roles.yaml has people with keys, it is signed with --key. Anybody may say --fail without
    one: that holds the gate until somebody with a key answers.
    """
    project = Project.here(root, ledger)
    plan, phase, stated = asked(project, criterion)
    where = where_it_counts(plan, environment)
    _allowed(plan, stated, role)
    person = _person(project, plan, by, signs=key is not None, fails=fail)
    for option, text in (("--by", person), ("--note", note)):
        _said(option, text)
    content = _content(Path(file_)) if file_ else None
    release = release_attested(project, plan, where)
    full, file = plan.address(phase.id).full(stated.id), Path(file_).name if file_ else ""
    answer = Attestation(full, person.strip(), role, note.strip(), not fail, 0, release, file)
    if key is not None:
        answer = _signed(plan, as_kept(answer, content), where, Path(key))
    with closing(opening.to_write(project.ledger_at)) as store:
        attested = attest(store, answer, where, content)
    if as_json:
        print_json(_as_plain(project, attested, where))
    else:
        say(_answer(plan, phase, stated, attested, where))
        say(
            f"recorded in {project.ledger_shown}; where runs write to another ledger, bring it "
            f"there: rollout merge {project.ledger_shown}"
        )
    return 0


def _as_plain(project: Project, attestation: Attestation, environment: str) -> dict[str, Any]:
    facts = {
        name: value for name, value in dataclasses.asdict(attestation).items() if name in _SHOWN
    }
    signed = attestation.proof is not None
    return {**facts, "environment": environment, "signed": signed, "ledger": project.ledger_shown}


def _person(project: Project, plan: Plan, by: str | None, *, signs: bool, fails: bool) -> str:
    """Who answers; where people have keys it is an id of the roster, and that person signs."""
    roster = plan.roster
    if signs and not roster.has_keys:
        where = f"{roster.allowed_signers} beside {plan.path}"
        raise OptionError("--key", f"nobody could verify it: {where} names no key of a person")
    if not signs and roster.has_keys and not fails:
        why = f"--key: roles.yaml beside {plan.path} has keys, so an answer that holds is signed"
        raise RolloutError(why)
    return by or git_email(project.root)


def _signed(plan: Plan, answer: Attestation, environment: str, key: Path) -> Attestation:
    """The answer with the signature under it, once that is its person's."""
    now = datetime.now(UTC).replace(microsecond=0)
    known(plan, answer.by, answer.role, now)
    unsigned = replace(answer, proof=Proof(environment, now.isoformat(), ""))
    statement = unsigned.statement
    assert statement is not None
    proof = Proof(environment, statement.at, ssh.sign(statement, key))
    signed = replace(answer, proof=proof)
    why = ssh.why_invalid(statement, proof.armour, plan.roster.keys, plan.roster.revoked)
    if why:
        raise RolloutError(f"{why}; nothing was recorded")
    return signed


def _content(path: Path) -> bytes:
    """A file's bytes; raises RolloutError where it cannot be read or is too large to be kept."""
    try:
        if path.stat().st_size > MOST_ATTACHED:
            raise RolloutError(f"{path} is larger than {MOST_ATTACHED} bytes")
        return path.read_bytes()
    except OSError as error:
        raise RolloutError(f"{path} cannot be read: {error.strerror}") from error


def asked(project: Project, text: str) -> tuple[Plan, Phase, Criterion]:
    """The criterion that a text names; raises RolloutError where it is not attested."""
    where, _, slug = text.rpartition(".")
    address = parsed(where or text)
    phase = project.phase(address)
    attested = [criterion for criterion in phase.criteria if criterion.attested]
    stated = next((criterion for criterion in phase.criteria if criterion.id == slug), None)
    if address.gate is not None or stated is None:
        ids = [criterion.id for criterion in attested]
        why = f"{address.name} states no criterion `{slug}` ({nearest(slug, ids)})"
        raise UnknownNameError(why, "criterion", slug, ids)
    if not stated.attested:
        raise RolloutError(
            f"{text} is not attested: its kind is {stated.kind.value} (say in the plan which "
            "roles may: by: [ROLE])"
        )
    return project.plan(address.plan), phase, stated


def where_it_counts(plan: Plan, name: str | None) -> str:
    """The real environment that people answer for."""
    embedded = f"a rehearsal is answered by {stand_ins.NAME} beside the plan, not by people"
    return real_environment(plan, name, embedded=embedded)


def release_attested(project: Project, plan: Plan, environment: str) -> str | None:
    """The release that the target runs; raises RolloutError where it cannot say."""
    return release_now(project, plan, environment, why="an attestation is of one")


def _allowed(plan: Plan, stated: Criterion, role: str) -> None:
    roles = stated.by or plan.known_roles()
    if not roles:
        raise RolloutError(f"{plan.id} names no role that could attest (plan key `roles`)")
    if role not in roles:
        whose = f"{stated.id} is attested by" if stated.by else f"the roles of {plan.id} are"
        why = f"--role: not `{role}`; {whose} {', '.join(roles)}"
        raise UnknownNameError(why, "role", role, roles)


def _said(option: str, text: str) -> None:
    if not text.strip():
        raise RolloutError(f"{option} says nothing")
    if len(text) > _MOST[option]:
        raise RolloutError(f"{option} is longer than {_MOST[option]} characters")


def _answer(
    plan: Plan, phase: Phase, stated: Criterion, attestation: Attestation, where: str
) -> str:
    how = "attested" if attestation.passed else "attested as failing"
    release = f" of {attestation.release}" if attestation.release else ""
    life_us = shelf_life(plan, stated, where)
    life = f" for {duration_words(life_us)}" if life_us else ""
    by = f"{attestation.by} ({attestation.role})"
    said = f"{attestation.criterion} in {where}{release}: {how} by {by}"
    run = f"pytest {phase.chosen} --rollout-env {where}"
    if attestation.proof is None and plan.roster.has_keys:
        return f"{said}; not signed, so it holds the gate until somebody answers with --key ({run})"
    signed = ", signed" if attestation.proof else ""
    return f"{said}{signed}; counts{life} from the next run on ({run})"
