"""Two projects at once on the full service, which is restarted once they are done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pytest_rollout import Reported, Stage, reported, scenario
from suites.pas.views.executed import CAPS, Look, Piece, pieces, to_their_end
from suites.pas.views.lines import lines
from suites.pas.views.pas import Card, Pas, full_of
from suites.pas.views.store import TABLES, Row, Store

TIMES = 3  # the cap, of each of two runs
PROJECTS = (42, 43)
_MOST_S = 400


@dataclass(frozen=True, slots=True)
class Kept:
    """What the store holds, by table and receipt, and what the service says of the runs."""

    rows: Mapping[str, Mapping[str, Row]]
    runs: Mapping[str, Reported]

    @classmethod
    def by(cls, store: Store, pas: Pas, runs: Sequence[str]) -> Kept:
        """As it is now."""
        held = {t: {str(row["receipt_id"]): row for row in store.rows(t)} for t in TABLES}
        return cls(held, {run: pas.status(run) for run in runs})

    def counted(self, table: str, run: str) -> Counter[str]:
        """How many rows of a table each task of a run has."""
        return Counter(str(r["task_id"]) for r in self.rows[table].values() if r["run_id"] == run)


@dataclass(frozen=True, slots=True)
class Burst:
    """Both runs when they had ended, what was handed in, and what was seen meanwhile."""

    pas: Pas
    runs: Mapping[str, Reported]
    cards: Mapping[str, Sequence[Card]]  # by run
    looks: Sequence[Look]
    weights: Reported  # right after both were started
    caps: Reported
    store: Store
    before: Kept  # the restart
    after: Kept
    restarts: Sequence[Reported]
    ahead: Reported  # a run that had all places when both were started
    again: Mapping[str, str]  # by run: what a card became that was sent again after the restart

    @property
    def pieces(self) -> list[Piece]:
        """The work of all three."""
        return [piece for run in (*self.runs.values(), self.ahead) for piece in pieces(run)]

    def in_lane(self, lane: str) -> list[Piece]:
        """The work of all three in a lane."""
        return [piece for piece in self.pieces if piece.lane == lane]

    def shared(self, lane: str) -> list[Piece]:
        """The work of the two in a lane."""
        return [piece for piece in self.in_lane(lane) if piece.run in self.runs]


@scenario(effect="change")
def burst(phase: Stage) -> Burst:
    """Two runs of equal weight wait for the same places and are worked on; then a restart."""
    target, pas = phase.target("pas"), Pas(full_of(phase))
    cards: dict[str, list[Card]] = {}
    ahead = pas.new_run("ahead")
    for lane, cap in CAPS.items():
        for _ in range(cap):
            pas.card(ahead, lane)
    pas.start(ahead).text("status")
    for project in PROJECTS:
        mine = Pas(pas.client, project)
        run = mine.new_run(f"burst-{project}")
        cards[run] = [
            mine.card(run, lane) for lane, cap in CAPS.items() for _ in range(TIMES * cap)
        ]
        last = cards[run][-1]
        cards[run].append(mine.card(run, last.lane, [cards[run][0], last]))  # that has to wait
    for run, project in zip(cards, PROJECTS, strict=True):
        Pas(pas.client, project).start(run).text("status")
    said = pas.portfolio()
    looks = to_their_end(target, pas, [ahead, *cards], _MOST_S)
    store = Store.named_in(phase.file("receipts"))
    before = Kept.by(store, pas, [*cards])
    phase.operate("pas", "restart")
    after = Kept.by(store, pas, [*cards])
    caps, weights = said.inner("lane_caps"), said.inner("fairness_weights")
    told = lines(phase.file("restarts"), "record of restarts")
    first, again = pas.status(ahead), _again(pas, cards)
    held = (store, before, after, told, first, again)
    return Burst(pas, before.runs, cards, looks, weights, caps, *held)


WEIGHTS, MANY = (3.0, 1.0), 12  # of two runs, and how many tasks each has
LANE = "Data-Schema"


@scenario(effect="change")
def weighted(phase: Stage) -> tuple[Reported, Reported]:
    """Two runs of which one has three times the weight, when both have ended."""
    target, pas = phase.target("pas"), Pas(full_of(phase))
    runs = [Pas(pas.client, project).new_run(f"weighs-{project}") for project in PROJECTS]
    for run, project in zip(runs, PROJECTS, strict=True):
        for _ in range(MANY):
            Pas(pas.client, project).card(run, LANE)
    for run, project, weight in zip(runs, PROJECTS, WEIGHTS, strict=True):
        Pas(pas.client, project).start(run, weight=weight).text("status")
    to_their_end(target, pas, runs, _MOST_S)
    heavy, light = (pas.status(run) for run in runs)
    return heavy, light


EARLY, LATE, PAUSES = 22, 12, 4  # tasks of a run, of one that begins later, pauses of the first


@scenario(effect="change")
def joined(phase: Stage) -> tuple[Reported, Reported]:
    """A run at work, and one that begins 20 s later, while the first is paused now and then."""
    target, pas = phase.target("pas"), Pas(full_of(phase))
    runs = [Pas(pas.client, project).new_run(f"joins-{project}") for project in PROJECTS]
    for run, project, number in zip(runs, PROJECTS, (EARLY, LATE), strict=True):
        for _ in range(number):
            Pas(pas.client, project).card(run, LANE)
    pas.start(runs[0], project_id=PROJECTS[0]).text("status")
    target.clock.advance(20)
    pas.start(runs[1], project_id=PROJECTS[1]).text("status")
    for _ in range(PAUSES):
        target.clock.advance(6)
        reported(pas.control("pause", runs[0])).text("status")
        target.clock.advance(1)
        reported(pas.control("resume", runs[0])).text("status")
    to_their_end(target, pas, runs, _MOST_S)
    early, late = (pas.status(run) for run in runs)
    return early, late


def _again(pas: Pas, cards: Mapping[str, Sequence[Card]]) -> dict[str, str]:
    """The task that the first card of each run is said to be when it comes again under its key."""
    tasks = {}
    for (run, (card, *_)), project in zip(cards.items(), PROJECTS, strict=True):
        answer = Pas(pas.client, project).submit(run, card.lane, card.deps, card.key)
        tasks[run] = str(answer.json().get("task_id", answer.status_code))
    return tasks
