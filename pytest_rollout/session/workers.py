"""xdist: what the controller tells and hears, and phases that are never split over workers."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import pytest

from pytest_rollout.evidence import opening
from pytest_rollout.evidence.decoding import UndecodableError
from pytest_rollout.evidence.run_log import RunLog
from pytest_rollout.model.errors import LedgerError
from pytest_rollout.model.evidence import Head
from pytest_rollout.session import seams
from pytest_rollout.session.request import WORKERINPUT, WORKEROUTPUT, Handover, Request


class Workers:
    """The controller's side."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._started: set[str] = set()
        self._ended: set[str] = set()
        self._nodes: list[Any] = []
        self.problems: list[str] = []  # with what workers wrote
        self.gone: list[str] = []  # workers that said nothing at their end
        self.offences: list[str] = []
        self.notes: list[str] = []
        self.heads: list[Head] = []  # the last record of each worker

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker which run it belongs to."""
        gates = tuple(str(gate) for gate in self._request.gates)
        told = Handover(self._request.run, gates, self._request.drill)
        seams.tell_worker(node, WORKERINPUT, told.to_json())
        self._nodes.append(node)
        self._started.add(seams.name_of_worker(node))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any, error: object | None) -> None:
        """Hear what a worker has to say; one that says nothing is lost."""
        name = seams.name_of_worker(node)
        told = seams.told_by_worker(node, WORKEROUTPUT)
        if error or told is None:
            lines = str(error or "it said nothing at its end").strip().splitlines()
            self.gone.append(f"worker {name} was lost: {lines[-1]}")
            return
        self._ended.add(name)
        output = json.loads(told)
        self.offences += [offence for offence in output["offences"] if offence not in self.offences]
        self.notes += [note for note in output["notes"] if note not in self.notes]
        self.heads += [Head(*head) for head in output["heads"]]
        if output["trouble"]:
            self.problems.append(output["trouble"])

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        """Keep phases whole, whatever `--dist` says; plain runs keep their own scheduler."""
        if not self._request.deciding:
            return None
        return seams.whole_phases(config, log, self._phases)

    def _phases(self) -> dict[str, str]:
        """Which phase each bound item belongs to, from the workers' manifests."""
        try:
            with closing(opening.to_read(self._request.ledger)) as ledger:
                manifests = RunLog(ledger.of_run(self._request.run)).manifests
        except (LedgerError, UndecodableError) as error:
            self.problems.append(str(error))
            return {}
        return {item: phase for manifest in manifests for item, phase in manifest.phases.items()}

    def lost(self) -> list[str]:
        """Workers that started and never ended."""
        silent = sorted(self._started - self._ended)
        reasons = [*self.gone, *self.problems]
        return reasons or [f"worker {name} never ended" for name in silent]

    def interrupt(self) -> None:
        """Have workers break off what they run: by themselves they would wait for its end."""
        for node in self._nodes:
            seams.interrupt_worker(node)

    def broken_off(self) -> list[str]:
        """End the workers of a run that was cancelled; return what is wrong with what they wrote.

        Nothing may be written after the seal. That a worker said nothing at its end is no wonder:
        each check that it finished is in the ledger whole, the others never reported.
        """
        for node in self._nodes:
            seams.kill_worker(node)
        return self.problems
