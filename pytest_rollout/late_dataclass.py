"""The decorator ``dataclass`` of the standard library, with methods made when first needed.

The standard library compiles up to seven methods for each class that it decorates. A verb loads
some three hundred classes and uses a fraction of them, so that was much of the time of its start.
Fields, defaults, slots and what each method does are the same: the standard library makes them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from copy import copy
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass"]

_STATE = ("__getstate__", "__setstate__")
_POST_INIT = "__post_init__"

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(
        kind: type | None = None,
        /,
        *,
        frozen: bool = False,
        slots: bool = False,
        eq: bool = True,
        kw_only: bool = False,
    ) -> Any:
        """Return a class as a dataclass, or a decorator that does so."""

        def decorated(kind: type) -> type:
            return _late(kind, frozen=frozen, slots=slots, eq=eq, kw_only=kw_only)

        return decorated if kind is None else decorated(kind)


def _late(kind: type, *, frozen: bool, slots: bool, eq: bool, kw_only: bool) -> type:
    """Return a class with fields, and a placeholder for each method."""
    written = set(vars(kind))  # methods that the class states itself stay
    if kind.__doc__ is None:
        kind.__doc__ = kind.__name__  # else its signature would be written there
    below_frozen = any(
        dataclasses.is_dataclass(base) and base.__dataclass_params__.frozen  # type: ignore[attr-defined]
        for base in kind.__mro__[1:]
    )
    made: Any = dataclasses.dataclass(
        init=False,
        repr=False,
        eq=False,
        frozen=frozen and below_frozen,  # else two methods would be compiled
        slots=slots,
        kw_only=kw_only,
    )(kind)
    parameters = made.__dataclass_params__
    parameters.init, parameters.repr, parameters.eq, parameters.frozen = True, True, eq, frozen
    names = ["__init__", "__repr__", *(("__eq__",) if eq else ())]
    names += ("__hash__",) if eq and frozen else ()
    names += _STATE if frozen and slots else ()
    for name in names:
        if name not in written:
            setattr(made, name, _Placeholder(made, name))
    if eq and not frozen and not written & {"__hash__", "__eq__"}:
        made.__hash__ = None
    if frozen:
        made.__setattr__, made.__delattr__ = _refusals(made)
    return made  # type: ignore[no-any-return]


class _Placeholder:
    """Stands for one method of a class until somebody asks for it, then makes all of them."""

    def __init__(self, kind: Any, name: str) -> None:
        self._kind = kind
        self._name = name

    def __get__(self, instance: object, owner: type) -> Any:
        """Return the method itself, as it was asked for: of an instance, or of the class."""
        kind = self._kind
        if isinstance(vars(kind).get(self._name), _Placeholder):
            _complete(kind)
        return vars(kind)[self._name].__get__(instance, owner)


def _complete(kind: Any) -> None:
    """Put the methods in place of their placeholders."""
    parameters = kind.__dataclass_params__
    twin: Any = dataclasses.dataclass(
        frozen=parameters.frozen, eq=parameters.eq, slots="__slots__" in vars(kind)
    )(_undecorated(kind))
    for name, held in list(vars(kind).items()):
        if isinstance(held, _Placeholder):
            method = vars(twin)[name]
            method.__qualname__ = f"{kind.__qualname__}.{name}"
            setattr(kind, name, method)


def _undecorated(kind: Any) -> type:
    """Return a class of the same fields, inherited ones with them, that is not decorated yet."""
    fields = [copy(field) for field in vars(kind)["__dataclass_fields__"].values()]
    held = {field.name: field for field in fields}
    names = {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__doc__": "A twin."}
    annotations = {field.name: field.type for field in fields}
    after = {_POST_INIT: None} if hasattr(kind, _POST_INIT) else {}
    return type(kind.__name__, (), {**names, **after, **held, "__annotations__": annotations})


def _refusals(kind: Any) -> tuple[Callable[..., None], Callable[..., None]]:
    """Return what keeps the fields of a frozen class as they are."""
    own = vars(kind)["__dataclass_fields__"]

    def refuse_to_set(self: object, name: str, value: object) -> None:
        if type(self) is kind or name in own:
            raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
        super(kind, self).__setattr__(name, value)

    def refuse_to_delete(self: object, name: str) -> None:
        if type(self) is kind or name in own:
            raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
        super(kind, self).__delattr__(name)

    return refuse_to_set, refuse_to_delete
