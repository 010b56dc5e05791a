"""SSH signatures over what people sign, made and verified by `ssh-keygen -Y`.

An outsider repeats the verification with the same program, the payload, the signature and the
file allowed_signers; nothing of this project is needed.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from datetime import datetime
from pathlib import Path

from pytest_rollout.model.coding import encode
from pytest_rollout.model.decision import canonical
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.people import Signature

NAMESPACE = "pytest-rollout"
_LIMIT_S = 120.0  # a person may have to type a passphrase or touch a token

# What it means that ssh-keygen refuses and does not say why.
_NOT_LISTED = (
    "allowed_signers has no line with this person and this key (a line is: ID ssh-ed25519 KEY)"
)


def payload(signature: Signature) -> bytes:
    """Return the bytes that are signed: canonical JSON and a line feed."""
    return (canonical(encode(signature)) + "\n").encode()


def sign(signature: Signature, key: Path) -> str:
    """Return an armoured SSH signature; ``key`` is a private key, or a public one of an agent.

    Raises RolloutError with the words of ssh-keygen.
    """
    ran = _run("sign", "-f", str(key), given=payload(signature))
    if ran.returncode:
        raise RolloutError(f"{key} signed nothing: {_words(ran)}")
    return ran.stdout.decode()


def why_invalid(signature: Signature, armour: str, allowed_signers: str) -> str:
    """Return why a signature is not believed; empty where it is its person's.

    The key must have been valid when the signature says that it was made.
    """
    at = datetime.fromisoformat(signature.at).strftime("%Y%m%d%H%M%SZ")
    with tempfile.TemporaryDirectory(prefix="rollout-") as folder:
        allowed, armoured = Path(folder, "allowed_signers"), Path(folder, "signature")
        allowed.write_text(allowed_signers, encoding="utf-8")
        armoured.write_text(armour, encoding="utf-8")
        options = ("-f", str(allowed), "-I", signature.person, "-s", str(armoured))
        ran = _run("verify", *options, f"-Overify-time={at}", given=payload(signature))
    return "" if ran.returncode == 0 else f"not signed by {signature.person}: {_words(ran)}"


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
