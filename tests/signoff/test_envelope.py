"""Signed envelopes: two verifiers that are not ours agree, and every changed part is refused."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_ssh_private_key,
)
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

from pytest_rollout.model.errors import RolloutError
from pytest_rollout.signoff.envelope import PAYLOAD, sealed

STATEMENT = {"_type": "https://in-toto.io/Statement/v1", "predicate": {"a": "é", "b": [1, 2]}}


def written(
    path: Path, form: PrivateFormat, lock: KeySerializationEncryption | None = None
) -> Path:
    """A new key in a file."""
    key = Ed25519PrivateKey.generate()
    path.write_bytes(key.private_bytes(Encoding.PEM, form, lock or NoEncryption()))
    return path


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An Ed25519 key as OpenSSH writes it."""
    return written(tmp_path_factory.mktemp("keys") / "release", PrivateFormat.OpenSSH)


def public(key: Path) -> Ed25519PublicKey:
    loaded = load_ssh_private_key(key.read_bytes(), None)
    assert isinstance(loaded, Ed25519PrivateKey)
    return loaded.public_key()


def by_hand(envelope: dict[str, Any], key: Ed25519PublicKey) -> bool:
    """The protocol of DSSE, from its specification, with nothing but the signature's algorithm."""
    payload = base64.b64decode(envelope["payload"])
    kind = envelope["payloadType"].encode()
    signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)
    try:
        key.verify(base64.b64decode(envelope["signatures"][0]["sig"]), signed)
    except InvalidSignature:
        return False
    return True


def by_library(envelope: dict[str, Any], key: Ed25519PublicKey) -> bool:
    signer = SSlibKey.from_crypto(key)
    try:
        accepted = Envelope.from_dict(json.loads(json.dumps(envelope))).verify([signer], 1)
    except VerificationError:
        return False
    return signer.keyid in accepted


@pytest.mark.parametrize("verified", [by_hand, by_library])
def test_others_verify_what_was_signed(verified: Any, key: Path) -> None:
    (envelope,) = sealed([STATEMENT], key)
    assert envelope["payloadType"] == PAYLOAD
    assert json.loads(base64.b64decode(envelope["payload"])) == STATEMENT
    assert verified(envelope, public(key))


@pytest.mark.parametrize("verified", [by_hand, by_library])
def test_every_changed_byte_is_refused(verified: Any, key: Path) -> None:
    (envelope,) = sealed([STATEMENT], key)
    payload = bytearray(base64.b64decode(envelope["payload"]))
    for place in range(len(payload)):
        changed = payload[:place] + bytes([payload[place] ^ 1]) + payload[place + 1 :]
        text = base64.b64encode(changed).decode()
        assert not verified({**envelope, "payload": text}, public(key)), place
    assert not verified({**envelope, "payloadType": PAYLOAD + "x"}, public(key))


def test_a_key_in_pem_signs_too(tmp_path: Path) -> None:
    (envelope,) = sealed([STATEMENT], written(tmp_path / "release.pem", PrivateFormat.PKCS8))
    assert envelope["signatures"][0]["sig"]


def test_keys_that_cannot_sign_are_one_message(tmp_path: Path) -> None:
    with pytest.raises(RolloutError, match="cannot be read: No such file"):
        sealed([STATEMENT], tmp_path / "none")
    (tmp_path / "text").write_text("hello")
    with pytest.raises(RolloutError, match=r"cannot sign .*ssh-keygen -t ed25519"):
        sealed([STATEMENT], tmp_path / "text")
    locked = written(tmp_path / "locked", PrivateFormat.PKCS8, BestAvailableEncryption(b"word"))
    with pytest.raises(RolloutError, match="without a passphrase"):
        sealed([STATEMENT], locked)
