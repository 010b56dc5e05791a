"""A project whose rollout is guarded by commands alone, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).parents[2]
_LONGEST_S = 900


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command said, and its exit status."""

    status: int
    said: str

    @property
    def last_line(self) -> str:
        """The last line of its output."""
        return (self.said.strip().splitlines() or [""])[-1]


@dataclass(frozen=True, slots=True)
class Guarded:
    """A folder with a plan and its checks, and what its commands find in their environment."""

    folder: Path
    given: Mapping[str, str]

    @property
    def environ(self) -> dict[str, str]:
        """The environment of each command: nothing of the pytest that runs this test."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
        return {**kept, "PYTHONPATH": str(ROOT), "COLUMNS": "200", **self.given}

    def run(self, *command: str) -> Answer:
        """Run a command to its end."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=_LONGEST_S,
        )
        return Answer(done.returncode, done.stderr + done.stdout)

    def pytest(self, *arguments: str) -> Answer:
        """Run pytest."""
        return self.run(*_PYTEST, *arguments)

    def started(self, *command: str) -> subprocess.Popen[str]:
        """Start a command that goes on while others run."""
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def rollout(self, *arguments: str) -> Answer:
        """Run the `rollout` command."""
        return self.run(sys.executable, "-m", "pytest_rollout.cli", *arguments)

    def sign(self, gate: str, person: str, role: str, *more: str) -> Answer:
        """Have a person sign the last decision of a gate with their key."""
        key = str(self.key(person))
        return self.rollout("sign", gate, "--as", role, "--by", person, "--key", key, *more)

    def key(self, person: str) -> Path:
        """The private key of a person; it is made when it is first asked for."""
        path = self.folder.with_name("keys") / person.partition("@")[0]
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", person, "-f", str(path)]
            subprocess.run(words, check=True)
        return path

    def has_people(self, beside: Path, roles: Mapping[str, str]) -> None:
        """Write roles.yaml and allowed_signers beside a plan: ``roles`` is person to role."""
        people = "".join(f"  - {{id: {who}, roles: [{role}]}}\n" for who, role in roles.items())
        beside.joinpath("roles.yaml").write_text(f"people:\n{people}")
        signers = [
            f'{who} namespaces="pytest-rollout" {self.key(who).with_suffix(".pub").read_text()}'
            for who in roles
        ]
        beside.joinpath("allowed_signers").write_text("".join(signers))


_PYTEST = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:randomly")


@dataclass(frozen=True, slots=True)
class Slot:
    """Hours of today around now, in a zone where it is about noon.

    No day ends and no hour comes twice while a test runs.
    """

    zone: str
    begin: datetime  # as clocks of the zone read

    @classmethod
    def around_now(cls, since: timedelta) -> Slot:
        """The slot that begins so long after now."""
        now = datetime.now(UTC)
        ahead = 12 - now.hour
        zone = f"Etc/GMT{-ahead:+d}" if ahead else "Etc/GMT"  # POSIX: what is west is plus
        begin = now + since + timedelta(hours=ahead)
        return cls(zone, begin.replace(second=0, microsecond=0, tzinfo=None))

    def hours(self, minutes: int) -> str:
        """The slot as a plan states it, so many minutes long."""
        return f"{self.begin:%H:%M}-{self.begin + timedelta(minutes=minutes):%H:%M}"

    @property
    def date(self) -> str:
        """Its day."""
        return f"{self.begin:%Y-%m-%d}"
