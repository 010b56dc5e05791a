"""The pytest11 entry: options and ini values, and nothing else until a plan is found."""

from __future__ import annotations

import argparse
from collections.abc import Generator
from itertools import pairwise

import pytest

from pytest_rollout import hookspecs
from pytest_rollout.on_the_way import plans_on_the_way

_PATTERNS = ("rollout.yaml", "suites/*/rollout.yaml")


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Add the hooks that others may implement."""
    pluginmanager.add_hookspecs(hookspecs)


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
        help="keep evidence in this file, or at postgresql://… (default: ini rollout_ledger)",
    )
    group.addoption(
        "--rollout-report",
        metavar="FOLDER",
        help="write decisions below this folder (default: ini rollout_report)",
    )
    group.addoption("--rollout-bindings", metavar="FILE", help=argparse.SUPPRESS)
    parser.addini("rollout_plans", "where plans are found", type="args", default=list(_PATTERNS))
    parser.addini(
        "rollout_ledger", "the ledger: a file, or postgresql://…", default=".rollout/ledger.db"
    )
    parser.addini("rollout_report", "the reports' folder", default="rollout-report")


def _patterns(config: pytest.Config) -> list[str]:
    """Where plans are found; empty where there are none."""
    here, root = config.invocation_params.dir, config.rootpath
    patterns: list[str] = [*config.getini("rollout_plans"), *plans_on_the_way(root, here)]
    files = (path for pattern in patterns for path in root.glob(pattern))
    return patterns if any(path.is_file() for path in files) else []


def _unread(config: pytest.Config) -> list[str]:
    """Files that would be plans under the other ending of YAML, below the root."""
    patterns: list[str] = config.getini("rollout_plans")
    twins = [
        f"{pattern.removesuffix('.yaml')}.yml" for pattern in patterns if pattern.endswith(".yaml")
    ]
    found = {path for twin in twins for path in config.rootpath.glob(twin) if path.is_file()}
    return [path.relative_to(config.rootpath).as_posix() for path in sorted(found)]


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say of a project without a plan that a file is not read which looks like one."""
    if _patterns(config):
        return []
    return [
        f"rollout: {name} is not read; rename it to {name[:-4]}.yaml" for name in _unread(config)
    ]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, object, object]:
    """Where a phase was asked for, leave with 0 only if the gate says so."""
    status = yield
    asking = config.getoption("markexpr", "") or config.getoption("rollout_phase")
    patterns = _patterns(config) if asking else []
    if patterns:
        from pytest_rollout.session.exit_status import last_word

        return last_word(config, patterns, status)
    return status


def _refuse_lost_paths(config: pytest.Config) -> None:
    """Refuse a path outside that pytest takes for a place of tests.

    It looks for its configuration before it knows the options of plugins: unless tests are named
    as well, `--option PATH` moves the root of the project to PATH as soon as that exists.
    """
    given, here = config.invocation_params.args, config.invocation_params.dir
    paths = (two for two in pairwise(given) if two[0] in ("--rollout-ledger", "--rollout-report"))
    for option, value in paths:
        if (here / value).resolve().is_relative_to(here.resolve()):
            continue
        from pytest_rollout.session.seams import paths_were_given

        if not paths_were_given(config):
            raise pytest.UsageError(
                f"{option} {value}: pytest would look for its configuration there; "
                f"write {option}={value}"
            )


def pytest_configure(config: pytest.Config) -> None:
    """Look for plans; where there are some, hand over to the session room."""
    _refuse_lost_paths(config)
    patterns = _patterns(config)
    if patterns:
        from pytest_rollout.session.loading import load

        load(config, patterns)
        return
    given = [
        name
        for name in ("rollout_env", "rollout_fault", "rollout_gate", "rollout_phase")
        if config.getoption(name)
    ]
    if given:
        option = given[0].replace("_", "-")
        raise pytest.UsageError(
            f"--{option}: no rollout plan was found below {config.rootpath} "
            f"(looked for {', '.join(config.getini('rollout_plans'))}; "
            "set the ini value rollout_plans"
            f"{''.join(f'; {name} is not read' for name in _unread(config))})"
        )
