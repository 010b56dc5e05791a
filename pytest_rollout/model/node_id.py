"""Node ids of pytest as data, and patterns of them."""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace
from functools import cached_property

from pytest_rollout.late_dataclass import dataclass

_SEPARATOR = "::"


@dataclass(frozen=True, slots=True)
class NodeId:
    """A test's id: its file, the classes and the function in it, and its parameters.

    Parameters are whatever stands in the brackets: they may hold ``::`` and brackets.
    """

    path: str  # with slashes, relative to some folder
    names: tuple[str, ...] = ()
    parameters: str | None = None  # None: without brackets

    @classmethod
    def parse(cls, text: str) -> NodeId:
        """Return the parts of an id; ``str`` gives the same text back."""
        path, separator, rest = text.partition(_SEPARATOR)
        if not separator:
            return cls(path)
        plain, bracket, parameters = rest.partition("[")
        if not bracket or not parameters.endswith("]"):
            return cls(path, tuple(rest.split(_SEPARATOR)))
        return cls(path, tuple(plain.split(_SEPARATOR)), parameters[:-1])

    def __str__(self) -> str:
        brackets = "" if self.parameters is None else f"[{self.parameters}]"
        return _SEPARATOR.join([self.path, *self.names]) + brackets

    @property
    def name(self) -> str:
        """The function with its parameters; of a file alone its path."""
        brackets = "" if self.parameters is None else f"[{self.parameters}]"
        return f"{self.function}{brackets}"

    @property
    def function(self) -> str:
        """The function without its parameters; of a file alone its path."""
        return self.names[-1] if self.names else self.path

    def below(self, folder: str) -> NodeId:
        """Return the id as seen from above, where its path is relative to ``folder``."""
        return replace(self, path=posixpath.normpath(posixpath.join(folder, self.path)))

    def seen_from(self, folder: str) -> NodeId:
        """Return the id relative to ``folder``; both are relative to the same root."""
        return replace(self, path=posixpath.relpath(self.path or ".", folder or "."))


@dataclass(frozen=True)
class NodePattern:
    """An id in which ``*`` and ``?`` stand for any characters, and ``**`` for any folders.

    A pattern without a function, or without parameters, means all that stand below it.
    """

    text: str

    @cached_property
    def parts(self) -> NodeId:
        """The pattern's parts."""
        return NodeId.parse(self.text)

    @cached_property
    def place(self) -> str:
        """The folder or file that everything it can match stands in or is."""
        steps = self.parts.path.split("/")
        wild = (number for number, step in enumerate(steps) if "*" in step or "?" in step)
        return "/".join(steps[: next(wild, len(steps))])

    @property
    def literal(self) -> bool:
        """Whether it is the id of one test, or of all below one name."""
        return not ("*" in self.text or "?" in self.text)

    def matches(self, node: NodeId) -> bool:
        """Whether a test is meant."""
        return self.may_match(node) and (
            self.parts.parameters is None or _same(self.parts.parameters, node.parameters or "")
        )

    def may_mean_file(self, path: str) -> bool:
        """Whether a test of a file may be meant."""
        return bool(self._path.fullmatch(path))

    def may_match(self, node: NodeId) -> bool:
        """Whether a test is meant, whatever its parameters are."""
        names = self.parts.names
        here = node.names[: len(names)]
        return self.may_mean_file(node.path) and (
            len(here) == len(names) and all(map(_same, names, here))
        )

    @cached_property
    def _path(self) -> re.Pattern[str]:
        steps = self.parts.path.removesuffix("/").split("/")
        if steps[-1] == "**":  # all below, which what ends here means anyway
            steps.pop()
        if not steps:
            return re.compile(".*", re.DOTALL)
        whole = "".join("(?:[^/]+/)*" if step == "**" else f"{_wild(step)}/" for step in steps)
        return re.compile(f"{whole.removesuffix('/')}(?:/.*)?", re.DOTALL)


def _same(pattern: str, text: str) -> bool:
    return re.fullmatch(_wild(pattern, ".*", "."), text, re.DOTALL) is not None


def _wild(pattern: str, many: str = "[^/]*", single: str = "[^/]") -> str:
    """A regular expression of a text in which only ``*`` and ``?`` mean something else."""
    meanings = {"*": many, "?": single}
    return "".join(meanings.get(char) or re.escape(char) for char in pattern)
