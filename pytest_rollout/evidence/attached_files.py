"""The files that checks of a run attached, found by their names."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.run_log import RunLog, evidence_of
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.story import Kept


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A file by its name; without its content where that is gone, or is not what was attached."""

    name: str
    content: bytes | None


def attached_files(
    ledger: Ledger, run: str, phase: str, wanted: Callable[[str], bool]
) -> tuple[AttachedFile, ...]:
    """Return what the checks of a phase attached, of one name what was attached last.

    Those of runs that were joined are among them. Raises UndecodableError.
    """
    digests: dict[str, str] = {}
    for log in _logs(ledger, run):
        for batch in log.batches:
            if batch.body.phase == phase:
                files = (file for file in batch.body.attachments if wanted(file.name))
                digests.update((file.name, file.digest) for file in files)
    return tuple(AttachedFile(name, _whole(ledger, digests[name])) for name in sorted(digests))


def kept_of(ledger: Ledger, run: str, phase: str) -> Iterator[Kept]:
    """Yield the files that checks of a phase attached, in order. Raises UndecodableError."""
    for log in _logs(ledger, run):
        for batch in log.batches:
            if batch.body.phase == phase:
                for file in batch.body.attachments:
                    yield Kept(batch.body.item, file.name, file.size, file.digest)


def _logs(ledger: Ledger, run: str) -> Iterator[RunLog]:
    log = evidence_of(ledger, run)
    for joined in log.start.joins if log.records else ():
        yield from _logs(ledger, joined)
    yield log


def _whole(ledger: Ledger, digest: str) -> bytes | None:
    content = ledger.store.get(digest)
    if content is None or hashlib.sha256(content).hexdigest() != digest:
        return None
    return content
