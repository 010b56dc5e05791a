"""What a look shows: a table for a terminal, a line for each change, JSON for programs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_rollout import calendar
from pytest_rollout.model.rule import Cut, duration_words
from pytest_rollout.report import sentences
from pytest_rollout.report.stored import plain
from pytest_rollout.watching.looking import Look
from pytest_rollout.watching.state import Standing, answer

_HEAD = ("guardrail", "state", "value", "limit", "since", "then")
_MOST_TROUBLE = 3
_MOST_VALUE = 24


class View:
    """Remembers what it showed, so that it can say since when something is so."""

    def __init__(self, zone: str, every_us: int) -> None:
        self._zone = zone
        self._every_us = every_us
        self._since: dict[str, tuple[str, int]] = {}
        self._trouble: tuple[str, ...] = ()
        self._looks = 0

    def take(self, look: Look) -> list[str]:
        """Note a look; a line for each thing that is not as it was."""
        self._looks += 1
        at = self._clock(look.at_us)
        changed = []
        for one in look.found:
            before = self._since.get(one.finding.id)
            if before is None or before[0] != one.state.value:
                self._since[one.finding.id] = (one.state.value, look.at_us)
                says = sentences.text(one.finding.reason, self._zone)
                changed.append(f"{at}  {one.guardrail.id}: {says}")
        fresh = [why for why in look.trouble if why not in self._trouble]
        changed += [f"{at}  not measured: {why}" for why in fresh]
        if self._trouble and not look.trouble:
            changed.append(f"{at}  everything is measured again")
        self._trouble = look.trouble
        return changed

    def table(self, look: Look) -> Iterator[str]:
        """The whole state, to be drawn over the last one."""
        rows = [_HEAD, *(self._row(one) for one in look.found)]
        widths = [max(len(row[place]) for row in rows) for place in range(len(_HEAD))]
        for row in rows:
            cells = zip(row, widths, strict=True)
            yield "  ".join(cell.ljust(width) for cell, width in cells).rstrip()
        for why in look.trouble[:_MOST_TROUBLE]:
            yield f"not measured: {why}"
        next_ = self._clock(look.at_us + self._every_us)
        release = f", release {look.release}" if look.release else ""
        yield (
            f"look {self._looks} at {self._clock(look.at_us)}{release}; next look {next_}, "
            f"every {duration_words(self._every_us)}; Ctrl-C ends"
        )

    def document(self, look: Look) -> dict[str, Any]:
        """The look for programs."""
        return {
            "at": calendar.stamp(look.at_us),
            "next": calendar.stamp(look.at_us + self._every_us),
            "release": look.release,
            "begun": look.begun,
            "answer": answer(look.found).value,
            "guardrails": [self._plain(one) for one in look.found],
            "not_measured": list(look.trouble),
        }

    def _plain(self, one: Standing) -> dict[str, Any]:
        return {
            "id": one.finding.id,
            "state": one.state.value,
            "value": one.value or None,
            "limit": limit(one),
            "since": calendar.stamp(self._since[one.finding.id][1]),
            "reason": plain(one.finding.reason, self._zone),
            "then": [then.value for then in one.guardrail.then],
        }

    def _row(self, one: Standing) -> tuple[str, ...]:
        value = one.value if len(one.value) <= _MOST_VALUE else f"{one.value[: _MOST_VALUE - 1]}…"
        group = one.worst.subject.name if one.worst else ""
        since = self._clock(self._since[one.finding.id][1])
        seen = f"{value} ({group})" if group else value
        then = ", ".join(then.value for then in one.guardrail.then)
        return (one.guardrail.id, one.state.value, seen or "-", limit(one), since, then)

    def _clock(self, at_us: int) -> str:
        return calendar.wall(at_us, self._zone)[:19]


def limit(one: Standing) -> str:
    """What must not be, in the plan's words."""
    cuts: Sequence[Cut | None] = [rule.bands.fail for rule in one.guardrail.rules]
    return " or ".join(dict.fromkeys(cut.text for cut in cuts if cut))


def facts(one: Standing, look: Look, phase: str, environment: str, zone: str) -> Mapping[str, Any]:
    """What a webhook is told of a trip."""
    return {
        "phase": phase,
        "environment": environment,
        "guardrail": one.finding.id,
        "reason": plain(one.finding.reason, zone),
        "value": one.value or None,
        "limit": limit(one),
        "release": look.release,
        "answer": one.answer.value,
        "at": calendar.stamp(look.at_us),
    }
