"""The cookies of a user: kept and sent as by the standard library's jar, and no work without."""

from __future__ import annotations

from email.message import Message
from http.cookiejar import CookieJar
from types import SimpleNamespace
from urllib.request import Request

import pytest

from pytest_rollout.load.generator.cookies import Cookies

URL = "http://shop.example/cart"


def answered(jar: CookieJar, **headers: str) -> None:
    """Hand a jar an answer with these headers."""
    told = Message()
    for name, value in headers.items():
        told[name.replace("_", "-")] = value
    jar.extract_cookies(SimpleNamespace(info=lambda: told), Request(URL))  # type: ignore[arg-type]


def sent(jar: CookieJar, url: str = URL) -> str | None:
    """The cookies that a jar adds to the next request."""
    request = Request(url)
    jar.add_cookie_header(request)
    return request.get_header("Cookie")


@pytest.mark.parametrize("kind", [CookieJar, Cookies])
def test_cookies_are_kept_and_sent(kind: type[CookieJar]) -> None:
    jar = kind()
    assert sent(jar) is None
    answered(jar, Content_Type="text/plain")
    assert sent(jar) is None
    answered(jar, Set_Cookie="session=7; Path=/")
    answered(jar, set_cookie="seen=1; Path=/other")
    answered(jar)
    assert sent(jar) == "session=7"
    assert sent(jar, "http://elsewhere.example/") is None
    answered(jar, Set_Cookie="session=7; Path=/; Max-Age=0")
    assert sent(jar) is None


def test_a_cookie_that_a_user_puts_in_is_sent() -> None:
    given, jar = CookieJar(), Cookies()
    answered(given, Set_Cookie="session=8; Path=/")
    for cookie in given:
        jar.set_cookie(cookie)
    assert sent(jar) == "session=8"
