"""`rollout ingest load` and `junit`: files of other tools become evidence of one phase."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from pytest_rollout import calendar
from pytest_rollout.cli.ingest_facts import Asked, Place, already, facts_of, place_of, timed
from pytest_rollout.cli.project import (
    Project,
    common,
    environment_option,
    keep_texts,
    print_json,
)
from pytest_rollout.cli.saying import say
from pytest_rollout.cli.who import git_email
from pytest_rollout.evidence import opening, results
from pytest_rollout.evidence.ledger import MOST_ATTACHED, Ledger
from pytest_rollout.judge.results import name_matches
from pytest_rollout.load.results.figures import Figures, UnreadableError
from pytest_rollout.load.results.reading import LOADS, read_junit, read_load
from pytest_rollout.model.errors import OptionError, RolloutError
from pytest_rollout.model.ingest import ResultFacts, ResultKind
from pytest_rollout.model.verdict import Answer
from pytest_rollout.redact import hide, hide_in

_AHEAD_US = 60_000_000
_MOST_BY = 200


def _options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        common,
        click.option("--by", metavar="WHO", help="who brings it (default: git's user.email)"),
        click.option("--ended", metavar="TIME", help="when it ended, where the file does not say"),
        click.option(
            "--release", metavar="NAME", help="of which release it is (default: what runs now)"
        ),
        environment_option,
        click.option(
            "--name", metavar="NAME", help="which file of the phase (default: the only one)"
        ),
        click.option("--phase", required=True, metavar="PLAN.PHASE", help="what it is evidence of"),
    ):
        function = option(function)
    return function


@click.command("load")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--format", "format_", type=click.Choice(list(LOADS)), help="(default: by content)")
@_options
def load(file: Path, format_: str | None, **options: Any) -> int:
    """Bring FILE, results of k6, Gatling or JMeter or an HdrHistogram log, as a phase's evidence.

    It is read by criteria with `ingest: {load: NAME}`, from the next run on. The file is kept by
    its digest. What cannot be believed is recorded with why, and satisfies nothing (exit 11).
    """

    def read(content: bytes, place: Place) -> Figures:
        return read_load(content, format_ or "", place.unit)

    return _bring(ResultKind.LOAD, file, read, options)


@click.command("junit")
@click.argument("file", type=click.Path(path_type=Path))
@_options
def junit(file: Path, **options: Any) -> int:
    """Bring FILE, test cases as JUnit XML, as a phase's evidence.

    It is read by criteria with `ingest: {junit: NAME, cases: [PATTERN]}`, from the next run on.
    A case that was skipped, or is not in the file, is missing.
    """
    return _bring(ResultKind.JUNIT, file, lambda content, _: read_junit(content), options)


def _bring(
    kind: ResultKind, file: Path, read: Callable[[bytes, Place], Figures], options: dict[str, Any]
) -> int:
    asked = Asked(
        file,
        *(options[option] for option in ("phase", "name", "environment", "release", "ended", "by")),
    )
    project = Project.here(options["root"], options["ledger"])
    place = place_of(project, kind, asked)
    content = _content(file)
    try:
        figures = read(content, place)
    except UnreadableError as error:
        raise RolloutError(f"{file}: {error}", code=error.code, **error.facts) from error
    figures = timed(figures, asked)
    by = _by(project, asked.by)
    now_us = time.time_ns() // 1000
    if figures.ended_us is None or figures.ended_us > now_us + _AHEAD_US:
        raise RolloutError(f"{file} ended in the future: one of two clocks is wrong")
    with closing(opening.to_write(project.ledger_at)) as store:
        facts = facts_of(store, place, kind, asked, content, figures, by)
        run = already(store, place, facts)
        known = bool(run)
        run = run or _store(store, place, facts, content, figures)
    _say(place, facts, figures, run, known=known, as_json=options["as_json"])
    return Answer.HOLD.exit_status if facts.doubts else 0


def _content(file: Path) -> bytes:
    try:
        if file.stat().st_size > MOST_ATTACHED:
            fix = "gzip it, or bring a summary or a histogram"
            raise RolloutError(f"{file} is larger than {MOST_ATTACHED} bytes ({fix})")
        return file.read_bytes()
    except OSError as error:
        raise RolloutError(f"{file} cannot be read: {error.strerror}") from error


def _by(project: Project, given: str | None) -> str:
    by = (given if given is not None else git_email(project.root)).strip()
    if not by or len(by) > _MOST_BY:
        raise OptionError("--by", f"a name of 1 to {_MOST_BY} characters says who brings it")
    return by


def _store(
    store: Ledger, place: Place, facts: ResultFacts, content: bytes, figures: Figures
) -> str:
    loaded = place.project.loaded_plan(place.plan)
    keep_texts(store, loaded)
    judging = results.Judging(
        place.address,
        place.environment,
        place.plan.digest,
        dict(loaded.digests),
        time.time_ns() // 1000,
    )
    sighted = [
        results.Sighted(*series[:2], facts.ended_us, series[2]) for series in figures.series()
    ]
    kept = results.Kept(content, "application/octet-stream")
    return results.store(store, judging, facts, kept, sighted, _cases(place, figures))


def _cases(place: Place, figures: Figures) -> Sequence[results.Case]:
    """The cases that a criterion asks for; others are in the file, and not in the ledger."""
    patterns = dict.fromkeys(pattern for ingest in place.asking for pattern in ingest.cases)
    cases = []
    for case in figures.cases:
        if any(name_matches(pattern, case.name) for pattern in patterns):
            if hide(case.name) != case.name or case.name == results.ITEM:
                raise RolloutError(f"the name of a case holds a secret: {hide(case.name):.80}")
            attempts = tuple((verdict, hide(why)[:500]) for verdict, why in case.attempts)
            cases.append(results.Case(case.name, attempts))
    return cases


def _say(
    place: Place,
    facts: ResultFacts,
    figures: Figures,
    run: str,
    *,
    known: bool,
    as_json: bool,
) -> None:
    if as_json:
        print_json(hide_in(_as_plain(place, facts, figures, run, known=known)))
        return
    ended = calendar.wall(facts.ended_us, place.plan.timezone)
    content = f"{len(figures.cases)} cases" if facts.kind is ResultKind.JUNIT else (
        f"{facts.requests} requests in {figures.lasted_us / 1_000_000:.1f} s"
    )  # fmt: skip
    say(
        f"{facts.file}: {facts.format}, {content}, ended {ended}, of {facts.release} in "
        f"{place.environment}{' (brought before)' if known else ''}"
    )
    for note in facts.unsaid:
        say(f"  {note}")
    for doubt in facts.doubts:
        say(f"  it satisfies nothing: {doubt}")
    chosen, where = place.phase.chosen, place.environment
    say(f"recorded as {run} in {place.project.ledger_shown}; counts from the next run on "
        f"(pytest {chosen} --rollout-env {where})")  # fmt: skip


def _as_plain(
    place: Place, facts: ResultFacts, figures: Figures, run: str, *, known: bool
) -> dict[str, Any]:
    names = ("phase", "name", "format", "file", "digest", "by", "release", "requests", "dropped")
    zone = place.plan.timezone
    return {
        **{name: getattr(facts, name) for name in names},
        "kind": facts.kind.value,
        "environment": place.environment,
        "started": calendar.wall(facts.started_us, zone),
        "ended": calendar.wall(facts.ended_us, zone),
        "cases": len(figures.cases),
        "series": sorted({series for series, _, _ in figures.series()}),
        "doubts": list(facts.doubts),
        "unsaid": list(facts.unsaid),
        "run": run,
        "recorded": not known,
        "ledger": place.project.ledger_shown,
    }
