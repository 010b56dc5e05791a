"""The end of a deciding run: seal, decide, store, report, exit status."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from pathlib import Path
from shutil import get_terminal_size
from typing import Any

import pytest

from pytest_rollout.evidence import looks, opening
from pytest_rollout.evidence.bodies import Body, Seal, Stop
from pytest_rollout.evidence.ledger import Draft, Ledger
from pytest_rollout.evidence.records import seal_digest
from pytest_rollout.evidence.world import read_world
from pytest_rollout.judge import Case, decide
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.errors import LedgerError
from pytest_rollout.model.evidence import ReleaseFact
from pytest_rollout.model.plan import Address, Plan
from pytest_rollout.model.verdict import Answer, worst_answer
from pytest_rollout.plan.heap import collector_paused
from pytest_rollout.report import files, terminal
from pytest_rollout.session import clean_reports, older_ledger, seams
from pytest_rollout.session.announcing import announce
from pytest_rollout.session.cancelling import Cancelling
from pytest_rollout.session.extending import (
    OwnReports,
    StoredForms,
    tell_decided,
    write_reports,
)
from pytest_rollout.session.foreign_status import answered, status_of, whose_status
from pytest_rollout.session.github_actions import tell_github
from pytest_rollout.session.junit_file import add_gates
from pytest_rollout.session.last_noes import last_noes
from pytest_rollout.session.load_pages import LoadPages
from pytest_rollout.session.next_gate import follows
from pytest_rollout.session.request import Request
from pytest_rollout.session.run_start import run_start
from pytest_rollout.session.storytelling import Stories
from pytest_rollout.signoff.attested import verified
from pytest_rollout.targets.identity import identify
from pytest_rollout.targets.trouble import trouble


class Finishing:
    """Opens a run in the ledger at its start, and answers at its end; not in workers."""

    def __init__(self, request: Request, sources: Sequence[Any]) -> None:
        self._request = request
        self._sources = sources  # what may hold problems, offences and notes
        self._pid = os.getpid()
        self._stopped: str | None = None
        self._at_failures = False  # whether xdist ended the run as -x or --maxfail ask
        self._cancelling = Cancelling()
        self._notes: list[str] = []
        self._failed: set[str] = set()
        self._bound: set[str] = set()
        self._ledger: Ledger | None = None
        self._noes: dict[Address, str] = {}
        self.loads = LoadPages(request, lambda: self._ledger, self._notes)
        self.story = Stories(lambda: self._ledger, self._notes)
        self._stored = StoredForms()
        self._before: dict[Address, str | None] = {}  # the run that was reported before this one
        self._known = older_ledger.Known()
        self.decisions: list[Decision] = []
        self.status: int | None = None  # what the run leaves with, once it was answered
        self.releases: dict[str, ReleaseFact] = {}

    def open(self) -> None:
        """Write that a run begins; raises UsageError where the ledger cannot be written."""
        request = self._request
        try:
            self._ledger = opening.to_write(request.ledger)
            self._known = older_ledger.known(
                self._ledger, request.report, embedded=request.embedded
            )
            for loaded in request.loaded:
                if loaded.plan and not loaded.problems:
                    self._ledger.keep_text(loaded.plan.digest, loaded.text)
                    for name, text in loaded.beside.items():
                        self._ledger.keep_text(loaded.digests[name], text)
            self._append(run_start(request, self._ledger))
            self._mark_unfinished()
            for plan in {plan.id: plan for plan, _ in request.asked}.values():
                self._identify("start", plan)
            self._cancelling.listen()
        except LedgerError as error:
            raise pytest.UsageError(f"{error}; choose another with --rollout-ledger") from error

    def _mark_unfinished(self) -> None:
        """Replace what the last run reported: a run that dies leaves no GO of another."""
        report, where = self._request.report, (self._request.environment, self._request.drill)
        for gate in filter(lambda gate: files.reported(report, gate, *where), self._request.gates):
            try:
                self._before[gate] = files.mark(report, self._judged(gate)[0])
            except OSError as error:
                self._notes.append(f"the last reports could not be replaced: {error}")

    def _append(self, body: Body, plan: str = "", subject: str = "") -> None:
        assert self._ledger is not None
        request = self._request
        self._ledger.append(Draft(body, request.run, plan, subject, request.environment))

    def _identify(self, when: str, plan: Plan) -> None:
        """Read the release of a target that already runs; served ones are read where they run."""
        if plan.release is None or (self._request.embedded and plan.release.asks_target):
            return
        request = self._request
        fact = identify(when, plan, request.environment_of(plan), request.root)
        self.releases[plan.id] = fact
        for other, phase in self._request.asked:
            if other.id == plan.id:
                self._append(fact, plan.id, plan.address(phase.id).name)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """A signal, pytest.exit, or a test that raises what Ctrl-C does."""
        if seams.stopped_at_failures(excinfo.value):  # an end like that of one process
            self._at_failures = True
        elif not self._cancelling.by:
            self._stopped = f"the run was stopped: {excinfo.exconly()}"
        elif self._cancelling.by == "SIGTERM":  # a kill comes in seconds
            for source in self._sources:
                source.interrupt()

    def pytest_internalerror(self, excrepr: object) -> None:
        """A plugin broke."""
        self._stopped = "the run was stopped by an internal error of pytest or a plugin"

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember what failed, to tell unbound failures."""
        if report.failed:
            self._failed.add(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A module that could not be collected is no bound check."""
        if report.failed:
            self._failed.add(f"{report.nodeid} (collection)")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(
        self, session: pytest.Session, exitstatus: int | pytest.ExitCode
    ) -> Generator[None, object, object]:
        """After everybody else: the decision, as the last word."""
        try:
            result = yield
        except BaseException as error:
            ended = bool(self._cancelling.by) and isinstance(error, KeyboardInterrupt)
            if ended:
                session.exitstatus = pytest.ExitCode.INTERRUPTED
            else:
                self._stopped = f"the end of the session failed: {trouble(error)}"
            self._answer(session)
            if ended or isinstance(error, pytest.exit.Exception):
                return None  # its return code is not the answer
            raise
        if os.getpid() != self._pid:
            return result  # a child that a test forked, and that came back
        offences = list(dict.fromkeys(self._gather("offences")))
        if offences:
            self._stopped = "the plan or its tests have errors"
            self._stop()
            raise pytest.UsageError(*offences)
        if session.exitstatus == pytest.ExitCode.USAGE_ERROR:
            self._stopped = "pytest was called wrongly"
            self._stop()
            return result
        self._answer(session)
        return result

    def _gather(self, name: str) -> list[str]:
        return [str(line) for source in self._sources for line in getattr(source, name, [])]

    def _answer(self, session: pytest.Session) -> None:
        with self._cancelling.held(), collector_paused():
            self._answer_whole(session)

    def _answer_whole(self, session: pytest.Session) -> None:
        status = pytest.ExitCode.TESTS_FAILED if self._at_failures else status_of(session)
        cancelled = self._cancelling.by and status == pytest.ExitCode.INTERRUPTED
        if status in (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR):
            self._stopped = self._stopped or (None if cancelled else "the run was interrupted")
        try:
            self._end()
            self._reopen()
            # In the plan's order: a gate may roll up those that were decided before it.
            self.decisions = [self._decide(gate) for gate in self._request.gates]
            error = None
        except (LedgerError, OSError) as problem:
            self.decisions, error = [], str(problem)
        unbound = self._failed - self._bound
        foreign = bool(unbound) or not self._failed  # or another plugin's word
        answers = [decided.answer for decided in self.decisions] if error is None else [Answer.HOLD]
        self.status = session.exitstatus = answered(status, answers, foreign=foreign)
        self._notes += whose_status(session.config, self.status, self.decisions, unbound)
        self._noes = last_noes(self._request, self._ledger, self.decisions, self._notes)
        self._notes += self._known.notes(self.decisions)
        paths = self._report(session.config)
        tell_decided(session.config, self.decisions, self._notes)
        add_gates(session.config, self.decisions, self._notes)
        self._notes += announce(self._request.plans, self._ledger, self.decisions)
        self._print(session.config, paths, error)

    def own_reports(self) -> OwnReports:
        """Return what gives the reports of this run's decisions."""
        return OwnReports(self._last_no, self.loads, self.story, self._stored)

    def _last_no(self, decision: Decision) -> str:
        """When a decision's gate last said no in a drill, in words; empty where nobody knows."""
        return self._noes.get(decision.address, "")

    def _report(self, config: pytest.Config) -> list[Path]:
        """Write the reports; one that cannot be written changes no decision."""
        try:
            root, before = self._request.report, self._before
            return write_reports(config, root, self.decisions, self._notes, before, self.loads)
        except OSError as error:
            self._notes.append(f"the reports could not be written: {error}")
            return []

    def _end(self) -> None:
        for plan in {plan.id: plan for plan, _ in self._request.asked}.values():
            self._identify("end", plan)
        if self._stopped:
            self._stop()
            return
        assert self._ledger is not None
        ended = self._ended_by()
        lost = [ended] if ended else []
        for source in self._sources:
            lost += source.broken_off() if ended else source.lost()
        hashes = self._ledger.hashes_of(self._request.run)
        written = [head for source in self._sources for head in source.heads]
        lost += [
            f"record {head.sequence} of this run is gone"
            for head in written
            if not self._ledger.holds(head)
        ]
        self._append(Seal(tuple(lost), len(hashes), seal_digest(hashes), ended))

    def _ended_by(self) -> str:
        """Who ended the run before its time, in words; empty where it ended by itself."""
        by = self._cancelling.by
        if not by:
            return ""
        run = self._request.run
        self._notes.append(
            f"{by} ended run {run}: what ended until then is sealed; the gates hold until a full "
            f"run ends, or until somebody settles this one: rollout settle {run} --by NAME --why …"
        )
        return f"the run was ended by {by}"

    def _reopen(self) -> None:
        """Decide from what is at the ledger's path, not from what was when the run began."""
        assert self._ledger is not None
        last = self._ledger.last
        self._ledger.close()
        self._ledger = opening.to_write(self._request.ledger)
        if last is None or not self._ledger.holds(last):
            raise LedgerError(f"the ledger {self._request.ledger} no longer holds this run")
        self._ledger.remember(self._request.run)

    def _stop(self) -> None:
        if self._ledger is not None and self._stopped:
            self._append(Stop(self._stopped))

    def _judged(self, address: Address) -> tuple[Decision, Case]:
        """The decision of a gate on what the ledger holds now, and that."""
        assert self._ledger is not None
        assert address.gate is not None
        plan, phase = next(
            (plan, phase)
            for plan, phase in self._request.asked
            if (plan.id, phase.id) == (address.plan, address.phase)
        )
        reading = read_world(self._ledger, self._request.run, address, phase)
        for items in reading.world.manifest.items.values():
            self._bound.update(items)
        case = Case(plan, phase, verified(reading.world, plan), reading.at_us)
        return decide(case, address.gate), case

    def _decide(self, address: Address) -> Decision:
        decision, case = self._judged(address)
        self.story.know(address, case)
        body = looks.stored(decision, self._stored(decision), case.world)
        self._append(body, address.plan, str(address))
        return decision

    def _print(self, config: pytest.Config, paths: Sequence[Path], error: str | None) -> None:
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if reporter is None:
            return
        annotations = tell_github(self.decisions, paths, self._notes)
        notes = list(dict.fromkeys([*self._notes, *self._gather("notes")]))
        shown = [os.path.relpath(path, config.invocation_params.dir) for path in paths]
        if self._request.alone and worst_answer(d.answer for d in self.decisions) is not Answer.GO:
            notes.append(self._request.alone)
        nexts = follows(self._request, self._ledger, self.decisions, notes)
        width = get_terminal_size().columns if reporter.isatty else 0
        beside = (self._noes, nexts, self.story, width)
        lines = terminal.section(self.decisions, shown, notes, error, *beside)
        reporter.write_sep("=", "rollout")
        for annotation in annotations:
            reporter.write_line(annotation)
        for line in lines:
            reporter.write_line(clean_reports.shown(line.text), **dict.fromkeys(line.styles, True))

    def pytest_unconfigure(self) -> None:
        """Let go of the ledger, and of signals."""
        self._cancelling.stop_listening()
        if self._ledger is not None:
            self._ledger.close()
            self._ledger = None


FINISHING = pytest.StashKey[Finishing]()
