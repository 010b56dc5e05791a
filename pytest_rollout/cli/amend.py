"""`rollout amend`: a criterion asks something else from now on, by the word of two people."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from pytest_rollout.cli.project import Project, common, keep_texts, parsed, print_json
from pytest_rollout.cli.real_environment import real_environment
from pytest_rollout.cli.recording import by_option, person, words
from pytest_rollout.cli.saying import say
from pytest_rollout.evidence import opening
from pytest_rollout.evidence.bodies import StatementAmended
from pytest_rollout.evidence.clean_bodies import redacted
from pytest_rollout.evidence.phase_life import PhaseLife
from pytest_rollout.evidence.seen_before import SeenBefore, seen_before
from pytest_rollout.evidence.since_begin import life_of
from pytest_rollout.judge.since_begin import Accepted, accepted, statements_of
from pytest_rollout.model.errors import OptionError, RolloutError, UnknownNameError
from pytest_rollout.model.life import Approval, Begin, Life
from pytest_rollout.model.people import Person
from pytest_rollout.model.plan import Address, Criterion, Gate, Guardrail, Phase, Plan
from pytest_rollout.plan.reader import nearest
from pytest_rollout.report import sentences
from pytest_rollout.report.statement_words import statement_words
from pytest_rollout.report.text import count
from pytest_rollout.signoff import ssh
from pytest_rollout.signoff.amended import believed_life


@click.command("amend")
@click.argument("criterion")
@by_option
@click.option("--approved-by", required=True, metavar="NAME", help="another person, who agrees")
@click.option("--why", required=True, help="why it asks something else now")
@click.option("--key", metavar="FILE", help="the approver's SSH key, or its .pub for an agent's")
@click.option("--env", "environment", help="which environment (default: the plan's only real one)")
@common
def command(
    criterion: str,
    by: str,
    approved_by: str,
    why: str,
    key: str | None,
    environment: str | None,
    root: str | None,
    ledger: str | None,
    *,
    as_json: bool,
) -> int:
    """Put on record that CRITERION (plan.phase.criterion) asks what the plan file says now.

    For a criterion or guardrail of the exit of a phase that has begun: change the plan file, then
    amend. The exit gate is HOLD until then. Decisions show it as stated and as amended, by whom,
    approved by whom, and what was seen before; a GO carries it as a condition. Where roles.yaml
    has people with keys, the approver signs it with --key.
    """
    project = Project.here(root, ledger)
    address, slug = _named(criterion)
    phase, plan = project.phase(address), project.plan(address.plan)
    embedded = "a rehearsal asks what the plan says: it needs no amendment"
    environment = real_environment(plan, environment, embedded=embedded)
    _signs(plan, key)
    people, reason = _two(plan, phase, person(by), approved_by), words("--why", why)
    begin, life, sequence = _begun(project, plan, address, environment)
    may, now = accepted(begin, life.amendments).get(slug, Accepted()), statements_of(phase)
    _changed(slug, may, now, begin, address)
    before = seen_before(project.ledger, address, environment, sequence, slug)
    digests = (may.digests[-1], now.get(slug, ""))
    stated = may.amendments[-1].amended if may.amendments else begin.words.get(slug, "")
    amended = _amended(people, reason, slug, digests, (stated, _words_now(phase, slug)))
    amended = replace(
        amended,
        runs=before.runs,
        failed=before.failed,
        verdict=before.verdict.value if before.verdict else "",
        seen=_seen(before, plan.timezone),
        plan_digest=plan.digest,
    )
    if key is not None:
        amended = _signed(plan, amended, address.full(slug), environment, Path(key))
    with closing(opening.to_write(project.ledger_at)) as store:
        keep_texts(store, project.loaded_plan(plan))
        PhaseLife(store, address, environment).record(amended)
    _tell(amended, address.full(slug), environment, as_json=as_json)
    return 0


def _amended(
    people: tuple[str, str], why: str, slug: str, digests: tuple[str, str], words: tuple[str, str]
) -> StatementAmended:
    """What is put on record, but for what was seen before."""
    by, approved_by = people
    return StatementAmended(
        type=StatementAmended.TYPE,
        t_us=time.time_ns() // 1000,
        says=f"{slug} amended by {by}, approved by {approved_by}: {why}",
        criterion=slug,
        by=by,
        approved_by=approved_by,
        why=why,
        was=digests[0],
        now=digests[1],
        stated=words[0],
        amended=words[1],
        runs=0,
        failed=0,
    )


def _signs(plan: Plan, key: str | None) -> None:
    """Raise RolloutError unless the approver signs exactly where people have keys."""
    roster = plan.roster
    if key is not None and not roster.has_keys:
        where = f"{roster.allowed_signers} beside {plan.path}"
        raise OptionError("--key", f"nobody could verify it: {where} names no key of a person")
    if key is None and roster.has_keys:
        why = f"--key: roles.yaml beside {plan.path} has keys, so the approver signs an amendment"
        raise RolloutError(why)


def _signed(
    plan: Plan, amended: StatementAmended, full: str, environment: str, key: Path
) -> StatementAmended:
    """The amendment as it is kept, with the signature under it, once that is its approver's."""
    statement = redacted(amended)
    assert isinstance(statement, StatementAmended)
    at = datetime.now(UTC).replace(microsecond=0).isoformat()
    approval = Approval(
        criterion=full,
        environment=environment,
        was=statement.was,
        now=statement.now,
        by=statement.by,
        why=statement.why,
        person=statement.approved_by,
        at=at,
    )
    armour = ssh.sign(approval, key)
    why = ssh.why_invalid(approval, armour, plan.roster.keys, plan.roster.revoked)
    if why:
        raise RolloutError(f"{why}; nothing was recorded")
    return replace(statement, at=at, armour=armour)


def _tell(amended: StatementAmended, full: str, environment: str, *, as_json: bool) -> None:
    signed = bool(amended.armour)
    if as_json:
        names = ("by", "approved_by", "why", "stated", "amended", "runs", "failed", "verdict")
        facts = {name: getattr(amended, name) for name in (*names, "seen")}
        print_json({"criterion": full, "environment": environment, **facts, "signed": signed})
        return
    say(
        f"{full} in {environment}: amended by {amended.by}, approved by {amended.approved_by}"
        + ", signed" * signed
    )
    say(f"  as stated:  {amended.stated or 'nothing'}")
    say(f"  as amended: {amended.amended or 'nothing'}")
    if amended.runs:
        last = f"the last was {amended.verdict} ({amended.seen})"
        say(f"  seen before: {count(amended.runs, 'look')}, {amended.failed} did not pass; {last}")
    else:
        say("  seen before: nothing")
    say("  decide the exit gate again: it is a condition of its GO from now on")


def _named(text: str) -> tuple[Address, str]:
    """The phase and the slug in ``plan.phase.criterion``."""
    where, _, slug = text.rpartition(".")
    try:
        address = Address.parse(where)
    except ValueError:
        raise RolloutError(f"{text!r} is not plan.phase.criterion") from None
    if address.gate is not None:
        raise RolloutError(f"{text!r} is not plan.phase.criterion")
    return parsed(where), slug


def _two(plan: Plan, phase: Phase, by: str, approved_by: str) -> tuple[str, str]:
    """The author and the approver, who must be two people; of the plan's where it names any."""
    approved_by = words("--approved-by", approved_by)
    if not plan.roster.people:
        if by.casefold() == approved_by.casefold():
            raise OptionError("--approved-by", f"{by} cannot approve an amendment of their own")
        return by, approved_by
    author = _known(plan, "--by", by)
    approver = _known(plan, "--approved-by", approved_by)
    if author.id == approver.id:
        raise OptionError("--approved-by", f"{by} cannot approve an amendment of their own")
    today = datetime.now(ZoneInfo(plan.timezone)).date()
    held = (plan.roster.holds(approver.id, role, today) for role in phase.signoff)
    if phase.signoff and not any(held):
        roles = " or ".join(phase.signoff)
        who = [holder.id for role in phase.signoff for holder in plan.roster.holders(role, today)]
        can = f"; {', '.join(dict.fromkeys(who))} can" if who else ""
        raise OptionError("--approved-by", f"{approver.id} is not {roles} today{can}")
    return author.id, approver.id


def _known(plan: Plan, option: str, name: str) -> Person:
    people = plan.roster.people
    holder = plan.roster.person(name) or next(
        (member for member in people if member.name == name), None
    )
    if holder is None:
        known = [member.id for member in people]
        why = f"{option}: roles.yaml names no `{name}` ({nearest(name, known)})"
        raise UnknownNameError(why, "person", name, known)
    return holder


def _begun(
    project: Project, plan: Plan, address: Address, environment: str
) -> tuple[Begin, Life, int]:
    """The begin of the phase and what followed; raises RolloutError where it froze nothing."""
    head = project.ledger.head().sequence
    read = life_of(project.ledger, address, environment, head + 1)
    if read.problems:
        raise RolloutError(read.problems[0])
    life = believed_life(read.life, plan)
    begin = life.begin if life else None
    if life is None or begin is None:
        raise RolloutError(
            f"{address.name} has not begun in {environment}: until then the plan file is changed "
            "without amending"
        )
    if read.sequence is None:
        raise RolloutError(
            f"{address.name} began in {environment} by a record that does not say what was asked "
            "then: end it and begin it again"
        )
    return begin, life, read.sequence


def _changed(
    slug: str, may: Accepted, now: Mapping[str, str], begin: Begin, address: Address
) -> None:
    """Raise RolloutError where a criterion is none of the exit, or asks what it asked."""
    if now.get(slug, "") not in may.digests:
        return
    if slug not in now and not may.amendments:
        known = [*begin.stated, *now]
        why = f"the exit of {address.name} states no `{slug}` ({nearest(slug, known)})"
        raise UnknownNameError(why, "criterion", slug, known)
    raise RolloutError(
        f"{address.full(slug)} asks what it asked when the phase began, or as amended since: "
        "change the plan file first"
    )


def _words_now(phase: Phase, slug: str) -> str:
    stated: list[Criterion | Guardrail] = [*phase.of(Gate.EXIT), *phase.guardrails]
    return next((statement_words(guardrail) for guardrail in stated if guardrail.id == slug), "")


def _seen(before: SeenBefore, zone: str) -> str:
    return sentences.text(before.reason, zone) if before.reason else ""
