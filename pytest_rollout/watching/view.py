"""What a look shows: a table for a terminal, a line for each change, JSON for programs. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from pytest_rollout import calendar
from pytest_rollout.judge.case import instant
from pytest_rollout.model.rule import Cut, duration_words
from pytest_rollout.report import sentences
from pytest_rollout.report.stored import plain
from pytest_rollout.watching.looking import WatchLook
from pytest_rollout.watching.state import GuardrailStanding, answer

_HEAD = ("guardrail", "state", "value", "limit", "since", "then")
_MOST_TROUBLE = 3
_MOST_VALUE = 24


class View:
    """Remembers what it showed, so that it can say since when something is so."""

    def __init__(
        self, zone: str, every_us: int, left: Callable[[datetime], str] = lambda _: ""
    ) -> None:
        self._left = left  # how long the phase still lasts, in words
        self._zone = zone
        self._every_us = every_us
        self._since: dict[str, tuple[str, int]] = {}
        self._trouble: tuple[str, ...] = ()
        self._beside: set[int] = set()  # processes that were named
        self._looks = 0

    def take(self, look: WatchLook) -> list[str]:
        """Note a look; a line for each thing that is not as it was."""
        self._looks += 1
        at = self._clock(look.at_us)
        changed = []
        for standing in look.found:
            id_, state = standing.finding.id, standing.state.value
            before = self._since.get(id_)
            if before is None or before[0] != state:
                self._since[id_] = (state, look.at_us)
                says = sentences.text(standing.finding.reason, self._zone)
                end = f"; {_until(standing)}" if standing.latched else ""
                changed.append(f"{at}  {standing.guardrail.id}: {says}{end}")
        fresh = [why for why in look.trouble if why not in self._trouble]
        changed += [f"{at}  not measured: {why}" for why in fresh]
        if self._trouble and not look.trouble:
            changed.append(f"{at}  everything is measured again")
        self._trouble = look.trouble
        changed += [f"{at}  {_other(pid)}" for pid in look.beside if pid not in self._beside]
        self._beside |= set(look.beside)
        return changed

    def table(self, look: WatchLook) -> Iterator[str]:
        """The whole state, to be drawn over the last one."""
        rows = [_HEAD, *(self._row(standing) for standing in look.found)]
        widths = [max(len(row[place]) for row in rows) for place in range(len(_HEAD))]
        for row in rows:
            cells = zip(row, widths, strict=True)
            yield "  ".join(cell.ljust(width) for cell, width in cells).rstrip()
        for standing in look.found:
            if standing.latched:
                yield f"{standing.guardrail.id}: {_until(standing)}"
        for why in look.trouble[:_MOST_TROUBLE]:
            yield f"not measured: {why}"
        yield from map(_other, look.beside)
        next_ = self._clock(look.at_us + self._every_us)
        release = f", release {look.release}" if look.release else ""
        remains = self._left(calendar.from_us(look.at_us))
        release += f", {remains}" if remains else ""
        release += "" if look.begun else ", not begun"
        yield (
            f"look {self._looks} at {self._clock(look.at_us)}{release}; next look {next_}, "
            f"every {duration_words(self._every_us)}; Ctrl-C ends"
        )

    def document(self, look: WatchLook) -> dict[str, Any]:
        """The look for programs."""
        return {
            "at": instant(look.at_us, self._zone),
            "next": instant(look.at_us + self._every_us, self._zone),
            "release": look.release,
            "begun": look.begun,
            "answer": answer(look.found).value,
            "guardrails": [self._plain(standing) for standing in look.found],
            "not_measured": list(look.trouble),
            "other_watches": list(look.beside),
        }

    def _plain(self, standing: GuardrailStanding) -> dict[str, Any]:
        finding = standing.finding
        return {
            "id": finding.id,
            "verdict": finding.verdict.value,
            "state": standing.state.value,
            "until_reset": standing.latched,
            "answer": standing.answer.value,
            "value": standing.value or None,
            "limit": limit(standing),
            "since": instant(self._since[finding.id][1], self._zone),
            "reason": plain(finding.reason, self._zone),
            "then": [then.value for then in standing.guardrail.then],
        }

    def _row(self, standing: GuardrailStanding) -> tuple[str, ...]:
        value, guardrail = standing.value, standing.guardrail
        if len(value) > _MOST_VALUE:
            value = f"{value[: _MOST_VALUE - 1]}…"
        group = standing.worst.subject.name if standing.worst else ""
        since = self._clock(self._since[standing.finding.id][1])
        shown = f"{value} ({group})" if group else value
        then = ", ".join(then.value for then in guardrail.then)
        return (guardrail.id, standing.state.value, shown or "-", limit(standing), since, then)

    def _clock(self, at_us: int) -> str:
        return calendar.wall(at_us, self._zone)[:19]


def _other(pid: int) -> str:
    return (
        f"another watch (process {pid}) is running: a bad value of it trips, the rest counts later"
    )


def _until(standing: GuardrailStanding) -> str:
    """Until when the standing stays as it is, where time alone does not change it."""
    return f"{standing.state.value} until `rollout reset {standing.finding.id}`"


def limit(standing: GuardrailStanding) -> str:
    """What must not be, in the plan's words."""
    cuts: Sequence[Cut | None] = [rule.bands.fail for rule in standing.guardrail.rules]
    return " or ".join(dict.fromkeys(cut.text for cut in cuts if cut))


def facts(
    standing: GuardrailStanding, look: WatchLook, phase: str, environment: str, zone: str
) -> Mapping[str, Any]:
    """What a webhook is told of a trip."""
    return {
        "phase": phase,
        "environment": environment,
        "guardrail": standing.finding.id,
        "reason": plain(standing.finding.reason, zone),
        "value": standing.value or None,
        "limit": limit(standing),
        "release": look.release,
        "answer": standing.answer.value,
        "at": instant(look.at_us, zone),
    }
