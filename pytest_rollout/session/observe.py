"""The `observe` fixture: tests say what was seen; the plan says what is acceptable."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path

from pytest_rollout import calendar
from pytest_rollout.evidence.ledger import MOST_ATTACHED
from pytest_rollout.model.evidence import encode_distribution, encode_ratio, number_text
from pytest_rollout.session.recorder import Recorder

Moment = datetime | str | int | float


class Observe:
    """Records observations of the running item or scenario; usable from several threads.

    ``at`` is the event time: an aware datetime, RFC 3339 text with an offset, or seconds
    since the epoch; by default the phase's time now. Further keywords are labels; True and
    False become yes and no. NaN and infinity are recorded, and judged as holes.
    """

    def __init__(self, recorder: Recorder, now: Callable[[], datetime]) -> None:
        self._recorder = recorder
        self._now = now

    def __repr__(self) -> str:
        return "observe"  # as it appears in reasons, the same in every process

    def __call__(
        self, metric: str, value: object, /, *, at: Moment | None = None, **labels: object
    ) -> None:
        """One number. Raises TypeError where it is none, ValueError for a time without zone."""
        self._take(metric, number_text(value), at, labels)

    def ratio(
        self, metric: str, /, *, bad: int, of: int, at: Moment | None = None, **labels: object
    ) -> None:
        """``bad`` outcomes (1) out of ``of`` opportunities, the others 0."""
        if not 0 <= bad <= of:
            raise ValueError(f"{metric}: {bad} bad of {of} is not a ratio")
        self._take(metric, encode_ratio(bad, of), at, labels)

    def distribution(
        self,
        metric: str,
        values: Iterable[object] | Mapping[object, int],
        /,
        *,
        at: Moment | None = None,
        **labels: object,
    ) -> None:
        """Many numbers at one time: each, or each with its count."""
        counts: dict[str, int] = {}
        pairs = values.items() if isinstance(values, Mapping) else ((value, 1) for value in values)
        for value, count in pairs:
            text = number_text(value)
            counts[text] = counts.get(text, 0) + int(count)
        self._take(metric, encode_distribution(counts), at, labels)

    def attach(
        self, name: str, content: bytes | str | Path, media_type: str = "text/plain"
    ) -> None:
        """Keep a file as evidence, by its digest; raises ValueError above 10 MB.

        Secrets in it are replaced first. What is inside of an archive is not looked at.
        """
        raw = _bytes(name, content)
        self._recorder.attach(name, raw, media_type)

    def _take(self, metric: str, value: str, at: Moment | None, labels: dict[str, object]) -> None:
        if not isinstance(metric, str) or not 0 < len(metric) <= 200:
            raise TypeError(f"a series has a name of up to 200 characters, not {metric!r:.40}")
        self._recorder.observe(metric, value, calendar.to_us(self._moment(at)), labels)

    def _moment(self, at: Moment | None) -> datetime:
        if at is None:
            return self._now()
        if isinstance(at, datetime):
            return at
        if isinstance(at, str):
            return datetime.fromisoformat(at)
        return calendar.from_us(round(at * 1_000_000))


def _bytes(name: str, content: bytes | str | Path) -> bytes:
    """What is attached, of which no more is read than may be kept."""
    if isinstance(content, Path):
        with content.open("rb") as file:
            raw = file.read(MOST_ATTACHED + 1)
    else:
        raw = content.encode("utf-8", "replace") if isinstance(content, str) else content
    if len(raw) > MOST_ATTACHED:
        raise ValueError(f"attachment {name!r:.80} is larger than {MOST_ATTACHED} bytes")
    return raw
