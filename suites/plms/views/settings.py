"""Every setting of a registry: the caps of the lanes and the system's configuration."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from suites.plms.views.portfolio import LANES, caps
from suites.plms.views.tables import rows

Difference = tuple[str, str]  # before and after
UNSET = "unset"
# The plan switches it on for the first time on day 5, which leaves a mark of where it began.
_ENABLED = {"calibration_enabled": "true"}
MARKS = {"calibration_mark"}
_WROTE = re.compile(r"^([^:]+): (\S+) (?:→|->|to) (\S+)", re.MULTILINE)


def stored(registry: Path) -> dict[str, str]:
    """The value of each setting, by its name; a lane's is ``cap of LANE``."""
    lane_caps = {f"cap of {lane}": str(cap) for lane, cap in caps(registry).items()}
    configured = rows(registry, "SELECT key, value FROM system_config")
    return lane_caps | {str(row["key"]): str(row["value"]) for row in configured}


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, Difference]:
    """What is otherwise: before and after, by the name of the setting."""
    pairs = {
        name: (before.get(name, UNSET), after.get(name, UNSET))
        for name in sorted({*before, *after})
    }
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def in_words(changed: Mapping[str, tuple[object, object]]) -> str:
    """Differences as a sentence."""
    return ", ".join(f"{name} went from {old} to {new}" for name, (old, new) in changed.items())


def unexplained(
    changed: Mapping[str, Difference], said: Iterable[str], named: Mapping[str, object]
) -> dict[str, Difference]:
    """The differences that no record of a change tells, with the value that came of it.

    ``said`` is what the records say in words, ``named`` the settings that they name as they are
    set. In words a record tells the caps of the plan, that calibration was enabled, or a setting
    with before and after.
    """
    allowed = {(name, str(value)) for name, value in named.items()}
    marks: set[str] = set()
    for words in said:
        if re.match(r"lane caps\b", words):
            allowed |= {(f"cap of {lane}", str(cap)) for lane, cap in LANES.items()}
        if re.match(r"calibration (policy )?enabled\b", words):
            allowed |= set(_ENABLED.items())
            marks |= MARKS
        allowed |= {(name, after) for name, _, after in _WROTE.findall(words)}
    return {
        name: pair
        for name, pair in changed.items()
        if (name, pair[1]) not in allowed and name not in marks
    }
