"""A phase that a child pytest runs, while the loads that it makes are followed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.load import files
from pytest_rollout.load.tied_process import Tied, tied
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.load import LoadProfile, LoadRecord
from pytest_rollout.model.plan import EMBEDDED, Gate, Phase, Plan

_GRACE_S = 20.0  # for pytest to end what it started, and to seal its run
_NOT_HANDED_ON = ("PYTEST_CURRENT_TEST", "PYTEST_XDIST_")


@dataclass(frozen=True, slots=True)
class Asked:
    """Which phase is run, where, and by which files."""

    plan: Plan
    phase: Phase
    environment: str
    root: Path
    ledger: str  # its address; empty: as the project is configured

    @property
    def name(self) -> str:
        """The phase's full name."""
        return self.plan.address(self.phase.id).name


def command_of(asked: Asked) -> list[str]:
    """Return the command that runs a phase whole; a rehearsal decides gates that have criteria."""
    plan, phase = asked.plan, asked.phase
    marks = " and ".join(dict.fromkeys((plan.id, *phase.marks)))
    command = [sys.executable, "-m", "pytest", "-m", marks, "--rollout-phase", asked.name]
    command += ["-p", "no:cacheprovider", "--color=no", "--rootdir", str(asked.root)]
    command += ["--rollout-env", asked.environment]
    if asked.ledger:
        command += [f"--rollout-ledger={asked.ledger}"]
    gates = {criterion.gate for criterion in phase.criteria}
    if asked.environment == EMBEDDED and len(gates) == 1:
        command += ["--rollout-gate", next(iter(gates), Gate.EXIT).value]
    return [*command, str((asked.root / plan.path).parent)]


class PhaseChild:
    """A pytest that runs, and the load that it makes at the moment."""

    def __init__(self, pytest: Tied, folder: Path) -> None:
        self._pytest = pytest
        self._folder = folder

    def has_ended(self) -> bool:
        """Whether it ended."""
        return self._pytest.status is not None

    def ended(self) -> tuple[int, list[str]]:
        """Its exit status and the last lines that it said, once it has ended."""
        status = self._pytest.wait()
        assert status is not None
        return status, self._pytest.said()

    def now(self) -> tuple[LoadProfile, LoadRecord] | None:
        """The load that is made at the moment, with its record so far; None where there is none."""
        for status in sorted(self._folder.glob(f"*/{files.STATUS_FILE}"), reverse=True):
            with suppress(OSError, ValueError, RolloutError):
                record = files.read_record(status)
                if record is not None:
                    return files.read_profile(status.with_name(files.PROFILE_FILE)), record
        return None


@contextmanager
def running(asked: Asked, folder: Path) -> Iterator[PhaseChild]:
    """Run the phase while the block runs; leaving the block ends it, with all that it started."""
    handed_on = {k: v for k, v in os.environ.items() if not k.startswith(_NOT_HANDED_ON)}
    environment = {**handed_on, files.FOLLOWED: str(folder)}
    log = folder / "pytest.log"
    with tied(command_of(asked), asked.root, environment, log, _GRACE_S) as pytest:
        yield PhaseChild(pytest, folder)


def phases_of(plans: Sequence[Plan], name: str) -> list[tuple[Plan, Phase]]:
    """Return the phases of that id, of each plan that has one."""
    pairs = ((plan, plan.phase(name)) for plan in plans)
    return [(plan, phase) for plan, phase in pairs if phase is not None]
