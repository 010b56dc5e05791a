"""What verbs share that put a person's word on record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from pytest_rollout.model.errors import OptionError

_MOST_NAME, _MOST_WORDS = 200, 2_000


def by_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Who does it."""
    return click.option("--by", required=True, metavar="NAME", help="who does it")(function)


def person(by: str) -> str:
    """Return who does it; raises OptionError where nobody is named."""
    return _said("--by", by, _MOST_NAME)


def words(option: str, text: str) -> str:
    """Return what a person says; raises OptionError where it is nothing, or too long."""
    return _said(option, text, _MOST_WORDS)


def _said(option: str, text: str, most: int) -> str:
    if not text.strip():
        raise OptionError(option, "says nothing")
    if len(text) > most:
        raise OptionError(option, f"is longer than {most} characters")
    return text.strip()
