"""A service of PAS without its addresses, and cards for it."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

from fixtures.pas.service.draws import Drawing
from fixtures.pas.service.engine import Engine
from fixtures.pas.service.executing import Executors
from fixtures.pas.service.gates import Gates
from fixtures.pas.service.service import Accepting, Service
from fixtures.pas.service.sharing import Sharing
from fixtures.pas.service.store import Store, sqlite_store
from fixtures.pas.service.worker import Ending, Parts
from fixtures.pas.times import instant

BEGIN = instant("2025-12-08T14:00:00Z")
_CARD = {"project_id": 1, "priority": 3, "payload": {}, "budget_usd": None}
_START = {"project_id": 1, "run_kind": "baseline", "replay_of": None, "weight": 1.0}


class Bench:
    """A full service on a clock that `passes` moves."""

    def __init__(self, store: Path | None = None) -> None:
        self.engine = Engine(BEGIN)
        self.store = Store() if store is None else sqlite_store(store)
        parts = Parts("full", Sharing(), Executors(), Drawing(), Gates(), Ending())
        self.ended: list[str] = []
        self.service = Service(
            self.engine, self.store, parts, Accepting(), lambda run: self.ended.append(run.run_id)
        )
        self._numbers = count()

    def card(self, run_id: str, lane: str, *deps: str, **more: Any) -> str:
        """Hand in a card; the id of its task."""
        body = {**_CARD, "run_id": run_id, "lane": lane, "deps": list(deps), **more}
        task_id: str = self.service.submit(body)["task_id"]
        return task_id

    def start(self, run_id: str, **more: Any) -> None:
        """Start a run."""
        self.service.start({**_START, "run_id": run_id, "budget_caps": {}, **more})

    def passes(self, seconds: float) -> None:
        """Let time pass."""
        self.engine.reach(self.engine.now + seconds)

    def status(self, run_id: str) -> dict[str, Any]:
        """What is said of a run."""
        return self.service.status(run_id)

    def tasks(self, run_id: str) -> dict[str, dict[str, Any]]:
        """What is said of the tasks of a run."""
        return {task["task_id"]: task for task in self.status(run_id)["tasks"]}
