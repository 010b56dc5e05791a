"""`rollout init`: a plan, its checks and what stands around them, ready to be rehearsed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import click

from pytest_rollout.cli import schema
from pytest_rollout.cli.init_asking import Given, asked, wishes
from pytest_rollout.cli.init_tests import FoundTests, existing_tests
from pytest_rollout.cli.project import Project, print_json
from pytest_rollout.cli.saying import say
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.plan import bindings, find
from pytest_rollout.plan.load import parse
from pytest_rollout.scaffold.binds import grouped
from pytest_rollout.scaffold.files import PLAN, STAND_INS, NewFile, rendered, to_fill_in, to_ignore
from pytest_rollout.scaffold.wishes import Template, Wishes

_TEMPLATES = {template.value: template for template in Template}
_SHOWN = 20
_SAYS = {
    schema.COPY: "what editors know of a plan",
    bindings.NAME: "the checks of each criterion, to be reviewed",
    ".gitignore": "keeps evidence out of git",
}


@click.command("init")
@click.option("--name", help="the plan's name, which is a mark of pytest, too")
@click.option("--template", type=click.Choice([*_TEMPLATES]), help="what is rolled out")
@click.option("--phase", "phases", multiple=True, help="a phase; as often as there are phases")
@click.option("--target", help="the service's URL, module:app, a command, or a library's module")
@click.option("--input", "read", help="the CSV file that a pipeline reads")
@click.option("--output", "written", help="the file that a job or a pipeline writes")
@click.option("--zone", help="the zone of the plan's times, as Europe/Berlin")
@click.option("--window", help='when changes may be made, as "mon-thu 09:00-16:00"')
@click.option("--from-tests", is_flag=True, help="bind tests that the project has")
@click.option("--select", "patterns", multiple=True, help="which: an id or a pattern of ids")
@click.option("--yes", is_flag=True, help="ask nothing")
@click.option("--root", help="the project's folder (default: found as pytest does)")
@click.option("--json", "as_json", is_flag=True, help="answer in JSON")
def command(
    name: str | None,
    template: str | None,
    phases: tuple[str, ...],
    target: str | None,
    read: str | None,
    written: str | None,
    zone: str | None,
    window: str | None,
    patterns: tuple[str, ...],
    root: str | None,
    *,
    from_tests: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Write a plan, its checks, and what CI and editors need.

    On a terminal it asks for what no option says. No file is overwritten.
    """
    project = Project.here(root, None)
    kind = _TEMPLATES[template] if template else Template.LIBRARY if from_tests else None
    given = Given(name, kind, phases, target, read, written, zone, window)
    asks = sys.stdin.isatty() and not (yes or as_json)
    if asks:
        given = asked(given, project.root)
    wanted = wishes(given, project.root)
    plans = [loaded.plan for loaded in project.found if loaded.plan]
    wanted = replace(wanted, taken=frozenset().union(*(plan.marks() for plan in plans)))
    notes: list[str] = []
    if from_tests or patterns or wanted.template is Template.LIBRARY:
        tests = _existing(project, patterns, asks=asks)
        tests = tests.without_those_of(plans)
        groups = grouped(tests.nodes, tests.others, wanted.folder)
        wanted = replace(wanted, tests=groups)
        notes += _left_out(tests)
    _start(project, wanted, notes, as_json=as_json)
    return 0


def _start(project: Project, wanted: Wishes, notes: Sequence[str], *, as_json: bool) -> None:
    """Write a plan and what stands around it, and say what comes next; raises RolloutError."""
    files = list(rendered(wanted, project.root))
    _refuse(project.root, files, wanted)
    added = _write(project.root, files, wanted)
    open_ = [*to_fill_in(files), *_checked(project, wanted)]
    added += [
        path for path in (f"{wanted.folder}/{bindings.NAME}",) if (project.root / path).is_file()
    ]
    following = _following(wanted)
    if as_json:
        paths = [*(file.path for file in files), *added]
        print_json({"written": paths, "notes": notes, "fill_in": open_, "next": following})
    else:
        for line in _lines(project.root, files, added, notes, open_, following):
            say(line)


def _existing(project: Project, patterns: tuple[str, ...], *, asks: bool) -> FoundTests:
    """Return the tests of the project that are to be bound."""
    tests = existing_tests(project.root, find.files(project.root, project.patterns))
    if asks and not patterns and tests.nodes:
        patterns = _offer(tests)
    return tests.narrowed(patterns)


def _offer(tests: FoundTests) -> tuple[str, ...]:
    """Ask which of the existing tests are to be bound."""
    by_file = tests.by_file
    say(f"{len(tests.nodes)} tests in {len(by_file)} files:")
    for path, count in list(by_file.items())[:_SHOWN]:
        say(f"  {path} ({count})")
    if len(by_file) > _SHOWN:
        say(f"  and {len(by_file) - _SHOWN} files more")
    answer: str = click.prompt("Which (ids or patterns, with spaces between)", default="all")
    return () if answer == "all" else tuple(answer.split())


def _left_out(tests: FoundTests) -> Iterator[str]:
    """What no criterion asks for, and what becomes of tests that come later."""
    for nodes, why in (
        (tests.barred, "skipped or expected to fail here"),
        (tests.left, "not selected"),
        (tests.taken, "bound by another plan (a test belongs to one phase)"),
    ):
        if nodes:
            count = len(nodes)
            are, they = ("test is", "it is") if count == 1 else ("tests are", "they are")
            shown = ", ".join(nodes[:3]) + (", …" if count > 3 else "")
            yield f"{count} {are} {why}, so {they} not bound: {shown}"
    if tests.nodes:
        yield (
            "a file or folder that `binds:` names takes in tests that come later; `rollout check` "
            "remarks on those of other files beside them, and with `bindings: strict` refuses them"
        )


def _refuse(root: Path, files: Sequence[NewFile], wanted: Wishes) -> None:
    """Raise RolloutError for files that are there, and for a plan that could not be read."""
    paths = [file.path for file in files]
    paths += [f"{wanted.folder}/{name}" for name in (schema.COPY, bindings.NAME)]
    there = tuple(path for path in paths if (root / path).exists())
    if there:
        why = f"nothing was written, because there is already: {', '.join(there)}"
        raise RolloutError(why, code="files.there", files=there)
    texts = {Path(file.path).name: file.text for file in files}
    shown = f"{wanted.folder}/{PLAN}"
    read = parse(texts[PLAN], root / shown, shown, {STAND_INS: texts[STAND_INS]})
    if read.problems:
        problems = tuple(map(str, read.problems))
        why = f"nothing was written, because the plan would be wrong: {'; '.join(problems)}"
        raise RolloutError(why, code="plan.broken", problems=problems)


def _write(root: Path, files: Sequence[NewFile], wanted: Wishes) -> list[str]:
    """Write files, none over another; what else was written or added to."""
    copy = NewFile(f"{wanted.folder}/{schema.COPY}", schema.copied(), "")
    for file in (*files, copy):
        path = root / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as opened:
            opened.write(file.text)
    added = [copy.path]
    lines = to_ignore(root)
    if lines:
        ignored = root / ".gitignore"
        before = ignored.read_text(encoding="utf-8") if ignored.is_file() else ""
        gap = "" if not before or before.endswith("\n") else "\n"
        with ignored.open("a", encoding="utf-8") as opened:
            opened.write(gap + "".join(f"{line}\n" for line in lines))
        added.append(ignored.name)
    return added


def _checked(project: Project, wanted: Wishes) -> list[str]:
    """Have `rollout check` write the bindings; what it says against the plan."""
    plan = project.root / wanted.folder / PLAN
    if plan not in find.files(project.root, project.patterns):
        return [f"add {wanted.folder}/{PLAN} to rollout_plans in pytest's configuration"]
    command = [sys.executable, "-m", "pytest_rollout.cli", "check", wanted.name, "--json"]
    command += ["--write-bindings", "--root", str(project.root)]
    done = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=False)
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        return [f"`rollout check {wanted.name}` says: {done.stderr.strip()[-500:]}"]
    return list(answer["problems"] if "problems" in answer else [answer["error"]["text"]])


def _following(wanted: Wishes) -> list[str]:
    """The three commands that come next."""
    real = f"pytest {wanted.asks} --rollout-env prod"
    if wanted.template is Template.LIBRARY:
        real = "rollout status"
    elif wanted.template is Template.WEB and wanted.target.url.startswith("$"):
        real = f"{wanted.target.variable}=https://… {real}"
    return [f"rollout check {wanted.name}", f"pytest {wanted.asks}", real]


def _lines(
    root: Path,
    files: Sequence[NewFile],
    added: Sequence[str],
    notes: Sequence[str],
    open_: Sequence[str],
    following: Sequence[str],
) -> Iterator[str]:
    says = {file.path: file.says for file in files}
    says |= {path: _SAYS[Path(path).name] for path in added}
    width = max(map(len, says))
    yield f"written below {root}:"
    yield from (f"  {path:<{width}}  {meaning}" for path, meaning in says.items())
    yield from (f"note: {note}" for note in notes)
    if open_:
        yield "to fill in:"
        yield from (f"  {line}" for line in open_)
    yield "next:"
    yield from (f"  {line}" for line in following)
