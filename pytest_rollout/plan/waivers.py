"""The reviewed exceptions beside a plan, `waivers.yaml`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pytest_rollout import calendar
from pytest_rollout.model.errors import Problem
from pytest_rollout.model.plan import Criterion, Phase, Plan
from pytest_rollout.model.rule import Bands, Cut
from pytest_rollout.model.waiver import Waiver, Waives, WindowDemand
from pytest_rollout.plan.cuts import Scale, cut, scale_of
from pytest_rollout.plan.reader import Reader, nearest
from pytest_rollout.plan.spec.keys import Key
from pytest_rollout.plan.spec.waiver_keys import WaiverKeys, WaiversKeys

NAME = "waivers.yaml"
_KINDS: Mapping[Waives, Key[str | None]] = {
    Waives.CRITERION: WaiverKeys.criterion,
    Waives.WINDOW: WaiverKeys.window,
    Waives.REQUIRES: WaiverKeys.requires,
}
_WORDS = (WaiverKeys.reason, WaiverKeys.author, WaiverKeys.approver)


def read_waivers(reader: Reader, plan: Plan) -> tuple[Waiver, ...]:
    """The waivers of a plan; what is wrong with them goes to the reader."""
    waivers: list[Waiver] = []
    for tree in reader.get(WaiversKeys.waivers) or ():
        inner = reader.inner(tree, WaiverKeys, "a waiver")
        waiver = _waiver(inner, plan) if isinstance(tree.value, Mapping) else None
        if waiver is not None:
            _once(reader, waiver, waivers)
            waivers.append(waiver)
    reader.done()
    return tuple(waivers)


def expired(plan: Plan, now_us: int) -> list[Problem]:
    """The waivers whose last day is over."""
    return [
        Problem(
            waiver.file,
            waiver.line,
            f"the waiver of {waiver.what} in phase {waiver.phase} expired at the end of "
            f"{waiver.until}",
            "fix what it waived and remove it, or have a later day approved",
        )
        for waiver in plan.waivers
        if calendar.end_of_day(waiver.until, plan.timezone) <= now_us
    ]


def _waiver(reader: Reader, plan: Plan) -> Waiver | None:
    kind = _kind(reader)
    phase = _phase(reader, plan)
    named = reader.get(_KINDS[kind]) if kind else None
    word = named or ""
    reader.what = f"the waiver of {word}" if word else reader.what
    scale = _scale(kind, phase, word)
    limit = reader.parsed(WaiverKeys.limit, lambda text: cut(text, scale))
    until = reader.get(WaiverKeys.until)
    words = {key.name: _stated(reader, key) for key in _WORDS}
    release = reader.get(WaiverKeys.release)
    _another(reader, words)
    reader.done()
    if kind is not None and named == "":
        reader.say(reader.line_of(_KINDS[kind]), f"`{kind.value}` names nothing")
    if kind is None or phase is None or not word:
        return None
    _known(reader, kind, phase, word)
    _limited(reader, kind, phase, word, limit)
    if until is None:
        return None
    return Waiver(
        kind,
        phase.id,
        word,
        **words,
        until=until,
        limit=limit,
        release=release,
        file=reader.file,
        line=reader.line,
    )


def _scale(kind: Waives | None, phase: Phase | None, word: str) -> Scale:
    """What the cuts of the waived criterion are held against."""
    criteria = phase.criteria if phase is not None and kind is Waives.CRITERION else ()
    rule = next((criterion.rule for criterion in criteria if criterion.id == word), None)
    return scale_of(rule.take, rule.unit, rule.versus) if rule is not None else Scale()


def _kind(reader: Reader) -> Waives | None:
    """What it waives: one of criterion, window and requires."""
    given = [kind for kind, key in _KINDS.items() if reader.tree(key) is not None]
    if reader.has(WaiverKeys.guardrail):
        return None
    if len(given) != 1:
        reader.problem(
            reader.line, f"{reader.what} names one of `criterion`, `window` and `requires`"
        )
        return None
    return given[0]


def _phase(reader: Reader, plan: Plan) -> Phase | None:
    name = reader.get(WaiverKeys.phase)
    if name is None:
        return None
    phase = plan.phase(name)
    if phase is None:
        hint = nearest(name, [phase.id for phase in plan.phases])
        reader.problem(
            reader.line_of(WaiverKeys.phase), f"{reader.what}: unknown phase `{name}`", hint
        )
    return phase


def _stated(reader: Reader, key: Key[str | None]) -> str:
    """Return a text that must say something."""
    text = reader.get(key)
    words = (text or "").strip()
    if text is not None and not words:
        reader.say(reader.line_of(key), f"`{key.name}` says nothing")
    return words


def _another(reader: Reader, people: Mapping[str, str]) -> None:
    author, approver = (" ".join(people[key].split()) for key in ("author", "approver"))
    if author and author.casefold() == approver.casefold():
        reader.problem(
            reader.line_of(WaiverKeys.approver),
            f"{reader.what}: {approver} is author and approver",
            "somebody else approves it",
        )


def _known(reader: Reader, kind: Waives, phase: Phase, word: str) -> None:
    """What is waived must be something that the plan states."""
    known: Iterable[str]
    match kind:
        case Waives.CRITERION:
            known = [criterion.id for criterion in phase.criteria]
            if any(criterion.id == word and criterion.rolls_up for criterion in phase.criteria):
                problem = f"`{word}` rolls up findings of other gates, and is not waived here"
                reader.problem(reader.line_of(_KINDS[kind]), problem, "waive what it rolls up")
                return
            if word in {guardrail.id for guardrail in phase.guardrails}:
                fix = "change its limit in the plan, where the change is reviewed"
                problem = f"`{word}` is a guardrail, which cannot be waived"
                reader.problem(reader.line_of(_KINDS[kind]), problem, fix)
                return
        case Waives.WINDOW:
            known = list(WindowDemand)
        case Waives.REQUIRES:
            known = phase.requires
    if word not in known:
        problem = f"phase {phase.id} has no {kind.value} `{word}`"
        if kind is Waives.REQUIRES:
            problem = f"phase {phase.id} does not require `{word}`"
        reader.problem(reader.line_of(_KINDS[kind]), problem, nearest(word, known))


def _limited(reader: Reader, kind: Waives, phase: Phase, word: str, limit: Cut | None) -> None:
    """A limit is another cut on the criterion's estimate, beyond what passes."""
    if limit is None:
        return
    line = reader.line_of(WaiverKeys.limit)
    stated = next((criterion for criterion in phase.criteria if criterion.id == word), None)
    if kind is not Waives.CRITERION or (stated is not None and stated.rule is None):
        reader.problem(line, f"{reader.what}: `limit` without a rule to be judged by it")
    elif stated is not None:
        _beyond(reader, line, stated, limit)


def _beyond(reader: Reader, line: int, stated: Criterion, limit: Cut) -> None:
    assert stated.rule is not None
    bands: Bands = stated.rule.bands
    passes = bands.passes
    if limit.upward != passes.upward:
        problem = f'limit "{limit.text}" and pass "{passes.text}" do not face one way'
        reader.problem(line, f"{reader.what}: {problem}")
        return
    further = limit.limit < passes.limit if passes.upward else limit.limit > passes.limit
    wider = limit.limit == passes.limit and len(limit.operator) > len(passes.operator)
    if not (further or wider):
        problem = f'limit "{limit.text}" admits no more than pass "{passes.text}"'
        reader.problem(line, f"{reader.what}: {problem}")


def _once(reader: Reader, waiver: Waiver, before: Iterable[Waiver]) -> None:
    for earlier in before:
        same = (waiver.kind, waiver.phase, waiver.what) == (
            earlier.kind,
            earlier.phase,
            earlier.what,
        )
        releases = {waiver.release, earlier.release}
        if same and (None in releases or len(releases) == 1):
            reader.problem(
                waiver.line,
                f"{waiver.what} of phase {waiver.phase} is waived twice, first at line "
                f"{earlier.line}",
                "keep one of the two, or give each its own release",
            )
            return
