"""Loading one plan: text to model, every offence at once."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.errors import Problem
from pytest_rollout.model.plan import EMBEDDED, Effect, Environment, Phase, Plan, Target
from pytest_rollout.model.requests import ReadingRequest
from pytest_rollout.plan import companions
from pytest_rollout.plan.calendars import read_calendars
from pytest_rollout.plan.channels import read_channels
from pytest_rollout.plan.fact_sources import read_source, source_targets
from pytest_rollout.plan.load_checks import load_check_problems
from pytest_rollout.plan.loads import load_problems, read_loads
from pytest_rollout.plan.needed_targets import target_problems
from pytest_rollout.plan.phases import Names, read_phase
from pytest_rollout.plan.reader import Reader, nearest
from pytest_rollout.plan.rolling_up import due_gates, resolved, with_dues
from pytest_rollout.plan.sample_limits import previous_problems
from pytest_rollout.plan.spec.phase_keys import PhaseKeys
from pytest_rollout.plan.spec.plan_keys import EnvironmentKeys, PlanKeys, TargetKeys
from pytest_rollout.plan.tree import MAX_BYTES, read
from pytest_rollout.plan.windows import read_nights, read_windows
from pytest_rollout.redact import hide, unmistakable


@dataclass(frozen=True, slots=True)
class Loaded:
    """A plan as far as it could be read, and what is wrong with it.

    With problems, ``plan`` serves names only: it is never judged by.
    """

    path: Path
    text: str
    plan: Plan | None
    problems: tuple[Problem, ...]
    names: frozenset[str]  # words by which a run may ask for it, found even in broken text
    beside: Mapping[str, str] = field(default_factory=dict)  # texts of its files, by their names

    @property
    def id(self) -> str:
        """The plan's id, or its folder's name where it cannot be read."""
        return self.plan.id if self.plan else self.path.parent.name

    @property
    def digests(self) -> dict[str, str]:
        """The digest of each file beside the plan, by its name."""
        return {name: companions.digest(text) for name, text in self.beside.items()}


def load(path: Path, shown: str) -> Loaded:
    """The plan in a file; ``shown`` is the file's name in messages."""
    try:
        if path.stat().st_size > MAX_BYTES:
            problem = Problem(shown, 1, f"the file is larger than {MAX_BYTES} bytes")
            return Loaded(path, "", None, (problem,), frozenset({path.parent.name}))
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        problem = Problem(shown, 1, f"is not text in UTF-8: {error.reason} at byte {error.start}")
        return Loaded(path, "", None, (problem,), frozenset({path.parent.name}))
    except OSError as error:
        problem = Problem(shown, 1, f"cannot be read: {error.strerror}")
        return Loaded(path, "", None, (problem,), frozenset({path.parent.name}))
    texts, unread = companions.texts(path, shown)
    loaded = parse(text, path, shown, texts)
    files = {shown: text, **{companions.named(shown, name): held for name, held in texts.items()}}
    written = [
        *(secret for file, held in files.items() for secret in _secrets(held, file)),
        *unread,
    ]
    return replace(loaded, problems=(*written, *loaded.problems)) if written else loaded


def _secrets(text: str, shown: str) -> Iterator[Problem]:
    """Secrets in a plan's text, which is stored and shown as it stands."""
    fix = "write ${NAME} and set it in the environment"
    for secret, place in unmistakable(text):
        yield Problem(shown, text.count("\n", 0, place) + 1, f"{secret} is written out", fix)


def parse(
    text: str,
    path: Path,
    shown: str,
    texts: Mapping[str, str] | None = None,
    *,
    calendars: bool = True,
) -> Loaded:
    """The plan in a text, with the texts of the files beside it.

    Without ``calendars`` its shared calendars are left out: enough to judge by, because no
    decision depends on them, and a plan of the past stands whatever became of their files.
    """
    tree, problems = read(text, shown)
    plan = None
    if tree is not None:
        reader = Reader(tree, PlanKeys, shown, "the plan", problems)
        plan = _plan(reader, text, path if calendars else None)
    names = plan.marks() if plan else frozenset()
    if problems:
        names |= _glean(text, path)
    ordered = sorted(map(_hidden, set(problems)), key=_place)
    if plan is not None and texts:
        plan, wrong = companions.joined(plan, texts, shown)
        ordered += sorted(map(_hidden, set(wrong)), key=_place)
    return Loaded(path, text, plan, tuple(dict.fromkeys(ordered)), names, dict(texts or {}))


def _hidden(problem: Problem) -> Problem:
    return replace(problem, what=hide(problem.what), fix=hide(problem.fix))


def _place(problem: Problem) -> tuple[str, int, str]:
    return problem.file, problem.line, problem.what


def _glean(text: str, path: Path) -> frozenset[str]:
    """Words that may be markers of a plan, where it cannot be read or not all of it."""
    lines = re.findall(r"^[ \t{-]*(?:id|plan|marks):\s{0,200}(.+)$", text, re.MULTILINE)
    words = re.findall(r"[A-Za-z0-9_-]+", " ".join(lines))
    return frozenset({path.parent.name, *(word.replace("-", "_") for word in words)})


def _plan(reader: Reader, text: str, path: Path | None) -> Plan | None:
    id_ = reader.get(PlanKeys.plan)
    if id_ is None:
        return None
    reader.get(PlanKeys.version)
    windows, freezes = read_windows(reader)
    roles = reader.get(PlanKeys.roles) or {}
    zone, phases = _zone(reader), with_dues(resolved(reader, _phases(reader, roles)))
    reader.tree(PlanKeys.calendars)
    title = reader.get(PlanKeys.title_)
    plan = Plan(
        id=id_,
        title=id_ if title is None else title,
        timezone=zone,
        environments=_environments(reader),
        release=read_source(reader, PlanKeys.release),
        no_release=(reader.get(PlanKeys.no_release) or "").strip(),
        configuration=read_source(reader, PlanKeys.configuration),
        author=read_source(reader, PlanKeys.author),
        change_windows=windows,
        freezes=freezes,
        calendars=read_calendars(reader, path, zone, phases) if path else (),
        nights=read_nights(reader),
        channels=read_channels(reader),
        roles=roles,
        phases=phases,
        loads=read_loads(reader),
        bindings=reader.get(PlanKeys.bindings),
        document=reader.get(PlanKeys.document) or "",
        path=reader.file,
        digest=companions.digest(text),
    )
    reader.done()
    _references(reader, plan)
    return plan


def _zone(reader: Reader) -> str:
    name = reader.get(PlanKeys.timezone)
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        reader.problem(
            reader.line_of(PlanKeys.timezone),
            f"unknown timezone `{name}`",
            nearest(name, available_timezones(), "an IANA name, as America/New_York"),
        )
        return "UTC"
    return name


def _phases(reader: Reader, roles: Mapping[str, str]) -> tuple[Phase, ...]:
    phases: list[Phase] = []
    trees = reader.get(PlanKeys.phases) or ()
    if not trees:
        reader.problem(reader.line_of(PlanKeys.phases), "the plan has no phases")
    ids = [
        tree.value[PhaseKeys.id.name].text
        for tree in trees
        if isinstance(tree.value, Mapping) and PhaseKeys.id.name in tree.value
    ]
    for tree in trees:
        phase = read_phase(reader.inner(tree, PhaseKeys, "a phase"), Names(ids, roles))
        if phase is None:
            continue
        if any(earlier.id == phase.id for earlier in phases):
            reader.problem(tree.line, f"phase {phase.id} is stated twice")
        phases.append(phase)
    return tuple(phases)


def _environments(reader: Reader) -> dict[str, Environment]:
    named = {EMBEDDED: Environment(EMBEDDED, allow=frozenset(Effect))}
    for name, tree in reader.get(PlanKeys.environments) or ():
        named[name] = _environment(reader.inner(tree, EnvironmentKeys, f"environment {name}"), name)
    return named


def _environment(reader: Reader, name: str) -> Environment:
    targets = {}
    for key, tree in reader.get(EnvironmentKeys.targets) or ():
        if isinstance(tree.value, str):
            targets[key] = Target(key, address=tree.value, line=tree.line)
            continue
        inner = reader.inner(tree, TargetKeys, f"target {key} of {reader.what}")
        targets[key] = Target(
            key,
            inner.get(TargetKeys.serve),
            inner.get(TargetKeys.url),
            inner.get(TargetKeys.file),
            inner.get(TargetKeys.of),
            tree.line,
            _reads(inner),
        )
        inner.done()
        _check_target(inner, targets[key], name)
    max_age = reader.get(EnvironmentKeys.max_age)
    allow = _allow(reader, name)
    reader.done()
    return Environment(name, targets, max_age, allow, reader.line_of(EnvironmentKeys.allow))


def _reads(reader: Reader) -> tuple[ReadingRequest, ...]:
    """The requests that only read, whatever their method."""
    stated = reader.get(TargetKeys.reads) or ()
    line, requests = reader.line_of(TargetKeys.reads), []
    if stated and reader.has(TargetKeys.file):
        reader.say(line, "`reads` is of a target that answers HTTP", "leave out `reads`")
    for text in stated:
        try:
            requests.append(ReadingRequest.parse(text))
        except ValueError as error:
            reader.say(line, f"`reads`: {error}", 'reads: ["POST /search"]')
    return tuple(requests)


def _check_target(reader: Reader, target: Target, environment: str) -> None:
    if target.serve and environment != EMBEDDED:
        reader.problem(
            reader.line, f"{reader.what}: only `{EMBEDDED}` serves its targets", "give its url"
        )
    if not (target.serve or target.address or target.file):
        reader.problem(reader.line, f"{reader.what} has none of `serve`, `url` and `file`")


def _allow(reader: Reader, environment: str) -> frozenset[Effect]:
    known = {effect.value: effect for effect in Effect}
    words = reader.get(EnvironmentKeys.allow) or ()
    for word in words:
        if word not in known:
            reader.problem(
                reader.line_of(EnvironmentKeys.allow),
                f"{reader.what}: unknown effect `{word}`",
                nearest(word, known),
            )
    if environment == EMBEDDED:
        return frozenset(Effect)
    return frozenset({Effect.OBSERVE, *(known[word] for word in words if word in known)})


def _references(reader: Reader, plan: Plan) -> None:
    """Names that must be defined elsewhere in the plan."""
    _circles(reader, plan)
    _shared_marks(reader, plan)
    due_gates(reader, plan)
    if plan.release is not None and plan.no_release:
        line = reader.line_of(PlanKeys.no_release)
        reader.problem(line, "`no_release` and `release` contradict each other", "keep one of them")
    finders = (target_problems, previous_problems, load_problems, load_check_problems)
    for offence in (offence for find in finders for offence in find(plan)):
        reader.problem(*offence)
    source_targets(reader, plan)
    for _, criterion in plan.criteria() if plan.author is None else ():
        if criterion.by_others:
            problem = f"criterion {criterion.id}: `by_others` needs to know who made the change"
            reader.problem(criterion.line, problem, "author: {variable: CHANGE_AUTHOR}, at the top")


def _circles(reader: Reader, plan: Plan) -> None:
    requires = {phase.id: phase.requires for phase in plan.phases}
    for phase in plan.phases:
        seen: set[str] = set()
        ahead = list(phase.requires)
        while ahead:
            name = ahead.pop()
            if name == phase.id and name not in phase.requires:
                reader.problem(phase.line, f"phase {phase.id} requires itself through others")
            if name not in seen:
                seen.add(name)
                ahead.extend(requires.get(name, ()))


def _shared_marks(reader: Reader, plan: Plan) -> None:
    owner: dict[str, str] = {plan.id: "the plan itself"}
    for phase in plan.phases:
        for mark in phase.marks:
            if owner.get(mark) == "the plan itself":
                reader.problem(phase.line, f"phase {phase.id}: `{mark}` is the plan's own marker")
            owner.setdefault(mark, phase.id)
