"""Who made the change that is judged, as the plan says where to read it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from pytest_rollout.model.environment import Environment, FactSource
from pytest_rollout.model.errors import RolloutError
from pytest_rollout.model.people import Authors
from pytest_rollout.model.plan import Plan
from pytest_rollout.redact import hide
from pytest_rollout.targets.address import filled
from pytest_rollout.targets.fact_sources import Answer, ask
from pytest_rollout.targets.release_name import chosen
from pytest_rollout.targets.trouble import trouble

_MOST = 200  # people, and characters of a name


def authors_of(
    plans: Iterable[Plan], environment: Callable[[Plan], Environment], root: Path
) -> dict[str, Authors]:
    """Return the authors of what each plan judges, by its id; of a rehearsal nobody asks."""
    return {
        plan.id: read_authors(plan.author, environment(plan), root)
        for plan in plans
        if plan.author is not None and not environment(plan).embedded
    }


def read_authors(source: FactSource, environment: Environment, root: Path) -> Authors:
    """Return who the authors are; whatever keeps them from being read is the error.

    Commands run in ``root``. A text names one author a line; JSON names one, or a list of them.
    """

    def where(name: str) -> str:
        target = environment.targets.get(name)
        return filled(str(target.address if target else ""), name)

    try:
        answer = ask(source, where, root)
        names = tuple(dict.fromkeys(_named(answer, source)))
        if not names:
            raise RolloutError(f"{answer.who} names nobody")
        if len(names) > _MOST or any(len(name) > _MOST for name in names):
            raise RolloutError(f"{answer.who} names more than {_MOST} people, or a longer name")
    except Exception as error:  # whatever it is, it must not look like no author at all
        return Authors(error=trouble(error))
    return Authors(names)


def _named(answer: Answer, source: FactSource) -> list[str]:
    if source.json is None:
        start = answer.text.lstrip()[:20].lower()
        if answer.page or start.startswith(("<!doctype", "<html")):
            raise RolloutError(f"{answer.who} answers a page, which names no author")
        printed: object = answer.text.splitlines()
    else:
        printed = chosen(answer, replace(source, matches=""))
    lines = printed if isinstance(printed, list) else [printed]
    if not all(isinstance(line, str) for line in lines):
        raise RolloutError(f"{answer.who} names no people, but something that is no text")
    names = [_part(str(line), answer, source).strip() for line in lines if str(line).strip()]
    if any(hide(name) != name for name in names):
        raise RolloutError(f"{answer.who} names an author that holds a secret")
    return [name for name in names if name]


def _part(line: str, answer: Answer, source: FactSource) -> str:
    """The part of a line that counts: a group `author`, the first group, or all that is found."""
    if not source.matches:
        return line
    match = re.search(source.matches, line)
    if match is None:
        raise RolloutError(f"{answer.who}: nothing in `{line:.60}` matches {source.matches}")
    group = "author" if "author" in match.re.groupindex else 1 if match.re.groups else 0
    if not (match[group] or "").strip():
        raise RolloutError(f"{answer.who}: {source.matches} finds no name in `{line:.60}`")
    return match[group]
