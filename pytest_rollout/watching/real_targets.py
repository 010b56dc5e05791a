"""The targets of a real environment, as they are asked from outside of pytest."""

from __future__ import annotations

import threading
from pathlib import Path

from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.load import LoadRecord
from pytest_rollout.model.plan import Environment, Target
from pytest_rollout.targets.address import filled
from pytest_rollout.targets.target import LiveTarget


class RealPlace:
    """A phase in a real environment; clients are made once and may be used by several threads."""

    def __init__(self, phase: str, environment: Environment, root: Path) -> None:
        self._phase = phase
        self._environment = environment
        self._root = root
        self._live: dict[str, LiveTarget] = {}
        self._lock = threading.Lock()

    @property
    def id(self) -> str:
        """The phase's full name."""
        return self._phase

    @property
    def environment(self) -> str:
        """The environment's name."""
        return self._environment.name

    def target(self, name: str) -> LiveTarget:
        """A target that answers HTTP; raises RolloutError where there is none of that name."""
        target = self._described(name)
        with self._lock:
            if name not in self._live:
                url = filled(str(target.address), name)
                self._live[name] = LiveTarget(name, url, self.environment)
            return self._live[name]

    def file(self, name: str) -> Path:
        """The path of a target that is a file; raises RolloutError where there is none."""
        target = self._described(name)
        if target.file is not None:
            return self._root / filled(target.file, name)
        return Path(filled(str(target.address), name))

    def address(self, name: str) -> str:
        """Where a target is: its URL, or the path of its file."""
        return str(self.file(name)) if self._described(name).file else self.target(name).url

    def load_record(self, name: str) -> LoadRecord:
        """Raise RolloutError: who watches makes no load."""
        raise RolloutError(f"load {name}: a load is made by a run of pytest only")

    def close(self) -> None:
        """Let go of every client."""
        for target in self._live.values():
            target.close()

    def _described(self, name: str) -> Target:
        target = self._environment.targets.get(name)
        if target is None:
            raise RolloutError(f"environment {self.environment} has no target {name!r}")
        return target
