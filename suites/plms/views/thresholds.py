"""The limits of the plan's table, and those that a release publishes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

FILE = "config/plms_thresholds.yaml"
Limits = Mapping[str, float]
# Warning and critical of each metric; KPI pass rates warn at what the final gate asks for.
PLANNED: Mapping[str, Limits] = {
    "estimation_error": {"warning": 0.30, "critical": 0.50},
    "ci_width": {"warning": 0.50, "critical": 0.75},
    "kpi_pass_rate": {"warning": 0.95, "critical": 0.80},
    "invariants_failures_per_week": {"warning": 1, "critical": 2},
    "budget_runway_minutes": {"warning": 15, "critical": 5},
}
_LINE = re.compile(
    r"^(?P<metric>\w+): \{warning: (?P<warning>[\d.]+), critical: (?P<critical>[\d.]+)\}$"
)


def published(text: str) -> dict[str, Limits]:
    """The limits in a published file; raises AssertionError for a line that states none."""
    limits: dict[str, Limits] = {}
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        limit = _LINE.match(line.rstrip())
        assert limit, f"{FILE}: {line!r} is not `metric: {{warning: 1, critical: 2}}`"
        assert limit["metric"] not in limits, f"{FILE} states {limit['metric']} twice"
        limits[limit["metric"]] = {of: float(limit[of]) for of in ("warning", "critical")}
    return limits


def expected(tuned: Iterable[Mapping[str, Any]]) -> Mapping[str, Limits]:
    """The limits of the plan, with what people put on record as tuned."""
    limits: dict[str, dict[str, float]] = {of: dict(planned) for of, planned in PLANNED.items()}
    for entry in tuned:
        for of in ("warning", "critical"):
            if of in entry:
                limits.setdefault(entry["metric"], {})[of] = float(entry[of])
    return dict(limits)
