"""A ledger in a schema of a PostgreSQL database; attachments are kept in it, too.

psycopg is imported where an address of this kind is used, and nowhere before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_rollout.evidence.postgres.address import Address
from pytest_rollout.extras import install
from pytest_rollout.model.errors import LedgerError

if TYPE_CHECKING:
    from pytest_rollout.evidence.postgres.postgres_store import PostgresStore

__all__ = ["exists", "to_read", "to_write"]


def to_write(address: str) -> PostgresStore:
    """The ledger at an address, made if need be; raises LedgerError where it cannot be written."""
    return _made(Address.parse(address), None, writes=True)


def to_read(address: str, until_us: int | None) -> PostgresStore:
    """An existing ledger, as it was at an instant or as it is; raises LedgerError."""
    return _made(Address.parse(address), until_us, writes=False)


def exists(address: str) -> bool:
    """Whether there is a ledger; raises LedgerError where the server cannot be asked."""
    parsed = Address.parse(address)
    _need_psycopg()
    from pytest_rollout.evidence.postgres import connection

    return connection.exists(parsed)


def _made(address: Address, until_us: int | None, *, writes: bool) -> PostgresStore:
    _need_psycopg()
    from pytest_rollout.evidence.postgres.connection import Line
    from pytest_rollout.evidence.postgres.postgres_store import PostgresStore

    return PostgresStore(Line(address, writes=writes), until_us)


def _need_psycopg() -> None:
    try:
        import psycopg  # noqa: F401
    except ImportError as error:  # also where it finds no library of PostgreSQL
        why = f"psycopg is not installed: {install('postgres')}"
        raise LedgerError(why, extra="postgres") from error
