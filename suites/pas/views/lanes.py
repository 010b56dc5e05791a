"""Lanes and KPIs as the contract has them: how long a task takes, what its receipt must hold."""

from __future__ import annotations

from pytest_rollout import Reported

SECONDS = {  # the ranges of the upstream; the document only says that they differ by lane
    "Code-Impl": (5, 15),
    "Data-Schema": (3, 8),
    "Narrative": (10, 20),
    "Vector-Ops": (2, 5),
    "Code-API-Design": (3, 10),
    "Graph-Ops": (4, 12),
}
LANES = tuple(SECONDS)
CAPS = {
    "Code-Impl": 4,
    "Data-Schema": 2,
    "Narrative": 6,
    "Vector-Ops": 2,
    "Code-API-Design": 4,
    "Graph-Ops": 2,
}
KPI_OF = {
    "Code-Impl": "test_pass_rate",
    "Data-Schema": "schema_diff",
    "Narrative": "BLEU",
    "Vector-Ops": "index_freshness",
    "Code-API-Design": "test_pass_rate",
    "Graph-Ops": "index_freshness",
}
HIGHER = frozenset({"test_pass_rate", "BLEU"})  # the higher the better; of the others the lower
LIMITS = {"test_pass_rate": 0.90, "schema_diff": 0, "BLEU": 0.40, "index_freshness": 120}
ALIASES = {"schema_diff_count": "schema_diff", "bleu": "BLEU"}


def kpi_name(said: str) -> str:
    """A KPI by the name that this plan has for it."""
    return ALIASES.get(said, said)


def due_verdict(kpi: str, value: float, threshold: float) -> bool:
    """What a receipt must say of a value."""
    return value >= threshold if kpi in HIGHER else value <= threshold


def sound(receipt: Reported) -> bool:
    """Whether the verdict of a receipt is what value and threshold come to."""
    kpi = kpi_name(receipt.text("kpi"))
    value = receipt.number("value")
    due = due_verdict(kpi, value, receipt.number("threshold"))
    possible = 0 <= value <= 1 if kpi in HIGHER else value >= 0  # the first two are shares
    return receipt.flag("pass") is due and receipt.number("threshold") == LIMITS[kpi] and possible
