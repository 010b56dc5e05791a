"""A server that demands TLS and a password: both come from the environment, shown nowhere."""

from __future__ import annotations

import datetime
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pytest_rollout.evidence import opening
from pytest_rollout.model.errors import LedgerError
from tests.evidence import postgres
from tests.evidence.runs import opened

PASSWORD = "correct-horse-7-staple"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def certify(folder: Path) -> None:
    """Make a key and a certificate of localhost, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, private = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "server.crt").write_bytes(made.public_bytes(pem))
    secret = key.private_bytes(pem, private, serialization.NoEncryption())
    (folder / "server.key").write_bytes(secret)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of a server that demands both, and the certificate that it is trusted by."""
    port, folder = free_port(), tmp_path_factory.mktemp("tls")
    certify(folder)
    with postgres.serving("listen_addresses=127.0.0.1", "password_encryption=scram-sha-256") as one:
        with psycopg.connect(one.url) as db:
            db.execute(f"ALTER ROLE owner PASSWORD '{PASSWORD}'".encode())
        one.pause()
        data = one.folder / "data"
        for name in ("server.crt", "server.key"):
            (data / name).write_bytes((folder / name).read_bytes())
            (data / name).chmod(0o600)
            owner = data.stat()
            os.chown(data / name, owner.st_uid, owner.st_gid)
        (data / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 scram-sha-256\n")
        (data / "postgresql.auto.conf").write_text(f"ssl = on\nport = {port}\n")
        one.go_on()
        yield f"postgresql://localhost:{port}/postgres", folder / "server.crt"


@pytest.fixture(autouse=True)
def user(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("PG")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PGUSER", "owner")
    monkeypatch.setenv("PGPASSFILE", "/nowhere")


def test_tls_and_the_password_come_from_the_environment(
    served: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    address, certificate = served
    monkeypatch.setenv("PGSSLMODE", "verify-full")
    monkeypatch.setenv("PGSSLROOTCERT", str(certificate))
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    with opened(address) as ledger:
        assert ledger.name == address
        ledger.keep_text("d", f"we use {PASSWORD}")
    with psycopg.connect(address) as db:
        query = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        assert db.execute(query).fetchone() == (True,)


def test_a_passfile_is_read(
    served: tuple[str, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "pass").write_text(f"localhost:*:*:owner:{PASSWORD}\n")
    (tmp_path / "pass").chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pass"))
    opening.to_write(served[0]).close()


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({}, "set PGPASSWORD, or write a passfile"),
        ({"PGPASSWORD": "wr0ng-horse"}, "look at the user, and at PGPASSWORD"),
        ({"PGSSLMODE": "disable", "PGPASSWORD": PASSWORD}, "the server demands TLS: set PGSSLMODE"),
        ({"PGSSLMODE": "verify-full", "PGPASSWORD": PASSWORD}, "look at PGSSLMODE and PGSSLROOT"),
    ],
    ids=["no password", "another", "no TLS", "not trusted"],
)
def test_what_is_missing_is_said(
    served: tuple[str, Path],
    environment: dict[str, str],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for use in (opening.to_write, opening.to_read, opening.exists):
        with pytest.raises(LedgerError) as caught:
            use(served[0])
        assert says in str(caught.value)
        assert "horse" not in str(caught.value)
