"""A Monday on which a phase is guarded from entry to exit, minute by minute, and other Mondays.

Each command is a process of its own that is told the time; the shop is a server on loopback.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.story.guarded import Answer, Guarded
from tests.story.shop import ENGINEER, ENTRY, EXIT, OPERATOR, Monday, Shop, opened

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def open_shop() -> Iterator[Shop]:
    with opened() as shop:
        yield shop


@pytest.fixture
def shop(open_shop: Shop) -> Shop:
    """The shop, as it is when nothing is wrong."""
    open_shop.heal()
    return open_shop


@pytest.fixture(scope="module")
def quarter_to_nine(open_shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Monday:
    """08:45: the entry gate is decided and signed."""
    open_shop.heal()
    monday = Monday.planned(tmp_path_factory.mktemp("monday"), open_shop.url)
    decided = monday.pytest("08:40")
    assert (decided.status, decided.last_line) == (0, f"GO: {ENTRY} GO"), decided.said
    monday.signed("08:42", ENTRY)
    return monday


@pytest.fixture
def at_0845(quarter_to_nine: Monday, shop: Shop, tmp_path: Path) -> Monday:
    """08:45, in a folder of its own."""
    return quarter_to_nine.copied(tmp_path)


@pytest.fixture(scope="module")
def five_past_nine(
    quarter_to_nine: Monday, open_shop: Shop, tmp_path_factory: pytest.TempPathFactory
) -> Monday:
    """09:05: the phase has begun, and the change is made."""
    open_shop.heal()
    monday = quarter_to_nine.copied(tmp_path_factory.mktemp("nine"))
    began = monday.begin("09:00")
    assert began.status == 0, began.said
    monday.switch_on("09:05")
    return monday


@pytest.fixture
def at_0905(five_past_nine: Monday, shop: Shop, tmp_path: Path) -> Monday:
    """09:05, in a folder of its own."""
    return five_past_nine.copied(tmp_path)


def test_a_phase_is_guarded_from_entry_to_exit(at_0845: Monday, shop: Shop, tmp_path: Path) -> None:
    monday = at_0845

    early = monday.clear("08:58")
    assert early.status == 11
    assert "opens Monday 2025-11-10 09:00 EST (in 2 min)" in early.said
    missing = [line for line in early.said.splitlines() if line.startswith("  no   ")]
    assert {line.split()[1] for line in missing} == {"window:"}, "only the window is missing"
    refused = monday.begin("08:59")
    assert refused.status == 11

    began = monday.begin("09:00")
    assert began.status == 0, began.said
    assert "release 1.4.0" in began.said

    monday.switch_on("09:05")

    frozen = monday.record("09:30", "freeze", "INC-7: the bank is slow")
    assert frozen.status == 0
    held = monday.pytest("09:31")
    assert held.status == 11
    assert "it is frozen on record: INC-7: the bank is slow (Olga)" in held.said
    assert shop.changed == [], "a check changed the shop during the freeze"
    assert shop.orders == 3, "sampling stopped during the freeze"
    watched = monday.watch("09:32", 2)
    assert watched.status == 0, watched.said
    blocked = monday.clear("09:33")
    assert blocked.status == 11
    assert "INC-7: the bank is slow (Olga)" in blocked.said

    assert monday.record("09:45", "resume", "INC-7 is over").status == 0
    decided = monday.pytest("09:46")
    assert decided.status == 0, decided.said
    assert f"{EXIT} GO" in decided.last_line
    assert shop.changed == ["/share"]

    unsigned = monday.end("09:50")
    assert unsigned.status == 11
    assert "nobody has signed as engineering; can be given by emil@example.com" in unsigned.said
    monday.signed("09:55", EXIT)
    ended = monday.end("10:00")
    assert ended.status == 0, ended.said
    assert "shop.canary ended in prod at 2025-11-10 10:00" in ended.said
    whole = monday.rollout("10:05", "verify")
    assert whole.status == 0, whole.said

    bundle = tmp_path / "canary.zip"
    exported = monday.rollout("10:10", "export", EXIT, "--env", "prod", "-o", str(bundle))
    assert exported.status == 0, exported.said
    assert _verified_elsewhere(bundle).status == 0
    damaged = bytearray(bundle.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    bundle.write_bytes(damaged)
    assert _verified_elsewhere(bundle).status not in (0, 4)


def _verified_elsewhere(bundle: Path) -> Answer:
    """What an outsider is told who has the bundle, and neither the project nor its ledger."""
    folder = bundle.with_name("elsewhere")
    folder.mkdir(exist_ok=True)
    return Guarded(folder, {}).rollout("verify", str(bundle))


def test_a_nervous_run_voids_nothing(at_0845: Monday) -> None:
    again = at_0845.pytest("08:46")
    assert again.status == 0, again.said
    assert at_0845.begin("09:00").status == 0


def test_another_release_begins_nothing(at_0845: Monday, shop: Shop) -> None:
    shop.version = "1.5.0"  # at 08:55
    early = at_0845.clear("08:58")
    assert early.status == 11
    assert "1.4.0 was judged, 1.5.0 runs now" in early.said
    assert at_0845.begin("09:00").status == 11
    judged = at_0845.pytest("09:02")
    assert judged.status == 0, judged.said
    unsigned = at_0845.begin("09:04")
    assert unsigned.status == 11
    assert "the decision is another one since: sign again" in unsigned.said
    at_0845.signed("09:05", ENTRY)
    began = at_0845.begin("09:06")
    assert began.status == 0, began.said
    assert "release 1.5.0" in began.said


def test_a_trip_is_reset_and_revalidated_before_anything_goes_on(
    at_0905: Monday, shop: Shop
) -> None:
    shop.lag = 60
    tripped = at_0905.watch("09:20", 30)
    assert tripped.status == 12, tripped.said
    standing = at_0905.rollout("09:21", "status", "--env", "prod")
    assert "TRIPPED shop.canary.lag" in standing.said.splitlines()[1]
    shop.lag = 0
    decided = at_0905.pytest("09:25")
    assert decided.status == 12, decided.said
    assert f"{EXIT} ROLLBACK" in decided.last_line
    held = at_0905.clear("09:26")
    assert held.status != 0
    assert "shop.canary.lag tripped at" in held.said

    why = ("--by", "Olga", "--reason", "a queue was stuck, INC-8")
    reset = at_0905.rollout("09:30", "reset", "shop.canary.lag", "--env", "prod", *why)
    assert reset.status == 0, reset.said
    decided = at_0905.pytest("09:31")
    held = at_0905.clear("09:32")
    assert held.status != 0
    assert "canary/entry must be GO anew (ROLLBACK at 2025-11-10 09:2" in held.said

    revalidated = at_0905.pytest("09:35", "--rollout-gate", "entry")
    assert revalidated.status == 0, revalidated.said
    assert at_0905.watch("09:36", 2).status == 0
    decided = at_0905.pytest("09:40")
    assert decided.status == 0, decided.said
    assert "INC-8" in decided.said, "a reset is a condition of the GO"
    at_0905.signed("09:45", EXIT)
    ended = at_0905.end("09:50")
    assert ended.status == 0, ended.said


def test_a_late_waiver_asks_for_a_run_and_for_signatures(at_0845: Monday, shop: Shop) -> None:
    shop.seconds = 0.7
    slow = at_0845.pytest("08:46")
    assert slow.status == 10, slow.said
    at_0845.plan.with_name("waivers.yaml").write_text(
        "waivers:\n  - {criterion: quick, phase: canary, limit: '< 1s', until: 2025-11-11,\n"
        "     reason: the second host comes tomorrow, author: Emil, approver: Olga}\n"
    )
    refused = at_0845.begin("09:00")
    assert refused.status == 10, refused.said
    judged = at_0845.pytest("09:01")
    assert judged.status == 0, judged.said
    assert "condition: shop.canary.quick is waived" in judged.said
    unsigned = at_0845.begin("09:02")
    assert unsigned.status == 11
    assert "sign again" in unsigned.said
    at_0845.signed("09:03", ENTRY)
    began = at_0845.begin("09:04")
    assert began.status == 0, began.said


def test_a_signer_who_says_no_holds_the_phase(at_0845: Monday) -> None:
    why = ("--against", "--why", "the bank is not ready")
    assert at_0845.sign("08:50", ENTRY, OPERATOR, *why).status == 0
    early = at_0845.begin("09:00")
    assert early.status == 11
    assert f"{OPERATOR} signed against it as operations" in early.said
    assert "the bank is not ready" in early.said
    assert at_0845.sign("09:01", ENTRY, ENGINEER).status == 0
    assert at_0845.begin("09:02").status == 11, "another person's word lifts no objection"
    assert at_0845.sign("09:05", ENTRY, OPERATOR).status == 0
    began = at_0845.begin("09:06")
    assert began.status == 0, began.said


def test_a_cancelled_job_holds_until_a_run_is_whole(at_0845: Monday, shop: Shop) -> None:
    cancelled = at_0845.pytest_cancelled("08:50", shop)
    assert cancelled.status != 0
    held = at_0845.clear("09:00")
    assert held.status == 11, held.said
    assert at_0845.begin("09:01").status == 11
    whole = at_0845.pytest("09:02")
    assert whole.status == 0, whole.said
    assert at_0845.begin("09:04").status == 0, "the same substance keeps its signatures"


def test_a_person_settles_what_a_cancelled_job_left_open(at_0845: Monday, shop: Shop) -> None:
    cancelled = at_0845.pytest_cancelled("08:50", shop)
    assert cancelled.status == 2, cancelled.said
    assert at_0845.begin("09:00").status == 11
    (run,) = set(re.findall(r"rollout settle (\S+)", cancelled.said))
    why = ("--by", "Olga", "--why", "superseded by the next push")
    settled = at_0845.rollout("09:01", "settle", run, *why)
    assert settled.status == 0, settled.said
    cleared = at_0845.clear("09:02")
    assert cleared.status == 0, cleared.said
    assert "superseded by the next push" in cleared.said
    assert at_0845.begin("09:03").status == 0
