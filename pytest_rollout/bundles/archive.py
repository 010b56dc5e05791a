"""The archive of a bundle: a zip with one spelling, so that each changed byte is noticed."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, Final

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.errors import RolloutError

MANIFEST: Final = "MANIFEST.json"
SCHEMA: Final = 1
_BEGINNING = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold: none of ours
_MOST_BYTES = 2_000_000_000


@dataclass(frozen=True, slots=True)
class Opened:
    """What an archive holds, and what of it is not as it was packed."""

    files: Mapping[str, bytes]
    facts: Mapping[str, Any]  # of the manifest, but for its list of files
    digest: str  # of the manifest, which names the digests of all other files
    problems: tuple[str, ...]


def packed(files: Mapping[str, bytes], facts: Mapping[str, Any]) -> bytes:
    """Return the archive of some files and a manifest of them.

    The same files and facts give the same bytes: sorted, without times, and not compressed,
    because compressors differ.
    """
    digests = {name: sha256(files[name]).hexdigest() for name in sorted(files)}
    manifest = {"schema": SCHEMA, **facts, "files": digests}
    text = json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=True) + "\n"
    return _zipped({**files, MANIFEST: text.encode()})


def _zipped(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files, key=lambda name: (name != MANIFEST, name)):
            info = zipfile.ZipInfo(name, _BEGINNING)
            info.create_system = 3
            info.external_attr = 0o100644 << 16
            archive.writestr(info, files[name])
    return out.getvalue()


def digest_of(raw: bytes) -> str:
    """The digest of an archive's manifest: who has noted it knows another bundle from this one."""
    return opened(raw).digest


def opened(raw: bytes) -> Opened:
    """Read an archive; raises RolloutError where it is none that could be a bundle."""
    if len(raw) > _MOST_BYTES:
        raise RolloutError(f"it is larger than {_MOST_BYTES:,} bytes", code="bundle")
    files, problems = _read(raw)
    if MANIFEST not in files:
        why = problems[0] if problems else f"it holds no {MANIFEST}"
        raise RolloutError(f"it is no bundle, or was changed: {why}", code="bundle")
    manifest = _manifest(files[MANIFEST])
    digests = manifest.pop("files")
    held = {name: content for name, content in files.items() if name != MANIFEST}
    problems += _unlike(digests, held)
    if not problems and _zipped(files) != raw:
        problems.append(f"the archive's own bytes were changed, near {_place(raw, files)}")
    digest = sha256(files[MANIFEST]).hexdigest()
    return Opened(held, manifest, digest, tuple(dict.fromkeys(problems)))


def _read(raw: bytes) -> tuple[dict[str, bytes], list[str]]:
    files: dict[str, bytes] = {}
    problems: list[str] = []
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            for info in archive.infolist():
                name = info.filename
                if name in files:
                    problems.append(f"{name} is there twice")
                stored = info.compress_type == zipfile.ZIP_STORED
                try:
                    if not stored or info.file_size > len(raw):  # as none of ours is
                        raise ValueError("it is packed in another way")
                    files[name] = archive.read(info)
                except Exception:  # zipfile raises whatever broken bytes lead it to
                    problems.append(f"{name} was changed")
    except Exception as error:
        problems.append(f"it is no zip that can be read ({error})")
    return files, problems


def _manifest(raw: bytes) -> dict[str, Any]:
    try:
        manifest = json.loads(raw)
        if manifest["schema"] != SCHEMA:
            raise ValueError(f"schema {manifest['schema']!r}; this version reads {SCHEMA}")
        if not isinstance(manifest["versions"], dict):
            raise ValueError("it names no versions")
        if not all(isinstance(text, str) for part in manifest["files"].items() for text in part):
            raise ValueError("its files have no digests")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        why = f"{MANIFEST} cannot be read: {error}"
        raise RolloutError(f"it is no bundle, or was changed: {why}", code="bundle") from error
    return dict(manifest)


def _unlike(digests: Mapping[str, str], files: Mapping[str, bytes]) -> Iterator[str]:
    for name in sorted(digests.keys() - files.keys()):
        yield f"{name} is missing"
    for name in sorted(files.keys() - digests.keys()):
        yield f"{name} does not belong to it"
    for name in sorted(files.keys() & digests.keys()):
        if sha256(files[name]).hexdigest() != digests[name]:
            yield f"{name} was changed"


def _place(raw: bytes, files: Mapping[str, bytes]) -> str:
    """The file in whose part of an archive the first changed byte is."""
    should = _zipped(files)
    first = next(
        (n for n, (a, b) in enumerate(zip(raw, should, strict=False)) if a != b),
        min(len(raw), len(should)),
    )
    near = "its end"
    with zipfile.ZipFile(io.BytesIO(should)) as archive:
        for info in archive.infolist():
            if info.header_offset <= first:
                near = info.filename
    return f"byte {first} ({near})"
