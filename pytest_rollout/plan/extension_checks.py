"""Checks by a means of another package: it gives values, as a query does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pytest_rollout import extensions
from pytest_rollout.model.check import Check, CheckMeans
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.plan.expectations import read_expect
from pytest_rollout.plan.reader import Reader
from pytest_rollout.plan.spec.check_keys import AskKeys, ExtensionKeys
from pytest_rollout.plan.spec.keys import Key, Keys
from pytest_rollout.plan.spec.shapes import Raw
from pytest_rollout.plan.spec.values import NAMES, TEXT
from pytest_rollout.plan.tree import plain


def extension_keys(name: str) -> type[AskKeys]:
    """Return the keys of a check by a means of another package, its own name among them."""
    keys = {name: Key(TEXT, "What is asked.", required=True)}
    return type("OwnKeys", (ExtensionKeys,), dict(keys), name=f"check-{name}", title=name)


def _with_keys(options: Sequence[str]) -> type[Keys]:
    keys = {option: Key(Raw("any value", {}), "An option.") for option in options}
    return type("WithKeys", (Keys,), dict(keys), name="with", title="options")


def read_extension(reader: Reader, name: str) -> Check | None:
    """Return what a mapping asks by the means of another package; None where it is not loaded."""
    asked = reader.place.keys[name]
    try:
        extension = extensions.check(name)
    except RolloutError as error:
        reader.say(reader.line_of(asked), str(error))
        return None
    stated = reader.has(AskKeys.effect)
    effect = reader.get(AskKeys.effect)
    effect = effect if stated else extension.effect
    if effect.rank < extension.effect.rank:
        fix = f"effect: {extension.effect.value}"
        reader.say(reader.line_of(AskKeys.effect), f"`{name}` does more than {effect.value}", fix)
    text = reader.get_as(asked, TEXT) or ""
    if not text.strip():
        reader.say(reader.line_of(asked), f"`{name}` asks nothing")
    return Check(
        name,
        text,
        on=reader.get_as(ExtensionKeys.on, NAMES) or (),
        timeout_us=reader.get(AskKeys.timeout),
        effect=effect,
        fixtures=reader.get_as(AskKeys.fixtures, NAMES) or (),
        expect=read_expect(reader, CheckMeans.SQL),
        line=reader.line,
        options=_options(reader, extension.options),
    )


def _options(reader: Reader, known: Sequence[str]) -> Mapping[str, object]:
    tree = reader.get(ExtensionKeys.with_)
    if tree is None:
        return {}
    inner = reader.inner(tree, _with_keys(known), f"{reader.what}: with")
    given = {name: inner.get(of) for name, of in inner.place.keys.items()}
    inner.done()
    return {name: plain(value) for name, value in given.items() if value is not None}
