"""The clock inside of a reference target: it moves only when it is told to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class ReferenceClock:
    """A stepped clock with work that is due at moments of it.

    ``passing`` is told each moment that the clock comes to, so that a target can do the work of
    the time between. With ``wall`` the clock follows that one at each :meth:`catch_up`, as when a
    target is started by hand, and cannot be stepped.
    """

    def __init__(
        self,
        begin: datetime,
        passing: Callable[[datetime], None] | None = None,
        wall: Callable[[], datetime] | None = None,
    ) -> None:
        self._now = _aware(begin)
        self._passing = passing
        self._wall = wall
        self._due: list[tuple[datetime, Callable[[], None]]] = []

    @property
    def stepped(self) -> bool:
        """Whether it moves only when it is told to."""
        return self._wall is None

    def now(self) -> datetime:
        """The moment that it shows, aware."""
        return self._now

    def advance(self, seconds: float) -> datetime:
        """Let so much time pass and return the moment after it."""
        return self.to(self._now + timedelta(seconds=seconds))

    def to(self, moment: datetime) -> datetime:
        """Let time pass until a moment; at once where it has passed.

        Raises ValueError where the clock runs with the wall, or the moment has no UTC offset.
        """
        if not self.stepped:
            raise ValueError("this clock runs with the wall")
        return self._move(_aware(moment))

    def catch_up(self) -> None:
        """Move a clock that runs with the wall to the time it is."""
        if self._wall is not None:
            self._move(self._wall())

    def at(self, moment: datetime, do: Callable[[], None]) -> None:
        """Have something done once, when the clock reaches a moment."""
        self._due = sorted([*self._due, (_aware(moment), do)], key=lambda item: item[0])

    def _move(self, moment: datetime) -> datetime:
        while self._due and self._due[0][0] <= moment:
            due, do = self._due.pop(0)
            self._reach(due)
            do()
        self._reach(moment)
        return self._now

    def _reach(self, moment: datetime) -> None:
        if moment > self._now:
            self._now = moment
        if self._passing is not None:
            self._passing(self._now)


def _aware(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError(f"{moment.isoformat()} has no UTC offset")
    return moment.astimezone(UTC)
