"""A copy of the project, in which one file at a time is changed; the user's tree stays as it is."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.mutants import Mutant
from pytest_rollout.mutants.edits import apply
from pytest_rollout.mutants.making import read_text, write_text

_CACHES = (".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", "__pycache__", ".tox")
_NOT_COPIED = frozenset((".git", ".hg", ".svn", ".rollout", "rollout-report", ".nox", *_CACHES))
_CHILD = Path(__file__).with_name("child")
_LONG_AGO_NS = 0


@dataclass(frozen=True, slots=True)
class Workshop:
    """A copy of a project: ``root`` is the user's tree, ``copy`` what children run in."""

    root: Path
    copy: Path

    @classmethod
    def made(cls, root: Path, folder: Path) -> Workshop:
        """Copy a project without version control, virtual environments, caches and old evidence.

        Raises OSError.
        """
        root = root.resolve()
        shutil.copytree(root, folder, symlinks=True, ignore=_left_out)
        made = cls(root, folder.resolve())
        made._turn_links()
        return made

    @property
    def environ(self) -> dict[str, str]:
        """What makes a child import from the copy, wherever packages were installed from.

        It keeps what it compiles there, whatever the user's own processes do.
        """
        path = os.pathsep.join(self._python_path())
        return {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": ""}

    def mapped(self, path: Path) -> Path | None:
        """Where a file or folder of the user's tree stands in the copy; None for any other."""
        whole = path.resolve()
        return self.copy / whole.relative_to(self.root) if whole.is_relative_to(self.root) else None

    def plant(self, mutant: Mutant) -> None:
        """Change the copy of one file; caches of what it was before are removed.

        Raises ValueError where the text is not the one that the change was made for.
        """
        path = self.copy / mutant.file
        text = read_text(self.root / mutant.file)
        write_text(path, apply(text, mutant))
        _forget_compiled(path)

    def restore(self, mutant: Mutant) -> None:
        """Put the file back as it is in the user's tree, with its times."""
        path = self.copy / mutant.file
        shutil.copy2(self.root / mutant.file, path)
        _forget_compiled(path)

    def forget_reads(self, files: Iterator[str]) -> None:
        """Set when files were last read to long ago, so that :meth:`was_read` can tell."""
        for file in files:
            path = self.copy / file
            os.utime(path, ns=(_LONG_AGO_NS, path.stat().st_mtime_ns))

    def was_read(self, file: str) -> bool:
        """Whether anybody read a file since its reads were forgotten."""
        return (self.copy / file).stat().st_atime_ns > _LONG_AGO_NS

    def _python_path(self) -> Iterator[str]:
        yield str(self.copy)
        yield str(_CHILD)
        for place in (*sys.path, *_editable()):
            copied = self.mapped(Path(place)) if place else None
            if copied is not None and copied.is_dir() and copied != self.copy:
                yield str(copied)
        own = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        yield from (place for place in own if place and self.mapped(Path(place)) is None)

    def _turn_links(self) -> None:
        """Let absolute links into the user's tree lead into the copy."""
        for folder, folders, files in os.walk(self.copy):
            for name in (*folders, *files):
                link = Path(folder, name)
                if link.is_symlink() and link.readlink().is_absolute():
                    copied = self.mapped(link.readlink())
                    if copied is not None:
                        link.unlink()
                        link.symlink_to(copied)


def reads_are_noted(folder: Path) -> bool:
    """Whether the file system keeps when a file was last read; it need not (``noatime``)."""
    probe = folder / "read-me"
    probe.write_text("x", encoding="ascii")
    os.utime(probe, ns=(_LONG_AGO_NS, probe.stat().st_mtime_ns))
    probe.read_text(encoding="ascii")
    noted = probe.stat().st_atime_ns > _LONG_AGO_NS
    probe.unlink()
    return noted


def _left_out(folder: str, names: list[str]) -> set[str]:
    """What of a folder is not copied: nor are sockets, pipes and whole Python installations."""
    return {
        name
        for name in names
        if name in _NOT_COPIED
        or Path(folder, name, "pyvenv.cfg").is_file()
        or not _plain(Path(folder, name))
    }


def _plain(path: Path) -> bool:
    mode = path.lstat().st_mode
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode)


def _editable() -> Iterator[str]:
    """The folders of packages that were installed as editable, as setuptools finds them."""
    for finder in sys.meta_path:
        module = sys.modules.get(getattr(finder, "__module__", ""))
        mapping = getattr(module, "MAPPING", None)
        if isinstance(mapping, dict):
            yield from (str(Path(place).parent) for place in mapping.values())


def _forget_compiled(path: Path) -> None:
    """Remove what was compiled from a file: size and second of a change may be the same."""
    for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
        compiled.unlink(missing_ok=True)
