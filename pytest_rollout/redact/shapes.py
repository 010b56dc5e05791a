"""What secrets look like where nobody said which they are: headers, URLs, keys by their prefix.

Each shape is looked for from a literal that it cannot do without, so that ordinary text
costs a few substring searches, and from there by a pattern that takes each character once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.redact import providers
from pytest_rollout.redact.providers import DIGIT, Span, compiled

MARK = "[redacted]"


@dataclass(frozen=True, slots=True)
class Shape:
    """A kind of secret: literals to look for, and what is secret around one of them."""

    name: str
    literals: tuple[str, ...]  # in lower case
    at: Callable[[str, int], Span | None]  # by the place of a literal
    sure: bool = False  # whether nothing else looks like it


def spans(text: str, *, sure: bool = False) -> Iterator[tuple[Shape, Span]]:
    """Where a text looks secret; with ``sure`` only where it cannot be anything else."""
    lower = _lower(text)
    for shape in SHAPES:
        if sure and not shape.sure:
            continue
        for literal in shape.literals:
            place = lower.find(literal)
            while place >= 0:
                span = shape.at(text, place)
                if span is not None and not _marked(text, span):
                    yield shape, span
                place = lower.find(literal, max(place + 1, span[1] if span else 0))


def _lower(text: str) -> str:
    lower = text.lower()
    return lower if len(lower) == len(text) else text.replace("\u0130", "i").lower()


def _marked(text: str, span: Span) -> bool:
    """Whether nothing is left to hide there."""
    return not text[slice(*span)].replace(MARK, "").strip(" \t;,=&")


def _by(pattern: str, *, group: int = 0) -> Callable[[str, int], Span | None]:
    """The group of a pattern that begins with the literal."""

    def at(text: str, place: int) -> Span | None:
        match = compiled(pattern).match(text, place)
        return match.span(group) if match else None

    return at


_JWT = r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{4,}+(?:\.[A-Za-z0-9_-]*+)?"
_PEM = (
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r"[^-]*+(?:-(?!----)[^-]*+)*(?:-----END [A-Z0-9 ]{0,40}-----)?"
)
_PUTTY = r"(?i:private-lines):[ \t]*[0-9]{1,4}[ \t\r]*(?:\n|\\n)([A-Za-z0-9+/=\\\r\n]{16,}+)"
_DOCKER = r"[\"']auth[\"'][ \t]{0,4}:[ \t]{0,4}[\"']([A-Za-z0-9+/=]{8,}+)"
_SLASH = r"(?:\\?/|%2[Ff])"
_REST = r"([^\s'\"<>,()\[\]{}]{4,}+)"
_HOOKS = (
    rf"(?i:hooks\.slack\.com{_SLASH}(?:services|workflows|triggers){_SLASH}"
    rf"|discord(?:app)?\.com{_SLASH}api{_SLASH}(?:v\d{{1,2}}{_SLASH})?webhooks{_SLASH}"
    rf"|webhook\.office\.com{_SLASH}|outlook\.office\.com{_SLASH}webhook"
    rf"|logic\.azure\.com(?::\d{{1,5}})?{_SLASH}workflows{_SLASH}"
    rf"|hooks\.zapier\.com{_SLASH}hooks{_SLASH}"
    rf"|events\.pagerduty\.com{_SLASH}(?:integration|generic|x-ere){_SLASH}){_REST}"
)
_HOOK_LITERALS = (
    *("hooks.slack.com", "discord.com", "discordapp.com", "webhook.office.com"),
    *("outlook.office.com", "logic.azure.com", "hooks.zapier.com", "events.pagerduty.com"),
)
_QUERY = (
    r"[?&](?i:(?:amp;)?(?:key|sig|signature|auth|jwt|x-amz-signature|x-amz-credential|x-amz-security-token)"
    r"(?:=|%3D))([^\s&#'\"<>]{6,}+)"
)
_TOKEN = rf"(?i:bearer|basic)[ \t]{{1,4}}{DIGIT}([A-Za-z0-9._~+/=-]{{8,}}+)"

_USERINFO = re.compile(r"[^\s/?#'\"<>]++")
_VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")


def _userinfo(text: str, place: int) -> Span | None:
    """What stands between ``://`` and the last ``@`` before the path."""
    start = place + 3
    match = _USERINFO.match(text, start)
    end = text.rfind("@", start, match.end()) if match else -1
    return (start, end) if end > start else None


def _password(text: str, place: int) -> Span | None:
    """The same where it holds a password that is written out."""
    span = _userinfo(text, place)
    if span is None:
        return None
    _, colon, password = text[slice(*span)].partition(":")
    return span if colon and _VARIABLE.sub("", password) else None


def _key(text: str, place: int) -> Span | None:
    """The value of a name that ends with key, where what stands before says which."""
    kind = _KIND.search(text[max(0, place - 14) : place])
    return _assigned(text, place) if kind else None


# `name: value` and `name=value`, with either or both in quotes, as a pair too.
_LINK = re.compile(r"\\*+[\"']?(?:[ \t]{0,20}(?:=>|[:=]|%3D)|(?<=[\"'])[ \t]{0,4},)[ \t]{0,4}")
_QUOTE = re.compile(r"[bBfFrRuU]{0,2}(\\*+[\"'])")
_SCHEME = re.compile(
    r"(?i:bearer|basic|token|negotiate|api-?key|key|ssws|ntlm|bot"
    r"|geniekey|splunk|apitoken|zoho-oauthtoken)[ \t]+"
)
_WHOLE_LINE = re.compile(r"(?i:digest|hawk|aws4-hmac-sha256)[ \t]")
_WORD = re.compile(r"[^\s'\",;&<>(){}\[\]]++")
_LINE = re.compile(r"[^\r\n'\"]*+")
_CLOSING = {"{": "}", "(": ")", "[": "]"}
_NOTHING = ("none", "null", "true", "false", "undefined", "nil")


def _line_end(text: str, start: int, most: int) -> int:
    end = text.find("\n", start, most)
    return most if end < 0 else end


def _quoted(text: str, start: int) -> Span | None:
    """The inside of the quotes that open here, as far as they reach in this line."""
    opening = _QUOTE.match(text, start)
    if opening is None:
        return None
    start, mark = opening.end(), opening[1]
    end = text.find(mark, start)
    while end > 0 and mark[0] != "\\" and text[end - 1] == "\\":
        end = text.find(mark, end + 1)
    return start, _line_end(text, start, len(text) if end < 0 else end)


def _header(text: str, place: int) -> Span | None:
    """The value of a header such as Authorization or Cookie."""
    name = _HEADER.match(text, place)
    link = _LINK.match(text, name.end()) if name else None
    if name is None or link is None:
        return None
    start = link.end()
    quoted = _quoted(text, start)
    if quoted is not None:
        return quoted if quoted[1] > quoted[0] else None
    if text[start : start + 1] in _CLOSING and not text.startswith(MARK, start):
        end = text.find(_CLOSING[text[start]], start, start + _INSIDE)
        return (start + 1, end) if end > start + 1 else None
    if "cookie" in name[0].lower() or _WHOLE_LINE.match(text, start):
        rest = _LINE.match(text, start)
        end = rest.end() if rest else start
    else:
        scheme = _SCHEME.match(text, start)
        word = _WORD.match(text, scheme.end() if scheme else start)
        end = word.end() if word else start
    return (start, end) if end - start >= _LEAST else None


def _assigned(text: str, place: int) -> Span | None:
    """The value that is given to a name such as token or password."""
    name = _NAME.match(text, place)
    link = _LINK.match(text, name.end()) if name else None
    if name is None or link is None:
        return None
    quoted = _quoted(text, link.end())
    if quoted is not None:
        said = text[slice(*quoted)]
        return quoted if said and not _VARIABLE.fullmatch(said) else None
    word = _WORD.match(text, link.end())
    if word is None or len(word[0]) < _LEAST or word[0].lower() in _NOTHING:
        return None
    if "$" in word[0] or (name[0].lower() == "pwd" and word[0][0] in "/~"):
        return None
    tight = link[0] in ("=", "%3D")
    plain = any(char.isdigit() for char in word[0][:60]) and len(word[0]) >= _LEAST_PLAIN
    spoken = name[0].lower().startswith("pass") and ":" in link[0]
    return word.span() if tight or plain or spoken else None


def _option(text: str, place: int) -> Span | None:
    """What ``curl`` is given as ``-u user:password`` or ``--user user:password``."""
    match = _USER_OPTION.match(text, place)
    line = max(text.rfind("\n", 0, place), place - _INSIDE, 0)
    if match is None or not _CURL.search(text, line, place) or match[2][0] == "$":
        return None
    return match.start(1), match.end(2)


def _netrc(text: str, place: int) -> Span | None:
    """The password of a machine, as ``.netrc`` writes it."""
    match = _NETRC.match(text, place)
    return match.span(1) if match and _LOGIN.search(text[max(0, place - 200) : place]) else None


_CURL = re.compile(r"(?i:curl|xh|http)(?![A-Za-z0-9:])")
_USER_OPTION = re.compile(
    r"(?:(?<![A-Za-z0-9_-])-[uU]|(?:(?<=-)|(?<=--proxy))-user(?![A-Za-z0-9_-]))"
    r"[\"',= \t]{0,6}([^\s\"':,=]{1,100}+):([^\s\"',]{1,200}+)"
)
_NETRC = re.compile(r"password[ \t\r\n]{1,8}([^\s'\"]{3,}+)")
_LOGIN = re.compile(r"(?:login|account)[ \t\r\n]{1,8}\S{1,100}[ \t\r\n]{1,8}\Z")
_INSIDE = 4_096  # characters of what brackets hold
_LEAST, _LEAST_PLAIN = 4, 7  # characters of a value without quotes
_HEADER = re.compile(
    r"(?i:(?:proxy-)?authorization|(?:set-)?cookies?)(?![A-Za-z0-9_-])|(?i:auth)(?==)"
)
_NAME = re.compile(
    r"(?i:password|passwd|passphrase|pwd|secret|token|credentials?|webhook(?:[_-]url)?|key)"
    r"(?![A-Za-z0-9_-])"
)
_KIND = re.compile(
    r"(?i:api|access|secret|private|routing|integration|signing|encryption|account|auth"
    r"|application|app|master|license|ingest|storage|admin|service|client|shared)[_-]?\Z"
)
_NAMES = ("passw", "passphrase", "pwd", "secret", "token", "credential", "webhook")

SHAPES = (
    Shape("a private key", ("-----begin ",), _by(_PEM), sure=True),
    *(
        Shape("a key or token", (literal,), at, sure=True)
        for literal, at in providers.known().items()
    ),
    Shape("a PuTTY key", ("private-lines:",), _by(_PUTTY, group=1), sure=True),
    Shape("a JWT", ("eyj",), _by(_JWT), sure=True),
    Shape("a webhook's address", _HOOK_LITERALS, _by(_HOOKS, group=1), sure=True),
    Shape("a password in an address", ("://",), _password, sure=True),
    Shape("userinfo in an address", ("://",), _userinfo),
    Shape("a header", ("authorization", "cookie", "auth="), _header),
    Shape("an authorization", ("bearer", "basic"), _by(_TOKEN, group=1)),
    Shape("a user and a password", ("-u",), _option),
    Shape("a line of .netrc", ("password",), _netrc),
    Shape("an entry of Docker's settings", ('"auth"', "'auth'"), _by(_DOCKER, group=1)),
    Shape("a named secret", _NAMES, _assigned),
    Shape("a named key", ("key",), _key),
    Shape("a secret parameter", ("?", "&"), _by(_QUERY, group=1)),
)
