"""What files of other tools come to: the part of a criterion that somebody brought.

The newest file of the release decides, and only a file that can be believed: what it holds is
judged as if the deciding run had seen it. A file that failed before it leaves a warning. Nothing
in a file is ever mixed with what tests saw, and a file takes the place of no test.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from pytest_rollout.judge.attempts import judged
from pytest_rollout.judge.case import Case
from pytest_rollout.judge.people import stand_in
from pytest_rollout.judge.rules import judge
from pytest_rollout.model.evidence import Brought
from pytest_rollout.model.finding import Fact, Part, Reason, Subject, SubjectKind, said
from pytest_rollout.model.ingest import LEAST_OFFERED, Ingest, ResultFacts, ResultKind
from pytest_rollout.model.plan import Criterion, Gate
from pytest_rollout.model.verdict import Verdict, worst

_MOST_TOLD = 50  # cases that did not pass, told one by one
_AHEAD_US = 60_000_000  # how far the clock of another machine may be ahead
_SECOND = 1_000_000


def file_subject(criterion: Criterion) -> Subject:
    """Return what the part of a criterion's file is about."""
    asked = criterion.ingest
    assert asked is not None
    return Subject(SubjectKind.FILE, f"{asked.kind} {asked.name}")


def resulted(case: Case, criterion: Criterion) -> tuple[Part, ...]:
    """Return the parts of what was brought for a criterion, never none."""
    asked = criterion.ingest
    assert asked is not None
    if case.embedded:
        return (stand_in(case, criterion),)
    subject = file_subject(criterion)
    mine = [brought for brought in case.world.brought if _is_asked(asked, brought.facts)]
    ours = [brought for brought in mine if case.release and brought.facts.release == case.release]
    if not ours:
        return (Part(subject, Verdict.MISSING, _nothing(case, mine)),)
    ordered = _each_once(ours)
    newest = ordered[-1]
    twice = _of_two(case, newest, mine)
    if twice is not None:
        return (Part(subject, Verdict.ERROR, twice),)
    parts = _parts(case, criterion, newest)
    failed = [brought for brought in ordered[:-1] if _failed(case, criterion, brought)]
    if failed and not any(part.verdict.holds_back for part in parts):
        facts: dict[str, Fact] = {
            "result": parts[0].reason,
            "before": _from(case, failed[-1].facts),
        }
        warned = Part(subject, Verdict.WARN, Reason("result.failed-before", facts))
        return (warned, *parts[1:])
    return parts


def _is_asked(asked: Ingest, facts: ResultFacts) -> bool:
    return (facts.kind, facts.name) == (asked.kind, asked.name)


def _each_once(brought: Sequence[Brought]) -> list[Brought]:
    """Return files as they ended, the newest last; one that was brought twice as it was first."""
    first: dict[str, Brought] = {}
    for copy in sorted(brought, key=lambda file: (file.at_us, file.run)):
        first.setdefault(copy.facts.digest, copy)
    return sorted(first.values(), key=lambda file: (file.facts.ended_us, file.at_us, file.run))


def _of_two(case: Case, newest: Brought, mine: Sequence[Brought]) -> Reason | None:
    """Why a file is of no release or environment: it was brought as of two. None: it was not."""
    file = newest.facts
    releases = {brought.facts.release for brought in mine if brought.facts.holds_what(file)}
    if len(releases) > 1:
        details: dict[str, Fact] = {"file": file.file, "releases": tuple(sorted(releases))}
        return Reason("result.two-releases", details)
    if newest.elsewhere:
        environments = tuple(sorted({case.world.run.environment, *newest.elsewhere}))
        return Reason("result.two-environments", {"file": file.file, "environments": environments})
    return None


def _nothing(case: Case, mine: Sequence[Brought]) -> Reason:
    if case.release is None:
        return Reason("result.no-release")
    if not mine:
        return Reason("result.none")
    newest = max(mine, key=lambda file: (file.at_us, file.run))
    facts: dict[str, Fact] = {"release": case.release, "of": newest.facts.release}
    return Reason("result.other-release", facts)


def _failed(case: Case, criterion: Criterion, brought: Brought) -> bool:
    return worst(p.verdict for p in _parts(case, criterion, brought)) is Verdict.FAIL


def _parts(case: Case, criterion: Criterion, brought: Brought) -> tuple[Part, ...]:
    """The part of the file, and those of what it holds where it can be believed."""
    asked, facts = criterion.ingest, brought.facts
    assert asked is not None
    subject = file_subject(criterion)
    origin = _from(case, facts)
    against = list(_against(case, criterion, asked, facts))
    if against:
        verdict = worst(verdict for verdict, _ in against)
        why = tuple(reason for rated, reason in against if rated is verdict)
        details: dict[str, Fact] = {"result": origin, "why": why}
        return (Part(subject, verdict, Reason("result.doubted", details)),)
    parts = [Part(subject, Verdict.PASS, origin)]
    if asked.own_verdicts:
        parts += _cases(asked, brought)
    if criterion.rule is not None:
        run = case.world.run.id
        seen = tuple(replace(sample, run=run) for sample in brought.seen)
        inner = replace(case, world=replace(case.world, seen=seen, lost=(), past=()))
        parts += judge(criterion.rule, inner, criterion.max_age_us)
    return tuple(parts)


def _from(case: Case, facts: ResultFacts) -> Reason:
    details: dict[str, Fact] = {
        "file": facts.file,
        "format": facts.format,
        "digest": facts.digest,
        "by": facts.by,
        "release": facts.release,
        "said_release": facts.release_from == "said",
        "ended": case.instant(facts.ended_us),
        "said_time": facts.times_from == "said",
        "unsaid": facts.unsaid,
    }
    return Reason("result.from", details)


def _against(
    case: Case, criterion: Criterion, asked: Ingest, facts: ResultFacts
) -> Iterator[tuple[Verdict, Reason]]:
    """What keeps a file from being believed, each with what it makes of it."""
    for doubt in facts.doubts:
        yield Verdict.ERROR, said(doubt)
    if facts.ended_us < case.oldest_us(criterion.max_age_us):
        yield Verdict.MISSING, Reason("result.stale", {"ended": case.instant(facts.ended_us)})
    if facts.ended_us > case.world.run.ended_us + _AHEAD_US:
        yield Verdict.ERROR, Reason("result.ahead", {"ended": case.instant(facts.ended_us)})
    begun_us = case.world.begun_us
    if criterion.gate is not Gate.EXIT:
        pass
    elif begun_us is None:
        yield Verdict.MISSING, Reason("result.not-begun")
    elif facts.started_us < begun_us:
        began = {"started": case.instant(facts.started_us), "begun": case.instant(begun_us)}
        yield Verdict.MISSING, Reason("result.before-begin", began)
    if asked.kind is ResultKind.LOAD:
        yield from _offered(asked, facts)


def _offered(asked: Ingest, facts: ResultFacts) -> Iterator[tuple[Verdict, Reason]]:
    """What a load did not offer of what the plan asks."""
    lasted = facts.ended_us - facts.started_us
    if facts.requests < asked.need:
        details: dict[str, Fact] = {"n": facts.requests, "need": asked.need}
        verdict = Verdict.INCONCLUSIVE if facts.requests else Verdict.MISSING
        yield verdict, Reason("result.too-few", details)
    if lasted < asked.lasts_us:
        details = {"lasted_us": lasted, "least_us": asked.lasts_us}
        yield Verdict.ERROR, Reason("result.too-short", details)
    least, of = LEAST_OFFERED
    if facts.dropped is not None and facts.started * of < (facts.started + facts.dropped) * least:
        details = {"dropped": facts.dropped, "planned": facts.started + facts.dropped}
        yield Verdict.ERROR, Reason("result.dropped", details)
    arrived = facts.started or facts.requests
    if asked.rate is not None and arrived * of * _SECOND < asked.rate * lasted * least:
        rate = arrived * _SECOND / lasted if lasted > 0 else 0.0
        details = {"rate": f"{rate:.4g}", "asked": f"{asked.rate:.4g}"}
        yield Verdict.ERROR, Reason("result.less-offered", details)


def _cases(asked: Ingest, brought: Brought) -> Iterator[Part]:
    """The cases that a criterion asks for: those that did not pass one by one."""
    matched: dict[str, None] = {}
    for pattern in asked.cases:
        names = [name for name in brought.checks if name_matches(pattern, name)]
        matched.update(dict.fromkeys(names))
        if not names:
            subject = Subject(SubjectKind.CASE, pattern)
            yield Part(subject, Verdict.MISSING, Reason("result.no-case"))
    whole = Subject(SubjectKind.CASE)
    if asked.kind is ResultKind.JUNIT and len(matched) < asked.need:
        facts: dict[str, Fact] = {"n": len(matched), "need": asked.need}
        yield Part(whole, Verdict.MISSING, Reason("result.too-few-cases", facts))
    parts = [judged(Subject(SubjectKind.CASE, name), brought.checks[name]) for name in matched]
    bad = [part for part in parts if part.verdict is not Verdict.PASS]
    bad.sort(key=lambda part: part.verdict.rank)
    yield from bad[:_MOST_TOLD]
    if len(parts) > len(bad):
        yield Part(whole, Verdict.PASS, Reason("result.cases-passed", {"n": len(parts) - len(bad)}))


def name_matches(pattern: str, name: str) -> bool:
    """Whether a pattern of the plan names a case: `*` and `?` stand for what may differ."""
    return pattern == name or fnmatchcase(name, pattern.replace("[", "[[]"))
