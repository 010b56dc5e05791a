"""Whether something else that a target runs was put on record as a change."""

from __future__ import annotations

import time

from pytest_rollout.evidence.decoding import UndecodableError
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.since_begin import life_of
from pytest_rollout.judge.since_begin import followed
from pytest_rollout.model.evidence import ReleaseFact
from pytest_rollout.model.life import CONFIGURATION, RELEASE, TargetReading
from pytest_rollout.watching.record import Watched


def is_on_record(ledger: Ledger, watched: Watched, fact: ReleaseFact) -> bool:
    """Return whether what was read is expected since the begin, changes on record included.

    False where nothing is known to compare with: before the begin, or where the ledger is
    damaged, of which the judgement tells. Raises LedgerError.
    """
    before = ledger.head().sequence + 1
    try:
        life = life_of(ledger, watched.address, watched.environment, before).life
    except UndecodableError:
        return False
    if life is None or life.begin is None or not life.begin.frozen:
        return False
    read = {RELEASE: fact.release, CONFIGURATION: fact.configuration}
    now = TargetReading(time.time_ns() // 1000, read, watch=True)
    expected = followed(life.begin, (*life.since, now)).expected
    return all(expected.get(key) == text for key, text in read.items())
