"""Many processes that write one ledger; some are killed, and a server is restarted among them."""

from __future__ import annotations

import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from fixtures.kit.postgres import Postgres
from pytest_rollout.evidence.integrity import chain_problems
from pytest_rollout.evidence.records import RecordKind
from pytest_rollout.evidence.verify import verify
from tests.evidence import postgres
from tests.evidence.runs import Place, opened, reading

ROOT = Path(__file__).parents[2]
# Says the hash of each record once it is committed, and what went wrong otherwise.
WRITER = """
import sys
from pytest_rollout.evidence import opening
from pytest_rollout.evidence.bodies import StoredEvent
from pytest_rollout.evidence.ledger import Draft
from pytest_rollout.evidence.records import Batch, Observation
from pytest_rollout.model.errors import LedgerError

address, name, count = sys.argv[1:]
ledger = opening.to_write(address)
seen = tuple(Observation("demo", "canary", "m", (), 1, 0, one, "1") for one in range(3))
for number in range(int(count)):
    event = StoredEvent(type="change", t_us=1, says=f"{name}-{number}")
    batch = Batch(f"{name}-{number}", "demo.canary", (("pass", ""),), seen)
    try:
        print(ledger.append(Draft(event, "", "demo")).hash, flush=True)
        print(ledger.append_batch(name, "prod", batch, "main").hash, flush=True)
    except LedgerError as error:
        print(error, file=sys.stderr, flush=True)
ledger.close()
"""


def writer(place: Place, name: str, count: int) -> subprocess.Popen[str]:
    """A process that writes."""
    command = [sys.executable, "-c", WRITER, str(place), name, str(count)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True)


def strike(
    place: Place, writers: int, count: int, kills: int, between: Callable[[], None], seed: int
) -> None:
    """Have processes write at once, kill some, and look whether all that was said is there."""
    rng = random.Random(seed)
    running = [writer(place, f"w{number}", count) for number in range(writers)]
    while _head(place) < writers:  # all that are fast have begun
        time.sleep(0.02)
    for number in range(kills):
        time.sleep(rng.uniform(0.02, 0.3))
        running[number].send_signal(signal.SIGKILL)
        running.append(writer(place, f"again{number}", count))
        if number == kills // 2:
            between()
    said = [process.communicate(timeout=300) for process in running]
    _look(place, said, kills, [one.returncode for one in running])


def _head(place: Place) -> int:
    with reading(place) as ledger:
        return ledger.head().sequence


def _look(
    place: Place, said: Sequence[tuple[str, str]], kills: int, statuses: Sequence[int]
) -> None:
    assert Counter(statuses)[-signal.SIGKILL] <= kills
    assert not [one for one in statuses if one not in (0, -signal.SIGKILL)], said
    told = "".join(error for _, error in said)
    assert "Traceback" not in told, told
    assert all(re.search(r"\(.*\)$", line) for line in told.splitlines()), told
    committed = {hash_ for out, _ in said for hash_ in out.split() if len(hash_) == 64}
    with reading(place) as ledger:
        records = list(ledger.between(0))
        assert list(chain_problems(records)) == []
        assert committed <= {record.hash for record in records}
        assert len(records) - len(committed) <= kills, "at most one a killed process"
        items = Counter(
            (one.kind, match[0])
            for one in records
            if (match := re.search(r"(?:w|again)\d+-\d+", one.body))
        )
        assert set(items.values()) == {1}, "nothing is doubled"
        whole = {3 * (record.kind is RecordKind.BATCH) for record in records}
        assert {len(ledger.rows_of(one.sequence)) for one in records} == whole
        problems = verify(ledger, ()).problems
        assert not [one for one in problems if "first record" not in one]  # batches of no run


@pytest.mark.parametrize(
    ("writers", "count", "kills"),
    [
        pytest.param(3, 12, 1, id="few"),
        pytest.param(16, 150, 6, id="many", marks=[pytest.mark.nightly, pytest.mark.slow]),
    ],
)
def test_postgres_is_restarted_among_killed_writers_and_nothing_is_lost(
    postgres_server: Postgres, tmp_path: Path, writers: int, count: int, kills: int
) -> None:
    def restart() -> None:
        postgres_server.pause()
        time.sleep(0.3)
        postgres_server.go_on()

    place = postgres.place_of(postgres_server.url, tmp_path)
    with opened(place):
        pass
    strike(place, writers, count, kills, restart, seed=7)


@pytest.mark.parametrize(
    ("writers", "count", "kills"),
    [
        pytest.param(2, 10, 1, id="few"),
        pytest.param(4, 300, 3, id="many", marks=[pytest.mark.nightly, pytest.mark.slow]),
    ],
)
def test_writers_of_one_file_are_killed_and_nothing_is_lost(
    tmp_path: Path, writers: int, count: int, kills: int
) -> None:
    place = tmp_path / "ledger.db"
    with opened(place):
        pass
    strike(place, writers, count, kills, lambda: None, seed=7)
