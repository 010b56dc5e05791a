"""The faults that a criterion or guardrail must notice, or under which a stand-in says no."""

from __future__ import annotations

from pytest_rollout.model.fault import Fault
from pytest_rollout.plan.reader import Reader


def read_faults(reader: Reader) -> tuple[str, ...]:
    """The faults under `faults`, each once; whether a target knows them, the drill finds out."""
    found: list[str] = []
    for word in reader.words("faults"):
        try:
            name = str(Fault.parse(word))
        except ValueError as error:
            what = f"{reader.what}: `faults`: {error}"
            reader.problem(reader.line_of("faults"), what, 'faults: [NAME, "NAME:KEY=VALUE"]')
            continue
        if name in found:
            what = f"{reader.what}: `faults` names {name} twice"
            reader.problem(reader.line_of("faults"), what)
        else:
            found.append(name)
    return tuple(found)
