"""Observing one case after the other, and saying in words which ones were bad."""

from __future__ import annotations

from dataclasses import dataclass, field

from pytest_rollout import Observe

_SHOWN = 4


@dataclass
class Told:
    """Observes cases, of which 0 is good, and remembers the bad ones by their labels."""

    observe: Observe
    bad: list[str] = field(default_factory=list)

    def __call__(self, metric: str, wrong: float, **labels: object) -> None:
        """Observe how wrong a case is."""
        self.observe(metric, wrong, **labels)  # type: ignore[arg-type]
        if wrong:
            self.bad.append(", ".join(map(str, labels.values())))

    def none_bad(self, what: str) -> None:
        """Raise AssertionError with what is wrong of which cases, where there are any."""
        more = f" (and {len(self.bad) - _SHOWN} more)" if len(self.bad) > _SHOWN else ""
        assert not self.bad, f"{what}: {'; '.join(self.bad[:_SHOWN])}{more}"
