"""The KPIs that the plan promises of each lane."""

from __future__ import annotations

from pytest_rollout import Kpi

RATE = Kpi("test_pass_rate", 0.95)
PROMISES = {
    "Code-API": (RATE, Kpi("build_success", 1)),
    "Data-Schema": (Kpi("schema_diff_count", 0, at_most=True), Kpi("migration_success", 1)),
}
