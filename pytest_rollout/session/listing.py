"""Lists what a collection finds: a plugin of the child that `rollout init` starts."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pytest_rollout.session.seams import passes_by_marks

FILE = "ROLLOUT_LISTING"  # the variable that says where the list goes


def pytest_collection_finish(session: pytest.Session) -> None:
    """Write the id of each test, and whether its marks let it pass here.

    In the order of files and lines: plugins may have shuffled them.
    """
    items = sorted(session.items, key=lambda item: (item.location[0], item.location[1] or 0))
    listed = {item.nodeid: passes_by_marks(item) for item in items}
    Path(os.environ[FILE]).write_text(json.dumps(listed), encoding="utf-8")
