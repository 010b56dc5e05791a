"""The rollout of EROS from shadow mode to the cutover, in environment prod by commands alone."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from tests.eros.by_hand import ENGINEER, OPERATOR, Ramp, by_hand

VIOLATES = {"creator": "grace_bennett", "v5": {"violations": ["overlap"]}}


@pytest.mark.nightly
def test_a_violation_in_the_middle_sends_the_ramp_back(tmp_path: Path) -> None:
    with by_hand(tmp_path, shadow="", cutover="percent75") as ramp:
        for phase in ("shadow", "canary"):
            ramp.walk(phase)
        _violate(ramp)
        _go_back(ramp)
        ramp.walk("canary")
        ramp.enter("early_adopters", "--rollout-gate", "entry")  # rolled back, it begins anew
        ramp.change("early_adopters", "three creators are listed again")
        ramp.step("phase", id="early_adopters")
        ramp.leave("early_adopters")
        for phase in ("percent25", "percent50", "percent75"):
            ramp.walk(phase)
        _cut_over(ramp)
        _told(ramp)


def _violate(ramp: Ramp) -> None:
    """In the week of the early adopters one schedule of one creator violates a hard gate."""
    ramp.enter("early_adopters")
    ramp.change("early_adopters", "three creators are listed")
    ramp.step("phase", id="early_adopters", days=3)
    ramp.step("runs", runs=[VIOLATES])
    decided = ramp.decide("early_adopters", "exit", "ROLLBACK")
    assert decided.status == 12
    tripped = {
        one["id"].rpartition(".")[2]
        for one in ramp.decision("early_adopters", "exit")["guardrails"]
        if one["verdict"] == "fail"
    }
    assert tripped == {"gr-gate-violation", "runs-so-far"}
    refused = ramp.rollout("end", "eros.early_adopters", "--env", "prod", "--by", "Olga")
    assert refused.status == 12, refused.said
    onward = ramp.rollout("begin", "eros.percent25", "--env", "prod", "--by", "Olga")
    assert onward.status != 0, "25 percent began on a rollback"


def _go_back(ramp: Ramp) -> None:
    """People roll back, find the cause, show the fix in shadow mode and reset what tripped."""
    ramp.change("early_adopters", "v5 is switched off")
    off = {"EROS_V5_ENABLED": "false", "by": "Olga", "reason": "INC-4"}
    httpx.post(f"{ramp.console}/flags", json=off).raise_for_status()
    board = ramp.rollout("status", "--env", "prod").said
    assert "eros.early_adopters" in board
    assert "ROLLBACK" in board, board
    ramp.walk("shadow")
    for guardrail in ("gr-gate-violation", "runs-so-far"):
        why = ("--by", "Olga", "--reason", "the composer is fixed in v1.0.1, INC-4")
        words = ("reset", f"eros.early_adopters.{guardrail}", "--env", "prod", *why)
        reset = ramp.rollout(*words)
        assert reset.status == 0, reset.said


def _cut_over(ramp: Ramp) -> None:
    """The switch to all creators, with what people answer for."""
    ramp.step("drills")
    ramp.note("signoff", what="on-call-briefing", who="C. Vega")
    ramp.attest("cutover.on-call-briefed", OPERATOR, "C. Vega was briefed")
    ramp.enter("cutover")
    ramp.change("cutover", "100 percent, nobody listed")
    ramp.step("phase", id="cutover")
    ramp.step("close")
    ramp.attest("cutover.monitor-24h", OPERATOR, "watched in three shifts")
    ramp.attest("cutover.lessons-learned", ENGINEER, "written with the team")
    ramp.leave("cutover")


def _told(ramp: Ramp) -> None:
    """The chain of decisions stands on the board, in the report and in the ledger."""
    board = ramp.rollout("status", "--env", "prod").said
    phases = ("shadow", "canary", "early_adopters", "percent25", "percent50", "percent75")
    for phase in (*phases, "cutover"):
        (row,) = [line for line in board.splitlines() if line.startswith(f"  {phase} ")]
        assert "entry GO" in row, board
        assert "exit GO" in row, board
    report = ramp.rollout("report", "eros.early_adopters/exit", "--env", "prod", "--format", "md")
    assert report.status == 0, report.said
    assert "INC-4" in report.said, "the report says nothing of the reset"
    whole = ramp.rollout("verify")
    assert whole.status == 0, whole.said
    verbs = [re.findall(r"\b(begin|end) eros\.(\w+)", line) for line in ramp.told]
    order = [f"{verb} {phase}" for line in verbs for verb, phase in line]
    assert order[-1] == "end cutover"


@pytest.mark.slow
def test_a_step_goes_from_entry_to_exit_and_not_too_early(tmp_path: Path) -> None:
    """Both gates of 25 percent, decided on the application that was started by hand."""
    with by_hand(tmp_path, percent25="") as ramp:
        ramp.step("rollout", before="percent25")
        ramp.enter("percent25")
        assert ramp.unsettled("percent25", "entry") == {}
        ramp.change("percent25", "EROS_V5_PERCENTAGE=25")
        ramp.step("phase", id="percent25", days=1)
        early = ramp.pytest("percent25")
        assert early.status == 11, early.said
        assert set(ramp.unsettled("percent25", "exit")) == {"soak-48h", "per-creator-watch"}
        ramp.step("days", count=1)
        ramp.leave("percent25")
        assert ramp.unsettled("percent25", "exit") == {}


@pytest.mark.nightly
@pytest.mark.parametrize("phase", ["shadow", "canary"])
def test_gates_of_a_week_are_decided(tmp_path: Path, phase: str) -> None:
    with by_hand(tmp_path, **{phase: ""}) as ramp:
        if phase == "canary":
            ramp.step("rollout", before="canary")
        ramp.walk(phase)
