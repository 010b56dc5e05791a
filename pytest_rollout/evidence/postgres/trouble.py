"""What to say of a ledger that cannot be used, and what can be done about it."""

from __future__ import annotations

import psycopg
from psycopg import errors

from pytest_rollout.evidence.postgres.address import Address
from pytest_rollout.model.errors import LedgerError

# OverflowError and UnicodeError: what cannot be stored.
TROUBLE = (psycopg.Error, OverflowError, UnicodeError)
_MEANWHILE = (
    "try again once the server answers; what must be recorded now goes to a file "
    "(--rollout-ledger FILE.db) and is brought in later (rollout merge FILE.db)"
)
_BY_CLASS: tuple[tuple[type[psycopg.Error], str], ...] = (
    (
        errors.InsufficientPrivilege,
        "the owner of the ledger grants this role USAGE on its schema and SELECT on its tables; to "
        "write, also INSERT on records, observations, texts and files, and UPDATE (turn) on "
        "ledger; the owner alone may do more",
    ),
    (errors.ReadOnlySqlTransaction, "this server only reads: give the address of the primary"),
    (errors.LockNotAvailable, "another process holds the ledger: end it, or run this again later"),
    (errors.DiskFull, "the server's disk is full: make room there, and run this again"),
    (errors.OutOfMemory, "the server has no memory left: run this again later"),
    (errors.TooManyConnections, "raise max_connections, or run fewer processes at once"),
    (errors.UndefinedColumn, "another program's tables are there: add ?schema=NAME to the address"),
    (errors.UndefinedTable, "tables of the ledger are gone: restore the database"),
    (errors.IndexCorrupted, "restore the database, or REINDEX it, then `rollout verify`"),
    (errors.DataCorrupted, "restore the database, then `rollout verify`"),
)
# Of a connection that is not made libpq gives no code, only words.
_BY_WORDS = (
    ("no password supplied", "set PGPASSWORD, or write a passfile (PGPASSFILE)"),
    ("authentication failed", "look at the user, and at PGPASSWORD or the passfile (PGPASSFILE)"),
    ("no encryption", "the server demands TLS: set PGSSLMODE=verify-full and PGSSLROOTCERT"),
    ("SSL", "look at PGSSLMODE and PGSSLROOTCERT"),
    ("certificate", "look at PGSSLMODE and PGSSLROOTCERT"),
    ("pg_hba.conf", "the server lets nobody in from here as that user: its pg_hba.conf says who"),
    ("resolve host", "correct the host in the address, or try again once it has a name"),
    ("does not exist", "make it (createdb, createuser), or correct the address"),
    ("too many clients", "raise max_connections, or run fewer processes at once"),
    ("remaining connection slots", "raise max_connections, or run fewer processes at once"),
    ("definition of service", "look at PGSERVICE and PGSERVICEFILE"),
)
# What is worth trying again: the server is being started, or is away for a moment.
_PASSING = (
    *("starting up", "shutting down", "recovery", "Connection refused", "No such file"),
    *("closed the connection", "Connection reset", "terminating connection", "timeout"),
    *("too many clients", "remaining connection slots"),
    *("Network is unreachable", "No route to host", "crash of another", "not accepting"),
)


def unusable(address: Address, error: Exception) -> LedgerError:
    """What to say of a ledger that cannot be read or written."""
    return because(address, line_of(error), advice(error))


def because(address: Address, why: str, advice: str = "") -> LedgerError:
    """The same, in words."""
    then = f" ({advice})" if advice else ""
    return LedgerError(f"the ledger {address.shown} cannot be used: {why}{then}")


def passes(error: Exception) -> bool:
    """Whether a connection that was not made may be made a moment later."""
    return any(words in str(error) for words in _PASSING)


def advice(error: Exception) -> str:
    """What can be done about an error."""
    if "row-level security" in str(error):
        return (
            "the table `writers` of the ledger lists no such environment for this role: its owner "
            "adds it, INSERT INTO writers VALUES ('ROLE', 'ENVIRONMENT') in the ledger's schema"
        )
    for kind, words in _BY_CLASS:
        if isinstance(error, kind):
            return words
    if isinstance(error, psycopg.ProgrammingError) and not error.sqlstate:
        return "correct the address"
    if not isinstance(error, psycopg.OperationalError) or error.sqlstate:
        return ""
    text = str(error)
    return next((words for sign, words in _BY_WORDS if sign in text), _MEANWHILE)


def line_of(error: Exception) -> str:
    """An error in one line, without what libpq asks in turn."""
    lines = [line.strip().removeprefix("- ") for line in str(error).splitlines()]
    told = [line for line in lines if line and not line.startswith(("Is the server", "HINT", "^"))]
    return "; ".join(told[:3]) or type(error).__name__
