"""The reviewed mutants that change nothing, `mutants.yaml` beside a plan; drills read it."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_rollout.model.errors import Problem
from pytest_rollout.model.mutants import Equivalent
from pytest_rollout.plan.reader import Reader
from pytest_rollout.plan.spec.equivalent_keys import EquivalentKeys, EquivalentsKeys
from pytest_rollout.plan.spec.keys import Key
from pytest_rollout.plan.tree import read

NAME = "mutants.yaml"


def parse(text: str, file: str) -> tuple[tuple[Equivalent, ...], list[Problem]]:
    """Return the mutants that a text names, and every offence with its line."""
    tree, problems = read(text, file, f"{NAME} is a list under `equivalents:`")
    if tree is None:
        return (), problems
    reader = Reader(tree, EquivalentsKeys, file, NAME, problems)
    equivalents: dict[tuple[str, ...], Equivalent] = {}
    for inner_tree in reader.get(EquivalentsKeys.equivalents) or ():
        inner = reader.inner(inner_tree, EquivalentKeys, "an equivalent mutant")
        if not isinstance(inner_tree.value, Mapping):
            continue
        equivalent = _equivalent(inner)
        if equivalent is None:
            continue
        key = (equivalent.id, equivalent.file, equivalent.before, equivalent.after)
        first = equivalents.setdefault(key, equivalent)
        if first is not equivalent:
            problem = f"the mutant is named twice, first at line {first.line}"
            reader.problem(equivalent.line, problem, "keep one of the two")
    reader.done()
    return tuple(equivalents.values()), problems


def _equivalent(reader: Reader) -> Equivalent | None:
    reason, by = (_stated(reader, key) for key in (EquivalentKeys.reason, EquivalentKeys.by))
    name, file = (_stated(reader, key) for key in (EquivalentKeys.id, EquivalentKeys.file))
    before, after = reader.get(EquivalentKeys.before), reader.get(EquivalentKeys.after)
    reader.get(EquivalentKeys.line)
    reader.done()
    if reader.has(EquivalentKeys.id) is reader.has(EquivalentKeys.file):
        fix = "the id, or the file with `before` and `after`"
        reader.problem(reader.line, f"{reader.what} is named by `id` or by `file`", fix)
        return None
    changed = [reader.has(key) for key in (EquivalentKeys.before, EquivalentKeys.after)]
    if any(changed) is reader.has(EquivalentKeys.id) or any(changed) is not all(changed):
        fix = "both stand beside `file`, and neither beside `id`"
        reader.problem(reader.line, f"{reader.what} has one of `before` and `after` too few", fix)
        return None
    if not (reason and by and (name or file)):
        return None
    return Equivalent(name, file, before or "", after or "", reason, by, reader.line)


def _stated(reader: Reader, key: Key[str | None]) -> str:
    """Return a text that must say something."""
    text = reader.get(key)
    words = (text or "").strip()
    if text is not None and not words:
        reader.say(reader.line_of(key), f"`{key.name}` says nothing")
    return words
