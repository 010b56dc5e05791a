"""Allure's view of a run: labels of checks and a result for each gate, where one is written."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pytest_rollout.model.decision import Decision
from pytest_rollout.model.plan import Criterion, Severity
from pytest_rollout.model.story import NO_STORY
from pytest_rollout.model.verdict import Answer
from pytest_rollout.redact import hide
from pytest_rollout.report import text
from pytest_rollout.report.blockers import blockers
from pytest_rollout.report.markdown import to_markdown
from pytest_rollout.session.binding import Bound
from pytest_rollout.session.collecting import Collecting

_SEVERITIES = {
    Severity.HARD: "critical",
    Severity.SOFT: "normal",
    Severity.OPTIONAL: "minor",
}
_STATUSES = {Answer.GO: "passed", Answer.HOLD: "broken"}
_CATEGORIES = [
    {
        "name": "Gates that said no",
        "messageRegex": "^(NO-GO|ROLLBACK).*",
        "matchedStatuses": ["failed"],
    },
    {"name": "Gates that hold", "messageRegex": "^HOLD.*", "matchedStatuses": ["broken"]},
]


class AllureStory:
    """Adds to Allure's results what the plan says of each check, and what was decided."""

    def __init__(self, folder: Path, collecting: Collecting) -> None:
        self._folder, self._collecting = folder, collecting
        self._redacting: object | None = None

    def pytest_sessionstart(self) -> None:
        """Take secrets out of results before allure-pytest writes them."""
        from allure_commons import plugin_manager

        self._redacting = redacting()
        plugin_manager.register(self._redacting)

    def pytest_unconfigure(self) -> None:
        """Let another run in this process have its own."""
        from allure_commons import plugin_manager

        if self._redacting is not None:
            plugin_manager.unregister(self._redacting)
            self._redacting = None

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: Sequence[pytest.Item]) -> None:
        """Label each check: epic the plan, feature the phase, story the criterion's sentence."""
        for item in items:
            bound = self._collecting.place(item)
            if bound is not None:
                for label, value in _labels(bound):
                    item.add_marker(pytest.mark.allure_label(value, label_type=label))

    def pytest_rollout_decided(self, decision: Decision) -> None:
        """Write a result for the gate, the environment and categories; raises OSError."""
        self._folder.mkdir(parents=True, exist_ok=True)
        report = self._folder / f"{uuid.uuid4()}-attachment.md"
        report.write_text(to_markdown(decision), encoding="utf-8", errors="replace")
        result = self._folder / f"{uuid.uuid4()}-result.json"
        result.write_text(json.dumps(_result(decision, report.name)), encoding="utf-8")
        environment = "".join(f"{name}={value}\n" for name, value in _environment(decision))
        (self._folder / "environment.properties").write_text(environment, encoding="utf-8")
        categories = self._folder / "categories.json"
        if not categories.exists():  # a project may bring its own
            categories.write_text(json.dumps(_CATEGORIES, indent=2), encoding="utf-8")


def redacting() -> object:
    """Return a plugin of Allure that takes secrets out of each result and container."""
    from allure_commons import hookimpl

    class Redacting:
        @hookimpl(tryfirst=True)
        def report_result(self, result: Any) -> None:
            _redact(result)

        @hookimpl(tryfirst=True)
        def report_container(self, container: Any) -> None:
            _redact(container)

    return Redacting()


def _redact(item: Any) -> None:
    """Take secrets out of every text of a result, its steps and parameters."""
    for name, value in vars(item).items():
        if isinstance(value, str):
            setattr(item, name, hide(value))
        for part in value if isinstance(value, list) else [value]:
            if hasattr(part, "__attrs_attrs__"):
                _redact(part)


def allure_folder(config: pytest.Config) -> Path | None:
    """Return where allure-pytest writes its results; None where it writes none."""
    given = config.getoption("allure_report_dir", None)
    return Path(given).absolute() if given else None


def _labels(bound: Bound) -> Iterator[tuple[str, str]]:
    yield "epic", bound.plan.title
    yield "feature", bound.phase.title
    for criterion in bound.criteria:
        yield "story", criterion.says or criterion.id
    if bound.criteria:
        yield "severity", _SEVERITIES[_worst(bound.criteria)]
    for owner in bound.phase.owners:
        yield "owner", owner


def _worst(criteria: Sequence[Criterion]) -> Severity:
    return min((criterion.severity for criterion in criteria), key=list(Severity).index)


def _result(decision: Decision, report: str) -> dict[str, object]:
    where = f"{decision.address}:{decision.environment}"
    at_ms = int(datetime.fromisoformat(decision.decided_at).timestamp() * 1000)
    causes = blockers(decision, NO_STORY)
    trace = "\n".join(
        ": ".join(filter(None, (cause.id, cause.says, cause.because))) for cause in causes
    )
    labels = [("epic", decision.plan_title), ("feature", decision.phase_title), ("story", "Gate")]
    labels += [("severity", "blocker"), ("framework", "pytest-rollout")]
    return {
        "uuid": str(uuid.uuid4()),
        "name": f"{decision.address} in {decision.environment}",
        "fullName": where,
        "historyId": str(uuid.uuid5(uuid.NAMESPACE_URL, where)),
        "status": _STATUSES.get(decision.answer, "failed"),
        "statusDetails": {"message": text.title(decision), "trace": trace},
        "stage": "finished",
        "start": at_ms,
        "stop": at_ms,
        "labels": [{"name": name, "value": value} for name, value in labels],
        "attachments": [{"name": "report.md", "source": report, "type": "text/markdown"}],
    }


def _environment(decision: Decision) -> Iterator[tuple[str, str]]:
    yield "plan", text.clean(decision.plan)
    yield "environment", text.clean(decision.environment)
    yield "release", text.clean(decision.release or "unknown")
    yield "run", decision.run
