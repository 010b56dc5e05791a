"""SSH signatures over what people sign, made and verified by `ssh-keygen -Y`.

An outsider repeats the verification with the same program, the payload, the signature and the
file allowed_signers; nothing of this project is needed.
"""

from __future__ import annotations

import base64
import re
import subprocess
import tempfile
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from pytest_rollout.model.attestation import Statement
from pytest_rollout.model.coding import encode
from pytest_rollout.model.decision import canonical
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.life import Approval
from pytest_rollout.model.people import Signature

Signable = Signature | Statement | Approval
NAMESPACE = "pytest-rollout"
_LIMIT_S = 120.0  # a person may have to type a passphrase or touch a token

# What it means that ssh-keygen refuses and does not say why.
_NOT_LISTED = (
    "allowed_signers has no line with this person and this key (a line is: ID ssh-ed25519 KEY)"
)


def payload(signature: Signable) -> bytes:
    """Return the bytes that are signed: canonical JSON and a line feed."""
    return (canonical(encode(signature)) + "\n").encode()


def sign(signature: Signable, key: Path) -> str:
    """Return an armoured SSH signature; ``key`` is a private key, or a public one of an agent.

    Raises RolloutError with the words of ssh-keygen.
    """
    ran = _run("sign", "-f", str(key), given=payload(signature))
    if ran.returncode:
        raise RolloutError(f"{key} signed nothing: {_words(ran)}")
    return ran.stdout.decode()


def why_invalid(
    signature: Signable, armour: str, allowed_signers: str, revoked_keys: str = ""
) -> str:
    """Return why a signature is not believed; empty where it is its person's.

    The key must have been valid when the signature says that it was made. A key that was revoked
    is worth nothing, whenever it signed. Both texts are as a plan's roster has them.
    """
    signed, person = payload(signature), signature.person
    return _why_invalid(signed, person, signature.at, armour, allowed_signers, revoked_keys)


@lru_cache(maxsize=1024)  # every gate and every judgement asks of the same ones
def _why_invalid(
    signed: bytes, person: str, at: str, armour: str, allowed_signers: str, revoked_keys: str
) -> str:
    try:
        moment = datetime.fromisoformat(at).astimezone(UTC).strftime("%Y%m%d%H%M%SZ")
    except ValueError:
        return f"signed at {at!r}, which is no time"
    with tempfile.TemporaryDirectory(prefix="rollout-") as folder:
        allowed, armoured = Path(folder, "allowed_signers"), Path(folder, "signature")
        allowed.write_text(allowed_signers, encoding="utf-8")
        armoured.write_text(armour, encoding="utf-8")
        options = ("-f", str(allowed), "-I", person, "-s", str(armoured), f"-Overify-time={moment}")
        ran = _run("verify", *options, given=signed)
        if ran.returncode:
            return f"not signed by {person}: {_words(ran)}"
        if not revoked_keys:
            return ""
        revoked = Path(folder, "revoked_keys")
        revoked.write_bytes(_file_of(revoked_keys))
        ran = _run("verify", *options, "-r", str(revoked), given=signed)
    return f"signed with a key of {person} that was revoked (revoked_keys)" * bool(ran.returncode)


def _file_of(revoked_keys: str) -> bytes:
    """The file as ssh-keygen reads it: public keys, or a KRL that was kept in base64."""
    packed = revoked_keys.removeprefix("base64:")
    plain = packed == revoked_keys
    return revoked_keys.encode() if plain else base64.b64decode(packed)


def _run(action: str, *options: str, given: bytes) -> subprocess.CompletedProcess[bytes]:
    command = ["ssh-keygen", "-Y", action, "-n", NAMESPACE, *options]
    try:
        return subprocess.run(
            command, input=given, capture_output=True, timeout=_LIMIT_S, check=False
        )
    except FileNotFoundError as error:
        raise RolloutError(
            "signatures need the program ssh-keygen (Debian: apt install openssh-client)"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise RolloutError(f"ssh-keygen did not answer within {_LIMIT_S:.0f} s") from error


def _words(ran: subprocess.CompletedProcess[bytes]) -> str:
    """What ssh-keygen says, without the names of temporary files."""
    said = ran.stderr.decode(errors="replace").strip() or _NOT_LISTED
    return "; ".join(
        re.sub(r"^\S*allowed_signers:(\d+)", r"line \1 of allowed_signers", line)
        for line in said.splitlines()
        if line and line != "Could not verify signature."
    )
