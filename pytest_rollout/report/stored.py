"""The one stored form of a decision, and the JSON shape of all that verbs answer.

Run as a command it writes the JSON Schema of decision.json, which is shipped beside it.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from pytest_rollout.model.coding import encode, schema_of
from pytest_rollout.model.decision import Decision
from pytest_rollout.report.indented import Writer
from pytest_rollout.report.sentences import text

_LATER = ("amendments", "rehearsal_only")  # left out where empty: older ones keep their bytes
_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def to_json(decision: Decision) -> str:
    """Return the one stored form; reports and the ledger hold exactly these bytes."""
    zone = decision.timezone
    return Writer(lambda reason: text(reason, zone)).text(decision, without=_LATER)


def plain(record: Any, zone: str) -> Any:
    """Return a record as JSON values, each reason with its sentence beside code and facts."""
    return encode(record, said=lambda reason: text(reason, zone))


_REASON = {"code", "facts", "text"}  # the keys of a reason


def says_all_of(later: str, earlier: str) -> bool:
    """Whether a stored form says all that an earlier one says, and the same of it.

    A later version may say more: keys that the earlier one did not know are not compared. It may
    say a reason in better words: its code and facts are compared, not its sentence. What cannot be
    read says nothing.
    """
    try:
        before = json.loads(earlier)
    except (ValueError, RecursionError):
        return False
    return _says_all_of(json.loads(later), before)


def _says_all_of(later: Any, earlier: Any) -> bool:
    if isinstance(earlier, dict) and isinstance(later, dict):
        compared = earlier.keys() - ({"text"} if earlier.keys() >= _REASON else ())
        return all(key in later and _says_all_of(later[key], earlier[key]) for key in compared)
    if isinstance(earlier, list) and isinstance(later, list):
        return len(later) == len(earlier) and all(map(_says_all_of, later, earlier))
    return bool(type(later) is type(earlier) and later == earlier)


def schema() -> dict[str, Any]:
    """Return the JSON Schema of decision.json, read off the types."""
    definitions: dict[str, Any] = {}
    root = schema_of(Decision, definitions)
    shape = definitions[Decision.__name__]
    shape["required"] = [key for key in shape["required"] if key not in _LATER]
    title = {"$schema": _DRAFT, "title": "A decision of pytest-rollout"}
    return {**title, **root, "$defs": dict(sorted(definitions.items()))}


def main() -> None:
    """Write the JSON Schema to standard output."""
    sys.stdout.write(json.dumps(schema(), indent=2) + "\n")


if __name__ == "__main__":
    main()
