"""xdist: what the controller tells and hears, and phases that are never split over workers."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from xdist.scheduler.loadscope import LoadScopeScheduling

from pytest_rollout.evidence import opening
from pytest_rollout.evidence.decoding import UndecodableError
from pytest_rollout.evidence.run_log import RunLog
from pytest_rollout.model.errors import LedgerError
from pytest_rollout.model.evidence import Head
from pytest_rollout.session.request import WORKERINPUT, WORKEROUTPUT, Handover, Request

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController


class PhaseScheduling(LoadScopeScheduling):
    """A work unit is a phase; items that belong to none are units of their own.

    What a crashed worker left of a phase is not run elsewhere: its scenarios would start a
    second time. Those items stay missing.
    """

    def __init__(
        self, config: pytest.Config, log: Any, phases: Callable[[], dict[str, str]]
    ) -> None:
        super().__init__(config, log)
        self._phases = phases
        self._known: dict[str, str] | None = None

    def _split_scope(self, nodeid: str) -> str:
        if self._known is None:
            self._known = self._phases()
        return self._known.get(nodeid, nodeid)

    def remove_node(self, node: WorkerController) -> str | None:
        """Forget what a lost worker had not finished, and name the item it was running."""
        workload = self.assigned_work.get(node, {})
        unfinished = [name for unit in workload.values() for name, done in unit.items() if not done]
        for unit in workload.values():
            for name in unit:
                unit[name] = True
        super().remove_node(node)
        return unfinished[0] if unfinished else None


class Workers:
    """The controller's side."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._started: set[str] = set()
        self._ended: set[str] = set()
        self.problems: list[str] = []
        self.offences: list[str] = []
        self.notes: list[str] = []
        self.heads: list[Head] = []  # the last record of each worker

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: WorkerController) -> None:
        """Tell a worker which run it belongs to."""
        gates = tuple(str(gate) for gate in self._request.gates)
        told = Handover(self._request.run, gates, self._request.drill)
        node.workerinput[WORKERINPUT] = told.to_json()
        self._started.add(node.gateway.id)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: WorkerController, error: object | None) -> None:
        """Hear what a worker has to say; one that says nothing is lost."""
        name = node.gateway.id
        output: dict[str, Any] | None = getattr(node, "workeroutput", None)
        if error or output is None or WORKEROUTPUT not in output:
            lines = str(error or "it said nothing at its end").strip().splitlines()
            self.problems.append(f"worker {name} was lost: {lines[-1]}")
            return
        self._ended.add(name)
        said = json.loads(output[WORKEROUTPUT])
        self.offences += [one for one in said["offences"] if one not in self.offences]
        self.notes += [one for one in said["notes"] if one not in self.notes]
        self.heads += [Head(*one) for one in said["heads"]]
        if said["trouble"]:
            self.problems.append(said["trouble"])

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        """Keep phases whole, whatever `--dist` says; plain runs keep their own scheduler."""
        return PhaseScheduling(config, log, self._phases) if self._request.deciding else None

    def _phases(self) -> dict[str, str]:
        """Which phase each bound item belongs to, from the workers' manifests."""
        try:
            with closing(opening.to_read(self._request.ledger)) as ledger:
                manifests = RunLog(ledger.of_run(self._request.run)).manifests
        except (LedgerError, UndecodableError) as error:
            self.problems.append(str(error))
            return {}
        return {item: phase for said in manifests for item, phase in said.phases.items()}

    def lost(self) -> list[str]:
        """Workers that started and never ended."""
        silent = sorted(self._started - self._ended)
        return self.problems or [f"worker {name} never ended" for name in silent]
