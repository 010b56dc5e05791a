"""`rollout verify`: whether the ledger is whole, from its first record to its last."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from pytest_rollout.cli.project import Project, common, print_json
from pytest_rollout.cli.saying import say
from pytest_rollout.evidence.anchors import Anchor
from pytest_rollout.evidence.verify import Verification, verify
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.coding import decode
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.evidence import Head
from pytest_rollout.model.verdict import Answer
from pytest_rollout.report import run_folders
from pytest_rollout.report.fact_words import count

_MOST_PROBLEMS = 20
_MOST_BYTES = 64_000_000


@click.command("verify")
@click.argument("bundle", required=False)
@click.option(
    "--anchor",
    "files",
    multiple=True,
    help="a decision.json kept elsewhere (default: those in the report folder)",
)
@click.option("--receipt", metavar="FILE", help="a receipt of `rollout clear`, instead")
@click.option("--digest", default="", help="of a bundle: the digest that was noted of it")
@common
def command(
    bundle: str | None,
    files: tuple[str, ...],
    receipt: str | None,
    digest: str,
    root: str | None,
    ledger: str | None,
    *,
    as_json: bool,
) -> int:
    """Verify the whole ledger: edits, deletions, reordering, and a cut tail.

    A decision.json holds a place in the chain, its anchor; without one a cut tail cannot be
    seen. Exit status 0 where all is whole and no gate's last full run is unfinished, else 11.
    With a BUNDLE of `rollout export` it is checked alone: every digest, its ledger, the decision
    (judged again), its reports and its signatures. It needs no project.
    """
    if bundle is not None:
        return _verified(Path(bundle), digest, as_json=as_json)
    project = Project.here(root, ledger)
    if receipt:
        return _receipt(project, Path(receipt), as_json=as_json)
    given = [_anchor(Path(file)) for file in files]
    if not given and ledger is None:
        given = list(reported(project))
    verified = verify(project.ledger, given)
    if as_json:
        print_json(asdict(verified))
    else:
        for line in _lines(verified):
            say(line)
    wrong = verified.problems or verified.holding or verified.foreign
    return Answer.HOLD.exit_status if wrong else 0


def _receipt(project: Project, path: Path, *, as_json: bool) -> int:
    """Whether a receipt still counts; 11 where it does not."""
    from pytest_rollout.cli.receipts import wrong

    verified = verify(project.ledger, ())
    given, problems = wrong(project, path)
    problems = [*verified.problems[:1], *problems]
    if as_json:
        facts = {"gate": given.gate, "environment": given.environment, "until": given.until}
        print_json({"valid": not problems, **facts, "problems": problems})
    else:
        for problem in problems:
            say(f"  no   {problem}")
        answer = "does NOT count" if problems else f"counts until {given.until}"
        answer += f", under OVERRIDE by {' and '.join(given.overridden)}" * bool(given.overridden)
        say(f"the receipt of {given.gate} in {given.environment} {answer}")
    return Answer.HOLD.exit_status if problems else 0


def _verified(path: Path, digest: str, *, as_json: bool) -> int:
    from pytest_rollout.cli.bundle_check import check  # what renders reports takes its time

    try:
        checked = check(path.name, path.read_bytes(), digest)
    except RolloutError as error:
        raise RolloutError(f"{path}: {error}", code="bundle", file=str(path)) from error
    if as_json:
        print_json(asdict(checked))
    else:
        for line in (*checked.lines, *checked.problems):
            say(line)
        say(f"digest {checked.digest}")
        say("NOT whole" if checked.problems else "whole")
    return Answer.HOLD.exit_status if checked.problems else 0


@dataclass(frozen=True, slots=True)
class _Anchored:
    """What of a decision.json is an anchor."""

    ledger: Head
    run: str = ""


def _anchor(path: Path) -> Anchor:
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
        if len(raw) > _MOST_BYTES:
            raise ValueError(f"it is larger than {_MOST_BYTES:,} bytes")
        anchored = decode(_Anchored, json.loads(raw))
        return Anchor(anchored.ledger, str(path), anchored.run)
    except (OSError, ValueError, RecursionError) as error:
        why = f"{path} is no decision.json with an anchor: {error}"
        raise RolloutError(why, code="anchor", file=str(path)) from error


def reported(project: Project) -> Iterator[Anchor]:
    """The decisions in the report folder, which are of the project's own ledger."""
    for path in run_folders.decisions(project.report):
        yield _anchor(path)


def _lines(verified: Verification) -> Iterator[str]:
    yield f"{verified.records} records of {verified.runs} runs"
    settled = {
        settlement.run: f": settled by {settlement.by} at {settlement.at} ({settlement.why})"
        for settlement in verified.settled
    }
    yield from (
        f"run {name} has not finished{settled.get(name, '')}" for name in verified.unfinished
    )
    for act in verified.compacted:
        yield (
            f"{count(len(act.runs), 'run')} cannot be judged again: the observations were taken "
            f"out at {act.at} by {act.by} ({act.why})"
        )
    for open_run in verified.holding:
        yield f"{open_run.gate} in {open_run.environment} holds until a full run of it is sealed"
    yield from verified.problems[:_MOST_PROBLEMS]
    if len(verified.problems) > _MOST_PROBLEMS:
        yield f"and {len(verified.problems) - _MOST_PROBLEMS} more"
    for anchor in verified.foreign:
        yield f"{anchor.source} belongs to another ledger (record {anchor.head.sequence})"
    if verified.anchored is None:
        yield "unanchored: a cut tail cannot be seen without a decision.json"
    else:
        yield f"anchored at record {verified.anchored.head.sequence} by {verified.anchored.source}"
    held = ", but not anchored" * bool(verified.foreign) + ", but unfinished" * bool(
        verified.holding
    )
    yield "NOT whole" if verified.problems else f"whole{held}"
