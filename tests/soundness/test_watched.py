"""Guardrails that stay blind under a watch, however bad it is."""

from __future__ import annotations

import pytest

from tests.judge.worlds import HEADER, guardrail
from tests.soundness.plans import of_guardrail, told

OWN = "embedded: {targets: {api: {serve: 'app:app'}}}"
CHECK = "check: {http: /m, on: api}"


@pytest.mark.parametrize(
    "rule",
    [
        f'{CHECK}, fail: "> 5"',
        f'{CHECK}, fail: "> 5", over: [{{span: 1m, need: 4}}]',
        f'{CHECK}, fail: "> 5", over: [{{span: 1m, need: 9}}, {{span: 5m, need: 9}}]',
        f'{CHECK}, fail: "> 5", over: [{{last: 10, need: 10}}]',
        f'{CHECK}, fail: "> 5", over: [{{since: begin, until: 1m, need: 5}}]',
        f'{CHECK}, fail: "> 5", in_a_row: {{for: 5m, gap: 30s}}',
        f'{CHECK}, fail: "> 5", per: 1m, need: 4, in_a_row: 2',
        'metric: m, take: max, fail: "> 5", over: [{span: 1m, need: 9}]',
    ],
)
def test_what_a_watch_every_15_s_can_see_is_not_remarked_on(rule: str) -> None:
    assert not [what for what in of_guardrail(rule) if "under a watch" in what]


@pytest.mark.parametrize(
    ("rule", "what"),
    [
        (
            f'{CHECK}, fail: "> 5", over: [{{span: 1m, need: 5}}]',
            "it needs 5 samples in the last 1m, and looks every 15s give 4 "
            "(need: 4, or a shorter `every`)",
        ),
        (
            f'{CHECK}, fail: "> 5", over: [{{span: 10s, need: 2}}, {{span: 30s, need: 3}}]',
            "it needs 3 samples in the last 30s, and looks every 15s give 2 "
            "(need: 2, or a shorter `every`)",
        ),
        (
            f'{CHECK}, fail: "> 5", over: [{{since: begin, until: 1m, need: 6}}]',
            "it needs 6 samples in the first 1m of the phase, and looks every 15s give 5 "
            "(need: 5, or a shorter `every`)",
        ),
        (
            f'{CHECK}, fail: "> 5", per: 1m, need: 5, in_a_row: 2',
            "it needs 5 samples in each 1m, and looks every 15s give 4 "
            "(need: 4, or a shorter `every`)",
        ),
        (
            f'{CHECK}, fail: "> 5", in_a_row: {{for: 5m, gap: 10s}}',
            "it looks every 15s, and a gap of 10s breaks the row (gap: 30s, or a shorter `every`)",
        ),
        (
            f'{CHECK}, fail: "> 5", versus: {{metric: other}}',
            "nothing asks for other, with which it is compared, so tests alone can observe it "
            "(a guardrail with a `check` of other)",
        ),
    ],
)
def test_what_can_never_trip_under_a_watch_is_named(rule: str, what: str) -> None:
    assert f"can never trip under a watch: {what}" in of_guardrail(rule)


def test_a_rehearsal_is_not_watched() -> None:
    phase = guardrail(f'{CHECK}, fail: "> 5", over: [{{span: 10s, need: 9}}]')
    header = HEADER.replace('prod: {targets: {api: "http://api"}, max_age: 24h}', OWN)
    assert OWN in header
    remarks = [str(one.problem) for one in told(phase, header=header)]
    assert not [what for what in remarks if "under a watch" in what]
