"""The text that asks people for their signatures: for a pull request, or a ticket."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.finding import Reason
from pytest_rollout.report import sentences, text
from pytest_rollout.report.escaping import code, item, plain

_MOST = 20  # conditions


@dataclass(frozen=True, slots=True)
class AskedRole:
    """A role whose signature a gate asks for."""

    role: str
    said: str  # how it stands, in a sentence
    given: bool
    people: tuple[tuple[str, str], ...] = ()  # name and login of who may give it


@dataclass(frozen=True, slots=True)
class SignoffRequest:
    """What people are asked to sign."""

    decision: Decision
    roles: Sequence[AskedRole]
    against: Sequence[str]  # what stands against it, in sentences
    line: str  # ties an answer to this state of the decision
    report: str  # a link, or a path
    ingest: str  # the command that reads approvals


def to_markdown(asked: SignoffRequest) -> str:
    """Return the request as markdown."""
    return "\n".join(_lines(asked)) + "\n"


def _lines(asked: SignoffRequest) -> Iterator[str]:
    decision, zone = asked.decision, asked.decision.timezone
    release = f", release {code(decision.release)}" if decision.release else ""
    yield f"## Sign-off of {code(str(decision.address))} in {plain(decision.environment)}"
    yield ""
    qualified = text.qualified(decision)
    said = f" {plain(qualified)}" if qualified else ""
    yield f"**{decision.answer.value}**{said}{release}"
    verdicts = [finding.verdict for finding in decision.criteria]
    criteria = text.count(len(verdicts), "criterion", "criteria")
    yield f"<br>{criteria}: {text.tally(verdicts)}"
    yield f"<br>Decided at {text.moment(decision.decided_at, zone)} by run {code(decision.run)}"
    yield from _listed("Reasons", [(cause.id, cause.reason) for cause in decision.reasons], zone)
    yield from _listed("Conditions", [(owed.id, owed.reason) for owed in decision.conditions], zone)
    for owed in decision.conditions[:_MOST]:
        yield f"- {code(owed.id)} is owed by {plain(owed.owner)}, due at {plain(owed.due)}"
    yield from _asked(asked)
    yield from ("", f"Report: {_link(asked.report)}", "")
    yield "To sign, approve this pull request with a review that holds the next line, or run"
    open_roles = [role.role for role in asked.roles if not role.given]
    role = open_roles[0] if len(open_roles) == 1 else "ROLE"
    sign = f"rollout sign {decision.address} --env {decision.environment} --as {role}"
    yield f"{code(sign)}."
    yield "To object, request changes. A later decision that differs asks for new signatures."
    yield from ("", f"    {asked.line}", "")
    yield f"Approvals count once {code(asked.ingest)} has read them."


def _listed(title: str, causes: Sequence[tuple[str, Reason]], zone: str) -> Iterator[str]:
    if causes:
        yield from ("", f"### {title}", "")
    for id_, reason in causes[:_MOST]:
        says = plain(sentences.text(reason, zone))
        yield f"- {code(id_)}: {says}" if id_ else f"- {item(sentences.text(reason, zone))}"
    if len(causes) > _MOST:
        yield f"- and {len(causes) - _MOST} more, in the report"


def _asked(asked: SignoffRequest) -> Iterator[str]:
    yield from ("", "### Asked", "")
    for role in asked.roles:
        mark, said = "x" if role.given else " ", f": {plain(role.said)}" if role.given else ""
        yield f"- [{mark}] {plain(role.role)}{said}"
        if not role.given:
            people = [
                f"{plain(name)}{f' @{login}' if login else ''}" for name, login in role.people
            ]
            yield f"      by {', '.join(people) or 'nobody: roles.yaml names no one today'}"
    for says in asked.against:
        yield f"- {item(says)}"


def _link(report: str) -> str:
    web = report.startswith(("https://", "http://")) and not set(report) & set(" <>()\n")
    return f"<{report}>" if web else code(report)
