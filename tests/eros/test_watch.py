"""`rollout watch eros.canary` on the application that runs: a fault is switched on meanwhile."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.cli.watched import events
from tests.eros.by_hand import Ramp, by_hand
from tests.evidence.runs import opened

_LONGEST_S = 60
_VIOLATES = {"violations": ["overlap"]}
_FAILS = {"fails": "raise"}
_BAD = {"quality": 60}


@dataclass
class Watch:
    """A watch that goes on while a test does other things."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    @classmethod
    @contextmanager
    def of(cls, ramp: Ramp, phase: str) -> Iterator[Watch]:
        """Watch a phase while the context lasts, and go back after a trip without asking."""
        words = ("watch", f"eros.{phase}", "--env", "prod", "--every", "500ms", "--for", "10m")
        goes_back = ("--execute", "--yes", f"eros.{phase}")
        clock = ("-m", "tests.story.clock", ramp.now.isoformat(), "pytest_rollout.cli")
        with ramp.project.started(sys.executable, *clock, *words, *goes_back) as process:
            watch = cls(process)
            reader = threading.Thread(target=watch._read)
            reader.start()
            try:
                yield watch
            finally:
                process.terminate()
                reader.join()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(self.process.stdout)

    @property
    def said(self) -> str:
        """What it has said so far."""
        return "".join(self.lines)

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds; raises AssertionError with what was said."""
        end = time.monotonic() + _LONGEST_S
        while not holds():
            assert time.monotonic() < end, self.said
            time.sleep(0.1)


def _outcomes(ramp: Ramp) -> list[str]:
    """What became of each step of the rollback, as it is on record."""
    with opened(ramp.project.folder / ".rollout/ledger.db") as ledger:
        outcomes = [one["outcome"] for one in events(ledger, "rollback-step")]
        return [outcome for outcome in outcomes if outcome != "begun"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("times", "sick", "condition"),
    [
        pytest.param(1, _VIOLATES, "gr-gate-violation", id="violation"),
        pytest.param(3, _FAILS, "gr-success-rate", id="failures", marks=pytest.mark.nightly),
        pytest.param(10, _BAD, "gr-quality", id="quality", marks=pytest.mark.nightly),
    ],
)
def test_a_fault_that_is_switched_on_takes_v5_back(
    tmp_path: Path, times: int, sick: dict[str, object], condition: str
) -> None:
    with by_hand(tmp_path, canary="") as ramp:
        ramp.step("rollout", before="canary")
        ramp.enter("canary")
        ramp.change("canary", "alexia is listed")
        ramp.step("phase", id="canary", days=4)
        with Watch.of(ramp, "canary") as watch:
            watch.until(lambda: "runs-so-far: quiet" in watch.said)
            assert ramp.ask("/flags")["EROS_V5_ENABLED"] is True
            ramp.step("disturb", pipeline="v5", creator="alexia", times=times, **sick)
            ramp.step("days", count=times / 3 + 1)
            watch.until(lambda: watch.process.poll() is not None)
        assert watch.process.returncode == 12, watch.said
        assert "eros.canary.runs-so-far tripped" in watch.said
        # The controller of EROS may have been quicker than the watch.
        first, second, *_ = _outcomes(ramp)
        assert {first, second} <= {"done", "already done"}, watch.said
        assert ramp.ask("/flags")["EROS_V5_ENABLED"] is False
        assert ramp.ask("/rollback")["active"] is True
        before = len(ramp.ask("/runs?pipeline=v5&shadow=false")["runs"])
        ramp.step("days", count=1)
        assert len(ramp.ask("/runs?pipeline=v5&shadow=false")["runs"]) == before, "v5 still serves"

        decided = ramp.decide("canary", "exit", "ROLLBACK")
        tripped = {
            one["id"].rpartition(".")[2]
            for one in ramp.decision("canary", "exit")["guardrails"]
            if one["verdict"] == "fail"
        }
        assert condition in tripped, decided.said
        assert "runs-so-far" in tripped
        _soaks_anew(ramp, tripped)


def _soaks_anew(ramp: Ramp, tripped: set[str]) -> None:
    """The fault is fixed and v5 comes back: of its seven stable days none is left."""
    ramp.step("recover", failed="canary")
    for guardrail in sorted(tripped):
        why = ("--by", "Olga", "--reason", "fixed in v1.0.1, INC-4")
        reset = ramp.rollout("reset", f"eros.canary.{guardrail}", "--env", "prod", *why)
        assert reset.status == 0, reset.said
    ramp.change("canary", "alexia is listed again")
    ramp.step("phase", id="canary", days=6)
    early = ramp.pytest("canary")
    assert early.status != 0, early.said
    assert ramp.unsettled("canary", "exit").get("seven-days-stable") == "inconclusive", early.said
    ramp.step("days", count=1)
    ramp.pytest("canary")
    assert "seven-days-stable" not in ramp.unsettled("canary", "exit")
