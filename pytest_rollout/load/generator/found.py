"""Which profile a locust process follows, and where its record goes."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_rollout.model.coding import decode
from pytest_rollout.model.load import LoadProfile

PROFILE, RECORD, STATUS = "ROLLOUT_LOAD_PROFILE", "ROLLOUT_LOAD_RECORD", "ROLLOUT_LOAD_STATUS"


@dataclass(frozen=True, slots=True)
class Order:
    """What a load is to be, and where what came of it is written."""

    profile: LoadProfile
    record: Path | None = None
    status: Path | None = None

    @classmethod
    def found(cls, locustfile: Path, environ: Mapping[str, str] = os.environ) -> Order | None:
        """Return the order in the environment; None where there is none."""
        if PROFILE not in environ:
            return None
        text = Path(environ[PROFILE]).read_text(encoding="utf-8")
        profile = decode(LoadProfile, json.loads(text))
        record, status = (
            Path(environ[name]) if name in environ else None for name in (RECORD, STATUS)
        )
        return cls(profile, record, status)
