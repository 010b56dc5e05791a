"""Counts words."""

from collections import Counter


def words(text: str) -> Counter[str]:
    """Return how often each word stands in a text; capitals make no difference."""
    return Counter(text.lower().split())
