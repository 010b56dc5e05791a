"""Templates as Python compiled them, kept where Python keeps modules: beside what they are of."""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib.util import cache_from_source
from pathlib import Path

import jinja2
from jinja2.bccache import Bucket

from pytest_rollout import __version__


class Compiled(jinja2.FileSystemBytecodeCache):
    """Compiled templates of a folder; one that was changed since is compiled anew.

    Where Python writes no byte code, or cannot, each process compiles what it shows.
    """

    def __init__(self, folder: Path) -> None:
        self._place = Path(cache_from_source(str(folder / "template.py"))).parent
        # What is constant in a template was computed by this version's filters.
        super().__init__(str(self._place), f"%s.{__version__}.jinja-{jinja2.__version__}")

    def load_bytecode(self, bucket: Bucket) -> None:
        """Read what was kept of a template, if it can be read."""
        with suppress(OSError):
            super().load_bytecode(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what a template was compiled to."""
        if not sys.dont_write_bytecode:
            with suppress(OSError):
                self._place.mkdir(parents=True, exist_ok=True)
                super().dump_bytecode(bucket)
