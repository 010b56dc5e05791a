"""One line of the table: an experiment, and what came of its rollouts."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from pytest_rollout.judge import kernels


class Trial(NamedTuple):
    """What one rollout showed."""

    wrong: bool
    right: bool  # it found what the line says that it should


class Claim(Enum):
    """What a line says of itself."""

    HOLDS = "holds its level"
    APPROXIMATE = "approximate"
    BROKEN = "its assumption is broken"
    CONTRAST = "not used, for contrast"


@dataclass(frozen=True)
class Line:
    """What is judged of which service, how often it may be wrong, and what it should find."""

    method: str
    service: str
    level: float
    finds: str
    trial: Callable[[random.Random], Trial]
    claim: Claim = Claim.HOLDS

    @property
    def name(self) -> str:
        """Unlike that of any other line; its random numbers depend on it and on the seed."""
        return f"{self.method}: {self.service}"


@dataclass(frozen=True)
class Result:
    """How often a line was wrong, with the bounds of that at 99.9 %, and how often right."""

    line: Line
    wrong: int
    right: int
    rollouts: int

    @property
    def rate(self) -> float:
        """The share of rollouts in which it was wrong."""
        return self.wrong / self.rollouts

    @property
    def power(self) -> float:
        """The share of rollouts in which it found what it should."""
        return self.right / self.rollouts

    @property
    def bounds(self) -> tuple[float, float]:
        """Where the true share lies, by Clopper and Pearson, each side but for 0.0005."""
        low = kernels.share_low(self.wrong, self.rollouts, 0.0005)
        return low, kernels.share_high(self.wrong, self.rollouts, 0.0005)

    @property
    def holds(self) -> bool:
        """Whether chance alone explains what is above the level."""
        return self.bounds[0] <= self.line.level

    @property
    def broken(self) -> bool:
        """Whether it claims to hold and does not."""
        return self.line.claim is Claim.HOLDS and not self.holds


def run(line: Line, rollouts: int, seed: int) -> Result:
    """Return what came of so many rollouts."""
    chance = random.Random(f"{seed}/{line.name}")
    wrong = right = 0
    for _ in range(rollouts):
        trial = line.trial(chance)
        wrong += trial.wrong
        right += trial.right
    return Result(line, wrong, right, rollouts)
