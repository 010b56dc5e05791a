"""Go-live: the four targets, and the document of the launch."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from pytest_rollout import Observe
from suites.bridge.checks.told import observe_each
from suites.bridge.scenarios.measured import Measured
from suites.bridge.views import papers
from suites.bridge.views.launching import ITEMS, item_problem, launch_lines

pytestmark = pytest.mark.bridge_golive


@pytest.mark.criterion("slo-posts")
def test_posts_succeed(measured: Measured, observe: Observe) -> None:
    measured.observe_posts(observe)


@pytest.mark.criterion("slo-reads")
def test_reads_succeed(measured: Measured, observe: Observe) -> None:
    measured.observe_reads(observe)


@pytest.mark.criterion("slo-visible")
def test_messages_are_soon_visible(measured: Measured, observe: Observe) -> None:
    measured.observe_visible(observe)


@pytest.mark.criterion("slo-wake")
def test_agents_are_soon_woken(measured: Measured, observe: Observe) -> None:
    measured.observe_wakes(observe)


@pytest.mark.criterion("launch-readiness-doc")
def test_the_launch_document_is_done(
    repository: Path, records: Path, revision: str, version: str, today: datetime, observe: Observe
) -> None:
    """It is of what runs now, and each of its five items is ticked with evidence that exists."""
    text = papers.document(repository, papers.LAUNCH)
    said = launch_lines(text)
    assert said.get("release") == version, f"it is of {said.get('release')}, and {version} runs"
    assert said.get("revision") == revision, f"it is of revision {said.get('revision')}"
    assert said.get("run"), "it names no run"
    handover = papers.sections(text, 2).get("Hand-over", "")
    assert len(handover.split()) > 5, "it says nothing of the hand-over"
    problems = {item: item_problem(item, text, repository, records) for item in ITEMS}
    observe_each(observe, "launch_item_open", problems)
