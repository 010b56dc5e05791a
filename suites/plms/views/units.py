"""systemd's units as they stand on the host, with what lies over them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pytest_rollout import RolloutError
from suites.plms.views.host import needs, run

_ELAPSE = re.compile(r"\w{3} (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC$", re.MULTILINE)
_SPAN = re.compile(r"^\s*\S{1,2}s: (\d+)$", re.MULTILINE)  # its micro sign differs


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit: the values of each setting in their order, by `Section.Name`."""

    name: str
    settings: Mapping[str, tuple[str, ...]]

    @classmethod
    def read(cls, folder: Path, name: str) -> Unit:
        """A unit's file and its drop-ins; raises AssertionError where it is not there."""
        assert (folder / name).is_file(), f"{name} is not installed"
        settings: dict[str, tuple[str, ...]] = {}
        for path in (folder / name, *sorted((folder / f"{name}.d").glob("*.conf"))):
            for key, value in _settings(path.read_text(encoding="utf-8")):
                # An empty value takes back what was set before.
                settings[key] = (*settings.get(key, ()), value) if value else ()
        return cls(name, settings)

    def values(self, key: str) -> tuple[str, ...]:
        """Every value of a setting; none where it is not set."""
        return self.settings.get(key, ())

    def value(self, key: str, default: str = "") -> str:
        """The value that counts: the last one."""
        return self.values(key)[-1] if self.values(key) else default


def _settings(text: str) -> Iterator[tuple[str, str]]:
    section = ""
    for line in re.sub(r"\\\n", " ", text).splitlines():
        if header := re.fullmatch(r"\[(.+)\]", line.strip()):
            section = header[1]
        elif line.strip() and line.lstrip()[0] not in "#;" and "=" in line:
            name, _, value = line.partition("=")
            yield f"{section}.{name.strip()}", value.strip()


def elapses(calendar: str, base: datetime, count: int) -> list[datetime]:
    """When a calendar elapses after a moment, so many times, on a host that knows UTC only.

    Raises RolloutError where systemd does not understand it.
    """
    needs("systemd-analyze")
    after = f"--base-time={base.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    words = ("systemd-analyze", "calendar", f"--iterations={count}", after, calendar)
    done = run(*words, env={"TZ": "UTC", "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"})
    times = _ELAPSE.findall(done.stdout)
    if done.returncode or not times:
        raise RolloutError(f"systemd-analyze gives no time for {calendar!r}: {done.stderr.strip()}")
    return [datetime.fromisoformat(at).replace(tzinfo=UTC) for at in times]


def span(text: str) -> timedelta:
    """A time span as systemd reads it; raises RolloutError where it does not."""
    needs("systemd-analyze")
    words = ("systemd-analyze", "timespan", text)
    done = run(*words, env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"})
    match = _SPAN.search(done.stdout)
    if not match:
        raise RolloutError(f"systemd-analyze cannot read the span {text!r}: {done.stderr.strip()}")
    return timedelta(microseconds=int(match[1]))
