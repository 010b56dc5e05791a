"""Who gives the command: a person of roles.yaml, by default whom git knows here."""

from __future__ import annotations

import subprocess
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from pytest_rollout.model.errors import RolloutError, UnknownNameError
from pytest_rollout.model.plan import Plan
from pytest_rollout.plan.reader import nearest


def git_email(root: Path) -> str:
    """Return the address that git knows; raises RolloutError where it knows none."""
    command = ["git", "config", "user.email"]
    try:
        ran = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    except OSError:
        ran = None
    if ran is None or ran.returncode or not ran.stdout.strip():
        raise RolloutError("--by: git knows no user.email here; say who signs")
    return ran.stdout.strip()


def known(plan: Plan, person: str, role: str, at: datetime) -> None:
    """Raise RolloutError unless a person of the plan holds a role at that time."""
    roster = plan.roster
    if roster.person(person) is None:
        ids = [member.id for member in roster.people]
        if not ids:
            raise RolloutError(
                f"there are no people in roles.yaml beside {plan.path}; a line of it: "
                f"people: [{{id: {person}, roles: [{role}]}}]"
            )
        where = f"roles.yaml beside {plan.path}"
        why = f"--by: {where} names no `{person}` ({nearest(person, ids)})"
        raise UnknownNameError(why, "person", person, ids)
    day = at.astimezone(ZoneInfo(plan.timezone)).date()
    if not roster.holds(person, role, day):
        raise RolloutError(f"{person} does not hold the role {role} today")
