"""Reading what the target answers: a field that it does not report is said in words."""

from __future__ import annotations

from typing import NoReturn

import httpx

from pytest_rollout import NoValueError, Reported, reported
from suites.plms.views.dialect import spoken


def read(response: httpx.Response, kind: str, *, any_status: bool = False) -> Reported:
    """What an answer says, by the names that the suite knows; ``kind`` is what was asked.

    Nothing is raised before a field is read. With ``any_status`` an answer that is no success is
    read too.
    """
    return reported(response, spoken().answers.get(kind), any_status=any_status)


def not_done(what: str, do: str) -> NoReturn:
    """Say that something was never done, and what to do: the criterion is missing, no pass."""
    raise NoValueError(f"{what}; {do}")


def recorded(day: str, type_: str, says: str) -> str:
    """The command that puts on record what people did."""
    return f'do it and record it: rollout record plms.{day} {type_} --says "{says}"'
