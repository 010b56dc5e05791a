"""The sentences of reviews of pull requests: which stand for a signature, and why others do not."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_rollout.report.fact_words import Facts, Say


def _roles(f: Facts) -> str:
    return " and ".join(map(str, f.all_of("roles")))


def _untied(f: Facts) -> str:
    why = (
        f"it is of the commit {f['commit'] or 'that is gone'}, not of {f['release'] or 'a release'}"
    )
    if f.known("edited"):
        why += ", and its text was edited afterwards"
    elif f.known("since"):
        why += f", and the pull request names the decision only since {f.wall('since')}"
    how = f"approve it with the line {f['line']}"
    return f"approved, but nothing ties it to this decision: {why}; {how}"


def _no_role(f: Facts) -> str:
    roles = " or ".join(map(str, f.all_of("roles"))) or "anybody who signs"
    return f"{f['person']} did not hold the role {roles} on {f['day']}"


SENTENCES: Mapping[str, Say] = {
    "review.for": lambda f: f"approved by {f['person']} as {_roles(f)}, tied by {f['tied']}",
    "review.for-before": lambda f: f"approved by {f['person']} as {_roles(f)}: recorded before",
    "review.against": lambda f: f"changes requested by {f['person']} as {_roles(f)}: {f['why']}",
    "review.against-before": lambda f: (
        f"changes requested by {f['person']} as {_roles(f)}: recorded before"
    ),
    "review.withdrawn": lambda f: (
        f"the approval of {f['person']} as {_roles(f)} was dismissed: withdrawn"
    ),
    "review.dismissed": "dismissed: it stands for nothing",
    "review.dismissed-objection": (
        "dismissed, but the objection of {person} stands until they approve or sign themselves"
    ),
    "review.nobody": "roles.yaml gives this login to nobody",
    "review.no-role": _no_role,
    "review.of-author": "is the author of the pull request",
    "review.untied": _untied,
    "review.too-early": lambda f: (
        f"approved before this state was decided ({f.wall('decided')}): approve it again, or with "
        f"the line {f['line']}"
    ),
}
