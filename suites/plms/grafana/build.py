"""Builds the dashboard: ``python -m suites.plms.grafana.build``.

Needs Grafana's own SDK (``pip install grafana-foundation-sdk``), whose types are generated from
Grafana's schemas: a panel, an option or a unit that Grafana does not know is an error here.
"""

from __future__ import annotations

from pathlib import Path

from grafana_foundation_sdk.builders import (
    barchart,
    dashboard,
    gauge,
    prometheus,
    stat,
    table,
    timeseries,
)
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import StackingMode
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    ValueMap,
    ValueMappingResult,
)

FILE = Path(__file__).with_name("plms_invariants_dashboard.json")
SOURCE = DataSourceRef(type_val="prometheus", uid="plms-ops-api")  # "PLMS Ops API"

_WORDS = ValueMap(
    options={
        "0": ValueMappingResult(text="FAIL", color="red"),
        "1": ValueMappingResult(text="OK", color="green"),
    },
)


def built() -> str:
    """The dashboard as JSON, the same each time."""
    board = dashboard.Dashboard("PLMS invariants").uid("plms-invariants").timezone("browser")
    board.time("now-24h", "now").refresh("1m").tags(["plms"])
    for panel in (*_now(), *_over_time()):
        board.with_panel(panel)
    return JSONEncoder(sort_keys=True, indent=2).encode(board.build()) + "\n"


def _ask(expr: str, *, instant: bool = True) -> prometheus.Dataquery:
    query = prometheus.Dataquery().expr(expr).ref_id("A").datasource(SOURCE)
    return query.instant() if instant else query.range()


def _now() -> list[stat.Panel | gauge.Panel]:
    """Panels 1 to 4: how it stands."""
    return [
        stat.Panel()
        .title("Current Status")
        .mappings([_WORDS])
        .with_target(_ask('invariants_status{status="OK"}')),
        stat.Panel().title("Total Violations").with_target(_ask("invariants_violations")),
        gauge.Panel()
        .title("Success Rate")
        .unit("percent")
        .min(0)
        .max(100)
        .with_target(_ask("100 * invariants_success_ratio")),
        stat.Panel()
        .title("Last Check Time")
        .unit("h")
        .with_target(_ask("invariants_check_age_seconds / 3600")),
    ]


def _over_time() -> list[timeseries.Panel | barchart.Panel | stat.Panel | table.Panel]:
    """Panels 5 to 8: how it went, and what is checked."""
    return [
        timeseries.Panel()
        .title("Status History")
        .time_from("30d")
        .with_target(_ask('invariants_status{status="OK"}', instant=False)),
        barchart.Panel()
        .title("Violations by Type")
        .stacking(StackingMode.NORMAL)
        .with_target(_ask("invariants_violations_by_type")),
        stat.Panel()
        .title("Mean Time to Fix")
        .unit("d")
        .with_target(_ask("invariants_mean_time_to_fix_days")),
        table.Panel()
        .title("Critical Checks")
        .mappings([_WORDS])
        .with_target(_ask("invariants_check_passed")),
    ]


def main() -> None:
    """Write the dashboard beside this module."""
    FILE.write_text(built(), encoding="utf-8")


if __name__ == "__main__":
    main()
