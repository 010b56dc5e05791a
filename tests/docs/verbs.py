"""docs/reference/verbs.md: every verb of the command `rollout`, from click."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from pytest_rollout.cli import rollout
from tests.docs.tables import table

HEAD = """\
# Verbs of `rollout`

Generated from the command; `python -m tests.docs` writes it anew. `rollout VERB --help` says the
same. Which environment is meant where `--env` is left out:
[running](running.md#which-environment-is-it-about).
Exit statuses: [outcomes](outcomes.md). What `--json` prints: [JSON](json.md).

## Options of every verb

A verb has those of these that apply to it.

"""
COMMON = ("--env", "--root", "--ledger", "--json")


def text() -> str:
    """Return the whole page."""
    common: dict[str, str] = {}
    parts = [_section(name, verb, common) for name, verb in verbs()]
    rows = [(f"`{name}`", common[name]) for name in COMMON]
    return HEAD + table(("option", "meaning"), rows) + "".join(parts)


def verbs() -> Iterator[tuple[str, click.Command]]:
    """Yield each verb by the words that call it."""
    for name, verb in _inside(rollout, click.Context(rollout)):
        if isinstance(verb, click.Group):
            inner = _inside(verb, click.Context(verb))
            yield from ((f"{name} {word}", command) for word, command in inner)
        else:
            yield name, verb


def _inside(group: click.Group, context: click.Context) -> Iterator[tuple[str, click.Command]]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield name, command


def _section(name: str, verb: click.Command, common: dict[str, str]) -> str:
    context = click.Context(verb)
    usage = " ".join(verb.collect_usage_pieces(context))
    rows = []
    for parameter in verb.params:
        told = parameter.get_help_record(context) if isinstance(parameter, click.Option) else None
        if told is None:
            continue
        if parameter.opts[0] in COMMON:
            common.setdefault(parameter.opts[0], told[1])
        else:
            rows.append((f"`{told[0]}`", told[1]))
    says = inspect.cleandoc(verb.help or "").replace("\b\n", "")
    options = f"\n{table(('option', 'meaning'), rows)}" if rows else ""
    return f"\n## {name}\n\n```text\nrollout {name} {usage}\n```\n\n{says}\n{options}"
