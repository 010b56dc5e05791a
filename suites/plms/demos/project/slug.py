"""A title as it appears in an address."""

from __future__ import annotations


def slug(title: str) -> str:
    """The title in small letters, its words joined by hyphens."""
    return title.lower().replace(" ", "-")
