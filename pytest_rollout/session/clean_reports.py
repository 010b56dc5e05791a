"""Reports of bound items as they may be shown: without secrets and without what drives a terminal.

Every other reader of reports, the controller of workers included, gets them so.
"""

from __future__ import annotations

import dataclasses
import os
import re
import warnings
from collections.abc import Generator
from typing import Any

import pytest

from pytest_rollout.redact import hide, learn
from pytest_rollout.session.collecting import Collecting

# Where a report holds text: longrepr of any kind, captured output, and what plugins add.
_TEXTS = ("longrepr", "sections", "user_properties", "wasxfail", "context")
_DEEPEST = 20
# Colours may stay: pytest writes them itself. Newlines and tabs are layout.
_DRIVING = re.compile(
    r"\x1b\[[0-9;]{0,20}m"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_CONCEAL = "8"


class Hiding:
    """Hooks around reports and warnings, in the process that makes them."""

    def __init__(self, collecting: Collecting) -> None:
        self._collecting = collecting
        learn(os.environ)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Right after the report was made, before other plugins copy from it."""
        learn(os.environ)  # a test may have set what is secret
        if call.excinfo is not None and self._collecting.place(item) is not None:
            _quote(call.excinfo)
        report = yield
        if self._collecting.place(item) is not None:
            clean(report)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Once more where it is handed round: others may have added to it, or made it anew."""
        if report.nodeid in self._collecting.bound:
            clean(report)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """What kept a module below a plan from being collected."""
        report = yield
        if not report.passed and self._collecting.binder.plan_above(collector.path):
            clean(report)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(
        self, warning_message: warnings.WarningMessage, nodeid: str
    ) -> None:
        """A warning of a bound item, or of the collection."""
        if nodeid and nodeid not in self._collecting.bound:
            return
        said = str(warning_message.message)
        if shown(said) != said:
            warning_message.message = shown(said)


def clean(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Let a report's texts be what may be shown."""
    fields = vars(report)
    for name in _TEXTS:
        held = fields.get(name)
        if held:
            fit = _fit(held, 0)
            if fit is not held:
                setattr(report, name, fit)


def shown(text: str) -> str:
    """A text as it may be shown; the same where nothing is wrong with it."""
    return _DRIVING.sub(_spelled, hide(text))


def _spelled(match: re.Match[str]) -> str:
    text = match[0]
    if len(text) > 1 and _CONCEAL not in text[2:-1].split(";"):
        return text
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)


def _fit(held: Any, depth: int) -> Any:
    """What a report holds, fit to be shown; the same object where nothing changes."""
    if isinstance(held, str):
        return shown(held)
    if depth > _DEEPEST or isinstance(held, type):
        return held
    if isinstance(held, list | tuple) and type(held) in (list, tuple):
        return _fit_sequence(held, depth)
    if isinstance(held, dict):
        fit = {_fit(key, depth + 1): _fit(value, depth + 1) for key, value in held.items()}
        return held if fit == held else fit
    if dataclasses.is_dataclass(held):
        for field in dataclasses.fields(held):
            inner = getattr(held, field.name, None)
            fit = _fit(inner, depth + 1)
            if fit is not inner:
                object.__setattr__(held, field.name, fit)
        return held
    if hasattr(held, "toterminal"):
        said = str(held)
        return held if shown(said) == said else shown(said)
    return held


def _fit_sequence(held: list[Any] | tuple[Any, ...], depth: int) -> Any:
    if len(held) > 1 and isinstance(held, list) and all(isinstance(line, str) for line in held):
        whole = "\n".join(held)  # a secret may take several lines
        fit = shown(whole)
        return held if fit == whole else fit.split("\n")
    new = [_fit(part, depth + 1) for part in held]
    same = all(part is other for part, other in zip(new, held, strict=True))
    return held if same else type(held)(new)


def _quote(excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """Let what plugins quote of an exception be fit to be shown."""
    exconly = excinfo.exconly
    vars(excinfo)["exconly"] = lambda tryshort=False: shown(exconly(tryshort=tryshort))
