"""A mix for the code index of PAS: queries of all kinds while refreshes come in.

    locust -f load/pas_index.py --headless --host http://127.0.0.1:7500

Names and files to ask for are read from the index's own snapshot, so it runs on any checkout.
"""

from __future__ import annotations

import random
from typing import ClassVar

from locust import task

from load.mixing import Body, Headers, MixUser

_FIRST = "IsolatedVecTextVectOrchestrator"


class IndexUser(MixUser):
    """People who ask where things are, and commits that change where they are."""

    names: ClassVar[list[str]] = [_FIRST, "encode_texts"]
    files: ClassVar[list[str]] = []

    @task(40)
    def where(self) -> None:
        """Ask where a name is defined."""
        self._query("where_defined", random.choice(self.names))

    @task(30)
    def callers(self) -> None:
        """Ask who calls a name."""
        self._query("who_calls", random.choice(self.names))

    @task(15)
    def impact(self) -> None:
        """Ask what a file has an impact on."""
        if self.files:
            self._query("impact_set", random.choice(self.files))
        else:
            self.snapshot()

    @task(15)
    def neighbours(self) -> None:
        """Ask what is near to words."""
        self._query("nearest_neighbors", "encode texts into vectors")

    @task(2)
    def snapshot(self) -> None:
        """Look which files there are."""
        answer = self.ask("snapshot", "GET", "/snapshot")
        if answer is not None and not self.files:
            self.files.extend(file["path"] for file in answer["files"][:40])

    @task(1)
    def refresh(self) -> None:
        """Have all files read again."""
        self.ask("refresh", "POST", "/refresh?full=1")

    def _query(self, kind: str, name: str) -> None:
        def wrong(body: Body, _: Headers) -> str:
            if body["kind"] != kind:
                return "the answer is of another kind"
            if name == _FIRST and kind == "where_defined" and not body["results"]:
                return "the class of the plan is defined nowhere"
            return ""

        path = f"/query?kind={kind}&name={name.replace(' ', '+')}"
        self.ask("query", "GET", path, wrong)
