"""What a project wants to roll out, as people say it."""

from __future__ import annotations

import re
import shlex
from enum import Enum

from pytest_rollout.late_dataclass import dataclass

_URL = re.compile(r"https?://\S+")


class Template(Enum):
    """What sort of thing is rolled out."""

    WEB = "web"
    BATCH = "batch"
    LIBRARY = "library"
    PIPELINE = "pipeline"

    @property
    def phase(self) -> str:
        """The phase that a plan has where nobody names others."""
        names = {Template.WEB: "canary", Template.LIBRARY: "merge"}
        return names.get(self, "trial")

    @property
    def criterion(self) -> str:
        """The criterion that people answer."""
        return "notes-read" if self is Template.LIBRARY else "runbook-read"


@dataclass(frozen=True, slots=True)
class Target:
    """What is rolled out: a URL, a module and its application, a command or a module."""

    text: str
    template: Template
    variable: str  # holds the URL where none is given

    @property
    def app(self) -> str:
        """The application that a rehearsal serves; empty where none is given."""
        web = self.template is Template.WEB
        return self.text if web and not _URL.fullmatch(self.text) else ""

    @property
    def url(self) -> str:
        """Where the service is, or the variable that says so."""
        return self.text if _URL.fullmatch(self.text) else f"${{{self.variable}}}"

    @property
    def command(self) -> tuple[str, ...]:
        """The words of a command; raises ValueError for a quote that does not end."""
        return tuple(shlex.split(self.text))

    @property
    def program(self) -> str:
        """The first word of the command, as a shell reads it."""
        return shlex.quote(self.command[0])

    @property
    def module(self) -> str:
        """The module that users import; empty where it is not known."""
        return self.text if self.template is Template.LIBRARY else ""


@dataclass(frozen=True, slots=True)
class Group:
    """Existing tests that one criterion is bound to."""

    id: str
    place: str  # the file or folder that they stand in
    binds: tuple[str, ...]  # as the plan writes them
    nodes: tuple[str, ...]  # as seen from the project's root


@dataclass(frozen=True, slots=True)
class Wishes:
    """All that a template needs to know."""

    name: str
    template: Template
    phases: tuple[str, ...]
    target: Target
    zone: str = "UTC"
    window: str = ""
    input: str = ""
    output: str = ""
    tests: tuple[Group, ...] = ()
    install: str = "pytest-rollout"
    taken: frozenset[str] = frozenset()  # marks of the project's other plans

    @property
    def folder(self) -> str:
        """Where the plan goes, from the project's root."""
        return f"suites/{self.name}"

    @property
    def asks(self) -> str:
        """The option of pytest that asks for the first phase, and for no other plan's."""
        phase = self.phases[0]
        shared = phase.replace("-", "_") in self.taken
        return f'-m "{self.name} and {phase}"' if shared else f"-m {phase}"
