"""The faults that a criterion or guardrail must notice, or under which a stand-in says no."""

from __future__ import annotations

from pytest_rollout.model.fault import Fault
from pytest_rollout.plan.reader import Reader
from pytest_rollout.plan.spec.keys import Key


def read_faults(reader: Reader, key: Key[tuple[str, ...] | None]) -> tuple[str, ...]:
    """Return the faults under a key, each once; `rollout check` asks the targets for theirs."""
    names: list[str] = []
    for word in reader.get(key) or ():
        try:
            name = str(Fault.parse(word))
        except ValueError as error:
            fix = 'faults: [NAME, "NAME:KEY=VALUE"]'
            reader.say(reader.line_of(key), f"`{key.name}`: {error}", fix)
            continue
        if name in names:
            reader.say(reader.line_of(key), f"`{key.name}` names {name} twice")
        else:
            names.append(name)
    return tuple(names)
