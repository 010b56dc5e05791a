"""The clock of a target: stepped on a reference target, the wall's elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from pytest_rollout.model.errors import RolloutError

if TYPE_CHECKING:
    import httpx


_DOUBTED_S = 60.0  # the longest wait by the wall's clock where a target may have one of its own
_MOVE_S = 60.0  # a target may have the work of weeks to do until the moment it moves to


class Clock(Protocol):
    """What time it is for a target, and waiting for a later one."""

    def now(self) -> datetime:
        """The target's time, aware."""
        ...

    def advance(self, seconds: float) -> datetime:
        """Let so much time pass and return the time after it."""
        ...

    def to(self, moment: datetime) -> datetime:
        """Let time pass until a moment; at once where it has passed."""
        ...


class WallClock:
    """Time passes by waiting: for a minute at most where ``doubt`` says why it may be another."""

    def __init__(self, doubt: str = "") -> None:
        self._doubt = doubt

    def now(self) -> datetime:
        """The wall's time."""
        return datetime.now(UTC)

    def advance(self, seconds: float) -> datetime:
        """Sleep; raises RolloutError for what would take too long with a doubt."""
        if self._doubt and seconds > _DOUBTED_S:
            raise RolloutError(
                f"{self._doubt}, so {seconds:.0f} s are not waited for by the wall's clock (a "
                "target without a clock of its own answers 404)"
            )
        time.sleep(seconds)
        return self.now()

    def to(self, moment: datetime) -> datetime:
        """Sleep until a moment."""
        return self.advance(max(0.0, (moment - self.now()).total_seconds()))


class SteppedClock:
    """A reference target's clock, which moves only when it is told to."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def now(self) -> datetime:
        """The target's time."""
        return _moment(self._client.get("/reference/clock"))

    def advance(self, seconds: float) -> datetime:
        """Move it on."""
        whole = int(seconds) if seconds == int(seconds) else seconds
        return self._move({"advance_s": whole})

    def to(self, moment: datetime) -> datetime:
        """Move it to a moment, never back."""
        if self.now() >= moment:
            return self.now()
        return self._move({"to": moment.isoformat()})

    def _move(self, body: dict[str, object]) -> datetime:
        return _moment(self._client.post("/reference/clock", json=body, timeout=_MOVE_S))


def _moment(response: httpx.Response) -> datetime:
    response.raise_for_status()
    try:
        return datetime.fromisoformat(response.json()["now"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise RolloutError(f"{response.url} answered no time: {error}") from error


def every(clock: Clock, seconds: float, until: datetime) -> Iterator[datetime]:
    """The time now, and after each interval, until a moment is reached."""
    now = clock.now()
    while now < until:
        yield now
        now = clock.advance(seconds)
