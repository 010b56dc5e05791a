"""A ROLLBACK in the middle of a rollout takes back what stands on it, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.story.guarded import Answer, Guarded
from tests.story.shop import Monday, Shop, opened

pytestmark = pytest.mark.slow

PLAN = """\
plan: shop
title: A shop moves to its new checkout
release: {target: shop, path: /version, json: version}
environments:
  prod: {targets: {shop: "${SHOP_URL}"}, allow: [observe, change]}
phases:
  - id: tenth
    owners: [engineering]
    criteria:
      - {id: ready, gate: entry, kind: operational, says: The shop is up, check: &up {http: /health,
         on: shop, expect: {status: 200}}}
      - {id: up, kind: operational, says: The shop is up, check: *up}
  - id: half
    owners: [engineering]
    requires: [tenth]
    every: 1s
    criteria:
      - {id: ready, gate: entry, kind: operational, says: The shop is up, check: *up}
      - {id: up, kind: operational, says: The shop is up, check: *up}
    guardrails:
      - {id: lag, says: Orders are not waiting, check: {http: /lag, on: shop, json: lag},
         fail: "> 5", over: [{span: 10m}], then: [rollback]}
    rollback: [half of the requests go to the old checkout again]
    on_rollback: {revalidate: [half/entry]}
  - id: whole
    owners: [engineering]
    requires: [half]
    criteria:
      - {id: ready, gate: entry, kind: operational, says: The shop is up, check: *up}
      - {id: earlier, gate: entry, kind: operational, says: What came before still stands,
         rolls_up: [tenth/exit, half/exit]}
      - {id: up, kind: operational, says: The shop is up, check: *up}
  - id: books
    owners: [engineering]
    requires: [tenth]
    criteria:
      - {id: ready, gate: entry, kind: operational, says: The shop is up, check: *up}
      - {id: earlier, gate: entry, kind: operational, says: Half of the orders are in the books,
         rolls_up: [half/exit]}
      - {id: up, kind: operational, says: The shop is up, check: *up}
  - id: report
    owners: [engineering]
    requires: [tenth]
    criteria:
      - {id: ready, gate: entry, kind: operational, says: The shop is up, check: *up}
      - {id: up, kind: operational, says: The shop is up, check: *up}
"""


@pytest.fixture
def shop() -> Iterator[Shop]:
    with opened() as shop:
        yield shop


@pytest.fixture
def done_by_half(shop: Shop, tmp_path: Path) -> Monday:
    """Both first phases have ended, and the third is clear to begin."""
    folder = tmp_path / "project"
    folder.mkdir()
    folder.joinpath("rollout.yaml").write_text(PLAN)
    monday = Monday(Guarded(folder, {"SHOP_URL": shop.url}))
    for hour, phase in (("08", "tenth"), ("09", "half")):
        _go(monday.decide(f"{hour}:00", phase))
        _go(monday.life(f"{hour}:10", "begin", phase))
        if phase == "half":
            _go(monday.watch(f"{hour}:20", 2, phase))
        _go(monday.decide(f"{hour}:21", phase))
        _go(monday.life(f"{hour}:30", "end", phase))
    for phase in ("whole", "books", "report"):
        _go(monday.decide("09:40", phase))
        _go(monday.clear("09:41", phase))
    return monday


def _go(answer: Answer) -> None:
    assert answer.status == 0, answer.said


def _held(answer: Answer, *why: str) -> None:
    assert answer.status not in (0, 4), answer.said
    for words in why:
        assert words in answer.said


def test_a_trip_in_the_middle_takes_back_what_stands_on_it(
    done_by_half: Monday, shop: Shop
) -> None:
    monday = done_by_half
    shop.lag = 60
    assert monday.watch("10:00", 30, "half").status == 12
    shop.lag = 0
    for phase in ("whole", "books"):
        _held(
            monday.clear("10:05", phase), "shop.half/exit was GO before the ROLLBACK at 2025-11-10"
        )
        _held(monday.life("10:06", "begin", phase), "it must be GO anew")
    _go(monday.clear("10:07", "report"))  # it stands on the first phase alone


def test_a_rollback_in_the_middle_takes_back_what_rolls_it_up(
    done_by_half: Monday, shop: Shop
) -> None:
    monday = done_by_half
    shop.lag = 60
    assert monday.watch("10:00", 30, "half").status == 12
    shop.lag = 0
    again = monday.decide("10:05", "half", "--rollout-gate", "exit")
    assert again.status == 12, again.said
    _held(monday.clear("10:06", "whole"), "half/exit is ROLLBACK")
    _held(monday.clear("10:06", "books"), "shop.half/exit was GO before the ROLLBACK")
    _held(monday.decide("10:07", "whole"), "shop.whole.earlier")
    _go(monday.clear("10:08", "report"))

    why = ("--by", "Olga", "--reason", "a queue was stuck")
    _go(monday.rollout("10:10", "reset", "shop.half.lag", "--env", "prod", *why))
    _held(monday.clear("10:11", "whole"), "half")
    _go(monday.decide("10:12", "half", "--rollout-gate", "entry"))
    _go(monday.watch("10:13", 2, "half"))
    _go(monday.decide("10:14", "half", "--rollout-gate", "exit"))
    _held(monday.clear("10:15", "whole"), "earlier")  # its own decision is still the old one
    _go(monday.decide("10:16", "whole"))
    _go(monday.clear("10:17", "whole"))
