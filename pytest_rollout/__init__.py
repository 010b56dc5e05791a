"""A rollout plan as a file, its criteria as pytest suites, a decision as the answer.

Suites import what they need from here; everything else is an internal of the plugin.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_rollout.checks.answer import Reading, Reply
    from pytest_rollout.checks.ask import Place
    from pytest_rollout.checks.before_after import BeforeAfter, Snapshot, StepChange
    from pytest_rollout.checks.boundary import Side, boundary_pair, boundary_slips
    from pytest_rollout.checks.demo import Demo, DemoOutput
    from pytest_rollout.checks.idempotency import Idempotency, ReplayAnswer
    from pytest_rollout.checks.invariant import Checked, run_checker
    from pytest_rollout.checks.kpi import Kpi, KpiReceipt, RanTests, kpi_slips
    from pytest_rollout.checks.printing import Sample, handed_on, print_series
    from pytest_rollout.checks.recount import Recount, recount
    from pytest_rollout.checks.reported import Field, NotReportedError, Reported, nothing, reported
    from pytest_rollout.checks.restore import archive_differences, database_differences
    from pytest_rollout.checks.slo import crossings, fairness, gaps, relative_error
    from pytest_rollout.extras import MissingToolError
    from pytest_rollout.model.channel import Channel
    from pytest_rollout.model.check import Check, Effect
    from pytest_rollout.model.decision import Decision
    from pytest_rollout.model.errors import (
        EffectRefusedError,
        NoValueError,
        ReferenceTargetError,
        RolloutError,
        TooLittleError,
    )
    from pytest_rollout.model.extension import ChannelExtension, CheckExtension, ReportFormat
    from pytest_rollout.model.load import LoadRecord
    from pytest_rollout.monitoring.alertmanager import Alertmanager, Routes
    from pytest_rollout.monitoring.grafana import Grafana
    from pytest_rollout.monitoring.prometheus import Prometheus
    from pytest_rollout.monitoring.serving import serve_grafana
    from pytest_rollout.notify import Notice
    from pytest_rollout.receivers.all_receivers import Receivers
    from pytest_rollout.receivers.inbox import Message, Mode, read_inbox
    from pytest_rollout.session.load_fixture import LoadOfSuite
    from pytest_rollout.session.observe import Observe
    from pytest_rollout.session.phase_run import Event
    from pytest_rollout.session.scenario import scenario
    from pytest_rollout.session.stage import Stage
    from pytest_rollout.targets.clock import every
    from pytest_rollout.targets.faults import Faults, fault, one_of
    from pytest_rollout.targets.reference_target import ReferenceTarget
    from pytest_rollout.targets.target import LiveTarget
    from pytest_rollout.targets.tools import find_program

__all__ = [
    "Alertmanager",
    "BeforeAfter",
    "Channel",
    "ChannelExtension",
    "Check",
    "CheckExtension",
    "Checked",
    "Decision",
    "Demo",
    "DemoOutput",
    "Effect",
    "EffectRefusedError",
    "Event",
    "Faults",
    "Field",
    "Grafana",
    "Idempotency",
    "Kpi",
    "KpiReceipt",
    "LiveTarget",
    "LoadOfSuite",
    "LoadRecord",
    "Message",
    "MissingToolError",
    "Mode",
    "NoValueError",
    "NotReportedError",
    "Notice",
    "Observe",
    "Place",
    "Prometheus",
    "RanTests",
    "Reading",
    "Receivers",
    "Recount",
    "ReferenceTarget",
    "ReferenceTargetError",
    "ReplayAnswer",
    "Reply",
    "ReportFormat",
    "Reported",
    "RolloutError",
    "Routes",
    "Sample",
    "Side",
    "Snapshot",
    "Stage",
    "StepChange",
    "TooLittleError",
    "archive_differences",
    "boundary_pair",
    "boundary_slips",
    "crossings",
    "database_differences",
    "every",
    "fairness",
    "fault",
    "find_program",
    "gaps",
    "handed_on",
    "kpi_slips",
    "nothing",
    "one_of",
    "print_series",
    "read_inbox",
    "recount",
    "relative_error",
    "reported",
    "run_checker",
    "scenario",
    "serve_grafana",
]
__version__ = "0.1.0"

# Loaded on first use: pytest imports this package at every start, with or without a plan.
_HOMES = {
    "Alertmanager": "monitoring.alertmanager",
    "Channel": "model.channel",
    "ChannelExtension": "model.extension",
    "Check": "model.check",
    "CheckExtension": "model.extension",
    "Decision": "model.decision",
    "Effect": "model.check",
    "Notice": "notify",
    "Place": "checks.ask",
    "Reading": "checks.answer",
    "Reply": "checks.answer",
    "ReportFormat": "model.extension",
    "BeforeAfter": "checks.before_after",
    "Snapshot": "checks.before_after",
    "StepChange": "checks.before_after",
    "Demo": "checks.demo",
    "Checked": "checks.invariant",
    "EffectRefusedError": "model.errors",
    "Event": "session.phase_run",
    "Faults": "targets.faults",
    "Grafana": "monitoring.grafana",
    "Idempotency": "checks.idempotency",
    "Kpi": "checks.kpi",
    "KpiReceipt": "checks.kpi",
    "LiveTarget": "targets.target",
    "LoadOfSuite": "session.load_fixture",
    "LoadRecord": "model.load",
    "TooLittleError": "model.errors",
    "Field": "checks.reported",
    "NoValueError": "model.errors",
    "NotReportedError": "checks.reported",
    "Reported": "checks.reported",
    "nothing": "checks.reported",
    "reported": "checks.reported",
    "Message": "receivers.inbox",
    "MissingToolError": "extras",
    "Mode": "receivers.inbox",
    "Observe": "session.observe",
    "Prometheus": "monitoring.prometheus",
    "RanTests": "checks.kpi",
    "Receivers": "receivers.all_receivers",
    "Recount": "checks.recount",
    "recount": "checks.recount",
    "ReferenceTarget": "targets.reference_target",
    "ReferenceTargetError": "model.errors",
    "RolloutError": "model.errors",
    "Sample": "checks.printing",
    "handed_on": "checks.printing",
    "print_series": "checks.printing",
    "DemoOutput": "checks.demo",
    "Routes": "monitoring.alertmanager",
    "Side": "checks.boundary",
    "Stage": "session.stage",
    "ReplayAnswer": "checks.idempotency",
    "archive_differences": "checks.restore",
    "boundary_pair": "checks.boundary",
    "boundary_slips": "checks.boundary",
    "crossings": "checks.slo",
    "database_differences": "checks.restore",
    "every": "targets.clock",
    "fairness": "checks.slo",
    "fault": "targets.faults",
    "find_program": "targets.tools",
    "gaps": "checks.slo",
    "kpi_slips": "checks.kpi",
    "one_of": "targets.faults",
    "read_inbox": "receivers.inbox",
    "relative_error": "checks.slo",
    "run_checker": "checks.invariant",
    "scenario": "session.scenario",
    "serve_grafana": "monitoring.serving",
}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(f"pytest_rollout.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
