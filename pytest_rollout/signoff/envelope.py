"""Statements in signed envelopes (DSSE), which any verifier of in-toto attestations reads."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_rollout.extras import needs_extra
from pytest_rollout.model.errors import RolloutError

if TYPE_CHECKING:
    from securesystemslib.signer import Signer

PAYLOAD = "application/vnd.in-toto+json"
_MOST = 100_000  # bytes of a key file


def sealed(statements: Iterable[Mapping[str, Any]], key: Path) -> list[dict[str, Any]]:
    """Return each statement in an envelope that the key signed.

    ``key`` is a private key file without a passphrase, as OpenSSH or PEM writes it: Ed25519,
    ECDSA or RSA. Raises RolloutError where it cannot be used.
    """
    signer = _signer(key)
    return [_sealed(statement, signer) for statement in statements]


def _sealed(statement: Mapping[str, Any], signer: Signer) -> dict[str, Any]:
    from securesystemslib.dsse import Envelope

    payload = json.dumps(statement, sort_keys=True, separators=(",", ":")).encode()
    envelope = Envelope(payload, PAYLOAD, {})
    envelope.sign(signer)
    shape: dict[str, Any] = envelope.to_dict()
    return shape


def _signer(key: Path) -> Signer:
    needs_extra("attestation", "securesystemslib", "cryptography")
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import (
        load_pem_private_key,
        load_ssh_private_key,
    )
    from securesystemslib.signer import CryptoSigner

    try:
        text = key.read_bytes()[:_MOST]
        load = load_ssh_private_key if b"OPENSSH PRIVATE KEY" in text else load_pem_private_key
        return CryptoSigner(load(text, None))
    except OSError as error:
        raise RolloutError(f"the key {key} cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise RolloutError(
            f"the key {key} cannot sign ({error}); it must be a private key without a "
            "passphrase: ssh-keygen -t ed25519 -N '' -f FILE"
        ) from error
