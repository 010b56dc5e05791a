"""`python -m tests.packaging.release_notes VERSION`: what CHANGELOG.md says of a version."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

CHANGELOG = Path(__file__).parents[2] / "CHANGELOG.md"
_HEAD = re.compile(r"^## (\S+).*$", re.MULTILINE)


def section(text: str, version: str) -> str:
    """Return the lines below the heading of a version; raises KeyError where it has none."""
    heads = list(_HEAD.finditer(text))
    ends = [*(head.start() for head in heads[1:]), len(text)]
    found = {head[1]: text[head.end() : end] for head, end in zip(heads, ends, strict=True)}
    return found[version].strip()


def main(arguments: Sequence[str], changelog: Path = CHANGELOG) -> int:
    """Print the section; 1 where there is none, or where it says nothing."""
    (version,) = arguments
    try:
        notes = section(changelog.read_text(encoding="utf-8"), version)
    except KeyError:
        print(f"{changelog.name} has no section `## {version}`", file=sys.stderr)
        return 1
    if not notes:
        print(f"{changelog.name} says nothing of {version}", file=sys.stderr)
        return 1
    print(notes)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
