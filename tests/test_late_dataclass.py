"""The decorator ``dataclass`` of the house makes what the standard library's makes, later."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import FrozenInstanceError, field, replace
from typing import Any

import pytest

from pytest_rollout.late_dataclass import dataclass as late

_Decorator = Callable[..., Any]


def point(decorator: _Decorator, **options: bool) -> Any:
    @decorator(**options)
    class Point:
        x: int
        y: int = 2
        names: list[str] = field(default_factory=list)
        seen: Any = field(default=None, init=False, repr=False, compare=False)

    return Point


def derived(decorator: _Decorator) -> Any:
    @decorator(frozen=True, slots=True)
    class Event:
        at: int
        says: str = ""

    @decorator(frozen=True, slots=True, kw_only=True)
    class Trip(Event):
        guardrail: str

        def __post_init__(self) -> None:
            if not self.guardrail:
                raise ValueError("no guardrail")

    return Trip


def stated(decorator: _Decorator) -> Any:
    @decorator(frozen=True)
    class Stated:
        x: int

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 7

        def __repr__(self) -> str:
            return "as stated"

    return Stated


OPTIONS = [
    {},
    {"frozen": True},
    {"slots": True},
    {"frozen": True, "slots": True},
    {"frozen": True, "slots": True, "kw_only": True},
    {"eq": False},
]


def behaviour(kind: Any) -> list[object]:
    """What can be seen of a class with the fields of a point."""

    def tried(what: Callable[[], object]) -> object:
        try:
            return what()
        except Exception as error:
            return type(error), str(error)

    made = kind(x=1, names=["a"])
    same, other = kind(x=1, names=["a"]), kind(x=3)
    return [
        repr(made).rpartition(".")[2].replace(hex(id(made)), ""),
        made == same,
        made == other,
        made == (1, 2, ["a"], None),
        tried(lambda: hash(kind(x=1, names=())) == hash(kind(x=1, names=()))),
        inspect.signature(kind),
        tried(lambda: kind(1, 5)),
        tried(kind),
        dataclasses.asdict(made),
        dataclasses.astuple(replace(made, x=9)),
        copy.copy(made).x,
        [(each.name, each.type, each.init) for each in dataclasses.fields(kind)],
        kind.__match_args__,
        kind.__doc__ is not None,
        getattr(kind, "__slots__", None),
        tried(lambda: setattr(made, "x", 5)),
        # The standard library's message of a class with slots is of another error.
        tried(lambda: setattr(made, "unheard", 5)) is None,
        tried(lambda: delattr(made, "y")),
    ]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_class_is_as_the_standard_library_makes_it(options: dict[str, bool]) -> None:
    theirs = behaviour(point(dataclasses.dataclass, **options))
    assert [str(seen) for seen in behaviour(point(late, **options))] == [str(s) for s in theirs]


def test_a_class_below_another_is_too() -> None:
    for decorator in (dataclasses.dataclass, late):
        trip = derived(decorator)
        assert repr(trip(3, guardrail="g")).endswith("Trip(at=3, says='', guardrail='g')")
        assert trip(3, guardrail="g") == trip(3, guardrail="g") != trip(4, guardrail="g")
        assert len({trip(3, guardrail="g"), trip(3, guardrail="g")}) == 1
        assert trip.__slots__ == ("guardrail",)
        with pytest.raises(ValueError, match="no guardrail"):
            trip(3, guardrail="")
        with pytest.raises(FrozenInstanceError, match="cannot assign to field 'at'"):
            trip(3, guardrail="g").at = 4


def test_what_a_class_states_itself_stays() -> None:
    for decorator in (dataclasses.dataclass, late):
        kind = stated(decorator)
        assert (kind(1) == 5, hash(kind(1)), repr(kind(1))) == (True, 7, "as stated")


def test_a_plain_class_below_one_may_have_fields_of_its_own() -> None:
    for decorator in (dataclasses.dataclass, late):

        class Below(point(decorator, frozen=True)):  # type: ignore[misc]
            pass

        below = Below(1)
        below.own = 3
        with pytest.raises(FrozenInstanceError):
            below.x = 3
        assert (below.x, below.own, below == Below(1)) == (1, 3, True)


def test_the_standard_decorator_takes_one_as_a_base() -> None:
    @dataclasses.dataclass(frozen=True)
    class Below(point(late, frozen=True, slots=True)):  # type: ignore[misc]
        z: int = 5

    assert (repr(Below(1)).rpartition(".")[2], Below(1)) == (
        "Below(x=1, y=2, names=[], z=5)",
        Below(1, 2, [], 5),
    )
    with pytest.raises(TypeError, match="cannot inherit non-frozen dataclass"):

        @late
        class _Loose(point(late, frozen=True)):  # type: ignore[misc]
            z: int = 5


@late(frozen=True, slots=True)
class Kept:
    """A frozen class with slots that can be looked up by its name."""

    x: int
    decoded: Any = field(default=None, init=False, compare=False)


def test_one_is_pickled_before_anything_else_is_asked_of_its_class() -> None:
    kept = Kept(4)
    assert pickle.loads(pickle.dumps(kept)) == kept


_COUNTED = """
import sys
from pytest_rollout.late_dataclass import dataclass
compiled = []
sys.addaudithook(lambda event, found: compiled.append(event) if event == "compile" else None)
@dataclass(frozen=True, slots=True)
class Point:
    x: int
    y: int = 2
made = len(compiled)
Point(1)
used = len(compiled)
Point(1) == Point(2), hash(Point(1)), repr(Point(1))
print(made, used > 0, len(compiled) == used)
"""


def test_nothing_is_compiled_before_it_is_needed_and_all_of_it_once() -> None:
    done = subprocess.run([sys.executable, "-c", _COUNTED], capture_output=True, text=True)
    assert done.stdout.split() == ["0", "True", "True"], done.stderr
