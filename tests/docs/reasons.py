"""docs/reference/reasons.md: a reason of each code, as a report says it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from pytest_rollout.report import sentences
from tests.docs.tables import table
from tests.judge.worlds import ZONE
from tests.report.reasons_given import given

HEAD = """\
# Reasons

Every reason that a finding, a decision or a clearance can have, by its code, with a sentence that it was told in. Codes and
facts are for programs ([JSON](json.md)), sentences for people: they may be worded anew in any release.
Generated from the examples of the tests; `python -m tests.docs` writes it anew.

"""


def text() -> str:
    """Return the whole page."""
    with TemporaryDirectory() as folder:
        reasons = given(Path(folder))
    rows = (
        (f"`{code}`", _told(sentences.text(reasons[code][0], ZONE))) for code in sorted(reasons)
    )
    return HEAD + table(("code", "for example"), rows)


def _told(sentence: str) -> str:
    """Return a sentence in which no mark of Markdown is one."""
    return "".join(f"\\{char}" if char in "\\`*_[]<>" else char for char in sentence)
