"""Where people are told what happened: `notify` of a plan."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pytest_rollout.model.channel import Channel, ChannelMeans
from pytest_rollout.plan.reader import Reader
from pytest_rollout.plan.spec.keys import Key
from pytest_rollout.plan.spec.plan_keys import ChannelKeys, PlanKeys
from pytest_rollout.plan.tree import Tree

_VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_SECRETS = {
    ChannelMeans.SLACK: ChannelKeys.slack,
    ChannelMeans.WEBHOOK: ChannelKeys.webhook,
    ChannelMeans.PAGERDUTY: ChannelKeys.pagerduty,
    ChannelMeans.EMAIL: ChannelKeys.smtp,
}


def read_channels(reader: Reader) -> tuple[Channel, ...]:
    """Return the channels under `notify`; their addresses are secrets, so variables hold them."""
    channels = (_channel(reader, tree) for tree in reader.get(PlanKeys.notify) or ())
    return tuple(channel for channel in channels if channel is not None)


def _channel(reader: Reader, tree: Tree) -> Channel | None:
    inner = reader.inner(tree, ChannelKeys, "a channel of notify")
    receivers = inner.get(ChannelKeys.email)
    secrets = {means: inner.get(key) or "" for means, key in _SECRETS.items()}
    sender, url = inner.get(ChannelKeys.from_) or "", inner.get(ChannelKeys.url) or ""
    inner.done()
    stated: Mapping[ChannelMeans, Key[Any]] = {**_SECRETS, ChannelMeans.EMAIL: ChannelKeys.email}
    given = [means for means, key in stated.items() if inner.has(key)]
    if len(given) != 1:
        known = ", ".join(f"`{means}`" for means in ChannelMeans)
        if inner.is_mapping:
            inner.problem(tree.line, f"{inner.what} has one of {known}")
        return None
    (means,) = given
    key, address = _SECRETS[means], secrets[means]
    if not _VARIABLE.fullmatch(address):
        fix = f"{key.name}: ${{NAME}}, set in the environment"
        what = f"notify: `{key.name}` is a secret, not written out"
        inner.problem(inner.line_of(key), what, fix)
        return None
    words = receivers or ()
    email = means is ChannelMeans.EMAIL
    if email and not (words and sender and all("@" in word for word in (*words, sender))):
        fix = "{email: [ops@example.com], from: rollout@example.com, smtp: ${SMTP_URL}}"
        inner.problem(tree.line, "notify: an e-mail has receivers, `from` and `smtp`", fix)
        return None
    return Channel(means, address, words if email else (), sender, url, tree.line)
