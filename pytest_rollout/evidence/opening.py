"""Opening the ledger at the address that is configured: a path, or the URL of a database."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from pytest_rollout.evidence import postgres, sqlite
from pytest_rollout.evidence.store import Database, Store
from pytest_rollout.model.errors import LedgerError
from pytest_rollout.redact import learn

if TYPE_CHECKING:
    from pytest_rollout.evidence.ledger import Ledger

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")

# By the scheme of their addresses; a path has none.
DATABASES: Final[dict[str, Database]] = {
    "": sqlite,
    "postgres": postgres,
    "postgresql": postgres,
}


def address_in(configured: str, below: str | os.PathLike[str]) -> str:
    """Return the address that a setting means; a relative path is below a folder."""
    return configured if _SCHEME.match(configured) else sqlite.below(configured, below)


def to_write(address: str | os.PathLike[str]) -> Ledger:
    """The ledger at an address, made if need be; raises LedgerError.

    What is secret in this process's environment is known from here on.
    """
    learn(os.environ)
    text = os.fspath(address)
    return _ledger(_database(text).to_write(text))


def to_read(address: str | os.PathLike[str], until_us: int | None = None) -> Ledger:
    """An existing ledger for reading; raises LedgerError where there is none.

    With ``until_us`` it is read as it was at that instant, by the times of recording.
    """
    text = os.fspath(address)
    return _ledger(_database(text).to_read(text, until_us))


def _ledger(store: Store) -> Ledger:
    from pytest_rollout.evidence.ledger import Ledger  # not for those who only ask for an address

    return Ledger(store)


def exists(address: str | os.PathLike[str]) -> bool:
    """Whether there is something at an address; raises LedgerError for an unknown database."""
    text = os.fspath(address)
    return _database(text).exists(text)


def _database(address: str, known: Mapping[str, Database] = DATABASES) -> Database:
    match = _SCHEME.match(address)
    scheme = match[1].lower() if match else ""
    if scheme not in known:
        raise LedgerError(
            f"no store for {scheme}:// is installed; a ledger is a file (write a path, as "
            ".rollout/ledger.db) or in PostgreSQL (postgresql://HOST/DATABASE)",
            scheme=scheme,
        )
    return known[scheme]
