"""Watches in the ledger: runs of their own kind, sealed bit by bit, holes where one was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pytest_rollout.evidence.bodies import ItemReport
from pytest_rollout.evidence.decoding import said
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.records import Record, RecordKind
from pytest_rollout.evidence.resets import reset
from pytest_rollout.evidence.verify import verify
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.evidence import ReleaseFact
from pytest_rollout.model.reset import Reset
from pytest_rollout.model.verdict import Verdict
from pytest_rollout.watching import looking
from pytest_rollout.watching.looking import Looking
from pytest_rollout.watching.poll import Poller, sources
from pytest_rollout.watching.real_targets import RealPlace
from pytest_rollout.watching.record import Recording, Watched
from tests.cli.watched import PLAN, Service, happen, serving
from tests.evidence.runs import EXIT, Writer, opened, plan_of, tamper
from tests.words import because, reasons

OTHER = "      - {id: errs, metric: errors, take: max, fail: '> 5', then: pause}\n"
TEXT = PLAN.replace("    rollback:\n", f"{OTHER}    rollback:\n", 1)
ROOT = Path(__file__).parents[2]


class Scene:
    """A watch in this process."""

    def __init__(self, ledger: Ledger, seal_every_s: float = 600) -> None:
        plan = plan_of(TEXT)
        phase = plan.phases[1]
        place = RealPlace("demo.canary", plan.environments["prod"], ROOT)
        self.poller = Poller(sources(phase), place, ROOT, 1_000_000, 0.01)
        watched = Watched(EXIT, "prod", ("lag",), plan.digest, {plan.digest: TEXT}, {})
        self.recording = Recording(ledger, watched)
        self.release = "v1"
        self.looking = Looking(
            plan, phase, self.poller, self.recording, self.identified, seal_every_s
        )

    def identified(self, when: str) -> ReleaseFact:
        """What the target says."""
        return ReleaseFact(when, self.release)


def decided(ledger: Ledger, name: str = "r1") -> Decision:
    """The exit's decision by a run that saw the other guardrail's series."""
    one = Writer(ledger, name, "prod", TEXT, gates=(EXIT,))
    one.start()
    one.manifest()
    one.checks(errors=(0, 0), t_us=one.ledger_now())
    one.seal()
    return one.decide().decisions[0]


def rails(decision: Decision) -> list[str]:
    """The verdict of each guardrail."""
    return [one.verdict.value for one in decision.guardrails]


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> object:
    """A service that is asked."""
    with serving() as found:
        monkeypatch.setenv("DEMO_API", found.url)
        yield found


def batches(ledger: Ledger) -> list[Record]:
    """What watches left."""
    found = [one for one in ledger.between(0) if one.kind is RecordKind.BATCH]
    return [one for one in found if said(one, ItemReport).worker == "watch"]


def test_a_watch_that_was_killed_is_holes_and_loses_nothing(
    tmp_path: Path, service: Service
) -> None:
    (tmp_path / "rollout.yaml").write_text(TEXT)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    path = tmp_path / ".rollout" / "ledger.db"
    with opened(path) as ledger:
        happen(ledger)
        command = [sys.executable, "-m", "pytest_rollout.cli", "watch", "demo.canary"]
        process = subprocess.Popen(
            [*command, "--every", "20ms", "--for", "60s"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
        )
        until = time.monotonic() + 30
        while service.asked < 4 and time.monotonic() < until:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        kept = batches(ledger)
        assert len(kept) >= 3
        assert all(len(ledger.rows_of(one.sequence)) == 1 for one in kept)
        found = decided(ledger)
        assert found.answer.value == "HOLD"
        assert rails(found) == ["inconclusive", "pass"]  # of what it asked for, and of no other
        assert "its run was never sealed" in because(found.guardrails[0])
        checked = verify(ledger, ())
        assert (checked.unfinished, checked.problems) == ((kept[0].run,), ())
        reset(ledger, Reset("demo.canary.lag", "A", "it was killed", 0, "", "blind", "v1"), "prod")
        scene = Scene(ledger)
        scene.looking.start()
        scene.looking.look()
        scene.looking.end()
        after = decided(ledger, "r2")
        assert (after.answer.value, rails(after)) == ("GO", ["pass", "pass"])


def test_a_long_watch_is_sealed_bit_by_bit(tmp_path: Path, service: Service) -> None:
    with opened(tmp_path / "ledger.db") as ledger:
        happen(ledger)
        scene = Scene(ledger, seal_every_s=0)
        scene.looking.start()
        for _ in range(3):
            look = scene.looking.look()
        (lag, _) = look.found
        assert "over 3 samples" in because(lag.finding)  # also those of the runs that are sealed
        seals = [one for one in ledger.between(0) if one.kind is RecordKind.SEAL]
        assert len(seals) == 3  # all but the one that is open
        scene.looking.end()
        found = decided(ledger)
        assert rails(found) == ["pass", "pass"]
        assert "over 3 samples" in because(found.guardrails[0])


def test_a_gate_takes_nothing_from_a_watch_that_still_runs(
    tmp_path: Path, service: Service
) -> None:
    with opened(tmp_path / "ledger.db") as ledger:
        happen(ledger)
        scene = Scene(ledger)
        scene.looking.start()
        scene.looking.look()
        assert rails(decided(ledger)) == ["inconclusive", "pass"]
        scene.looking.end()
        assert rails(decided(ledger, "r2")) == ["pass", "pass"]


def test_another_release_is_watched_anew(tmp_path: Path, service: Service) -> None:
    service.lags = [9, 0]
    with opened(tmp_path / "ledger.db") as ledger:
        happen(ledger)
        scene = Scene(ledger, seal_every_s=0)
        scene.looking.start()
        assert scene.looking.look().found[0].finding.verdict is Verdict.FAIL
        scene.looking.end()
        scene.release = "v2"
        scene.looking.start()
        look = scene.looking.look()
        assert (look.release, look.found[0].finding.verdict) == ("v2", Verdict.PASS)


def test_what_was_taken_out_of_a_watch_shows(tmp_path: Path, service: Service) -> None:
    path = tmp_path / "ledger.db"
    with opened(path) as ledger:
        happen(ledger)
        scene = Scene(ledger)
        scene.looking.start()
        scene.looking.look()
        scene.looking.end()
    tamper(path, "UPDATE observations SET value = '1' WHERE metric = 'lag'")
    with opened(path) as ledger:
        found = decided(ledger)
        assert (found.answer.value, "was damaged" in reasons(found)[0]) == ("HOLD", True)
        assert verify(ledger, ()).problems


def test_a_watch_that_was_killed_before_its_first_look_may_have_seen_something(
    tmp_path: Path, service: Service
) -> None:
    with opened(tmp_path / "ledger.db") as ledger:
        happen(ledger)
        Scene(ledger).looking.start()
        whole = Scene(ledger)
        whole.looking.start()
        whole.looking.look()
        whole.looking.end()
        found = decided(ledger)
        assert (found.answer.value, rails(found)) == ("HOLD", ["inconclusive", "pass"])


def test_asking_goes_on_where_judging_is_slow(
    tmp_path: Path, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "_SLOW_S", 0.0)
    monkeypatch.setattr(looking, "_SHARE", 10**6)
    service.lags = [0, 9]
    with opened(tmp_path / "ledger.db") as ledger:
        happen(ledger)
        scene = Scene(ledger)
        scene.looking.start()
        assert scene.looking.look().judged
        later = scene.looking.look()
        assert (later.judged, later.found[0].finding.verdict) == (False, Verdict.PASS)
        assert len(batches(ledger)) == 2
        last = scene.looking.look(last=True)
        assert (last.judged, last.found[0].finding.verdict) == (True, Verdict.FAIL)
