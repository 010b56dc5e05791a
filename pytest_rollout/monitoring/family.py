"""What the programs of the Prometheus family share: how they say where they listen."""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar

import httpx

from pytest_rollout.targets.child import Child


class FamilyChild(Child):
    """A program of the Prometheus family, with a client of its HTTP interface."""

    listens: ClassVar[re.Pattern[str]] = re.compile(
        r'msg="Listening on" address=(127\.0\.0\.1:\d+)'
    )

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        # Its one host speaks plain HTTP: no certificates are loaded for it.
        self.client = httpx.Client(verify=False, timeout=10)

    def __exit__(self, *_: object) -> None:
        self.client.close()
        super().__exit__()
