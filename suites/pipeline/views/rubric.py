"""The rubric and the review sheets; totals are computed from the five scores."""

from __future__ import annotations

import csv
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from pytest_rollout import NoValueError, RolloutError

WEIGHTS = {"persona": 20, "objectives": 25, "inputs": 20, "deliverables": 25, "acceptance": 10}
TARGETS = {"persona": 90, "objectives": 95, "inputs": 90, "deliverables": 95, "acceptance": 85}
REVIEWED = ("completeness", "clarity", "accuracy")
TEAMS = ("Workflow Assignment", "Site Monitoring", "Copilot Ops")
SAMPLE = 10
_HEAD = re.compile(r"#\s*team:\s*(?P<team>[^,]+?)\s*,\s*seed:\s*(?P<seed>\d+)\s*$")


@dataclass(frozen=True, slots=True)
class Review:
    """One line of a sheet: an issue that people read."""

    issue: int
    scores: Mapping[str, float]  # 0 to 100 for each part; a part that nobody scored is absent
    answers: Mapping[str, str]  # completeness, clarity, accuracy
    reviewer: str

    @property
    def total(self) -> float:
        """The weighted total in percent; raises NoValueError where a part has no score."""
        for part in WEIGHTS:
            if part not in self.scores:
                raise NoValueError(f"issue {self.issue} has no score for {part} in its sheet")
        return sum(self.scores[part] * weight for part, weight in WEIGHTS.items()) / 100


@dataclass(frozen=True)
class Sheet:
    """The sheet of a week."""

    week: int
    team: str
    seed: int
    reviews: tuple[Review, ...]

    def drawn(self, population: list[int]) -> list[int]:
        """The issues that its seed draws of a population."""
        ordered = sorted(population)
        return random.Random(self.seed).sample(ordered, min(SAMPLE, len(ordered)))


def read_sheet(records: Path, week: int) -> Sheet:
    """The sheet of a week; raises NoValueError where nobody kept one."""
    path = records / "reviews" / f"week-{week}.csv"
    if not path.is_file():
        raise NoValueError(f"there is no review sheet of week {week}; keep it as {path.name}")
    first, *lines = path.read_text(encoding="utf-8").splitlines()
    head = _HEAD.match(first)
    if head is None:
        raise RolloutError(f"{path.name}:1: {first!r:.60} is not `# team: TEAM, seed: NUMBER`")
    rows = csv.DictReader(lines)
    reviews = tuple(_review(path, number, row) for number, row in enumerate(rows, 3))
    return Sheet(week, head["team"], int(head["seed"]), reviews)


def _review(path: Path, number: int, row: Mapping[str, str | None]) -> Review:
    try:
        scores = {part: float(text) for part in WEIGHTS if (text := row[part])}
        answers = {name: (row[name] or "").strip() for name in REVIEWED}
        issue = int(row["issue"] or "")
    except KeyError as error:
        raise RolloutError(f"{path.name}:{number}: there is no column {error}") from None
    except ValueError as error:
        raise RolloutError(f"{path.name}:{number}: {error}") from None
    odd = {part: score for part, score in scores.items() if not 0 <= score <= 100}
    if odd:
        raise RolloutError(f"{path.name}:{number}: scores are 0 to 100, not {odd}")
    return Review(issue, scores, answers, (row.get("reviewer") or "").strip())


def read_rubric(records: Path) -> Mapping[str, Mapping[str, float]]:
    """Weights and targets as people keep them, in percent; raises NoValueError without them."""
    path = records / "rubric.yaml"
    if not path.is_file():
        raise NoValueError("there is no rubric.yaml among the records")
    data = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    kept: dict[str, dict[str, float]] = {}
    for table in ("weights", "targets"):
        if not isinstance(data.get(table), dict):
            raise NoValueError(f"rubric.yaml has no {table}")
        kept[table] = {part: round(100 * float(share), 6) for part, share in data[table].items()}
    return kept
