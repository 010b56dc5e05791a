"""Calling other plugins about decisions; what they raise is a line of the output, no more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import pytest

from pytest_rollout.model.decision import Decision
from pytest_rollout.model.extension import ReportFormat
from pytest_rollout.model.plan import Address
from pytest_rollout.model.story import Story
from pytest_rollout.redact import cap
from pytest_rollout.report import files
from pytest_rollout.report.load_words import LoadReport
from pytest_rollout.report.stored import to_json
from pytest_rollout.session.seams import each_plugin
from pytest_rollout.targets.trouble import trouble

OWN = "rollout-reports"


class StoredForms:
    """The stored form of decisions, made once of each: the ledger and a report hold the same."""

    def __init__(self) -> None:
        self._made: dict[Address, tuple[Decision, str]] = {}

    def __call__(self, decision: Decision) -> str:
        """Return the stored form of a decision."""
        known, text = self._made.get(decision.address, (None, ""))
        if known is not decision:
            text = to_json(decision)
            self._made[decision.address] = decision, text
        return text


class OwnReports:
    """The formats of pytest-rollout itself, given by the hook that others use."""

    def __init__(
        self,
        last_no: Callable[[Decision], str],
        loads: Callable[[Decision], Sequence[LoadReport]],
        story: Callable[[Decision], Story],
        stored: Callable[[Decision], str],
    ) -> None:
        self._given = last_no, loads, story, stored

    def pytest_rollout_reports(self) -> Sequence[ReportFormat]:
        """Give decision.json, and report.md, .html, .junit.xml and .prom."""
        return files.own_formats(*self._given)


def write_reports(
    config: pytest.Config,
    root: Path,
    decisions: Iterable[Decision],
    notes: list[str],
    before: Mapping[Address, str | None],
    loads: Callable[[Decision], Sequence[LoadReport]],
) -> list[Path]:
    """Write each decision in every format; their folders. Raises OSError for an own format.

    ``before`` is the run whose reports a gate's folder held when this one began.
    """
    formats = _formats(config, notes)
    folders = []
    for decision in decisions:
        folder, *others = files.folders_of_run(root, decision)
        for plugin, given in formats:
            try:
                files.write_format(folder, decision, given, others)
            except OSError:
                if plugin == OWN:
                    raise
                notes.append(f"{plugin}: the report `{given.name}` could not be written")
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # not only Exception: pytest.fail is none
                notes.append(
                    _failed(plugin, f"the report `{given.name}` of {decision.address}", error)
                )
        _write_loads((folder, *others), loads(decision), notes)
        files.settle(root, decision, before.get(decision.address))
        folders.append(folder)
    return folders


def _write_loads(folders: Sequence[Path], reports: Sequence[LoadReport], notes: list[str]) -> None:
    """Write the reports of loads; what goes wrong with their figures changes no other report."""
    try:
        files.write_loads(folders, reports)
    except (ValueError, ArithmeticError, LookupError) as error:
        notes.append(_failed(OWN, "the reports of loads", error))


def tell_decided(config: pytest.Config, decisions: Iterable[Decision], notes: list[str]) -> None:
    """Call `pytest_rollout_decided` of every plugin for every decision."""
    for decision in decisions:
        for plugin, call in each_plugin(config, "pytest_rollout_decided"):
            try:
                call(decision=decision)
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                notes.append(_failed(plugin, "pytest_rollout_decided", error))


def _formats(config: pytest.Config, notes: list[str]) -> list[tuple[str, ReportFormat]]:
    """Every format with the plugin that gives it; of two with one file the own or first one."""
    by_file: dict[str, tuple[str, ReportFormat]] = {}
    plugins = sorted(
        each_plugin(config, "pytest_rollout_reports"), key=lambda plugin: plugin[0] != OWN
    )
    for plugin, call in plugins:
        try:
            formats = [offered for several in call() for offered in several]
            for offered in formats:
                _take(plugin, offered, by_file, notes)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            notes.append(_failed(plugin, "pytest_rollout_reports", error))
    return list(by_file.values())


def _take(
    plugin: str, offered: object, by_file: dict[str, tuple[str, ReportFormat]], notes: list[str]
) -> None:
    if not isinstance(offered, ReportFormat):
        notes.append(
            f"{plugin}: pytest_rollout_reports gave {offered!r:.60}, which is no ReportFormat"
        )
    elif offered.trouble:
        notes.append(f"{plugin}: the report `{offered.name}`: {offered.trouble}")
    elif offered.file in by_file:
        first, other = by_file[offered.file]
        notes.append(
            f"{plugin}: the report `{offered.name}` is left out: "
            f"{offered.file} is written by `{other.name}` of {first}"
        )
    else:
        by_file[offered.file] = plugin, offered


def _failed(plugin: str, what: str, error: BaseException) -> str:
    return cap(f"{plugin}: {what} failed: {trouble(error)}", 500)
