"""Which zone data a run judged by."""

from __future__ import annotations

import zoneinfo
from importlib.metadata import version
from pathlib import Path


def zone_data() -> str:
    """Return the version of the zone data in use: the system's, else the tzdata package's."""
    for folder in zoneinfo.TZPATH:
        listing = Path(folder, "tzdata.zi")
        if listing.is_file():
            with listing.open(encoding="utf-8") as lines:
                return lines.readline().strip().removeprefix("# version ")
    return f"tzdata {version('tzdata')}"
