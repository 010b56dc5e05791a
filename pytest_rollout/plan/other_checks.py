"""What a plan says to a means of `check:` that another package installs."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_rollout import extensions
from pytest_rollout.model.check import Effect
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.extension import CheckExtension
from pytest_rollout.plan.reader import Reader
from pytest_rollout.plan.tree import plain


def extension_of(reader: Reader, name: str) -> CheckExtension | None:
    """The means that a key names; None where its package cannot be used."""
    try:
        return extensions.check(name)
    except RolloutError as error:
        reader.problem(reader.line_of(name), f"{reader.what}: {error}")
        return None


def effect_of(reader: Reader, name: str, extension: CheckExtension) -> Effect:
    """What asking does to a target: no less than the means says."""
    effect = reader.choice("effect", Effect, extension.effect)
    if effect.rank < extension.effect.rank:
        what = f"{reader.what}: `{name}` does more than {effect.value}"
        reader.problem(reader.line_of("effect"), what, f"effect: {extension.effect.value}")
    return effect


def options_of(reader: Reader, extension: CheckExtension) -> Mapping[str, object]:
    """What `with` holds, of the keys that the means knows."""
    tree = reader.tree("with")
    if tree is None:
        return {}
    inner = reader.reader(tree, f"{reader.what}: with")
    given = {
        name: plain(value) for name in extension.options if (value := inner.tree(name)) is not None
    }
    inner.done()
    return given
