"""What a decision was made from, each by its digest: runs, records, files, other decisions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from urllib.parse import quote

from pytest_rollout.evidence.records import Record, seal_digest
from pytest_rollout.evidence.run_log import RunLog
from pytest_rollout.model.provenance import Input, input_of


def of_run(log: RunLog) -> Input:
    """Return a run by the digest in its seal; without one, by that which a seal would have."""
    seal = log.seal
    digest = seal.digest if seal else seal_digest(record.hash for record in log.evidence)
    return input_of(f"rollout-run:{quote(log.first.run)}", digest)


def of_files(log: RunLog, plan: str) -> tuple[Input, ...]:
    """Return the texts that a run was asked by: the plan, and the files and calendars beside it."""
    start = log.start
    files = {**start.beside.get(plan, {}), **start.calendars.get(plan, {})}
    stated = start.plans.get(plan)
    own = (input_of(f"rollout-plan:{quote(plan)}", stated),) if stated else ()
    return (*own, *(input_of(f"rollout-file:{quote(name)}", files[name]) for name in files))


def of_records(records: Iterable[Record]) -> tuple[Input, ...]:
    """Return records of no run, as attestations, resets and events, by what they say."""
    return tuple(
        input_of(
            f"rollout-{record.kind}:{quote(record.subject)}@{record.at_us}",
            hashlib.sha256(record.body.encode()).hexdigest(),
        )
        for record in records
    )


def of_decision(gate: str, run: str, document: str) -> Input:
    """Return the decision that another run stored, or this run of another gate."""
    digest = hashlib.sha256(document.encode()).hexdigest()
    return input_of(f"rollout-decision:{quote(gate)}@{quote(run)}", digest)


def in_order(inputs: Iterable[Input]) -> tuple[Input, ...]:
    """Return inputs each once, in one order: in which they were read is of no weight."""
    distinct = {(source.uri, tuple(source.digest.items())): source for source in inputs}
    return tuple(distinct[key] for key in sorted(distinct))
