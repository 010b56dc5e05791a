"""The pytest11 entry: options and ini values, and nothing else until a plan is found."""

from __future__ import annotations

import argparse

import pytest

_PATTERNS = ("rollout.yaml", "suites/*/rollout.yaml")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--rollout-*` options and `rollout_*` ini values."""
    group = parser.getgroup("rollout", "rollout plans and their decisions")
    group.addoption(
        "--rollout-env",
        metavar="NAME",
        help="judge in this environment of the plan (default: embedded, the rehearsal)",
    )
    group.addoption(
        "--rollout-phase",
        metavar="PLAN[.PHASE]",
        action="append",
        default=[],
        help="ask for a phase as -m with its marker does, without selecting tests",
    )
    group.addoption(
        "--rollout-gate",
        choices=["entry", "exit"],
        help="decide this gate (default: both in embedded, elsewhere the phase's next)",
    )
    group.addoption(
        "--rollout-fault",
        metavar="NAME[:KEY=VALUE,...]",
        help="drill: start embedded targets with this fault; the run satisfies nothing",
    )
    group.addoption(
        "--rollout-ledger",
        metavar="FILE",
        help="keep evidence in this file (default: ini rollout_ledger)",
    )
    group.addoption(
        "--rollout-report",
        metavar="FOLDER",
        help="write decisions below this folder (default: ini rollout_report)",
    )
    group.addoption("--rollout-bindings", metavar="FILE", help=argparse.SUPPRESS)
    parser.addini("rollout_plans", "where plans are found", type="args", default=list(_PATTERNS))
    parser.addini("rollout_ledger", "the ledger's file", default=".rollout/ledger.db")
    parser.addini("rollout_report", "the reports' folder", default="rollout-report")


def pytest_configure(config: pytest.Config) -> None:
    """Look for plans; where there are some, hand over to the session room."""
    patterns: list[str] = config.getini("rollout_plans")
    root = config.rootpath
    if any(path.is_file() for pattern in patterns for path in root.glob(pattern)):
        from pytest_rollout.session.compose import compose

        compose(config, patterns)
        return
    given = [
        name
        for name in ("rollout_env", "rollout_fault", "rollout_gate", "rollout_phase")
        if config.getoption(name)
    ]
    if given:
        option = given[0].replace("_", "-")
        raise pytest.UsageError(
            f"--{option}: no rollout plan was found below {root} "
            f"(looked for {', '.join(patterns)}; set the ini value rollout_plans)"
        )
