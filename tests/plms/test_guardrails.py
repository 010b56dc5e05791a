"""Criteria and guardrails of one limit stop at the same value, the one of the examples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.plms.rehearsal import ROOT

PLAN = yaml.safe_load((ROOT / "suites/plms/rollout.yaml").read_text(encoding="utf-8"))
LIVE = next(phase for phase in PLAN["phases"] if phase["id"] == "live")
EXAMPLES = ROOT / "tests/judge/examples/plms.yaml"
PASSES = {">": "<=", ">=": "<", "<": ">=", "<=": ">"}  # what fails, and what then passes
PAIRS = {  # guardrail: criterion of the same limit, rule of the examples, its cut in their unit
    "estimation-error-warning": ("mae-not-warning", "mt.estimation-error.warning", 1),
    "estimation-error-critical": ("mae-not-critical", "mt.estimation-error.critical", 1),
    "ci-width-warning": ("ci-width-not-warning", "mt.ci-width.warning", 100),
    "ci-width-critical": ("ci-width-not-critical", "mt.ci-width.critical", 100),
    "kpi-pass-rate-warning": ("kpi-pass-rate-not-warning", "mt.kpi-pass-rate.warning", 1),
    "kpi-pass-rate-critical": ("kpi-pass-rate-not-critical", "mt.kpi-pass-rate.critical", 1),
    "invariants-failures-warning": (
        "invariants-failures-not-warning",
        "mt.invariants-failures.warning",
        1,
    ),
    "invariants-failures-critical": (
        "invariants-failures-not-critical",
        "mt.invariants-failures.critical",
        1,
    ),
    "runway-warning": ("runway-not-warning", "mt.budget-runway.warning", 1),
    "runway-short": ("runway-not-critical", "mt.budget-runway.critical", 1),
}


def cut(text: str) -> tuple[str, float]:
    """The sign and the number of a cut."""
    sign, number = text.split()
    return sign, float(number)


def named(kind: str, name: str) -> dict[str, Any]:
    """A criterion or guardrail of the week."""
    found: dict[str, Any] = next(one for one in LIVE[kind] if one["id"] == name)
    return found


@pytest.mark.parametrize("guardrail", PAIRS)
def test_a_limit_is_one_number(guardrail: str) -> None:
    sign, limit = cut(named("guardrails", guardrail)["fail"])
    passes, passing = cut(named("criteria", PAIRS[guardrail][0])["pass"])
    assert (passes, passing) == (PASSES[sign], limit)


@pytest.mark.parametrize("guardrail", PAIRS)
def test_a_limit_is_the_one_of_the_examples(guardrail: str) -> None:
    _, rule, times = PAIRS[guardrail]
    blocks = yaml.safe_load(Path(EXAMPLES).read_text(encoding="utf-8"))["rules"]
    states = next(block["states"] for block in blocks if block["rule"] == f"plms.{rule}")
    sign, limit = cut(named("guardrails", guardrail)["fail"])
    assert cut(states["fail"]) == (sign, limit * times)


def test_critical_values_pause_and_warnings_warn() -> None:
    for guardrail in LIVE["guardrails"]:
        stops = not guardrail["id"].endswith(("-warning", "runway-short"))
        assert guardrail["then"] == (["pause", "notify"] if stops else ["warn", "notify"])
