"""Where people are told what happened: `notify` of a plan."""

from __future__ import annotations

import re

from pytest_rollout import extensions
from pytest_rollout.model.channel import Channel, ChannelMeans
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.plan.reader import Reader
from pytest_rollout.plan.tree import Tree

_VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")


def read_channels(reader: Reader) -> tuple[Channel, ...]:
    """The channels under `notify`; their addresses are secrets, so variables hold them."""
    found = (_channel(reader, tree) for tree in reader.items("notify"))
    return tuple(one for one in found if one is not None)


def _channel(reader: Reader, tree: Tree) -> Channel | None:
    inner = reader.reader(tree, "a channel of notify")
    own: list[str] = list(ChannelMeans)
    installed = [] if any(map(inner.has, own)) else extensions.names(extensions.CHANNELS)
    given = {means: inner.words(means) for means in (*own, *installed) if inner.has(means)}
    for means in own:
        inner.tree(means)
    server, sender = inner.word("smtp") or "", inner.word("from") or ""
    url = inner.word("url") or ""
    inner.done()
    if len(given) != 1:
        known = ", ".join(f"`{means}`" for means in (*own, *installed))
        if isinstance(tree.value, dict):
            inner.problem(tree.line, f"{inner.what} has one of {known}")
        return None
    ((means, words),) = given.items()
    if means in installed and not _loads(inner, means):
        return None
    email = means == ChannelMeans.EMAIL
    key, address = ("smtp", server) if email else (means, " ".join(words))
    if not _VARIABLE.fullmatch(address):
        fix = f"{key}: ${{NAME}}, set in the environment"
        inner.problem(inner.line_of(key), f"notify: `{key}` is a secret, not written out", fix)
        return None
    if email and not (words and sender and all("@" in word for word in (*words, sender))):
        fix = "{email: [ops@example.com], from: rollout@example.com, smtp: ${SMTP_URL}}"
        inner.problem(tree.line, "notify: an e-mail has receivers, `from` and `smtp`", fix)
        return None
    return Channel(means, address, words if email else (), sender, url, tree.line)


def _loads(reader: Reader, name: str) -> bool:
    """Whether the channel of another package can be used."""
    try:
        extensions.channel(name)
    except RolloutError as error:
        reader.problem(reader.line_of(name), f"notify: {error}")
        return False
    return True
