"""Words for how what a plan states is proven."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_rollout.model.proof import FaultProof, Proof
from pytest_rollout.report import text

MOST_SHOWN = 12


def proof_lines(proof: Proof, zone: str) -> Iterator[str]:
    """Yield the way from the plan's document to its proof, a line each."""
    yield f"Source: {_source(proof)}."
    yield f"Stated: {proof.stated}"
    if proof.tests:
        places = dict.fromkeys(str(place) for place in proof.tests)
        more = len(places) - MOST_SHOWN
        left = [f"and {more} more"] if more > 0 else []
        yield f"Checks: {', '.join([*places][:MOST_SHOWN] + left)}"
    if proof.faults:
        yield f"Faults: {'; '.join(_fault(fault, zone) for fault in proof.faults)}."


def _source(proof: Proof) -> str:
    if proof.source is None:
        return "not said (`source: {section: TITLE, lines: 12-14}` names the place)"
    document = f" of {proof.document}" if proof.document else ""
    place = f"{proof.source}{document}"
    return f"{place}; derived: {proof.source.derived}" if proof.source.derived else place


def _fault(fault: FaultProof, zone: str) -> str:
    if fault.outcome is None:
        return f"{fault.fault}: never drilled"
    outdated = ", by another text of the plan" if fault.outdated else ""
    return f"{fault.fault}: {fault.outcome.value} ({text.moment(fault.at, zone)}{outdated})"
