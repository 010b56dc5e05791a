"""`rollout verify`: whether the ledger is whole, from its first record to its last."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import click

from pytest_rollout.cli.bundle_check import check
from pytest_rollout.cli.project import Project, common, print_json
from pytest_rollout.cli.saying import say
from pytest_rollout.evidence.verify import Anchor, Verification, verify
from pytest_rollout.model.coding import decode
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.evidence import Head
from pytest_rollout.model.verdict import Answer

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
@click.option("--digest", default="", help="of a bundle: the digest that was noted of it")
@common
def command(
    bundle: str | None,
    files: tuple[str, ...],
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
    given = [_anchor(Path(file)) for file in files]
    if not given and ledger is None:
        given = list(reported(project))
    found = verify(project.ledger, given)
    if as_json:
        print_json(dataclasses.asdict(found))
    else:
        for line in _lines(found):
            say(line)
    return Answer.HOLD.exit_status if found.problems or found.holding else 0


def _verified(path: Path, digest: str, *, as_json: bool) -> int:
    try:
        checked = check(path.name, path.read_bytes(), digest)
    except RolloutError as error:
        raise RolloutError(f"{path}: {error}", code="bundle", file=str(path)) from error
    if as_json:
        print_json(dataclasses.asdict(checked))
    else:
        for line in (*checked.lines, *checked.problems):
            say(line)
        say(f"digest {checked.digest}")
        say("NOT whole" if checked.problems else "whole")
    return Answer.HOLD.exit_status if checked.problems else 0


@dataclasses.dataclass(frozen=True, slots=True)
class _Anchored:
    """What of a decision.json is an anchor."""

    ledger: Head


def _anchor(path: Path) -> Anchor:
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
        if len(raw) > _MOST_BYTES:
            raise ValueError(f"it is larger than {_MOST_BYTES:,} bytes")
        place = decode(_Anchored, json.loads(raw)).ledger
        return Anchor(place, str(path))
    except (OSError, ValueError, RecursionError) as error:
        why = f"{path} is no decision.json with an anchor: {error}"
        raise RolloutError(why, code="anchor", file=str(path)) from error


def reported(project: Project) -> Iterator[Anchor]:
    """The decisions in the report folder, which are of the project's own ledger."""
    for path in sorted(project.report.glob("**/decision.json")):
        yield _anchor(path)


def _lines(found: Verification) -> Iterator[str]:
    yield f"{found.records} records of {found.runs} runs"
    yield from (f"run {name} has not finished" for name in found.unfinished)
    for one in found.holding:
        yield f"{one.gate} in {one.environment} holds until a full run of it is sealed"
    yield from found.problems[:_MOST_PROBLEMS]
    if len(found.problems) > _MOST_PROBLEMS:
        yield f"and {len(found.problems) - _MOST_PROBLEMS} more"
    if found.anchored is None:
        yield "unanchored: a cut tail cannot be seen without a decision.json"
    else:
        yield f"anchored at record {found.anchored.head.sequence} by {found.anchored.source}"
    yield "NOT whole" if found.problems else "whole" + (", but unfinished" * bool(found.holding))
