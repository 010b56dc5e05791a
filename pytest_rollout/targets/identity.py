"""Which release and configuration a target says it runs."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from pytest_rollout.model.decision import canonical
from pytest_rollout.model.evidence import ReleaseFact
from pytest_rollout.model.plan import Reading
from pytest_rollout.targets.reference import IDENTITY_HEADER
from pytest_rollout.targets.target import mocked
from pytest_rollout.targets.trouble import trouble

if TYPE_CHECKING:
    import httpx

_TIMEOUT_S = 10.0


def read_identity(
    when: str, url: str, release: Reading | None, configuration: Reading | None
) -> ReleaseFact:
    """What the target at ``url`` says now; what cannot be read is an error in the fact."""
    import httpx  # tens of milliseconds, for runs that ask a target

    try:
        with httpx.Client(base_url=url, timeout=_TIMEOUT_S) as client:
            version, reference = _release(client, release)
            fingerprint = _fingerprint(client, configuration)
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        return ReleaseFact(when, None, error=trouble(error))
    return ReleaseFact(when, version, fingerprint, "mocked HTTP" if mocked() else reference)


def _release(client: httpx.Client, reading: Reading | None) -> tuple[str | None, str | None]:
    if reading is None:
        return None, None
    response = client.get(reading.path)
    response.raise_for_status()
    text = response.text.strip() if reading.json is None else str(response.json()[reading.json])
    if not text:
        raise ValueError(f"{response.url} says nothing")
    return text[:200], response.headers.get(IDENTITY_HEADER)


def _fingerprint(client: httpx.Client, reading: Reading | None) -> str | None:
    if reading is None:
        return None
    response = client.get(reading.path)
    response.raise_for_status()
    body = response.json()
    chosen = body if reading.json is None else body[reading.json]
    return hashlib.sha256(canonical(chosen).encode()).hexdigest()
