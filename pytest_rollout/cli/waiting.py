"""Looking again at what stands against a change, as long as time can bring it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import field

from pytest_rollout.cli.clearing import Look
from pytest_rollout.cli.saying import say
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.verdict import Answer
from pytest_rollout.report import sentences
from pytest_rollout.signoff.moments import named, title
from pytest_rollout.signoff.waiting import hopeless

LOOKS_APART_S = 15.0


@dataclass
class Waiting:
    """What was waited for, and until when."""

    limit_us: int
    zone: str
    pause: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.monotonic
    why: str = ""  # why it ended without a yes
    _said: set[tuple[str, str]] = field(default_factory=set)

    def until_clear(self, look: Callable[[], list[Look]]) -> list[Look]:
        """The last look: all is clear, or waiting cannot help, or the time is over."""
        deadline = self.now() + self.limit_us / 1_000_000
        while True:
            looks = look()
            if all(seen.answer.answer is Answer.GO for seen in looks):
                return looks
            final = [finding for seen in looks for finding in hopeless(seen.answer, seen.known)]
            if final:
                names = ", ".join(dict.fromkeys(named(finding) for finding in final))
                self.why = f"waiting cannot help: {names}"
                return looks
            left = deadline - self.now()
            if left <= 0:
                self.why = "waited as long as --wait says"
                return looks
            for line in self._news(looks):
                say(line, err=True)
            self.pause(min(LOOKS_APART_S, left))

    def _news(self, looks: list[Look]) -> Iterator[str]:
        """What is waited for, where that was not said yet."""
        held = [
            finding
            for look in looks
            for finding in look.answer.findings
            if finding.verdict.holds_back
        ]
        for finding in held:
            if (finding.id, finding.reason.code) not in self._said:
                text = sentences.text(finding.reason, self.zone)
                yield f"waiting for {title(finding)}: {text}"
        self._said = {(finding.id, finding.reason.code) for finding in held}
