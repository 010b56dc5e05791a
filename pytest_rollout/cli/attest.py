"""`rollout attest`: record a person's answer to a criterion that no test can see."""

from __future__ import annotations

import dataclasses
from contextlib import closing
from pathlib import Path

import click

from pytest_rollout.cli.project import Project, common, environment_option, parsed, print_json
from pytest_rollout.cli.real_environment import real_environment, release_now
from pytest_rollout.cli.saying import say
from pytest_rollout.evidence import opening
from pytest_rollout.evidence.attestations import attest
from pytest_rollout.evidence.ledger import MOST_ATTACHED
from pytest_rollout.judge.people import shelf_life
from pytest_rollout.model.attestation import Attestation
from pytest_rollout.model.errors import RolloutError, UnknownNameError
from pytest_rollout.model.plan import Criterion, Phase, Plan
from pytest_rollout.model.rule import duration_words
from pytest_rollout.plan import stand_ins
from pytest_rollout.plan.reader import nearest

_MOST = {"--by": 200, "--note": 4000}


@click.command("attest")
@click.argument("criterion")
@click.option("--by", required=True, help="who answers")
@click.option("--role", required=True, help="in which role of the plan")
@click.option("--note", required=True, help="what was seen")
@click.option("--file", "file_", metavar="FILE", help="kept as evidence, by its digest")
@click.option("--fail", is_flag=True, help="it does not hold")
@environment_option
@common
def command(
    criterion: str,
    by: str,
    role: str,
    note: str,
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
    """
    project = Project.here(root, ledger)
    plan, phase, stated = asked(project, criterion)
    where = where_it_counts(plan, environment)
    _allowed(plan, stated, role)
    for option, text in (("--by", by), ("--note", note)):
        _said(option, text)
    content = _content(Path(file_)) if file_ else None
    said = Attestation(
        criterion=plan.address(phase.id).full(stated.id),
        by=by.strip(),
        role=role,
        note=note.strip(),
        passed=not fail,
        at_us=0,
        release=release_attested(plan, where),
        file=Path(file_).name if file_ else "",
    )
    with closing(opening.to_write(project.ledger_at)) as store:
        one = attest(store, said, where, content)
    if as_json:
        facts = {key: value for key, value in dataclasses.asdict(one).items() if key != "at_us"}
        print_json({**facts, "environment": where})
    else:
        say(_answer(plan, phase, stated, one, where))
    return 0


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
    known = [one for one in phase.criteria if one.attested]
    stated = next((one for one in phase.criteria if one.id == slug), None)
    if address.gate is not None or stated is None:
        ids = [criterion.id for criterion in known]
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


def release_attested(plan: Plan, environment: str) -> str | None:
    """The release that the target runs; raises RolloutError where it cannot say."""
    return release_now(plan, environment, why="an attestation is of one")


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


def _answer(plan: Plan, phase: Phase, stated: Criterion, one: Attestation, where: str) -> str:
    how = "attested" if one.passed else "attested as failing"
    release = f" of {one.release}" if one.release else ""
    life_us = shelf_life(plan, stated, where)
    life = f" for {duration_words(life_us)}" if life_us else ""
    mark = phase.marks[0]
    return (
        f"{one.criterion} in {where}{release}: {how} by {one.by} ({one.role}); "
        f"counts{life} from the next run on (pytest -m {mark} --rollout-env {where})"
    )
