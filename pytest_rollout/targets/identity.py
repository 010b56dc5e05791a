"""Which release and configuration a target says it runs."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

from pytest_rollout.model.decision import canonical
from pytest_rollout.model.evidence import ReleaseFact
from pytest_rollout.model.jsonpath import NothingThereError, at
from pytest_rollout.model.plan import Environment, FactSource, Plan
from pytest_rollout.redact import hide
from pytest_rollout.targets.address import filled
from pytest_rollout.targets.mocks import mocked
from pytest_rollout.targets.reference import IDENTITY_HEADER
from pytest_rollout.targets.trouble import trouble

if TYPE_CHECKING:
    import httpx

_TIMEOUT_S = 10.0
_MAX_BYTES = 1_000_000
_MAX_RELEASE = 200
_UNREADABLE = (ValueError, LookupError, TypeError, RecursionError, OverflowError)


def identify(when: str, plan: Plan, environment: Environment) -> ReleaseFact:
    """What the target of an environment that runs already says of its release now.

    Whatever keeps it from being read is an error in the fact.
    """
    if plan.release is None:
        return ReleaseFact(when, None)
    target = environment.targets.get(plan.release.target)
    try:
        url = filled(str(target.address if target else ""), plan.release.target)
        return read_identity(when, url, plan.release, plan.configuration)
    except Exception as error:  # as a host that no resolver takes
        return ReleaseFact(when, None, error=trouble(error))


def read_identity(
    when: str, url: str, release: FactSource | None, configuration: FactSource | None
) -> ReleaseFact:
    """What the target at ``url`` says now; what cannot be read is an error in the fact."""
    import httpx  # tens of milliseconds, for runs that ask a target

    secure = not url.lower().startswith("http:")  # certificates take long to load
    try:
        with httpx.Client(base_url=url, timeout=_TIMEOUT_S, verify=secure) as client:
            version, reference = _release(client, release)
            fingerprint = _fingerprint(client, configuration)
    except (httpx.HTTPError, httpx.InvalidURL, *_UNREADABLE) as error:
        return ReleaseFact(when, None, error=trouble(error))
    return ReleaseFact(when, version, fingerprint, "mocked HTTP" if mocked() else reference)


def _release(client: httpx.Client, reading: FactSource | None) -> tuple[str | None, str | None]:
    if reading is None:
        return None, None
    response = _get(client, reading.path)
    if reading.json is None:
        if "html" in response.headers.get("content-type", ""):
            raise ValueError(f"{response.url} answers a page, not a release")
        said: object = response.text
    else:
        said = _inside(response, reading.json)
    if isinstance(said, int) and not isinstance(said, bool):
        said = str(said)
    text = said.strip() if isinstance(said, str) else ""
    if not 0 < len(text) <= _MAX_RELEASE:
        raise ValueError(f"{response.url} names no release but {said!r:.60}")
    if hide(text) != text:  # what is stored would not tell it from another one
        raise ValueError(f"{response.url} names a release that holds a secret")
    return text, response.headers[IDENTITY_HEADER] or None


def _inside(response: httpx.Response, path: str) -> object:
    """What stands at a path of the JSON of an answer; raises ValueError where nothing does."""
    try:
        return at(response.json(), path)
    except NothingThereError as error:
        raise ValueError(f"the JSON of {response.url} {error}") from None


def _get(client: httpx.Client, path: str) -> httpx.Response:
    """An answer, whole and read in time: what drips or never ends is an error."""
    import httpx

    from pytest_rollout.targets.bounded import given_up_after

    deadline = time.monotonic() + _TIMEOUT_S
    size = 0
    plain = {"accept-encoding": "identity", "connection": "close"}
    with (
        given_up_after(_TIMEOUT_S) as extensions,
        client.stream("GET", path, headers=plain, extensions=extensions) as response,
    ):
        response.raise_for_status()
        if response.headers.get("content-encoding", "identity") != "identity":
            raise ValueError(f"{response.url} answers packed, which was not asked for")
        chunks = []
        for chunk in response.iter_raw():
            size += len(chunk)
            if size > _MAX_BYTES or time.monotonic() >= deadline:
                break
            chunks.append(chunk)
        # Also where it ended: being cut off may look like an end.
        if size > _MAX_BYTES or time.monotonic() >= deadline:
            limit = f"{_MAX_BYTES} bytes or {_TIMEOUT_S:g} s"
            raise ValueError(f"{response.url} answers more than {limit} can hold")
    kind = response.headers.get("content-type", "")
    headers = {IDENTITY_HEADER: response.headers.get(IDENTITY_HEADER, ""), "content-type": kind}
    return httpx.Response(200, headers=headers, content=b"".join(chunks), request=response.request)


def _fingerprint(client: httpx.Client, reading: FactSource | None) -> str | None:
    if reading is None:
        return None
    chosen = _inside(_get(client, reading.path), reading.json or "")
    return hashlib.sha256(canonical(chosen).encode()).hexdigest()
