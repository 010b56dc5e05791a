"""A mix for EROS: schedules for creators and their replays, and who reads them and watches.

    locust -f load/eros.py --headless --host http://127.0.0.1:6400

What it asks is what docs/reference/plans/eros-api.md says; whom it asks for stands
on the roster of the service.
"""

from __future__ import annotations

import json
import random
import urllib.request
from dataclasses import dataclass
from typing import Any, ClassVar

from locust import task

from load.mixing import Body, Headers, Kept, MixUser, new_key

PIPELINES = ("v4", "v5")
_TIMEOUT_S = 10
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Made:
    """A schedule that was made."""

    body: Body
    schedule: list[dict[str, Any]]
    pipeline: str


class ErosUser(MixUser):
    """Who asks for schedules, and who looks at what came of them."""

    made: Kept[Made] = Kept()
    roster: ClassVar[list[str]] = []  # asked for once, outside of the load
    compared = 0

    @task(50)
    def generate(self) -> None:
        """Ask for a schedule."""
        creator = random.choice(self._creators())
        request = {"creator": creator, "request_id": new_key()}

        def wrong(body: Body, _: Headers) -> str:
            if body["pipeline"] not in PIPELINES or body["replay"]:
                return "the schedule is of no pipeline, or of an earlier request"
            return "" if body["schedule"] else "the schedule is empty"

        answer = self.ask("generate", "POST", "/generate", wrong, json=request)
        if answer is not None:
            self.made.add(Made(request, answer["schedule"], answer["pipeline"]))

    @task(12)
    def replay(self) -> None:
        """Ask for a schedule again, as a client does whose answer got lost."""
        made = self.made.any()
        if made is None:
            self.generate()
            return

        def wrong(body: Body, _: Headers) -> str:
            if body["schedule"] != made.schedule:
                return "a request that is repeated gives another schedule"
            return "" if body["replay"] is True else "a replay does not say that it is one"

        self.ask("replay", "POST", "/generate", wrong, json=made.body)

    @task(20)
    def schedule(self) -> None:
        """Read a schedule."""
        made = self.made.any()
        if made is None:
            self.generate()
            return

        def wrong(body: Body, _: Headers) -> str:
            return "" if body["schedule"] == made.schedule else "a schedule changed"

        self.ask("schedule", "GET", f"/schedules/{made.body['request_id']}", wrong)

    @task(10)
    def monitoring(self) -> None:
        """Look at the figures of both pipelines."""

        def wrong(body: Body, _: Headers) -> str:
            success = body["success"]
            fine = success is None if not body["runs"] else 0 <= success <= 1
            return "" if fine else "the share of successes is none"

        pipeline = random.choice(PIPELINES)
        self.ask("monitoring", "GET", f"/monitoring?pipeline={pipeline}", wrong)

    @task(8)
    def comparisons(self) -> None:
        """Look at how often both pipelines were compared: never less often than before."""
        before = ErosUser.compared

        def wrong(body: Body, _: Headers) -> str:
            if body["count"] < before:
                return "fewer comparisons than before"
            ErosUser.compared = max(ErosUser.compared, body["count"])
            return ""

        self.ask("comparisons", "GET", "/comparisons", wrong)

    def _creators(self) -> list[str]:
        if not ErosUser.roster:
            with _DIRECT.open(f"{self.host}/creators", timeout=_TIMEOUT_S) as answer:
                roster = json.load(answer)["creators"]
            ErosUser.roster = [each["name"] for each in roster]
        return ErosUser.roster
