"""What a line of a terminal may hold; imports nothing, as each verb needs it."""

from __future__ import annotations

_MOST_OF_A_LINE = 4_000


def plain(words: str) -> str:
    """One line without control characters, so that evidence cannot drive or flood the terminal."""
    if len(words) > _MOST_OF_A_LINE:
        words = f"{words[:_MOST_OF_A_LINE]}… ({len(words):,} characters)"
    if words.isprintable():
        return words
    return "".join(char if char.isprintable() else " " for char in words)
