"""Estimates from the default priors of the contract, by the suite's own arithmetic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pytest_rollout import Reported

# Tokens and minutes of a unit of size, and how far a task is off, as a share (pas-programs.md).
PRIORS: Mapping[str, tuple[float, float, float]] = {
    "Code-Impl": (1200.0, 2.0, 0.30),
    "Data-Schema": (700.0, 1.2, 0.25),
    "Narrative": (900.0, 1.5, 0.35),
    "Vector-Ops": (400.0, 0.6, 0.20),
}
OTHER = (1000.0, 1.5, 0.40)  # of a lane that has no prior
LEVEL_90 = 1.645
USD_A_TOKEN = 0.000002
_NEAR = 1e-6


def interval(parts: Sequence[tuple[float, float]]) -> dict[str, float]:
    """Mean and bounds of a sum, of the mean of each part and how far it is off, as a share."""
    mean = sum(part for part, _ in parts)
    off = LEVEL_90 * sum((part * share) ** 2 for part, share in parts) ** 0.5
    return {"mean": mean, "lower": max(0.0, mean - off), "upper": mean + off}


def by_priors(tasks: Sequence[Reported]) -> dict[str, dict[str, float]]:
    """The estimate of tasks by lane and size: tokens, minutes, and what the tokens cost."""
    priors = [(PRIORS.get(task.text("lane"), OTHER), task.number("size")) for task in tasks]
    tokens = interval([(prior[0] * size, prior[2]) for prior, size in priors])
    minutes = interval([(prior[1] * size, prior[2]) for prior, size in priors])
    cost = {name: value * USD_A_TOKEN for name, value in tokens.items()}
    return {"tokens": tokens, "minutes": minutes, "cost_usd": cost}


def unlike(said: Reported, due: Mapping[str, float]) -> str:
    """Which of mean, lower and upper is another one; empty: none."""
    for name, value in due.items():
        if abs(said.number(name) - value) > max(0.001, _NEAR * abs(value)):
            return f"{name} is {said[name]}, and {value:g} is due"
    return ""
