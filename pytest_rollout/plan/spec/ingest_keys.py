"""The keys of `ingest:`: what a criterion asks of a file that another tool left."""

from __future__ import annotations

from pytest_rollout.model.ingest import HistogramUnit
from pytest_rollout.plan.spec.keys import Key, Keys
from pytest_rollout.plan.spec.kinds import Choice, Whole
from pytest_rollout.plan.spec.load_keys import RATE
from pytest_rollout.plan.spec.values import DURATION, IDENTIFIER, NAMES


class IngestKeys(Keys, name="ingest", title="results of another tool"):
    """A file that somebody brings with `rollout ingest`, and what it must hold."""

    exactly_one = ("load", "junit")

    load = Key(IDENTIFIER, "Figures of a load run: the file's name here.", example="checkout")
    junit = Key(IDENTIFIER, "Test cases: the file's name here.", example="contract")
    cases = Key(
        NAMES,
        "Patterns of which each must name a case that passed: of `junit` `CLASS.NAME`, of a load "
        "a threshold of its tool.",
        example='["contract.*"]',
        unless="of a load none; of `junit` it must stand",
    )
    need = Key(
        Whole(1),
        "The fewest requests of a load, or cases that match.",
        example="1000",
        unless="100 requests; 1 case",
    )
    lasts = Key(
        DURATION,
        "How long the load lasts at least: a file that was cut off is told by it.",
        example="10m",
        unless="of `junit` it must not stand, of a load it must",
    )
    rate = Key(
        RATE,
        "The load's arrivals; fewer than 99 in 100 of them, and less was offered.",
        example="40/s",
        unless="not asked",
    )
    unit = Key(
        Choice(HistogramUnit),
        "The unit of the values in a log of HdrHistogram, which does not name it.",
        example="ns",
        unless="such a log is not read",
    )
