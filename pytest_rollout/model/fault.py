"""A fault of a reference target, as plans and the command line name it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from pytest_rollout.late_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """A named way for a reference target to misbehave, with its size and place."""

    name: str
    values: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Read ``name`` or ``name:key=value,key=value``.

        Raises ValueError where a part is not ``key=value`` or the name is empty.
        """
        name, _, rest = text.partition(":")
        if not name:
            raise ValueError(f"{text!r} has no fault name before the colon")
        values: dict[str, str] = {}
        for part in filter(None, rest.split(",")):
            key, equals, value = part.partition("=")
            if not (key and equals):
                raise ValueError(f"{part!r} in {text!r} is not key=value")
            values[key] = value
        return cls(name, values)

    def __str__(self) -> str:
        rest = ",".join(f"{key}={value}" for key, value in sorted(self.values.items()))
        return f"{self.name}:{rest}" if rest else self.name
