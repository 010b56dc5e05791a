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

Every reason that a finding, a decision or a clearance can have, by its code, with a sentence that
tells it. Codes and facts are for programs ([JSON](json.md)), sentences for people: they may be
worded anew in any release.
Generated from the examples of the tests; `python -m tests.docs` writes it anew.

"""


def text() -> str:
    """Return the whole page."""
    with TemporaryDirectory() as folder:
        reasons = given(Path(folder))
    told = {code: sentences.text(reasons[code][0], ZONE) for code in sorted(reasons)}
    rows = ((f"`{code}`", _plain(sentence)) for code, sentence in told.items())
    return HEAD + table(("code", "for example"), rows)


def _plain(sentence: str) -> str:
    """Return a sentence in which, outside of code, no mark of Markdown is one."""
    parts = sentence.split("`")
    parts[::2] = ["".join(f"\\{c}" if c in "\\*_[]<>" else c for c in part) for part in parts[::2]]
    return "`".join(parts)
