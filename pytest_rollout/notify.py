"""Telling people: Slack and other webhooks, PagerDuty, e-mail, and what Apprise speaks to.

Slack, webhooks, PagerDuty and e-mail are small posts over libraries that are there anyway, as
Apprise, which speaks to everything else, gives no limit on the whole time, no reason of a failure
but in its log, no facts for a program, and sends a password without TLS.
"""

from __future__ import annotations

import logging
import smtplib
import ssl
import threading
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import field
from email.message import EmailMessage
from typing import Any
from urllib.parse import unquote, urlsplit

from pytest_rollout import extensions
from pytest_rollout.extras import needs_extra
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.channel import Channel, ChannelMeans, Topic
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.extension import ChannelExtension
from pytest_rollout.redact import cap, hide_in
from pytest_rollout.targets.address import filled

_LIMIT_S = 10.0
PAUSES_S = (0.5, 2.0)  # before each further try
_MOST = 2_000
_TOO_MANY, _SERVER_ERROR = 429, 500
_PAGERDUTY = "https://events.pagerduty.com/v2/enqueue"


@dataclass(frozen=True, slots=True)
class Notice:
    """What people are told."""

    title: str
    text: str
    key: str  # the same for all that is said of one trip
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of telling one channel; ``why`` is empty where it took the message."""

    channel: Channel
    why: str = ""

    @property
    def words(self) -> str:
        """The outcome in a line, without the address."""
        means = self.channel.means
        return f"{means}: failed: {self.why}" if self.why else f"{means}: told"


class _BusyError(RolloutError):
    """It may work in a moment."""


class Telling:
    """Tells channels of a topic at once, in the background; ``outcomes`` waits for them."""

    def __init__(self, channels: Iterable[Channel], topic: Topic, message: Notice) -> None:
        chosen = tuple(channel for channel in channels if topic in channel.about)
        self._pool = ThreadPoolExecutor(max(1, len(chosen)), "tell")
        self._told: list[Future[Delivery]] = [
            self._pool.submit(tell, channel, message) for channel in chosen
        ]

    def outcomes(self) -> Iterator[Delivery]:
        """What became of each, in the plan's order."""
        yield from (future.result() for future in self._told)
        self._pool.shutdown(wait=False)


def tell(channel: Channel, message: Notice, pauses_s: Sequence[float] = PAUSES_S) -> Delivery:
    """Tell one channel; whatever goes wrong is in the answer, and raises nothing.

    One that cannot be reached, or is busy, is tried again after each pause. One that took too long
    is not: it may have taken the message.
    """
    address = ""
    try:
        address = filled(channel.address, "of notify")
        safe = Notice(
            cap(message.title, 200),
            cap(message.text, _MOST),
            cap(message.key, 200),
            hide_in(dict(message.facts)),
        )
        _tried(channel, address, safe, pauses_s)
    except Exception as error:  # a message that fails changes nothing but what is said of it
        kind = "" if isinstance(error, RolloutError) else f"{type(error).__name__}: "
        return Delivery(channel, _without(f"{kind}{error}", address))
    return Delivery(channel)


def _tried(channel: Channel, address: str, message: Notice, pauses_s: Sequence[float]) -> None:
    own = OWN.get(channel.means)
    for pause_s in (*pauses_s, None):
        try:
            if own is not None:
                own.tell(channel, address, message)
            else:
                _abandoned(extensions.channel(channel.means), channel, address, message)
            return
        except Exception as error:
            if pause_s is None or not _may_pass(error):
                raise
            time.sleep(pause_s)


def _may_pass(error: Exception) -> bool:
    """Whether an error may be gone in a moment, and the message was surely not taken."""
    import httpx

    return isinstance(error, _BusyError | httpx.ConnectError | ConnectionRefusedError)


def _without(why: str, address: str) -> str:
    """Why it failed, without the address or what stands behind its host."""
    parts = urlsplit(address) if "://" in address else None
    for secret in filter(None, (address, parts and parts.path.strip("/"), parts and parts.query)):
        why = why.replace(secret, "[redacted]")
    return cap(why, 300)


def _abandoned(
    extension: ChannelExtension, channel: Channel, address: str, message: Notice
) -> None:
    """Tell by code of another package, which is abandoned after its time."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            extension.tell(channel, address, message)
        except BaseException as error:  # it is raised where the channel is waited for
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(_LIMIT_S)
    if thread.is_alive():
        raise RolloutError(f"it did not end within {_LIMIT_S:g} s")
    if raised:
        if isinstance(raised[0], RolloutError):
            raise raised[0]
        raise RolloutError(f"{type(raised[0]).__name__}: {raised[0]}")


def _slack(channel: Channel, address: str, message: Notice) -> None:
    _post(address, {"text": f"*{message.title}*\n{message.text}"})


def _pagerduty(channel: Channel, address: str, message: Notice) -> None:
    payload = {
        "summary": message.title,
        "source": "pytest-rollout",
        "severity": "critical",
        "custom_details": {**message.facts, "text": message.text},
    }
    body = {
        "routing_key": address,
        "event_action": "trigger",
        "dedup_key": message.key,
        "payload": payload,
    }
    _post(channel.url or _PAGERDUTY, body)


def _webhook(channel: Channel, address: str, message: Notice) -> None:
    said = {"title": message.title, "text": message.text, "key": message.key}
    _post(address, {**said, "facts": dict(message.facts)})


def _post(url: str, body: Mapping[str, Any]) -> None:
    """Post JSON; of the answer the status is all that counts."""
    import httpx  # tens of milliseconds, for those who tell somebody

    from pytest_rollout.targets.bounded import given_up_after

    with (
        given_up_after(_LIMIT_S) as extensions,
        httpx.Client(timeout=_LIMIT_S, follow_redirects=False) as client,
        client.stream("POST", url, json=body, extensions=extensions) as response,
    ):
        status = response.status_code
    if status == _TOO_MANY or status >= _SERVER_ERROR:
        raise _BusyError(f"it answered {status}")
    if not 200 <= status < 300:
        raise RolloutError(f"it answered {status}")


def _mail(channel: Channel, address: str, message: Notice) -> None:
    """Send an e-mail by smtp://USER:PASSWORD@HOST:PORT, or smtps:// for TLS from the start."""
    parts = urlsplit(address)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise RolloutError("the address is not smtp://USER:PASSWORD@HOST:PORT or smtps://…")
    mail = EmailMessage()
    mail["Subject"], mail["From"] = message.title, channel.sender
    mail["To"] = ", ".join(channel.to)
    mail.set_content(message.text)
    secure = ssl.create_default_context()
    server = (
        smtplib.SMTP_SSL(parts.hostname, parts.port or 465, timeout=_LIMIT_S, context=secure)
        if parts.scheme == "smtps"
        else smtplib.SMTP(parts.hostname, parts.port or 587, timeout=_LIMIT_S)
    )
    with server:
        if parts.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls(context=secure)
        if parts.username:
            if parts.scheme == "smtp" and not isinstance(server.sock, ssl.SSLSocket):
                raise RolloutError("the server offers no TLS, so it gets no password")
            server.login(unquote(parts.username), unquote(parts.password or ""))
        server.send_message(mail)


def _apprise(channel: Channel, address: str, message: Notice) -> None:
    _abandoned(ChannelExtension(_by_apprise), channel, address, message)


def _by_apprise(channel: Channel, address: str, message: Notice) -> None:
    """Tell a service that Apprise knows; why it failed stands in its log alone."""
    heard, log = _Heard(), logging.getLogger("apprise")
    log.addHandler(heard)
    try:
        service = _service(address)
        taken = service.notify(title=message.title, body=message.text)
    finally:
        log.removeHandler(heard)
    if not taken:
        raise _BusyError(heard.last or "the service did not take it")


def _service(address: str) -> Any:
    """Return the service of an address; what Apprise warns of while it loads is not shown.

    Filters are the whole process's, so they are changed for its modules only, and not for as long
    as the service takes to answer.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"apprise(\.|$)")
        needs_extra("notify", "apprise")
        import apprise

        service = apprise.Apprise()
        known = service.add(address)
    if not known:
        raise RolloutError("Apprise knows no service of such an address")
    return service


class _Heard(logging.Handler):
    """Keeps the last warning that the thread which made it logs."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.last = ""
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.last = record.getMessage()


OWN: Mapping[str, ChannelExtension] = {
    ChannelMeans.SLACK: ChannelExtension(_slack),
    ChannelMeans.WEBHOOK: ChannelExtension(_webhook),
    ChannelMeans.PAGERDUTY: ChannelExtension(_pagerduty),
    ChannelMeans.EMAIL: ChannelExtension(_mail),
    ChannelMeans.APPRISE: ChannelExtension(_apprise),
}
