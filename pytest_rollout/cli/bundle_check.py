"""Whether a bundle is what was exported, and whether its decision follows from its evidence."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from pytest_rollout.bundles import archive, bundle
from pytest_rollout.cli.export import facts_of, rendered
from pytest_rollout.evidence.anchors import Anchor
from pytest_rollout.evidence.history import AskingRun, last_full_run, stored_decision
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.signatures import all_of
from pytest_rollout.evidence.verify import verify
from pytest_rollout.evidence.world import read_world
from pytest_rollout.judge import Case, decide
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.decision import JUDGE, Decision, from_json
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.people import Authors, Roster, Stance
from pytest_rollout.model.plan import Phase, Plan
from pytest_rollout.plan import people
from pytest_rollout.plan.load import parse
from pytest_rollout.report import sentences
from pytest_rollout.report.fact_words import count
from pytest_rollout.report.statements import DECISION, statements
from pytest_rollout.report.stored import to_json
from pytest_rollout.session.signed import believed
from pytest_rollout.signoff import ssh
from pytest_rollout.signoff.attested import verified
from pytest_rollout.signoff.signatures import Signed, SignoffDemand, signatures

_PLAN = "rollout.yaml"


@dataclass
class Checked:
    """What was checked of a bundle, in words, and what is wrong with it."""

    digest: str
    facts: Mapping[str, Any]
    lines: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def check(name: str, raw: bytes, pinned: str = "") -> Checked:
    """Check a bundle as far as it can be read; raises RolloutError where it is none."""
    opened = archive.opened(raw)
    checked = Checked(opened.digest, opened.facts, problems=list(opened.problems))
    if pinned and not (len(pinned) >= 16 and opened.digest.startswith(pinned.lower())):
        checked.problems.append(f"it is another bundle: its digest is {opened.digest}")
    if checked.problems:
        return checked
    checked.lines.append(f"{count(len(opened.files), 'file')}, each as the manifest says")
    try:
        _check_content(checked, name, opened.files)
    except RolloutError as error:
        checked.problems.append(str(error))
    except (ValueError, KeyError, UnicodeDecodeError) as error:
        checked.problems.append(f"what it holds cannot be read: {error}")
    return checked


def _check_content(checked: Checked, name: str, files: Mapping[str, bytes]) -> None:
    text = files[bundle.DECISION].decode()
    decision = from_json(text)
    ledger = bundle.ledger_of(name, files)
    if checked.facts != {"schema": archive.SCHEMA, **_facts(checked, ledger, decision)}:
        checked.problems.append(f"{archive.MANIFEST} says otherwise than the decision in it")
    verification = verify(ledger, [Anchor(decision.ledger, bundle.DECISION)])
    checked.problems += verification.problems
    runs = count(verification.runs, "run")
    checked.lines.append(f"{count(verification.records, 'record')} of {runs}: a whole chain")
    if stored_decision(ledger, decision.address, decision.run) != text:
        checked.problems.append(f"{bundle.DECISION} is not what the ledger holds of that run")
    asked = last_full_run(ledger, decision.address, decision.environment)
    if asked is None or asked.run != decision.run:
        checked.problems.append("a later run in the ledger asked for the same gate")
        return
    plan, phase = _plan(checked, files, ledger, decision, asked)
    _judge_again(checked, ledger, decision, text, (plan, phase))
    _reports(checked, files, ledger, decision)
    _signatures(checked, files, ledger, decision, (plan, phase), asked.authors)
    _statements(checked, files, decision)


def _facts(checked: Checked, ledger: Ledger, decision: Decision) -> dict[str, Any]:
    """What the manifest must say; which version wrote it is its own word."""
    facts = facts_of(ledger, decision)
    wrote = {"pytest-rollout": _version(checked)}
    return {**facts, "versions": {**facts["versions"], **wrote}}


def _version(checked: Checked) -> str:
    return str(checked.facts["versions"].get("pytest-rollout"))


def _plan(
    checked: Checked,
    files: Mapping[str, bytes],
    ledger: Ledger,
    decision: Decision,
    asked: AskingRun,
) -> tuple[Plan, Phase]:
    """The plan as it was judged by, with the people of the bundle."""
    digests = {_PLAN: asked.plan_digest, **asked.beside}
    texts = {name: ledger.text(digest) or "" for name, digest in digests.items()}
    if bundle.plan_in(files) != bundle.plan_files(texts):
        checked.problems.append("plan/ is not the plan that was judged by")
    beside = {name: text for name, text in texts.items() if name != _PLAN}
    loaded = parse(texts[_PLAN], Path(_PLAN), _PLAN, beside, calendars=False)
    phase = loaded.plan.phase(decision.phase) if loaded.plan else None
    if loaded.plan is None or loaded.problems or phase is None:
        why = str(loaded.problems[0]) if loaded.problems else f"it has no phase {decision.phase}"
        raise RolloutError(f"the plan cannot be read by this version: {why}")
    return loaded.plan, phase


def _judge_again(
    checked: Checked, ledger: Ledger, decision: Decision, text: str, judged: tuple[Plan, Phase]
) -> None:
    reading = read_world(ledger, decision.run, decision.address, judged[1])
    again = decide(Case(*judged, verified(reading.world, judged[0]), reading.at_us), decision.gate)
    was, now = decision.answer.value, again.answer.value
    if to_json(again) == text:
        checked.lines.append(f"{was}: judged again from the evidence, the same byte for byte")
    elif again.substance_digest == decision.substance_digest and _other_version(checked):
        checked.lines.append(
            f"{was}: written by version {_version(checked)}; judged again by this one it is the "
            "same in substance"
        )
    elif decision.judge != JUDGE:
        checked.lines.append(f"{was} by judge {decision.judge}; judge {JUDGE} says {now}")
    else:
        checked.problems.append(f"judged again from the evidence it is not the same ({now})")


def _other_version(checked: Checked) -> bool:
    from importlib.metadata import version

    return _version(checked) != version("pytest-rollout")


def _reports(
    checked: Checked, files: Mapping[str, bytes], ledger: Ledger, decision: Decision
) -> None:
    if _other_version(checked):
        checked.lines.append(f"reports of version {_version(checked)}: not rendered again")
        return
    for name, content in rendered(ledger, decision).items():
        if files.get(name) != content:
            checked.problems.append(f"{name} does not say what the decision says")
    checked.lines.append("reports: rendered again, the same")


def _signatures(
    checked: Checked,
    files: Mapping[str, bytes],
    ledger: Ledger,
    decision: Decision,
    judged: tuple[Plan, Phase],
    authors: Authors | None,
) -> None:
    gate, environment = decision.address, decision.environment
    if bundle.signatures_in(files) != bundle.signature_files(
        ledger, gate, environment, ssh.payload
    ):
        checked.problems.append("signatures/ does not hold what was signed in the ledger")
    plan = replace(judged[0], roster=_roster(files, judged[0].roster))
    signed = [believed(told, plan) for told in all_of(ledger, gate, environment)]
    for entry in signed:
        given = entry.signature
        if entry.trouble:
            checked.problems.append(f"a signature is not to be believed: {entry.trouble}")
            continue
        said = "overrides" if given.stance is Stance.OVERRIDE else f"signed {given.stance.value}"
        checked.lines.append(
            f"{given.person} {said} {given.decision} as {given.role} at {given.at}"
        )
    checked.lines += _roles(decision, (plan, judged[1]), authors, signed)


def _roster(files: Mapping[str, bytes], judged: Roster) -> Roster:
    """The people of a bundle as they were at the export, with their keys."""
    text = bundle.plan_in(files)[f"plan/{_PLAN}"].decode()
    roles = files.get(bundle.ROLES, b"").decode()
    beside = {people.NAME: roles} if roles else {}
    loaded = parse(text, Path(_PLAN), _PLAN, beside, calendars=False)
    roster = loaded.plan.roster if loaded.plan is not None else judged
    keys, revoked = (
        people.text_of_keys(files.get(name, b"")) for name in (bundle.SIGNERS, bundle.REVOKED)
    )
    return replace(roster, keys=keys, revoked=revoked)


def _roles(
    decision: Decision, judged: tuple[Plan, Phase], authors: Authors | None, signed: list[Signed]
) -> Iterator[str]:
    """What the phase asks of its roles, by the people in the bundle."""
    plan, phase = judged
    if not phase.signoff:
        return
    at = max([decision.decided_at, *(signature.signature.at for signature in signed)], key=_instant)
    demand = SignoffDemand(plan, phase, decision, _instant(at), authors)
    given = [signature for signature in signed if signature.signature.stance is not Stance.OVERRIDE]
    for finding in signatures(demand, given):
        mark = "no " if finding.verdict.holds_back else "yes"
        yield f"{mark} {sentences.text(finding.reason, decision.timezone)}"


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _statements(checked: Checked, files: Mapping[str, bytes], decision: Decision) -> None:
    """Whether the signed statements say what the decision says; their keys are not here."""
    if bundle.ATTESTATION not in files:
        return
    envelopes = json.loads(files[bundle.ATTESTATION])["envelopes"]
    stated = [json.loads(base64.b64decode(envelope["payload"])) for envelope in envelopes]
    ours = [
        statement["predicate"]
        for statement in statements(decision)
        if statement["predicateType"] == DECISION
    ]
    theirs = [
        statement["predicate"] for statement in stated if statement["predicateType"] == DECISION
    ]
    if theirs != ours and not _other_version(checked):
        checked.problems.append(f"{bundle.ATTESTATION} is of another decision")
    checked.lines.append(
        f"{bundle.ATTESTATION}: {count(len(stated), 'statement')} of this decision; check their "
        "signatures with the key of who issued them"
    )
