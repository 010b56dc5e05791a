"""Starts that say badly, or not at all, what is to be run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_BODY = {"run_kind": "baseline", "lane_name": "Narrative", "tasks": 1, "task_seconds": 60}
_KEY = "malformed-start-of-a-night"


@dataclass(frozen=True, slots=True)
class Malformed:
    """A start that must be refused."""

    content: bytes
    key: str | None = _KEY

    @property
    def request(self) -> Mapping[str, Any]:
        """What an HTTP client sends."""
        key = {} if self.key is None else {"Idempotency-Key": self.key}
        return {"content": self.content, "headers": {"Content-Type": "application/json", **key}}


def _said(**changed: object) -> bytes:
    return json.dumps({**_BODY, **changed}).encode()


MALFORMED: Mapping[str, Malformed] = {
    "no JSON": Malformed(b'{"run_kind": "baseline", '),
    "nothing": Malformed(b""),
    "bytes that are no text": Malformed(b'{"run_kind": "\xff\xfe"}'),
    "a list": Malformed(json.dumps([_BODY]).encode()),
    "no kind": Malformed(json.dumps({"lane_name": "Narrative"}).encode()),
    "an unknown kind": Malformed(_said(run_kind="nightly")),
    "a kind that is no text": Malformed(_said(run_kind=["baseline"])),
    "a key that is missing": Malformed(_said(), key=None),
    "nesting": Malformed(b"[" * 5000 + b"]" * 5000),
}
