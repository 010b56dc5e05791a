"""The files beside a plan that are read with it: waivers, stand-ins for rehearsals, people."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from pytest_rollout.model.errors import Problem
from pytest_rollout.model.plan import Plan
from pytest_rollout.plan import bindings, equivalents, people, stand_ins, waivers
from pytest_rollout.plan.reader import Reader
from pytest_rollout.plan.spec.keys import Keys
from pytest_rollout.plan.spec.people_keys import PeopleKeys
from pytest_rollout.plan.spec.waiver_keys import StandInsKeys, WaiversKeys
from pytest_rollout.plan.tree import MAX_BYTES, read

_READ: Mapping[str, tuple[str, type[Keys], Callable[[Reader, Plan], Any]]] = {
    waivers.NAME: ("waivers", WaiversKeys, waivers.read_waivers),
    stand_ins.NAME: ("stand_ins", StandInsKeys, stand_ins.read_stand_ins),
    people.NAME: ("roster", PeopleKeys, people.read_people),
}


# Names that people write instead, each with the one that is read.
_MEANT = {
    **{f"waivers{ending}": waivers.NAME for ending in (".yml", ".json")},
    **{f"waiver{ending}": waivers.NAME for ending in (".yaml", ".yml")},
    **{f"attestations.embedded{ending}": stand_ins.NAME for ending in (".yml", ".json")},
    **{f"attestations{ending}": stand_ins.NAME for ending in (".yaml", ".yml")},
    **{f"roles{ending}": people.NAME for ending in (".yml", ".json")},
    **{f"mutants{ending}": equivalents.NAME for ending in (".yml", ".json")},
    **{f"bindings{ending}": bindings.NAME for ending in (".yaml", ".yml")},
}


def unread(plan_file: Path) -> list[tuple[Path, str]]:
    """Return the files beside a plan that nobody reads, with the names that would be read."""
    files = ((plan_file.with_name(name), meant) for name, meant in _MEANT.items())
    return [(path, meant) for path, meant in files if path.is_file()]


def digest(text: str) -> str:
    """The SHA-256 of a text, by which the ledger keeps it."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def texts(plan_file: Path, shown: str) -> tuple[dict[str, str], list[Problem]]:
    """The text of each file beside a plan by its name, and why one cannot be read."""
    contents: dict[str, str] = {}
    problems: list[Problem] = []
    for name in _READ:
        if plan_file.with_name(name).exists():
            _take(plan_file, name, shown, contents, problems)
    if people.NAME in contents:
        for name, stated in people.key_files(contents[people.NAME]).items():
            if stated or (plan_file.parent / name).exists():
                _take(plan_file, name, shown, contents, problems)
    return contents, problems


def _take(
    plan_file: Path, name: str, shown: str, contents: dict[str, str], problems: list[Problem]
) -> None:
    """Read one file beside a plan."""
    path, problem = plan_file.parent / name, ""
    try:
        if path.stat().st_size > MAX_BYTES:
            problem = f"the file is larger than {MAX_BYTES} bytes"
        elif name in _READ:
            contents[name] = path.read_text(encoding="utf-8")
        else:
            contents[name] = people.text_of_keys(path.read_bytes())
    except UnicodeDecodeError as error:
        problem = f"is not text in UTF-8: {error.reason} at byte {error.start}"
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
    if problem:
        problems.append(Problem(named(shown, name), 1, problem))


def joined(plan: Plan, written: Mapping[str, str], shown: str) -> tuple[Plan, list[Problem]]:
    """The plan with what the files beside it say, and what is wrong with them."""
    problems: list[Problem] = []
    for name, (field, place, reads) in _READ.items():
        if name in written:
            file = named(shown, name)
            top = next(iter(place.keys))
            tree, wrong = read(written[name], file, f"{name} is a list under `{top}:`")
            problems += wrong
            if tree is not None:
                reader = Reader(tree, place, file, name, problems)
                plan = replace(plan, **{field: reads(reader, plan)})
    roster = people.with_keys(plan.roster, written)
    problems += people.revoked_problems(roster, named(shown, roster.revoked_keys))
    return replace(plan, roster=roster), problems


def named(shown: str, name: str) -> str:
    """The name of a file beside a plan in messages."""
    return (PurePosixPath(shown).parent / name).as_posix()
