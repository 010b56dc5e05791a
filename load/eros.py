"""A mix for EROS: schedules for creators, some with a shadow, their replays, and who watches.

    locust -f load/eros.py --headless --host http://127.0.0.1:6400

Until its target exists it is tried on a stand-in, `fixtures.standins.eros:app`.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from locust import task

from load.mixing import Body, Headers, Kept, MixUser, new_key

CREATORS = ("alexia", "grace_bennett", "luna_free", *(f"creator_{n:02}" for n in range(4, 38)))
PIPELINES = ("v4", "v5")


@dataclass(frozen=True, slots=True)
class Made:
    """A schedule that was made."""

    body: Body
    schedule: list[int]
    pipeline: str


class ErosUser(MixUser):
    """Who asks for schedules, and who compares the pipelines."""

    made: Kept[Made] = Kept()
    routed: dict[str, str] = {}  # noqa: RUF012  the pipeline that each creator got first
    compared = 0

    @task(32)
    def generate(self) -> None:
        """Ask for a schedule."""
        self._generated("generate", shadow=False)

    @task(18)
    def shadow(self) -> None:
        """Ask for a schedule that the other pipeline makes as well."""
        self._generated("shadow", shadow=True)

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
        """Look at the figures of the pipelines."""

        def wrong(body: Body, _: Headers) -> str:
            return "" if 0 <= body["success"] <= 1 else "the share of successes is none"

        self.ask("monitoring", "GET", "/monitoring", wrong)

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

    def _generated(self, name: str, *, shadow: bool) -> None:
        creator = random.choice(CREATORS)
        request = {"creator": creator, "request_id": new_key(), "shadow": shadow}

        def wrong(body: Body, _: Headers) -> str:
            if body["pipeline"] not in PIPELINES or body["replay"]:
                return "the schedule is of no pipeline, or of an earlier request"
            if self.routed.setdefault(creator, body["pipeline"]) != body["pipeline"]:
                return "a creator is sent to another pipeline"
            return "" if ("shadow" in body) == shadow else "the shadow is not as it was asked for"

        said = self.ask(name, "POST", "/generate", wrong, json=request)
        if said is not None:
            self.made.add(Made(request, said["schedule"], said["pipeline"]))
