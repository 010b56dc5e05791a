"""What people say: that something was not done, and whether a text says anything."""

from __future__ import annotations

import re
from typing import NoReturn

from pytest_rollout import NoValueError

_BLANK = re.compile(r"\b(?:tbd|todo|n/?a|none|nothing|unknown|nobody|xxx+)\b", re.IGNORECASE)


def not_done(what: str, do: str) -> NoReturn:
    """Say that something was never done, and what to do: the criterion is missing, no pass."""
    raise NoValueError(f"{what}; {do}")


def is_sentence(text: str) -> bool:
    """Whether a text says something: more than three words, and no stand-in for them."""
    return len(text.split()) > 3 and not _BLANK.fullmatch(text.strip())
