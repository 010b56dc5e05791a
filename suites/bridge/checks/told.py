"""Observing many of a kind, and saying in words which ones were bad."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pytest_rollout import Observe

_SHOWN = 4


def observe_each(
    observe: Observe, metric: str, problems: Mapping[str, str], **labels: object
) -> None:
    """Observe 0 or 1 of each thing; raises AssertionError with what is wrong with the bad ones."""
    at = datetime.now(UTC)  # one time for all: a target's clock is asked anew for each without
    for name, problem in problems.items():
        observe(metric, bool(problem), at=at, **{"case": name, **labels})
    bad = [f"{name}: {problem}" for name, problem in problems.items() if problem]
    more = f" (and {len(bad) - _SHOWN} more)" if len(bad) > _SHOWN else ""
    assert not bad, "; ".join(bad[:_SHOWN]) + more


@dataclass
class Told:
    """Observes one case after the other, and says in words which ones were bad."""

    observe: Observe
    bad: list[str] = field(default_factory=list)

    def __call__(self, metric: str, wrong: bool, at: datetime, **labels: str) -> None:
        """Observe 0 or 1 of a case, which its labels name."""
        self.observe(metric, int(wrong), at=at, **labels)
        if wrong:
            self.bad.append(", ".join(labels.values()))

    def none_bad(self, what: str) -> None:
        """Raise AssertionError with what is wrong of which cases, where there are any."""
        more = f" (and {len(self.bad) - _SHOWN} more)" if len(self.bad) > _SHOWN else ""
        assert not self.bad, f"{what}: {'; '.join(self.bad[:_SHOWN])}{more}"
