"""Write what comes from the specification: the JSON Schemas and the reference.

Run as ``python -m pytest_rollout.plan.spec`` in a checkout.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pytest_rollout.plan.spec import reference, schema

_PLAN = Path(__file__).parents[1]
_DOCS = Path(__file__).parents[3] / "docs" / "reference"


def generated() -> Mapping[Path, str]:
    """Return each generated file with its text."""
    files = {_PLAN / name: schema.text(name) for name in schema.SCHEMAS}
    return {**files, _DOCS / "plan.md": reference.text()}


def main() -> None:
    """Write each generated file."""
    for path, text in generated().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
