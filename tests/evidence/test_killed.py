"""Writers that are killed or run out of space: what was committed stays, and others go on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pytest_rollout.evidence.bodies import StoredEvent
from pytest_rollout.evidence.integrity import chain_problems
from pytest_rollout.evidence.ledger import Draft
from pytest_rollout.evidence.records import RecordKind
from tests.evidence.runs import opened, reading

ROOT = Path(__file__).parents[2]
WRITES = """
import os, resource, signal, sqlite3, sys
from pathlib import Path
from pytest_rollout.evidence import opening
from pytest_rollout.evidence.bodies import StoredEvent
from pytest_rollout.evidence.ledger import Draft
from pytest_rollout.evidence.records import Batch, Observation
from pytest_rollout.model.errors import LedgerError

def event(says):
    return Draft(StoredEvent(type="change", t_us=1, says=says), "r1", "demo")

SEEN = tuple(Observation("demo", "canary", "m", (), 1, 0, one, "1") for one in range(3))

def write(path, said):
    ledger = opening.to_write(path)
    for number in range(3):
        ledger.keep_text(f"{number}", "a plan")
        head = ledger.append(event(f"{number}"))
        said(head.hash)
        batch = Batch(f"item-{number}", "demo.canary", (("pass", ""),), SEEN)
        said(ledger.append_batch("r1", "prod", batch, "main").hash)
    ledger.close()
"""
KILLED = (
    WRITES
    + """
class Counted(sqlite3.Connection):
    left = 0

    def execute(self, *given):
        self.count()
        return super().execute(*given)

    def executemany(self, *given):
        self.count()
        return super().executemany(*given)

    def count(self):
        Counted.left -= 1
        if Counted.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

connect = sqlite3.connect
sqlite3.connect = lambda *given, **named: connect(*given, factory=Counted, **named)
number = 1
while True:
    folder = Path(sys.argv[1], f"{number:03}")
    folder.mkdir()
    pid = os.fork()
    if pid == 0:
        Counted.left = number
        with open(folder / "said", "a", buffering=1) as said:
            write(folder / "ledger.db", lambda text: said.write(text + chr(10)))
        os._exit(0)
    if os.waitpid(pid, 0)[1] == 0:
        break
    number += 1
"""
)
FULL = (
    WRITES
    + """
path, room = Path(sys.argv[1]), int(sys.argv[2])
write(path, print)
ledger = opening.to_write(path)
resource.setrlimit(resource.RLIMIT_FSIZE, (room, -1))
while True:
    try:
        print(ledger.append(event("x y" * 600)).hash)
    except LedgerError as error:
        print(error, file=sys.stderr)
        break
resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))
print(ledger.append(event("there is room again")).hash)
"""
)


def test_kill_9_between_any_two_statements_loses_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=120)
    folders = sorted(tmp_path.iterdir())
    assert len(folders) > 40, "a writer makes tables, and appends in many statements"
    for folder in folders:
        said = (folder / "said").read_text().split()
        with opened(folder / "ledger.db") as ledger:
            records = list(ledger.between(0))
            hashes = [record.hash for record in records]
            assert hashes[: len(said)] == said, folder.name
            assert len(hashes) - len(said) in (0, 1), folder.name
            assert list(chain_problems(records)) == []
            whole = {3 * (record.kind is RecordKind.BATCH) for record in records}
            assert {len(ledger.rows_of(one.sequence)) for one in records} == whole, folder.name
            after = ledger.append(Draft(StoredEvent(type="change", t_us=1), "r2"))
            assert after.sequence == len(records) + 1


@pytest.mark.parametrize("room", [8_000, 60_000, 200_000])
def test_a_disk_that_is_full_is_one_message_and_takes_nothing_away(
    tmp_path: Path, room: int
) -> None:
    path = tmp_path / "ledger.db"
    command = [sys.executable, "-c", FULL, str(path), str(room)]
    done = subprocess.run(command, cwd=ROOT, check=True, timeout=60, capture_output=True, text=True)
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(f"the ledger {path} cannot be used: ")
    with reading(path) as ledger:
        records = list(ledger.between(0))
    assert [record.hash for record in records] == done.stdout.split()
    assert list(chain_problems(records)) == []
