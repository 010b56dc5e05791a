"""How far a measurement can be trusted, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_rollout.model.finding import Estimate
from pytest_rollout.report.fact_words import amount, count

_METHODS = {
    "Clopper-Pearson": "Clopper and Pearson's exact bounds of a share",
    "order statistics": "the exact bounds of a quantile",
    "betting": "betting bounds of a mean within its range",
    "Newcombe": "Newcombe's bounds of a difference of shares",
    "Hodges-Lehmann": "Hodges and Lehmann's bounds of a shift",
}


def worth(estimate: Estimate | None) -> Iterator[str]:
    """Yield how far a measurement can be trusted, and what would settle it; a sentence each."""
    if estimate is None:
        return
    if estimate.method and (estimate.low or estimate.high):
        at = f", at {estimate.confidence} confidence" if estimate.confidence else ""
        yield f"{_between(estimate)} ({_METHODS.get(estimate.method, estimate.method)}{at})."
    if estimate.catches:
        yield (
            f"Worth: where {estimate.catches} % or more are bad, at most 1 of 20 such runs passes, "
            "if samples are independent of each other."
        )
    if estimate.more:
        good = (
            "one more good sample" if estimate.more == 1 else f"{estimate.more} more good samples"
        )
        yield f"Next: with {good}, {estimate.n + estimate.more} in all, the next run would pass it."


def _between(estimate: Estimate) -> str:
    n = count(estimate.n, "sample")
    low, high = (end and amount(end, estimate.unit, "") for end in (estimate.low, estimate.high))
    if not low or not high:
        side, end = ("least", low) if low else ("most", high)
        return f"Bounds: {n} show that it is at {side} {end}"
    return f"Bounds: {n} show that it is between {low} and {high}"
