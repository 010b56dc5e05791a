"""Values as people read them: no brackets, no quotes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def listed(values: Mapping[object, object] | Iterable[object], none: str = "none") -> str:
    """``Code-API 4, Data-Schema 2`` of a mapping, ``201, 202`` of anything else; of nothing, none.

    A set is put in order; what is None is said as nothing.
    """
    if isinstance(values, Mapping):
        said = [f"{name} {_word(value)}" for name, value in values.items()]
    else:
        said = [_word(value) for value in values]
        said = sorted(said) if isinstance(values, set | frozenset) else said
    return ", ".join(said) or none


def _word(value: object) -> str:
    """One value; rows and pairs are taken apart, shares are rounded."""
    if isinstance(value, Mapping | tuple | list | set | frozenset):
        return f"({listed(value)})"
    if isinstance(value, float):
        return f"{value:.4g}"
    return "nothing" if value is None else str(value)
