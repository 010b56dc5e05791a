"""Checks by a means of another package: it gives values, as a query does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pytest_rollout import extensions
from pytest_rollout.model.check import Check, CheckMeans
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.plan.expectations import plain, read_expect
from pytest_rollout.plan.reader import Reader
from pytest_rollout.plan.spec.check_keys import AskKeys, ExpectSqlKeys
from pytest_rollout.plan.spec.keys import Key, Place
from pytest_rollout.plan.spec.shapes import Nested, Raw
from pytest_rollout.plan.spec.values import NAMES, TEXT
from pytest_rollout.plan.tree import Tree


def extension_keys(name: str) -> type[AskKeys]:
    """Return the keys of a check by a means of another package, under its own name."""
    try:
        options = extensions.check(name).options
    except RolloutError:  # said where the check is read
        options = ()
    within = Nested(_with_keys(options))
    keys = {
        name: Key(TEXT, "What is asked.", required=True),
        "on": Key(NAMES, "The targets that it is asked of."),
        "with_": Key(within, "What else the means takes."),
        "expect": Key(Nested(ExpectSqlKeys), "What it must answer."),
    }
    return type("ExtensionKeys", (AskKeys,), dict(keys), name=f"check-{name}", title=name)


def _with_keys(options: Sequence[str]) -> type[Place]:
    keys = {option: Key(Raw("any value", {}), "An option.") for option in options}
    return type("WithKeys", (Place,), dict(keys), name="with", title="options")


def read_extension(reader: Reader, name: str) -> Check | None:
    """Return what a mapping asks by the means of another package; None where it is not loaded."""
    keys: Mapping[str, Key[Tree | None]] = reader.place.keys
    try:
        extension = extensions.check(name)
    except RolloutError as error:
        reader.say(reader.line_of(keys[name]), str(error))
        return None
    stated = reader.has(AskKeys.effect)
    effect = reader.get(AskKeys.effect)
    effect = effect if stated else extension.effect
    if effect.rank < extension.effect.rank:
        fix = f"effect: {extension.effect.value}"
        reader.say(reader.line_of(AskKeys.effect), f"`{name}` does more than {effect.value}", fix)
    text = reader.get_as(keys[name], TEXT) or ""
    if not text.strip():
        reader.say(reader.line_of(keys[name]), f"`{name}` asks nothing")
    return Check(
        name,
        text,
        on=reader.get_as(keys["on"], NAMES) or (),
        timeout_us=reader.get(AskKeys.timeout),
        effect=effect,
        fixtures=reader.get_as(AskKeys.fixtures, NAMES) or (),
        expect=read_expect(reader, ExpectSqlKeys, CheckMeans.SQL),
        line=reader.line,
        options=_options(reader, keys["with"], extension.options),
    )


def _options(reader: Reader, key: Key[Tree | None], known: Sequence[str]) -> Mapping[str, object]:
    tree = reader.get(key)
    if tree is None:
        return {}
    inner = reader.inner(tree, _with_keys(known), f"{reader.what}: with")
    given = {name: inner.get(of) for name, of in inner.place.keys.items()}
    inner.done()
    return {name: plain(value) for name, value in given.items() if value is not None}
