"""Instant queries: exact values by series, and nothing, NaN or trouble is never zero."""

from __future__ import annotations

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from pytest_rollout.checks import prometheus
from pytest_rollout.checks.measure import measured
from pytest_rollout.model.check import Check, CheckMeans
from pytest_rollout.model.errors import NoValueError, RolloutError
from pytest_rollout.model.evidence import number_text
from pytest_rollout.model.rule import Rule
from tests.checks.server import Handler, saying, serving
from tests.checks.test_sql import BY_LANE, RULE

CHECK = Check(CheckMeans.PROMETHEUS, "sum(rate(errors[5m])) & x", on=("metrics",))


def vector(*pairs: tuple[dict[str, str], str], **more: object) -> bytes:
    result = [{"metric": labels, "value": [1731243600.1, text]} for labels, text in pairs]
    return success("vector", result, **more)


def success(kind: str, result: object, **more: object) -> bytes:
    data = {"resultType": kind, "result": result}
    return json.dumps({"status": "success", "data": data, **more}).encode()


def values(body: bytes, rule: Rule = RULE, status: int = 200) -> dict[str, str]:
    """The values as they are recorded, by lane."""
    with serving(saying(body, status)) as client:
        found = measured(CHECK, rule, prometheus.ask(CHECK, client))
        return {one.labels.get("lane", ""): number_text(one.value) for one in found}


def test_it_asks_for_an_instant_query() -> None:
    asked = []

    def answer(handler: Handler) -> None:
        asked.append(handler.path)
        saying(vector(({}, "1")))(handler)

    with serving(answer) as client:
        prometheus.ask(CHECK, client)
    (url,) = map(urlsplit, asked)
    assert (url.path, parse_qs(url.query)) == ("/base/api/v1/query", {"query": [CHECK.text]})


@pytest.mark.parametrize("text", ["0", "0.1", "1e-05", "12345678901234567890.123"])
def test_one_value_is_exact(text: str) -> None:
    wanted = {"1e-05": "0.00001"}.get(text, text)
    assert values(vector(({"job": "web"}, text))) == {"": wanted}
    assert values(success("scalar", [1, text])) == {"": wanted}


@pytest.mark.parametrize("text", ["NaN", "+Inf", "-Inf"])
def test_a_value_that_is_not_finite_is_a_hole(text: str) -> None:
    assert values(vector(({}, text))) == {"": "NaN"}


def test_no_series_is_missing_and_never_zero() -> None:
    with pytest.raises(NoValueError, match="gave nothing"):
        values(vector())


def test_several_series_want_groups() -> None:
    two = vector(({"lane": "A", "job": "x"}, "1"), ({"lane": "B", "job": "x"}, "2"))
    with pytest.raises(NoValueError, match="2 values where one is needed"):
        values(two)
    assert values(two, BY_LANE) == {"A": "1", "B": "2"}
    twice = vector(({"lane": "A", "job": "x"}, "1"), ({"lane": "A", "job": "y"}, "2"))
    with pytest.raises(NoValueError, match="several values for lane A"):
        values(twice, BY_LANE)


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b'{"status": "error", "error": "parse error"}', 400, "answered 400: parse error"),
        (b'{"status": "error", "error": "timed out"}', 503, "answered 503: timed out"),
        (b'{"status": "error"}', 200, "answered 200: no result"),
        (vector(({}, "1")), 500, "answered 500: no result"),
        (vector(({}, "1"), warnings=["partial response"]), 200, "warns: partial response"),
        (success("matrix", []), 200, "gives a matrix"),
        (success("string", [1, "a"]), 200, "gives a string"),
        (success("scalar", [1, "many"]), 200, "gave no number but 'many'"),
        (success("scalar", [1]), 200, "something other than Prometheus"),
        (success("vector", [{"value": [1, "1"]}]), 200, "something other than Prometheus"),
        (b'{"status": "success"}', 200, "something other than Prometheus"),
        (b"[]", 200, "no result"),
        (b"<html>login</html>", 200, "is no JSON"),
    ],
)
def test_what_is_no_whole_result_is_an_error(body: bytes, status: int, said: str) -> None:
    with pytest.raises(RolloutError) as raised:
        values(body, status=status)
    assert said in str(raised.value)
    assert raised.type is RolloutError
