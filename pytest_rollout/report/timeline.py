"""The timeline of a phase: its window, freezes, and what happened, as a plot and as rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from textwrap import shorten

from pytest_rollout import calendar
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.story import Evaluation, Happened, Kind
from pytest_rollout.report.svg import Drawing
from pytest_rollout.report.time_axis import TimeAxis

MOST_ROWS = 40
MOST_OPEN = 12  # rows that are shown without being opened
_WIDTH, _LEFT, _RIGHT = 1120, 92, 24
_LANE, _TOP, _FOOT = 26, 8, 24
_LETTER = 6.4  # the width of a letter
_ASIDE = 10  # from a mark to its words
_FEWEST = 8  # letters; fewer say nothing
_LANES = {  # kind: the lane that it stands in
    **dict.fromkeys((Kind.BEGIN, Kind.END, Kind.DECISION), "phase"),
    **dict.fromkeys((Kind.CHANGE, Kind.ACTION, Kind.OTHER), "changes"),
    **dict.fromkeys((Kind.FREEZE, Kind.RESUME), "freezes"),
    **dict.fromkeys((Kind.TRIP, Kind.RESET), "guardrails"),
    Kind.STEP: "rollback",
    Kind.UNKNOWN: "unknown",
}


@dataclass(frozen=True, slots=True)
class Timeline:
    """A plot, and the rows that say the same in words."""

    svg: str
    rows: tuple[tuple[str, str, str], ...]  # when, what sort, what
    hidden: int

    @property
    def open(self) -> bool:
        """Whether the rows are few enough to be shown at once."""
        return len(self.rows) <= MOST_OPEN


def timeline(
    decision: Decision, happened: Sequence[Happened], evaluations: Sequence[Evaluation] = ()
) -> Timeline | None:
    """Return what happened in a decision's phase until then; None where nothing is on record.

    ``evaluations`` are earlier decisions of the gate, and this one.
    """
    if not happened:
        return None
    zone = decision.timezone
    first_us = min(event.at_us for event in happened)
    earlier = [_evaluated(decision, evaluation) for evaluation in evaluations[:-1]]
    earlier = [event for event in earlier if event.at_us >= first_us]
    events = [*happened, *earlier, _decided(decision)]
    events.sort(key=lambda event: event.at_us)
    shown = events if len(events) <= MOST_ROWS else _worst(events)
    rows = tuple(
        (calendar.wall(event.at_us, zone), event.kind.value, event.says) for event in shown
    )
    return Timeline(_plot(decision, events), rows, len(events) - len(shown))


def _decided(decision: Decision) -> Happened:
    at = calendar.to_us(datetime.fromisoformat(decision.judged_at))
    return Happened(Kind.DECISION, at, f"{decision.address} {decision.answer.value}")


def _evaluated(decision: Decision, earlier: Evaluation) -> Happened:
    at = calendar.to_us(datetime.fromisoformat(earlier.decided_at))
    return Happened(Kind.DECISION, at, f"{decision.address} {earlier.answer.value}")


def _worst(events: Sequence[Happened]) -> list[Happened]:
    """What a reader looks for first, and of the rest the newest; in order of time."""
    plain = [event for event in events if event.kind in (Kind.OTHER, Kind.ACTION, Kind.CHANGE)]
    kept = [event for event in events if event not in plain]
    room = max(0, MOST_ROWS - len(kept))
    kept += plain[len(plain) - room :]
    return sorted(kept[-MOST_ROWS:], key=lambda event: event.at_us)


def _plot(decision: Decision, events: Sequence[Happened]) -> str:
    lanes = [lane for lane in dict.fromkeys(_LANES.values()) if _any(events, lane)]
    height = _TOP + _LANE * len(lanes) + _FOOT
    window = [
        calendar.to_us(datetime.fromisoformat(instant)) for instant in decision.window_instants
    ]
    drawing = Drawing(_WIDTH, height)
    instants = [event.at_us for event in events] + [
        event.until_us for event in events if event.until_us
    ]
    x = TimeAxis.over(instants, _LEFT, _WIDTH - _RIGHT, decision.timezone)
    bottom = height - _FOOT
    if len(window) == 2:
        drawing.rect((x(window[0]), _TOP), (x(window[1]), bottom), "window", decision.window)
    for at, words in x.ticks(10):
        drawing.line(at, _TOP, at, bottom, "grid")
        drawing.text(at, height - 6, words, "middle")
    for number, lane in enumerate(lanes):
        middle = _TOP + _LANE * (number + 0.5)
        drawing.text(_LEFT - 10, middle + 4, lane, "end")
        members = [event for event in events if _LANES[event.kind] == lane]
        for event in members:
            _mark(drawing, x, event, middle)
        _words(drawing, x, members, middle, decision.address.name)
    label = f"What happened in {decision.address.name}: {len(events)} entries, listed below"
    return drawing.svg(label, class_="plot timeline")


def _any(events: Sequence[Happened], lane: str) -> bool:
    return any(_LANES[event.kind] == lane for event in events)


def _mark(drawing: Drawing, x: TimeAxis, event: Happened, middle: float) -> None:
    at = x(event.at_us)
    class_ = event.kind.value.replace(" ", "-")
    if event.kind in (Kind.FREEZE, Kind.UNKNOWN):
        end = x(event.until_us) if event.until_us else x.right
        drawing.hatched((at, middle - 7), (max(end, at + 3), middle + 7))
        return
    drawing.add("circle", f"mark {class_}", event.says, cx=at, cy=float(middle), r=5.0)


def _words(
    drawing: Drawing, x: TimeAxis, members: Sequence[Happened], middle: float, phase: str
) -> None:
    """Write beside each mark of a lane what it is, as far as there is room for it."""
    places = [x(event.at_us) for event in members]
    taken = float(_LEFT)  # up to here the lane is full
    for place, event, following in zip(places, members, [*places[1:], x.right], strict=True):
        says = event.says.removeprefix(f"{phase}.").removeprefix(f"{phase}/")
        if event.kind in (Kind.FREEZE, Kind.UNKNOWN):
            taken = x(event.until_us) if event.until_us else x.right
        elif words := _fitted(says, following - place - 2 * _ASIDE):
            drawing.text(place + _ASIDE, middle + 4, words, "said")
            taken = place + _ASIDE + len(words) * _LETTER
        elif words := _fitted(says, place - taken - 2 * _ASIDE):
            drawing.text(place - _ASIDE, middle + 4, words, "said end")
            taken = place
        else:
            taken = place


def _fitted(says: str, width: float) -> str:
    """The words, cut to a width; empty where hardly any would be left."""
    letters = int(width / _LETTER)
    if len(says) <= letters:
        return says
    return shorten(says, letters, placeholder="…") if letters >= _FEWEST else ""
