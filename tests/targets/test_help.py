"""What help() shows of what a suite imports: nothing of the process that asks."""

from __future__ import annotations

import os
import pydoc

from pytest_rollout.targets.reference import Setting

_TELLING = 12  # characters; a shorter value may stand in any text


def test_help_shows_no_value_of_the_environment() -> None:
    shown = pydoc.plain(pydoc.render_doc(Setting))
    values = {value for value in os.environ.values() if len(value) >= _TELLING}
    assert values
    assert [value for value in values if value in shown] == []
