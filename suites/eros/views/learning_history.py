"""What was learnt and taken back, commit by commit, as git holds it."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from pytest_rollout import RolloutError
from suites.eros.views.learnings import ACTIVE, FILE, Learning, Learnings, parsed

INITIAL = "learnings-initial"  # the tag of the file without an entry
_SEPARATOR, _END = "\x1f", "\x1e"
_FORMAT = _SEPARATOR.join(("%H", "%cI", "%(trailers:key=Reviewed-by,valueonly,separator=;)", "%B"))
_REVERTS = re.compile(r"This reverts commit ([0-9a-f]{40})")
_TIMEOUT_S = 30


@dataclass(frozen=True, slots=True)
class Version:
    """LEARNINGS.md as one commit left it."""

    commit: str
    at: datetime
    reviewed_by: str  # its trailer; empty without one
    message: str
    blob: str
    file: Learnings

    @property
    def reverts(self) -> str:
        """The commit that this one reverts, by its own word; empty where it reverts none."""
        match = _REVERTS.search(self.message)
        return match[1] if match else ""


@dataclass(frozen=True, slots=True)
class Change:
    """What one commit did to one learning."""

    kind: str  # added, promoted, lowered, deprecated, removed, brought back or reworded
    learning: Learning  # as it stands after it, or stood before it was removed
    version: Version


def git(repository: Path, *words: str, input_: str | None = None, **environ: str) -> str:
    """What git says of a repository; raises RolloutError with its words where it refuses."""
    done = ran(repository, *words, input_=input_, **environ)
    if done.returncode:
        raise RolloutError(f"git {words[0]} in {repository.name}: {done.stderr.strip()}")
    return done.stdout


def ran(
    repository: Path, *words: str, input_: str | None = None, **environ: str
) -> subprocess.CompletedProcess[str]:
    """What came of a command of git, also where it refused."""
    try:
        return subprocess.run(
            ["git", "-C", str(repository), *words],
            input=input_,
            env={**os.environ, **environ},
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise RolloutError(f"git {words[0]} gave no answer: {problem}") from None


def versions(repository: Path) -> list[Version]:
    """Each version of the file on the branch that is checked out, the oldest first."""
    log = git(
        repository, "log", "--first-parent", "--reverse", f"--format={_FORMAT}{_END}", "--", FILE
    )
    records = [
        record.strip("\n").split(_SEPARATOR, 3) for record in log.split(_END) if record.strip()
    ]
    texts = _texts(repository, [commit for commit, *_ in records])
    return [
        Version(
            commit,
            datetime.fromisoformat(at),
            reviewed.strip(),
            message,
            blob_id(text),
            parsed(text.decode("utf-8", "replace")),
        )
        for (commit, at, reviewed, message), text in zip(records, texts, strict=True)
    ]


def _texts(repository: Path, commits: Sequence[str]) -> Iterator[bytes]:
    """The file at each commit; empty where the commit took it away."""
    asked = "".join(f"{commit}:{FILE}\n" for commit in commits).encode()
    done = subprocess.run(
        ["git", "-C", str(repository), "cat-file", "--batch"],
        input=asked,
        capture_output=True,
        check=False,
        timeout=_TIMEOUT_S,
    )
    rest = done.stdout
    for _ in commits:
        header, _, rest = rest.partition(b"\n")
        size = int(header.split()[2]) if b" blob " in header else None
        yield rest[:size] if size is not None else b""
        rest = rest[size + 1 :] if size is not None else rest


def blob_id(content: bytes) -> str:
    """The id by which git names a content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def changes(history: Sequence[Version]) -> list[Change]:
    """What each commit after the first did to each learning."""
    return [change for before, after in pairwise(history) for change in _between(before, after)]


def _between(before: Version, after: Version) -> Iterator[Change]:
    known = {entry.id: entry for entry in before.file.entries}
    for entry in after.file.entries:
        old = known.pop(entry.id, None)
        kind = _kind(old, entry)
        if kind:
            yield Change(kind, entry, after)
    for gone in known.values():
        yield Change("removed", gone, after)


def _kind(old: Learning | None, new: Learning) -> str:
    """What became of a learning; empty: nothing."""
    if old is None:
        return "added"
    if old.section != new.section:
        if not new.active:
            return "deprecated"
        if not old.active:
            return "brought back"
        surer = ACTIVE.index(new.section) < ACTIVE.index(old.section)
        return "promoted" if surer else "lowered"
    return "" if old == new else "reworded"


def at(history: Sequence[Version], moment: datetime) -> Version:
    """The version that stood at a moment; raises RolloutError where there was none yet."""
    there = [version for version in history if version.at <= moment]
    if not there:
        raise RolloutError(f"{FILE} was not committed by {moment}")
    return there[-1]


def taken_back(history: Sequence[Version]) -> list[Change]:
    """What was removed: by a revert, a reset or by hand."""
    return [change for change in changes(history) if change.kind == "removed"]
