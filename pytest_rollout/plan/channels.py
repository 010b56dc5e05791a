"""Where people are told what happened: `notify` of a plan."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pytest_rollout import extensions
from pytest_rollout.model.channel import Channel, ChannelMeans, Topic
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.plan.reader import Reader, nearest
from pytest_rollout.plan.spec.keys import Key
from pytest_rollout.plan.spec.plan_keys import SECRET, ChannelKeys, PlanKeys
from pytest_rollout.plan.tree import Tree

_VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_SECRETS: Mapping[str, Key[Any]] = {
    ChannelMeans.SLACK: ChannelKeys.slack,
    ChannelMeans.WEBHOOK: ChannelKeys.webhook,
    ChannelMeans.PAGERDUTY: ChannelKeys.pagerduty,
    ChannelMeans.EMAIL: ChannelKeys.smtp,
    ChannelMeans.APPRISE: ChannelKeys.apprise,
}


def read_channels(reader: Reader) -> tuple[Channel, ...]:
    """Return the channels under `notify`; their addresses are secrets, so variables hold them."""
    channels = (_channel(reader, tree) for tree in reader.get(PlanKeys.notify) or ())
    return tuple(channel for channel in channels if channel is not None)


def _channel(reader: Reader, tree: Tree) -> Channel | None:
    own: dict[str, Key[Any]] = {**_SECRETS, ChannelMeans.EMAIL: ChannelKeys.email}
    written = tree.value if isinstance(tree.value, Mapping) else {}
    installed = [] if any(map(written.__contains__, own)) else extensions.names(extensions.CHANNELS)
    foreign = [name for name in installed if name in written]
    place = _with_keys_of(foreign)
    inner = reader.inner(tree, place, "a channel of notify")
    receivers = inner.get(ChannelKeys.email)
    stated: dict[str, Key[Any]] = {
        **own,
        **{name: place.keys[name] for name in foreign},
    }
    secrets = {means: inner.get(key) or "" for means, key in {**stated, **_SECRETS}.items()}
    sender, url = inner.get(ChannelKeys.from_) or "", inner.get(ChannelKeys.url) or ""
    about = _about(inner)
    inner.done()
    given = [means for means, key in stated.items() if inner.has(key)]
    if len(given) != 1:
        known = ", ".join(f"`{means}`" for means in (*ChannelMeans, *installed))
        if inner.is_mapping:
            inner.problem(tree.line, f"{inner.what} has one of {known}")
        return None
    (means,) = given
    key, address = {**stated, **_SECRETS}[means], secrets[means]
    if means in installed and not _loads(inner, key):
        return None
    if not _VARIABLE.fullmatch(address):
        fix = f"{key.name}: ${{NAME}}, set in the environment"
        problem = f"notify: `{key.name}` is a secret, not written out"
        inner.problem(inner.line_of(key), problem, fix)
        return None
    words = receivers or ()
    email = means == ChannelMeans.EMAIL
    if email and not (words and sender and all("@" in word for word in (*words, sender))):
        fix = "{email: [ops@example.com], from: rollout@example.com, smtp: ${SMTP_URL}}"
        inner.problem(tree.line, "notify: an e-mail has receivers, `from` and `smtp`", fix)
        return None
    return Channel(means, address, words if email else (), sender, url, about, tree.line)


def _about(inner: Reader) -> tuple[Topic, ...]:
    """What a channel is told of."""
    stated = inner.get(ChannelKeys.about)
    known = {topic.value: topic for topic in Topic}
    for name in stated or ():
        if name not in known:
            problem = f"notify: unknown `{name}` in `about` ({nearest(name, known)})"
            inner.problem(inner.line_of(ChannelKeys.about), problem)
    if stated is None:
        return (Topic.TRIPS,)
    return tuple(known[name] for name in stated if name in known)


def _with_keys_of(names: Sequence[str]) -> type[ChannelKeys]:
    """The keys of a channel, with those of other packages that it names."""
    if not names:
        return ChannelKeys
    keys = {name: Key(SECRET, "The address of a channel of another package.") for name in names}
    return type("ExtensionChannelKeys", (ChannelKeys,), dict(keys), name="channel")


def _loads(reader: Reader, key: Key[Any]) -> bool:
    """Whether the channel of another package can be used."""
    try:
        extensions.channel(key.name)
    except RolloutError as error:
        reader.problem(reader.line_of(key), f"notify: {error}")
        return False
    return True
