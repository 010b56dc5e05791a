"""What stands where in a bundle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from pytest_rollout.bundles.ledger_lines import ledger_in, lines_of
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.merging import digests_in
from pytest_rollout.evidence.signatures import all_of
from pytest_rollout.model.people import Signature
from pytest_rollout.model.plan import Address

DECISION: Final = "decision.json"
MARKDOWN: Final = "report.md"
HTML: Final = "report.html"
LEDGER: Final = "ledger.jsonl"
SIGNERS: Final = "signoff/allowed_signers"
REVOKED: Final = "signoff/revoked_keys"
ROLES: Final = "signoff/roles.yaml"
ATTESTATION: Final = "attestation.json"
README: Final = "README.txt"
_PLAN, _TEXTS, _FILES, _SIGNATURES = "plan/", "texts/", "files/", "signatures/"

HOW = """\
What a release gate decided, and all that the decision rests on.

    pip install pytest-rollout
    rollout verify THIS_FILE.zip

checks every digest, the chain of the ledger, the decision (judged again from the evidence), the
reports and the signatures. It needs neither the project nor its ledger, and changes nothing.

By hand: MANIFEST.json has the SHA-256 of every file here. Each signature of a person:

    ssh-keygen -Y verify -f signoff/allowed_signers -I PERSON -n pytest-rollout \\
        -Overify-time=YYYYMMDDHHMMSSZ -s signatures/01.sig < signatures/01.json

PERSON and the time (`at`) stand in the .json. plan/ is the plan that was judged by, ledger.jsonl
the ledger, a record a line; texts/ and files/ hold what its records name by SHA-256.
"""


def evidence(ledger: Ledger) -> dict[str, bytes]:
    """The files that hold a ledger: its records, and the texts and files that they name."""
    contents = {LEDGER: "".join(f"{line}\n" for line in lines_of(ledger)).encode()}
    for digest in digests_in(ledger.between(0)):
        text, content = ledger.text(digest), ledger.store.get(digest)
        if text is not None:
            contents[f"{_TEXTS}{digest}"] = text.encode("utf-8", "replace")
        if content is not None:
            contents[f"{_FILES}{digest}"] = content
    return contents


def ledger_of(name: str, files: Mapping[str, bytes]) -> Ledger:
    """The ledger in a bundle, for reading; raises LedgerError."""
    texts = {
        path.removeprefix(_TEXTS): content.decode("utf-8", "replace")
        for path, content in files.items()
        if path.startswith(_TEXTS)
    }
    text = files.get(LEDGER, b"").decode("utf-8", "replace")
    return ledger_in(name, text, texts, lambda digest: files.get(f"{_FILES}{digest}"))


def plan_files(texts: Mapping[str, str]) -> dict[str, bytes]:
    """The plan that was judged by and the files beside it, under their names."""
    return {f"{_PLAN}{name}": text.encode("utf-8", "replace") for name, text in texts.items()}


def plan_in(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of :func:`plan_files` in a bundle."""
    return {name: files[name] for name in files if name.startswith(_PLAN)}


def signature_files(
    ledger: Ledger, gate: Address, environment: str, payload: Callable[[Signature], bytes]
) -> dict[str, bytes]:
    """What people signed about a gate, byte for byte, and their signatures."""
    contents = {}
    for number, told in enumerate(all_of(ledger, gate, environment), 1):
        contents[f"{_SIGNATURES}{number:02}.json"] = payload(told.body.signed)
        contents[f"{_SIGNATURES}{number:02}.sig"] = told.body.armour.encode()
    return contents


def signatures_in(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files of signatures in a bundle."""
    return {name: files[name] for name in files if name.startswith(_SIGNATURES)}
