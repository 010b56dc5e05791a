"""Code of each shape that Python has names for, committed, indexed, asked for and taken away."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_rollout import Reported, Stage, reported, scenario
from suites.pas.scenarios.indexing import Indexed
from suites.pas.views.committing import commit
from suites.pas.views.index import Index
from suites.pas.views.source import Source, git

_UP = '''"""Shapes of definitions."""

import functools

CONSTANT = len("at the top")


def plain(value=abs(-1)):
    # a comment before the docstring
    """Return how plain a walrus is."""
    return helper(value)


def helper(value):
    return [abs(each) for each in (value, -value)]


@functools.lru_cache(maxsize=max(1, 2))
def decorated(
    first,
    second=helper(2),
):
    \'\'\'Return what a decorated otter weighs.\'\'\'
    def within(third):
        return helper(third)
    return within(first)


class Outer(dict):
    """An outer shell."""

    size = helper(3)

    class Inner:
        def turn(self):
            return plain(self)

    @staticmethod
    def turn():
        return Outer.Inner().turn()

    async def later(self, *rest):
        await self.turn()
        return (
            self
            .turn()
        )


class Other(Outer):
    @property
    def turn(self):
        return lambda: plain(super().turn())
'''
_FILES: Mapping[str, str] = {
    "__init__.py": "from .deep import low\n",
    "up.py": _UP,
    "named.py": "import {name}.up as upper, os\n\nVALUE = upper.plain()\n",
    "both.py": "from {name} import up, named as other\n\nup.plain(other.VALUE)\n",
    "one.py": "from {name}.up import (\n    plain,\n    helper as aid,\n)\n\nplain(aid(1))\n",
    "deep/__init__.py": "",
    "deep/low.py": "from .. import up\nfrom ..up import Outer\n\n\ndef low():\n    Outer()\n",
    "deep/beside.py": "from . import low\nfrom .low import low as sunk\n\nsunk()\n",
    "deep/beyond.py": "from ...... import nowhere\nimport {name}.deep\n",
    "alone.py": '"""Nobody imports this."""\n\nx = {{}}\nx["a"]()\n',
    "notes.txt": "def no_code(): pass\n",
}
_DAMAGED = "damaged.py"


@dataclass(frozen=True, slots=True)
class Shapes:
    """The commit with all of it, the index of it, and what each refresh said."""

    folder: str  # below the checkout
    source: Source
    index: Index
    head: str
    refreshed: Reported
    again: Reported  # nothing had changed
    full: Reported
    snapshot: Reported
    uncommitted: str  # a name that stood in the working tree alone
    checkout: Path

    @property
    def files(self) -> list[str]:
        """Its Python files that can be read."""
        names = [name for name in _FILES if name.endswith(".py")]
        return [f"{self.folder}/{name}" for name in names]

    @property
    def damaged(self) -> str:
        """The file that is no text."""
        return f"{self.folder}/{_DAMAGED}"


@scenario(effect="change")
def shapes(
    phase: Stage, indexed: Indexed, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shapes]:
    """A package is committed and indexed; in the end another commit takes it away."""
    name, log = f"shapes_{uuid.uuid4().hex[:6]}", tmp_path_factory.mktemp("shapes") / "log"
    checkout, index = indexed.checkout, indexed.index
    index.client.post("/refresh")
    (checkout / name).mkdir()
    (checkout / name / _DAMAGED).write_bytes(b"\xff\xfe = (\n")
    git(checkout, "add", f"{name}/{_DAMAGED}")
    texts: dict[str, str | None] = {
        f"{name}/{file}": text.format(name=name) if "{" in text and file != "up.py" else text
        for file, text in _FILES.items()
    }
    (checkout / name / "linked.py").symlink_to("up.py")
    git(checkout, "add", f"{name}/linked.py")
    git(checkout, "-c", "user.name=Suite", "-c", "user.email=s@example.com", "-c",
        "core.hooksPath=/dev/null", "commit", "--quiet", "-m", "Probe what is no code")  # fmt: skip
    commit(checkout, texts, "Probe each shape of code", log, hooks=False)
    file, unseen = checkout / name / "up.py", f"unseen_{name}"
    file.write_text(f"{_UP}\n\ndef {unseen}():\n    pass\n", encoding="utf-8")
    try:
        refreshed, again, full = (
            reported(index.client.post("/refresh", params=query))
            for query in ({}, {}, {"full": "1"})
        )
        git(checkout, "checkout", "--quiet", "--", f"{name}/up.py")
        snapshot, head = index.get("/snapshot"), git(checkout, "rev-parse", "HEAD").strip()
        said = (refreshed, again, full, snapshot, unseen, checkout)
        yield Shapes(name, _source(checkout, name), index, head, *said)
    finally:
        gone = dict.fromkeys((*texts, f"{name}/{_DAMAGED}", f"{name}/linked.py"))
        if checkout.is_dir():  # that of a rehearsal is gone by then
            commit(checkout, gone, "Take the probe away", log, hooks=False)
            index.client.post("/refresh")


def _source(checkout: Path, name: str) -> Source:
    """What the commit holds, but for links, which are no files."""
    source = Source.at(checkout)
    linked = f"{name}/linked.py"
    return Source(checkout, source.commit, {p: t for p, t in source.texts.items() if p != linked})
