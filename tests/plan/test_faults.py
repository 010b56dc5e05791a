"""The faults that criteria and guardrails name: each once, each as a target could know it."""

from __future__ import annotations

import pytest

from pytest_rollout.judge.case import criteria_digest
from pytest_rollout.model.plan import Gate
from tests.plan.example import TEXT, line_of, loaded, messages

SAYS = "        says: Code-API may run four at once\n"
RAIL = "        says: No lane runs more than its cap\n"


def naming(faults: str, after: str = SAYS) -> str:
    """The example with faults named after a line."""
    return TEXT.replace(after, f"{after}        faults: {faults}\n")


def test_a_criterion_and_a_guardrail_name_faults() -> None:
    text = naming('[a, "b:size=2,at=db"]').replace(RAIL, f"{RAIL}        faults: c\n")
    plan = loaded(text).plan
    assert plan is not None
    assert not loaded(text).problems
    phase = plan.phases[1]
    assert phase.criteria[1].faults == ("a", "b:at=db,size=2")
    assert phase.guardrails[0].faults == ("c",)


@pytest.mark.parametrize(
    ("faults", "what"),
    [
        ('["b:size"]', "`faults`: 'size' in 'b:size' is not key=value (faults: [NAME,"),
        ('[":x=1"]', "has no fault name before the colon"),
        ('["b:y=1,x=2", "b:x=2,y=1"]', "`faults` names b:x=2,y=1 twice"),
        ("[{a: b}]", "`faults` holds something other than names"),
    ],
)
@pytest.mark.parametrize("after", [SAYS, RAIL])
def test_what_no_target_could_know_is_an_offence(after: str, faults: str, what: str) -> None:
    text = naming(faults, after)
    (message,) = messages(text)
    assert message.startswith(f"rollout.yaml:{line_of('faults:', text)}: ")
    assert what in message


def test_naming_a_fault_asks_nothing_more_of_the_gate() -> None:
    """Else naming one would void every approval."""
    before, after = loaded(TEXT).plan, loaded(naming("[a]")).plan
    assert before is not None
    assert after is not None
    for gate in Gate:
        digest = criteria_digest(before.phases[1], gate)
        assert criteria_digest(after.phases[1], gate) == digest
