"""The eight triggers of a rollback: what their guardrails judge, as it happened."""

from __future__ import annotations

import pytest

from pytest_rollout import NoValueError, Observe
from suites.pipeline.views.series import SERIES, Sources

pytestmark = pytest.mark.pipeline_rollback


@pytest.mark.parametrize("metric", SERIES)
def test_what_triggers_is_on_record(lived: Sources, metric: str, observe: Observe) -> None:
    count = 0
    for sample in SERIES[metric](lived):
        observe(metric, sample.value, at=sample.at, **sample.labels)
        count += 1
    if not count:
        raise NoValueError(f"nothing on record says anything of {metric.replace('_', ' ')}")
