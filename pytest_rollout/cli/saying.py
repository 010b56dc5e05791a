"""What the command says: without secrets and without what could drive a terminal."""

from __future__ import annotations

import json

import click

from pytest_rollout.redact import hide, hide_in
from pytest_rollout.report.terminal import plain


def say(text: str, *, err: bool = False) -> None:
    """One line for people."""
    click.echo(plain(hide(text)), err=err)


def say_json(data: object) -> None:
    """One line for programs, on standard output."""
    click.echo(json.dumps(hide_in(data)))
