"""Records and profiles of loads as files: read whole, written at once."""

from __future__ import annotations

import json
import os
from pathlib import Path

from pytest_rollout.model.coding import decode, encode
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.load import LoadProfile, LoadRecord

PROFILE, RECORD, STATUS = "ROLLOUT_LOAD_PROFILE", "ROLLOUT_LOAD_RECORD", "ROLLOUT_LOAD_STATUS"
FOLLOWED = "ROLLOUT_LOAD_FOLLOWED"  # the folder in which loads keep their files while they run
PROFILE_FILE, RECORD_FILE, STATUS_FILE = "profile.json", "record.json", "status.json"


def attachment_of(load: str) -> str:
    """Return the name under which the record of a load is kept as evidence."""
    return f"load.{load}.json"


def record_text(record: LoadRecord) -> str:
    """Return a record as the JSON text of a file."""
    return json.dumps(encode(record), separators=(",", ":"))


def write_profile(path: Path, profile: LoadProfile) -> None:
    """Write the profile that a process of locust is to follow."""
    beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    beside.write_text(json.dumps(encode(profile)), encoding="utf-8")
    beside.replace(path)


def read_profile(path: Path) -> LoadProfile:
    """Return the profile in a file that this process or its parent wrote."""
    profile: LoadProfile = decode(LoadProfile, json.loads(path.read_text(encoding="utf-8")))
    return profile


def read_record(path: Path) -> LoadRecord | None:
    """Return the record in a file; None where there is no file.

    Raises RolloutError where it holds something else.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise RolloutError(f"the record of the load cannot be read: {error}") from None
    try:
        record: LoadRecord = decode(LoadRecord, json.loads(text))
    except (ValueError, TypeError, RecursionError) as error:
        raise RolloutError(f"the record of the load is none: {error}") from None
    return record
