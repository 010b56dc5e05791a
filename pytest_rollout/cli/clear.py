"""`rollout clear`: may the change start, right now?"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from pytest_rollout.cli.clearing import Look, looked, unknown
from pytest_rollout.cli.clearing_output import as_plain, lines
from pytest_rollout.cli.names import PHASE
from pytest_rollout.cli.overriding import override
from pytest_rollout.cli.project import Project, common, environment_option, parsed, print_json
from pytest_rollout.cli.real_environment import environment_of
from pytest_rollout.cli.receipts import give
from pytest_rollout.cli.saying import say
from pytest_rollout.cli.verify import reported
from pytest_rollout.cli.waiting import Waiting
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.errors import LedgerError, OptionError
from pytest_rollout.model.plan import EMBEDDED, Address, Plan
from pytest_rollout.model.verdict import Answer, worst_answer
from pytest_rollout.plan.terms import duration_us
from pytest_rollout.signoff.clearance import GateFacts
from pytest_rollout.signoff.receipt import LIFE_US

_MOST_US = 366 * 86_400 * 1_000_000


@click.command("clear")
@click.argument("address", type=PHASE)
@environment_option
@click.option("--for", "lasting", metavar="DURATION", help="as long as the change takes (25m)")
@click.option(
    "--wait",
    metavar="DURATION",
    is_flag=False,
    flag_value="1h",
    help="look again for as long as time or other people can bring what is missing (1h)",
)
@click.option("--max-age", metavar="DURATION", help="refuse an older decision (30m, 24h)")
@click.option("--receipt", metavar="FILE", help="where a yes is written, for a quarter of an hour")
@click.option("--override", "overriding", is_flag=True, help="two people accept what is missing")
@click.option("--by", multiple=True, metavar="ID", help="who overrides, as in roles.yaml; twice")
@click.option("--reason", default="", help="why they override")
@common
def command(
    address: str,
    environment: str | None,
    lasting: str | None,
    wait: str | None,
    max_age: str | None,
    receipt: str | None,
    by: tuple[str, ...],
    reason: str,
    root: str | None,
    ledger: str | None,
    *,
    overriding: bool,
    as_json: bool,
) -> int:
    """Say whether the change behind ADDRESS (plan.phase or plan.phase/gate) may start now.

    It may where the last full run of the gate is sealed and GO, the ledger is whole, and
    release, plan, prerequisites, signatures and window agree, for as long as --for says. Of a
    phase: every gate of a rehearsal; elsewhere the gate that is next. Exit status 0 yes; else
    the gate's own, 11 where the decision is GO and something else is missing.
    """
    asked = _Asked(
        root,
        ledger,
        parsed(address),
        environment,
        _duration("--max-age", max_age),
        _duration("--for", lasting) or 0,
    )
    plan, where = asked.checked()
    if (by or reason) and not overriding:
        raise OptionError("--override", "--by and --reason are for it alone")
    waiting = Waiting(_duration("--wait", wait) or 0, plan.timezone)
    looks = waiting.until_clear(asked.look)
    if overriding and not _all_go(looks):
        _override(asked, plan, where, looks, by, reason)
        looks = asked.look()
    if receipt and _all_go(looks):
        _receipt(asked, plan, where, looks, Path(receipt))
    return _told(looks, plan, where, waiting.why if wait else "", as_json=as_json)


@dataclass(slots=True)
class _Asked:
    """What is asked, to be looked at once or again and again."""

    root: str | None
    ledger: str | None
    address: Address
    environment: str | None
    max_age_us: int | None
    for_us: int
    _read: Project | None = None  # for the first look, which need not read all again

    def project(self) -> Project:
        """The project as it is now."""
        read, self._read = self._read, None
        return read or Project.here(self.root, self.ledger)

    def checked(self) -> tuple[Plan, str]:
        """The plan and the environment; raises RolloutError where a name is none."""
        self._read = project = self.project()
        project.phase(self.address)
        plan = project.plan(self.address.plan)
        return plan, environment_of(plan, self.environment)

    def look(self, for_us: int | None = None) -> list[Look]:
        """Each gate that the address means, by what is known now."""
        project = self.project()
        plan = project.plan(self.address.plan)
        where = environment_of(plan, self.environment)
        lasting = self.for_us if for_us is None else for_us
        try:
            anchors = reported(project) if self.ledger is None else ()
            with closing(project.ledger):
                asked = (plan, self.address, where, self.max_age_us, anchors, lasting)
                return looked(project, *asked)
        except LedgerError as error:
            nothing = GateFacts("", None, None)
            return [Look(unknown(self.address, str(error)), nothing)]


def _all_go(looks: list[Look]) -> bool:
    return all(look.answer.answer is Answer.GO for look in looks)


def _override(
    asked: _Asked, plan: Plan, where: str, looks: list[Look], by: tuple[str, ...], reason: str
) -> None:
    if where == EMBEDDED:
        raise OptionError("--override", "a rehearsal clears nothing, so nothing is overridden")
    (look,) = looks
    override(asked.project(), plan, look, where, by, reason)


def _receipt(asked: _Asked, plan: Plan, where: str, looks: list[Look], path: Path) -> None:
    if where == EMBEDDED:
        raise OptionError("--receipt", "a rehearsal clears nothing (--env names the environment)")
    (look,) = looks
    (lasting,) = asked.look(LIFE_US)
    given = give(asked.project(), plan, look, lasting, where, path)
    say(f"receipt: {path}, until {given.until}", err=True)


def _told(looks: list[Look], plan: Plan, where: str, why: str, *, as_json: bool) -> int:
    answers = [look.answer for look in looks]
    worst = worst_answer(answer.answer for answer in answers)
    if as_json:
        gates = [as_plain(answer, plan, where) for answer in answers]
        print_json({"clear": worst is Answer.GO, "gates": gates})
    else:
        for line in lines(answers, plan, where):
            say(line)
    if why:
        say(why, err=True)
    return worst.exit_status


def _duration(option: str, text: str | None) -> int | None:
    try:
        duration = duration_us(text) if text is not None else None
    except ValueError as error:
        raise OptionError(option, str(error)) from error
    if duration is not None and duration > _MOST_US:
        raise OptionError(option, f"{text} is longer than a year")
    return duration
