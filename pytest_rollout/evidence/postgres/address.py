"""The address of a ledger in PostgreSQL: a URL as libpq takes it, and the schema in it."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import SplitResult, parse_qsl, quote, urlencode, urlsplit

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.errors import LedgerError

SCHEMA: Final = "rollout"
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_SECRET = ("password", "sslpassword", "oauth_client_secret")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a ledger is. No part of it is secret."""

    shown: str  # as it was configured
    url: str  # as libpq takes it
    schema: str

    @classmethod
    def parse(cls, text: str) -> Address:
        """The address in a text; raises LedgerError, also for one that holds a password."""
        try:
            parts = urlsplit(text)
            query = parse_qsl(parts.query, keep_blank_values=True)
        except ValueError as error:
            raise LedgerError("the ledger's address is no URL of PostgreSQL") from error
        secret = any(name in _SECRET for name, _ in query)
        if secret or parts.password is not None:
            raise _holds_password(parts, query)
        schema = next((value for name, value in query if name == "schema"), SCHEMA)
        if not _NAME.fullmatch(schema) or schema.startswith("pg_"):
            raise LedgerError(
                f"the ledger {text} names a schema {schema!r}: write lower-case letters, digits "
                "and underscores"
            )
        return cls(text, _url(parts, [pair for pair in query if pair[0] != "schema"]), schema)


def _holds_password(parts: SplitResult, query: list[tuple[str, str]]) -> LedgerError:
    user, at, host = parts.netloc.rpartition("@")
    bare = parts._replace(netloc=f"{user.partition(':')[0]}{at}{host}")
    shown = _url(bare, [pair for pair in query if pair[0] not in _SECRET])
    return LedgerError(
        "the ledger's address holds a password, which lists of processes and logs of CI would "
        f"show: write {shown}, and give the password in PGPASSWORD or in a passfile (PGPASSFILE)"
    )


def _url(parts: SplitResult, query: list[tuple[str, str]]) -> str:
    """The URL with another query; the standard library leaves out the slashes of no host."""
    asked = f"?{urlencode(query, quote_via=quote, safe='/')}" if query else ""
    return f"{parts.scheme}://{parts.netloc}{parts.path}{asked}"
