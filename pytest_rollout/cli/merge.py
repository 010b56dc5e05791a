"""`rollout merge`: bring what other ledgers hold into the project's."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import ExitStack, closing

import click

from pytest_rollout import processes
from pytest_rollout.cli.project import Project, common, print_json
from pytest_rollout.cli.saying import say
from pytest_rollout.evidence import opening
from pytest_rollout.evidence.bodies import Process
from pytest_rollout.evidence.merging import Merged, fit_to_merge, merge
from pytest_rollout.report.fact_words import count

_WORDS = {
    "attestation": "attestation",
    "signature": "signature",
    "event": "event of a phase",
    "reset": "reset",
    "drill": "drill",
}
_MANY = {"event of a phase": "events of phases"}


@click.command("merge")
@click.argument("ledgers", nargs=-1, required=True, metavar="LEDGER...")
@click.option("--into", metavar="LEDGER", help="the ledger to merge into (default: the project's)")
@common
def command(
    ledgers: tuple[str, ...],
    into: str | None,
    root: str | None,
    ledger: str | None,
    *,
    as_json: bool,
) -> int:
    """Bring the runs, attestations, signatures and events of other LEDGERs into the project's.

    Each record keeps the place that it had, so that every ledger can still be verified out of the
    merged one. The same ledgers give the same result in any order, and twice is as good as once.
    Decisions stay as they were made; what came in counts from the next run on, or from the next
    `rollout join`.
    """
    project = None if into else Project.here(root, ledger)
    target = project.ledger_at if project else opening.address_in(str(into), "")
    shown = project.ledger_shown if project else str(into)
    merged = merge_into(target, ledgers)
    if as_json:
        facts = dataclasses.asdict(merged)
        facts["blind"] = [record.subject for record in merged.blind]
        print_json({"ledger": shown, **facts})
    else:
        for line in _lines(shown, merged):
            say(line)
    return 0


def merge_into(target: str, sources: tuple[str, ...]) -> Merged:
    """Merge ledgers into one, which is made where there is none; raises LedgerError."""
    with ExitStack() as stack:
        opened = [stack.enter_context(closing(opening.to_read(source))) for source in sources]
        if not opening.exists(target):  # nothing is made where nothing can be merged
            for source in opened:
                fit_to_merge(source, running)
        mine = stack.enter_context(closing(opening.to_write(target)))
        return merge(mine, opened, running=running)


def running(process: Process) -> bool:
    """Whether the process of a run still runs on this machine."""
    return processes.runs(process.host, process.pid, process.began)


def _lines(target: str, merged: Merged) -> Iterator[str]:
    if not merged.records:
        yield f"{target} holds all of it already: nothing new"
        return
    parts = [count(len(merged.runs), "run")] if merged.runs else []
    for kind, number in merged.kinds.items():
        word = _WORDS.get(kind, kind)
        many = number != 1 and word in _MANY
        parts.append(f"{number} {_MANY[word]}" if many else count(number, word))
    came = ", ".join(parts) or "more of the runs that it knew"
    yield f"{count(merged.records, 'new record')} in {target}: {came}"
    for run in merged.unfinished:
        yield f"run {run} never finished; it holds its gates until a full run is sealed"
    for record in merged.blind:
        yield (
            f"the reset of {record.subject} does not count: what was seen in another ledger "
            "before was not known then; reset it again (rollout reset)"
        )
    yield f"head {merged.head.hash[:16]} at record {merged.head.sequence}; rollout verify checks it"
    yield "what came in counts from the next run on; `rollout join PLAN.PHASE` joins partial runs"
