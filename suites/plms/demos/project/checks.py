"""What the project of demo 3 is held against; its own bug fails one of four."""

from __future__ import annotations

import unittest

from slug import slug  # type: ignore[import-not-found]


class Slugs(unittest.TestCase):
    """Titles and their addresses."""

    def test_one_word(self) -> None:
        assert slug("Title") == "title"

    def test_two_words(self) -> None:
        assert slug("Two words") == "two-words"

    def test_many_blanks(self) -> None:
        assert slug(" Two  words ") == "two-words"

    def test_no_words(self) -> None:
        assert slug("") == ""
