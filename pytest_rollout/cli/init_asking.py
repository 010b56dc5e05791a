"""What `rollout init` is told: by options, by answers on a terminal, and by what lies around."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import click

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.errors import OptionError
from pytest_rollout.scaffold.wishes import Target, Template, Wishes

_MARKER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NAMES = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*"
_APP = re.compile(f"{_NAMES}:{_NAMES}")
_VARIABLE = re.compile(r"\$\{\w+\}")
_DAYS_AND_HOURS = re.compile(r"(?P<days>[a-z, -]*?) *(?P<hours>\d\d?:\d\d-\d\d?:\d\d)?")
_ASKED_TARGET = {
    Template.WEB: "The service: a URL, or module:app that pytest starts (empty: later)",
    Template.BATCH: "The command that runs the job (empty: later)",
    Template.PIPELINE: "The command that runs the pipeline (empty: later)",
    Template.LIBRARY: "The module that users import (empty: later)",
}


@dataclass(frozen=True, slots=True)
class Given:
    """The options; None where nothing was said."""

    name: str | None
    template: Template | None
    phases: tuple[str, ...]
    target: str | None
    input: str | None
    output: str | None
    zone: str | None
    window: str | None


def asked(given: Given, root: Path) -> Given:
    """Ask on the terminal for what no option says."""
    name = given.name or click.prompt("Name of the plan", default=_name(root))
    template = given.template
    if template is None:
        kinds = click.Choice([template.value for template in Template])
        template = Template(click.prompt("What is it", type=kinds, default=Template.WEB.value))
    phases = given.phases
    if not phases:
        answer = click.prompt("Its phases, in order, with spaces between", default=template.phase)
        phases = tuple(answer.replace(",", " ").split())
    answered = replace(given, name=name, template=template, phases=phases)
    default = answered.target if answered.target is not None else _module(root, template, name)
    target = answered.target
    if target is None:
        target = click.prompt(_ASKED_TARGET[template], default=default, show_default=bool(default))
    answered = replace(answered, target=target)
    if template is Template.PIPELINE and answered.input is None:
        answered = replace(answered, input=_text("The CSV file that it reads (empty: later)"))
    if template in (Template.PIPELINE, Template.BATCH) and answered.output is None:
        answered = replace(answered, output=_text("The file that it writes (empty: later)"))
    if answered.zone is None:
        answered = replace(answered, zone=click.prompt("Time zone", default="UTC"))
    if answered.window is None:
        words = "When changes may be made, as mon-thu 09:00-16:00 (empty: always)"
        answered = replace(answered, window=_text(words))
    return answered


def wishes(given: Given, root: Path) -> Wishes:
    """Return what was given, with defaults for the rest; raises OptionError."""
    template = given.template or Template.WEB
    name = given.name or _name(root)
    for option, word in (("--name", name), *(("--phase", phase) for phase in given.phases)):
        if not _MARKER.fullmatch(word):
            why = f"{word!r:.60} is no name (letters, digits and _; it becomes a mark of pytest)"
            raise OptionError(option, why)
    text = given.target if given.target is not None else _module(root, template, name)
    target = Target(text.strip(), template, f"{name.upper()}_URL")
    _check_target(target)
    if template in (Template.BATCH, Template.PIPELINE):
        _refuse_variables(given)
    return Wishes(
        name=name,
        template=template,
        phases=given.phases or (template.phase,),
        target=target,
        zone=given.zone or "UTC",
        window=_window(given.window or ""),
        input=given.input or "",
        output=given.output or "",
        install=_install(root, target),
    )


def _check_target(target: Target) -> None:
    if target.app and not _APP.fullmatch(target.app):
        why = f"{target.text!r:.60} is neither a URL (http or https) nor module:app"
        raise OptionError("--target", why)
    if target.module and not all(part.isidentifier() for part in target.module.split(".")):
        raise OptionError("--target", f"{target.text!r:.60} is no module")
    try:
        _ = target.command
    except ValueError as error:
        raise OptionError("--target", f"{target.text!r:.60} is no command ({error})") from error


def _refuse_variables(given: Given) -> None:
    """Raise OptionError where a job's command or a file of it names a variable."""
    for option, text in (
        ("--target", given.target),
        ("--input", given.input),
        ("--output", given.output),
    ):
        if _VARIABLE.search(text or ""):
            why = (
                f"{text!r:.60} names a variable, and nothing fills it in: "
                "name what a rehearsal uses, and the rest in the plan's environments (file:)"
            )
            raise OptionError(option, why)


def _window(text: str) -> str:
    """Return a window as the plan writes it; raises OptionError."""
    match = _DAYS_AND_HOURS.fullmatch(text.strip())
    if match is None:
        why = f"{text!r:.60} is no window (write mon-thu 09:00-16:00)"
        raise OptionError("--window", why)
    days, hours = (match[part] for part in ("days", "hours"))
    parts = {"days": days and f"[{days}]" if "," in days else days, "hours": hours and f'"{hours}"'}
    stated = ", ".join(f"{key}: {value}" for key, value in parts.items() if value)
    return f"{{{stated}}}" if stated else ""


def _name(root: Path) -> str:
    """The name of the project's folder, as a name of a plan."""
    plain = re.sub(r"[^A-Za-z0-9]+", "_", re.sub(r"-[0-9][0-9.]*$", "", root.name)).strip("_")
    return plain if _MARKER.fullmatch(plain) else f"plan_{plain}".rstrip("_")


def _module(root: Path, template: Template, name: str) -> str:
    """The library's own module, where one of the plan's name lies in the project."""
    if template is not Template.LIBRARY:
        return ""
    places: Mapping[str, Path] = {"src": root / "src", ".": root}
    for folder in places.values():
        if (folder / name / "__init__.py").is_file() or (folder / f"{name}.py").is_file():
            return name
    return ""


def _install(root: Path, target: Target) -> str:
    """What pip installs in CI."""
    package = '"pytest-rollout[targets]"' if target.app else "pytest-rollout"
    if (root / "requirements.txt").is_file():
        return f"-r requirements.txt {package}"
    described = any((root / name).is_file() for name in ("pyproject.toml", "setup.py"))
    return f"-e . {package}" if described else package


def _text(question: str) -> str:
    answer: str = click.prompt(question, default="", show_default=False)
    return answer
