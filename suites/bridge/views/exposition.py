"""What `/metrics` says: samples by name and labels, and what rose between two scrapes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import httpx
from prometheus_client.parser import text_string_to_metric_families

from pytest_rollout import NotReportedError, RolloutError

Labels = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Scrape:
    """One look at `/metrics`."""

    samples: Mapping[str, Mapping[Labels, float]]
    kinds: Mapping[str, str]  # counter, gauge, histogram, summary; by the name of each sample

    def has(self, name: str, **labels: str) -> bool:
        """Whether a series of this name with these labels is there, and is a number."""
        wanted = labels.items()
        return any(
            wanted <= dict(labels_).items() and math.isfinite(value)
            for labels_, value in self.samples.get(name, {}).items()
        )

    def sum(self, name: str, **labels: str) -> float:
        """The sum of all series of a name with these labels; raises NotReportedError of none."""
        if not self.has(name, **labels):
            shown = "".join(f" {key}={value}" for key, value in labels.items())
            raise NotReportedError(f"/metrics has no {name}{shown}")
        wanted = labels.items()
        return sum(
            value
            for labels_, value in self.samples[name].items()
            if wanted <= dict(labels_).items()
        )

    def by(self, name: str, label: str) -> dict[str, float]:
        """The sums of a name by a label; raises NotReportedError where the name is not there."""
        self.sum(name)
        sums: dict[str, float] = {}
        for labels, value in self.samples[name].items():
            group = dict(labels).get(label, "")
            sums[group] = sums.get(group, 0.0) + value
        return sums

    def counters(self) -> dict[tuple[str, Labels], float]:
        """Each series that may only rise."""
        rising = ("counter", "histogram_count", "histogram_bucket", "histogram_sum")
        return {
            (name, labels): value
            for name, series in self.samples.items()
            if self.kinds.get(name) in rising
            for labels, value in series.items()
        }


def scrape(client: httpx.Client) -> Scrape:
    """What `/metrics` says now; raises RolloutError where it is no text of Prometheus."""
    answer = client.get("/metrics")
    if not answer.is_success:
        raise RolloutError(f"GET /metrics answers {answer.status_code}, not 200")
    samples: dict[str, dict[Labels, float]] = {}
    kinds: dict[str, str] = {}
    try:
        for family in text_string_to_metric_families(answer.text):
            for sample in family.samples:
                samples.setdefault(sample.name, {})[frozenset(sample.labels.items())] = sample.value
                kinds[sample.name] = _kind(family.type, family.name, sample.name)
    except ValueError as error:
        raise RolloutError(f"/metrics is no text of Prometheus: {error}") from None
    return Scrape(samples, kinds)


def _kind(kind: str, family: str, sample: str) -> str:
    if kind not in ("histogram", "summary"):
        return "created" if sample.endswith("_created") else kind
    part = sample.removeprefix(family).lstrip("_")
    return "gauge" if part in ("", "created") else f"histogram_{part}"


@dataclass(frozen=True, slots=True)
class Between:
    """Two scrapes, and what rose from one to the other."""

    before: Scrape
    after: Scrape

    def rose(self, name: str, **labels: str) -> float:
        """How much the series rose; one that was not there before rose from zero."""
        late = self.after.sum(name, **labels)
        return late - (self.before.sum(name, **labels) if self.before.has(name, **labels) else 0)

    def rose_by(self, name: str, label: str) -> dict[str, float]:
        """How much each group of a label rose; groups that did not are left out."""
        late = self.after.by(name, label)
        early = self.before.by(name, label) if self.before.has(name) else {}
        risen = {group: value - early.get(group, 0.0) for group, value in late.items()}
        return {group: value for group, value in risen.items() if value}

    def fell(self) -> list[str]:
        """The counters that fell, or went away."""
        late = self.after.counters()
        return sorted(
            f"{name}{dict(labels) or ''}"
            for (name, labels), value in self.before.counters().items()
            if late.get((name, labels), -math.inf) < value
        )
