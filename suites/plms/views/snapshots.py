"""The registry at one moment, by the names that the suite knows."""

from __future__ import annotations

from pathlib import Path

from pytest_rollout import Snapshot
from suites.plms.views.dialect import spoken
from suites.plms.views.tables import rows

TABLES = ("project_runs", "kpi_receipts", "estimate_versions", "lane_configs", "system_config")


def snapshot(registry: Path) -> Snapshot:
    """All that it holds; of a target with names of its own the tables that the docs name."""
    if not spoken().tables:
        return Snapshot.of(registry)
    tables = {name: rows(registry, f"SELECT rowid AS _row, * FROM {name}") for name in TABLES}
    return Snapshot.of_rows(
        {name: {str(row.pop("_row")): row for row in table} for name, table in tables.items()}
    )
