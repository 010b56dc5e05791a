"""Running the PLMS suite of this repository as a user would, with evidence kept elsewhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A run of pytest on the suite."""

    folder: Path
    status: int
    output: str
    phase: str = "day3"

    @property
    def last_line(self) -> str:
        """The last word."""
        return self.output.strip().splitlines()[-1]

    def decision(self, gate: str, environment: str = "embedded", drill: str = "") -> dict[str, Any]:
        """What was decided of one gate of the phase."""
        base = self.folder / "report" / ("drills/" + drill if drill else "")
        path = base / "plms" / environment / self.phase / gate / "decision.json"
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return data

    def verdicts(self, drill: str = "") -> dict[str, str]:
        """The verdict of each criterion of both gates, by its slug."""
        both = [self.decision(gate, drill=drill)["criteria"] for gate in ("entry", "exit")]
        return {one["id"].rpartition(".")[2]: one["verdict"] for found in both for one in found}

    def rollout(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The `rollout` command on the evidence of this run."""
        command = [sys.executable, "-m", "pytest_rollout.cli", *arguments]
        command += ["--ledger", str(self.folder / "ledger.db")]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def rehearse(folder: Path, *arguments: str, phase: str = "day3", **environ: str) -> Rehearsal:
    """Run `pytest -m PHASE` with evidence and reports below a folder."""
    command = [sys.executable, "-m", "pytest", "-m", phase, "-p", "no:cacheprovider", "suites"]
    command += [f"--rollout-ledger={folder / 'ledger.db'}", f"--rollout-report={folder / 'report'}"]
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    done = subprocess.run(
        [*command, *arguments],
        cwd=ROOT,
        env={**kept, "PYTHONDONTWRITEBYTECODE": "", **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return Rehearsal(folder, done.returncode, done.stdout + done.stderr, phase)
