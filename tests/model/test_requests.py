"""Which requests may change something, and which are stated to only read."""

from __future__ import annotations

import pytest

from pytest_rollout.model.requests import ReadingRequest, changes, methods_of

STATED = (ReadingRequest.parse("POST /search"), ReadingRequest.parse("post /of/*/find"))


@pytest.mark.parametrize(
    ("methods", "path", "may_change"),
    [
        (("GET",), "/orders", False),
        (("HEAD",), "/", False),
        (("OPTIONS",), "/", False),
        (("TRACE",), "/", False),
        (("POST",), "/orders", True),
        (("PURGE",), "/", True),
        (("",), "/", True),
        (("POST",), "/search", False),
        (("PUT",), "/search", True),
        (("POST",), "/search/", True),
        (("POST",), "/Search", True),
        (("POST",), "/searches", True),
        (("POST",), "/of/7/find", False),
        (("POST",), "/of/find", True),
        (("POST",), "/of/7/8/find", True),
        (("POST",), "/of//find", True),
        (("POST",), "/of/../find", True),
        (("POST",), "/of/%2E%2e/find", True),
        (("POST",), "/of/a%2fb/find", True),
        (("GET", "DELETE"), "/", True),
        (("POST", "GET"), "/orders", True),
        (("POST", "GET"), "/search", False),
        (("POST", "DELETE"), "/search", True),
    ],
)
def test_a_request_may_change_something(
    methods: tuple[str, ...], path: str, may_change: bool
) -> None:
    assert changes(methods, path, STATED) is may_change


@pytest.mark.parametrize(
    ("headers", "methods"),
    [
        ({}, ("GET",)),
        ({"X-HTTP-Method-Override": "delete"}, ("GET", "DELETE")),
        ({"x-http-method": " PUT "}, ("GET", "PUT")),
        ({"X-Method-Override": "PATCH"}, ("GET", "PATCH")),
        ({"X-Method-Override": "get"}, ("GET",)),
        ({"X-Method-Override": " "}, ("GET",)),
        ({"X-Method": "PATCH"}, ("GET",)),
    ],
)
def test_headers_put_another_method_in_its_place(
    headers: dict[str, str], methods: tuple[str, ...]
) -> None:
    assert methods_of("get", headers) == methods


@pytest.mark.parametrize("text", ["", "POST", "/search", "POST search", "POST /a?b", "POST /a b"])
def test_what_is_no_request_is_refused_with_the_rule(text: str) -> None:
    with pytest.raises(ValueError, match="is no request; write a method and a path"):
        ReadingRequest.parse(text)


@pytest.mark.parametrize("text", ["POST /a/../b", "POST /a//b", "POST /%2e"])
def test_a_path_in_disguise_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no request"):
        ReadingRequest.parse(text)


def test_what_reads_anyway_is_refused() -> None:
    with pytest.raises(ValueError, match="GET /a only reads anyway; leave it out"):
        ReadingRequest.parse("GET /a")
