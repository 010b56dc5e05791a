"""`rollout targets`: the systems under test, whether they answer, and their faults."""

from __future__ import annotations

from subprocess import SubprocessError
from typing import Any

import click

from pytest_rollout.cli.project import Project, common, environment_option, print_json
from pytest_rollout.cli.saying import say
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.plan import Environment, Plan, Target
from pytest_rollout.redact import hide
from pytest_rollout.targets.address import filled


@click.command("targets")
@click.argument("plan", required=False)
@environment_option
@common
def command(
    plan: str | None,
    environment: str | None,
    root: str | None,
    ledger: str | None,
    *,
    as_json: bool,
) -> int:
    """List the targets of PLAN (default: every plan) in an environment (default: in each).

    Embedded ones with the faults they know; others with the release they answer.
    """
    project = Project.here(root, ledger)
    plans = [project.plan(plan)] if plan else project.plans
    if plans and environment:
        project.environment(environment, plans)
    rows = [
        row
        for plan in plans
        for name, stated in plan.environments.items()
        if environment in (None, name)
        for row in _rows(project, plan, stated)
    ]
    if as_json:
        print_json({"environment": environment, "targets": rows})
        return 0
    for row in rows:
        where = f"{row['plan']}.{row['target']} in {row['environment']}"
        say(f"{where}  {row['where']}  {row['state']}".rstrip())
        for name, says in row["faults"].items():
            say(f"    {name}: {says}")
    if not rows:
        say(f"no target in {environment}" if environment else "no target")
    return 0


def _rows(project: Project, plan: Plan, environment: Environment) -> list[dict[str, Any]]:
    return [
        {**_row(project, plan, target), "environment": environment.name}
        for target in environment.targets.values()
    ]


def _row(project: Project, plan: Plan, target: Target) -> dict[str, Any]:
    row: dict[str, Any] = {"plan": plan.id, "target": target.name, "state": "", "faults": {}}
    if target.serve:
        from pytest_rollout.targets.launch import known_faults

        row["where"] = f"served: {target.serve}"
        try:
            row["faults"] = known_faults(target.serve, project.root)
        except (RolloutError, SubprocessError, ValueError, KeyError) as error:
            row["state"] = str(error)
    elif target.file:
        row["where"], row["state"] = map(hide, _file(project, target, target.file))
    else:
        row["where"], row["state"] = map(hide, _address(plan, target))
    return row


def _file(project: Project, target: Target, file: str) -> tuple[str, str]:
    """Where a file is, and whether it is there; each run makes the file of a served target."""
    if target.of:
        return f"file: {file} of {target.of}", ""
    try:
        path = project.root / filled(file, target.name)
    except RolloutError as error:
        return f"file: {file}", str(error)
    return f"file: {path}", "" if path.is_file() else "there is no such file"


def _address(plan: Plan, target: Target) -> tuple[str, str]:
    from pytest_rollout.targets.identity import read_identity
    from pytest_rollout.targets.trouble import trouble

    try:
        url = filled(str(target.address), target.name)
    except RolloutError as error:
        return str(target.address), str(error)
    if plan.release is None or plan.release.target != target.name:
        return url, ""
    try:
        fact = read_identity("now", url, plan.release, None)
    except Exception as error:  # whatever an address can be, the others are still listed
        return url, trouble(error)
    if fact.error:
        return url, fact.error
    reference = f", a reference target ({fact.reference})" if fact.reference else ""
    return url, f"runs {fact.release}{reference}"
