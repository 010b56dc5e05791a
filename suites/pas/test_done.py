"""Done means done: the status table says what the decisions come to."""

from __future__ import annotations

import re

import pytest

from pytest_rollout import Observe
from suites.pas.scenarios.finishing import Finished
from suites.pas.views import documents

pytestmark = pytest.mark.pas_done

ROWS = {  # a component: the phase whose decision it stands on, and the services that it is
    r"PLMS Tier 1": ("", ("plms",)),
    r"PAS PRD": ("today", ()),
    r"PAS Stub": ("today", ("pas",)),
    r"VP CLI": ("today", ()),
    r"Integration Plan": ("today", ()),
    r"LightRAG Code Index": ("phase1", ("index",)),
    r"Multi-Metric Telemetry": ("phase2", ("plms",)),
    r"LCO": ("phase3", ()),
    r"Full PAS": ("phase4", ("full",)),
    r"Planner Learning": ("phase5", ()),
}
SHIPPED = "shipped"


@pytest.mark.criterion("component-status-sourced")
def test_each_status_is_what_was_decided(finished: Finished, observe: Observe) -> None:
    """Both ways: shipped only with a GO, and with a GO nothing less; PLMS has no gate here."""
    rows = documents.table(
        documents.text(finished.checkout, documents.STATUS), "Component", "Status", "Owner"
    )
    gone = {gate.text("phase") for gate in finished.records.of("gate", verdict="GO")}
    for component, (phase, services) in ROWS.items():
        mine = [row for row in rows if re.match(component, row["Component"], re.IGNORECASE)]
        due = phase in gone
        said = bool(mine) and mine[0]["Status"].casefold().startswith(SHIPPED)
        up = all(finished.answers[name] for name in services)
        unproven = len(mine) != 1 or said is not due or (said and not up)
        observe("status_unproven", unproven, component=component)
    assert len(rows) == len(ROWS), f"the table has {len(rows)} rows, not {len(ROWS)}"
