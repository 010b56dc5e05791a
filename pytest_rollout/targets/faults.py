"""Faults of reference targets: each is declared beside the part that it breaks.

A part of a target states what can go wrong in it as a frozen dataclass whose defaults are
healthy. The faults of the part stand below it, and the target puts those of its parts together::

    @dataclass(frozen=True)
    class Checkout:
        seconds: float = 0.2

    FAULTS = (fault("slow-checkout", Checkout, "A checkout takes 3 s.", seconds=3.0),)

The target asks ``planted.of(Checkout)``. It gets the healthy part, unless the fault that is
planted is one of this part. The fields of the part are the fault's parameters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field, fields
from typing import Any, TypeVar

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.fault import Fault

_Part = TypeVar("_Part")
_Value = TypeVar("_Value")
_CHOICES = "choices"


class Planted:
    """The parts that a fault changes; without any every part is healthy."""

    def __init__(self, *parts: object) -> None:
        self._parts = parts

    def of(self, kind: type[_Part]) -> _Part:
        """Return the part of a kind: the one that is changed, else a healthy one."""
        return next((part for part in self._parts if isinstance(part, kind)), kind())


@dataclass(frozen=True, slots=True)
class DeclaredFault:
    """One fault: its name, the part that it breaks, what is wrong in words, what it sets."""

    name: str
    part: type[Any]
    says: str
    sets: Mapping[str, object]

    def planted(self, values: Mapping[str, str]) -> Planted:
        """Return the broken part, with the parameters that were given as texts.

        Raises ValueError where a parameter or its value is not known.
        """
        known = {part_field.name: part_field for part_field in fields(self.part)}
        unknown = sorted(set(values) - set(known))
        if unknown:
            names = ", ".join(known) or "none"
            raise ValueError(f"{self.name} has no parameter {unknown[0]!r}; it has {names}")
        given = {}
        for key, text in values.items():
            default = self.sets.get(key, known[key].default)
            choices = known[key].metadata.get(_CHOICES, ())
            given[key] = _value(f"{self.name}: {key}", text, default, choices)
        return Planted(self.part(**{**self.sets, **given}))


def fault(name: str, part: type[Any], says: str, /, **sets: object) -> DeclaredFault:
    """Return a fault that sets fields of a part; raises TypeError where it has no such field."""
    part(**sets)
    return DeclaredFault(name, part, says, sets)


def one_of(default: _Value, choices: Iterable[_Value]) -> _Value:
    """Return a field of a part, for which a parameter may only be one of some texts."""
    bounded: _Value = field(default=default, metadata={_CHOICES: tuple(choices)})
    return bounded


class Faults(Mapping[str, str]):
    """The faults that a target knows: names to sentences, in the order of the parts."""

    def __init__(self, *parts: Iterable[DeclaredFault]) -> None:
        declared = [declared_fault for part in parts for declared_fault in part]
        self._known = {declared_fault.name: declared_fault for declared_fault in declared}
        if len(self._known) < len(declared):
            names = [declared_fault.name for declared_fault in declared]
            twice = next(name for name in names if names.count(name) > 1)
            raise ValueError(f"two faults are called {twice!r}")

    def __getitem__(self, name: str) -> str:
        return self._known[name].says

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def declared(self, name: str) -> DeclaredFault:
        """Return a fault as it is declared; raises KeyError where there is none of the name."""
        return self._known[name]

    def planted(self, fault: Fault | None) -> Planted:
        """Return what is broken under a fault; nothing without one.

        Raises ValueError where the fault, a parameter or its value is not known.
        """
        if fault is None:
            return Planted()
        if fault.name not in self._known:
            known = ", ".join(self._known) or "none"
            raise ValueError(f"{fault.name!r} is not a fault of this target; known are {known}")
        return self._known[fault.name].planted(fault.values)


def _value(where: str, text: str, default: object, choices: tuple[object, ...]) -> object:
    """Return a parameter as the kind of value that its default is; `any` stands for None."""
    if choices:
        if text not in choices:
            known = ", ".join(map(str, choices))
            raise ValueError(f"{where} is one of {known}, not {text!r}")
        return text
    if isinstance(default, bool):
        if text not in ("yes", "no"):
            raise ValueError(f"{where} is yes or no, not {text!r}")
        return text == "yes"
    if isinstance(default, str):
        return text
    if default is None and text == "any":
        return None
    try:
        part = isinstance(default, float) or (default is None and "." in text)
        value = float(text) if part else int(text)
    except ValueError:
        raise ValueError(f"{where} is a number, not {text!r}") from None
    if not 0 <= value < float("inf"):
        raise ValueError(f"{where} is zero or more, not {text!r}")
    return value
