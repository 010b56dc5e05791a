"""The terminal client `vp`, called with a home of its own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from pytest_rollout import Reported, RolloutError
from suites.pas.views.running import Done, bare, call

COMMANDS = ("new", "plan", "estimate", "simulate", "start", "status", "logs")


@dataclass(frozen=True, slots=True)
class Client:
    """The client in a folder, with its state below a home of its own."""

    program: Path
    home: Path
    folder: Path
    pas: str
    plms: str = ""  # empty: it works without PLMS
    read_only: str = ""  # of VP_READ_ONLY; empty: it is not set

    def run(self, *words: str) -> Done:
        """Call it as people do."""
        environ = bare(self.home, PAS_API_BASE_URL=self.pas)
        if self.plms:
            environ["PLMS_API_BASE_URL"] = self.plms
        if self.read_only:
            environ["VP_READ_ONLY"] = self.read_only
        return call(f"vp {words[0]}", self.program, *words, environ=environ, folder=self.folder)

    def say(self, *words: str) -> Reported:
        """What it prints for programs; raises RolloutError where it fails."""
        return self.run(*words, "--json").said()

    def state(self) -> Reported:
        """Its state file; raises RolloutError where it cannot be read."""
        path = self.home / ".vp/state.json"
        try:
            return Reported(json.loads(path.read_text(encoding="utf-8")), "~/.vp/state.json")
        except (OSError, ValueError) as problem:
            raise RolloutError(f"the state of the client cannot be read: {problem}") from None
