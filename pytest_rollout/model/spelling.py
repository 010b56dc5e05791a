"""The nearest known word to one that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_PART = 4  # letters of a word that may stand for a longer one


def nearest(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """Return ``did you mean x?`` for the nearest known word, else ``otherwise`` or all of them.

    Nearest is the most similar one, or the shortest that contains the word.
    """
    words = sorted(set(known))
    close = difflib.get_close_matches(word, words, n=1, cutoff=0.6)
    if not close and len(word) >= _PART:
        close = sorted((known_word for known_word in words if word in known_word), key=len)
    if close:
        return f"did you mean `{close[0]}`?"
    if otherwise:
        return otherwise
    return f"known: {', '.join(words)}" if words else "none is defined"
