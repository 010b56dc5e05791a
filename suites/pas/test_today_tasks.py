"""Today: tasks execute in the order of their graph, once, and leave receipts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest

from pytest_rollout import NoValueError, Observe, Reported, Stage, every
from suites.pas.scenarios.control import Empty
from suites.pas.scenarios.misses import OLD_S, Misses, missed_values
from suites.pas.scenarios.repeats import REPEATS, Repeated
from suites.pas.scenarios.work import Look, Sent, Work
from suites.pas.views.graph import edges, seen_early, too_early
from suites.pas.views.lanes import KPI_OF, LIMITS, SECONDS, due_verdict, kpi_name, sound
from suites.pas.views.pas import ENDED, Pas
from suites.pas.views.told import Told

pytestmark = pytest.mark.pas_today

OVER = ("succeeded", "failed")
REFUSED = range(400, 500)
RECEIPTS = tuple(
    f"kpi-receipt-{lane}" for lane in ("code", "data-schema", "narrative", "vector-ops")
)


@pytest.mark.criterion("dag-topological-order")
def test_a_task_waits_for_what_it_needs(work: Work, observe: Observe) -> None:
    """By the times of the tasks, and by what each look saw of them."""
    for sent in work.sent:
        last, seen = work.named(sent, work.ended[sent.run]), work.seen(sent)
        for above, below in edges(sent.nodes):
            early = too_early(last, above, below) or seen_early(seen, above, below)
            observe("order_violation", early, run=sent.run, needs=f"{below} needs {above}")
        begun = [task for task in last.values() if task["started_at"] is not None]
        if len(begun) < len(sent.nodes):
            raise NoValueError(f"only {len(begun)} of {len(sent.nodes)} tasks ever began")


@pytest.mark.criterion("dag-cycle-rejected", "dag-topological-order")
@pytest.mark.effect("change")
def test_a_circle_is_refused_or_fails(pas: Pas, phase: Stage) -> None:
    run, clock = pas.new_run("circle"), phase.target("pas").clock
    answers = [
        pas.submit(run, "Vector-Ops", deps, task_id=name).status_code
        for name, deps in (("a", ["c"]), ("b", ["a"]), ("c", ["b"]))
    ]
    if any(status in REFUSED for status in answers):
        return
    assert pas.control("start", run).status_code in (200, *REFUSED)
    until = clock.now() + timedelta(minutes=10 if phase.embedded else 1)
    for _ in every(clock, 10, until=until):
        if pas.status(run).text("status") == "failed":
            return
    pytest.fail(f"after minutes the run is {pas.status(run)['status']}, not failed")


@pytest.mark.criterion("synthetic-delays-per-lane")
def test_a_task_takes_what_its_lane_takes(work: Work, observe: Observe) -> None:
    for sent in work.sent:
        seen = work.seen(sent)
        for node in sent.nodes:
            task = work.named(sent, work.ended[sent.run])[node.name]
            if task["finished_at"] is None:
                continue
            took = (task.moment("finished_at") - task.moment("started_at")).total_seconds()
            least, most = SECONDS[node.lane]
            told = abs(task.number("time_ms") / 1000 - took) < 0.01
            true = told and _borne_out(work.looks, [look[node.name] for look in seen])
            outside = not least <= took <= most or not true
            observe("delay_outside", outside, lane=node.lane, run=sent.run, task=node.name)


def _borne_out(looks: Sequence[Look], tasks: Sequence[Reported]) -> bool:
    """Whether what looks saw of a task agrees with the times that it tells."""
    for look, task in zip(looks, tasks, strict=True):
        working = task.text("status") == "running"
        over = task["finished_at"] is not None
        if working and over:
            return False
        if over and task.moment("finished_at") > look.at + timedelta(seconds=1):
            return False
    return True


@pytest.mark.criterion("tasks-execute")
def test_every_card_executes_to_an_end(work: Work, observe: Observe) -> None:
    for sent in work.sent:
        status = work.ended[sent.run]
        for name, task in work.named(sent, status).items():
            done = task.text("status") in OVER and task["finished_at"] is not None
            observe("task_finished", done, run=sent.run, task=name)
            took = task.moment("finished_at") - task.moment("started_at") if done else None
            assert took is None or took.total_seconds() > 0, f"{name} took no time at all"
        assert status.whole("tasks_total") == len(sent.nodes)
        over = status.whole("tasks_completed") + status.whole("tasks_failed")
        assert over == len(sent.nodes), f"{over} of {len(sent.nodes)} tasks came to an end"
        assert status.text("status") in ENDED, f"the run is still {status['status']}"


@pytest.mark.criterion("run-not-vacuously-complete")
def test_a_run_without_tasks_is_not_complete(empty: Empty, observe: Observe) -> None:
    if empty.started.status_code in REFUSED:
        for _ in range(3):  # it never began, so no look can find it complete
            observe("vacuously_complete", 0)
        return
    assert empty.started.status_code == 200, f"its start answers {empty.started.status_code}"
    for look in empty.looks:
        done = look.text("status") == "completed" or look.get("validation_pass") is True
        observe("vacuously_complete", done and look.whole("tasks_total") == 0)
    assert empty.fed is not None, "it takes no card any more, so it never had a task"
    counted = empty.fed.text("status"), empty.fed.whole("tasks_completed")
    assert counted == ("completed", 1), f"with a card it ends as {counted}"


# Idempotency


@pytest.mark.criterion("idempotency-same-key")
def test_a_repeat_adds_nothing(repeated: Repeated, observe: Observe) -> None:
    for card in repeated.cards:
        for again in card.again:
            other = again.text("task_id") != card.first.text("task_id")
            observe("replay_made_another", other, task=card.first["task_id"])
        assert card.other_body in (400, 409, 422), (
            f"another card under a used key is answered {card.other_body}"
        )
    expected = 2 * len(repeated.cards)  # one by its key, one by the new key
    assert repeated.tasks_total == expected == len(repeated.tasks), (
        f"{expected} cards were sent, some {1 + REPEATS} times; the run has "
        f"{repeated.tasks_total} tasks"
    )


@pytest.mark.criterion("idempotency-replay-marked")
def test_a_repeat_says_that_it_is_one(repeated: Repeated, observe: Observe) -> None:
    for card in repeated.cards:
        for number, answer in enumerate((card.first, *card.again)):
            wrong = answer.flag("idempotent_replay") is not (number > 0)
            observe("replay_mismarked", wrong, task=card.first["task_id"], sent=number + 1)


@pytest.mark.criterion("idempotency-new-key")
def test_a_new_key_is_a_new_task(repeated: Repeated, observe: Observe) -> None:
    for card in repeated.cards:
        ids = card.first.text("task_id"), card.other_key.text("task_id")
        lost = ids[0] == ids[1] or not set(ids) <= repeated.tasks
        observe("new_key_swallowed", lost, task=ids[0])


@pytest.mark.criterion("idempotency-run-start")
def test_a_second_start_executes_nothing_again(work: Work, observe: Observe) -> None:
    tasks = sum(len(sent.nodes) for sent in work.sent)
    for sent in work.sent:
        status = work.ended[sent.run]
        executions = status.get("executions")
        assert executions in (None, 1), f"the run was executed {executions} times"
        for name, task in work.named(sent, status).items():
            begun = {look[name]["started_at"] for look in work.seen(sent)} - {None}
            twice = len(begun) > 1 or len(task.each("kpis")) > 1
            observe("executed_twice", twice, run=sent.run, task=name)
        used = sum(task.inner("tokens").number("total") for task in status.each("tasks"))
        spent = status.number("spend_tokens")
        assert abs(spent - used) < 1, f"its tasks used {used} tokens, the run {spent}"
    if work.embedded:
        before, after = work.receipts
        assert after - before <= 2 * tasks, f"{tasks} tasks left {after - before} receipts"


# Receipts


def _receipts(work: Work, lane: str) -> list[tuple[Sent, str, Sequence[Reported]]]:
    receipts: list[tuple[Sent, str, Sequence[Reported]]] = []
    for sent in work.sent:
        for node in sent.nodes:
            task = work.named(sent, work.ended[sent.run])[node.name]
            if node.lane == lane and task.text("status") in OVER:
                receipts.append((sent, node.name, task.each("kpis")))
    return receipts


@pytest.mark.parametrize(
    "lane",
    [
        pytest.param("Code-Impl", marks=pytest.mark.criterion("kpi-receipt-code")),
        pytest.param("Data-Schema", marks=pytest.mark.criterion("kpi-receipt-data-schema")),
        pytest.param("Narrative", marks=pytest.mark.criterion("kpi-receipt-narrative")),
        pytest.param("Vector-Ops", marks=pytest.mark.criterion("kpi-receipt-vector-ops")),
    ],
)
def test_a_finished_task_has_its_receipt(work: Work, lane: str, observe: Observe) -> None:
    for sent, name, kpis in _receipts(work, lane):
        fit = [receipt for receipt in kpis if kpi_name(receipt.text("kpi")) == KPI_OF[lane]]
        whole = [
            receipt.number("value") is not None
            and receipt.number("threshold") == LIMITS[KPI_OF[lane]]
            for receipt in fit
            if isinstance(receipt.flag("pass"), bool)
        ]
        observe("receipt_missing", not whole or not all(whole), lane=lane, run=sent.run, task=name)


@pytest.mark.criterion("kpi-verdict-consistent", *RECEIPTS)
def test_a_verdict_is_what_its_value_comes_to(work: Work, misses: Misses, observe: Observe) -> None:
    tell = Told(observe)
    verdicts: Mapping[str, set[bool]] = defaultdict(set)
    told: list[Reported] = [
        receipt
        for status in (misses.status, *work.ended.values())
        for task in status.each("tasks")
        for receipt in task.each("kpis")
    ]
    for number, receipt in enumerate(told):
        kpi = kpi_name(receipt.text("kpi"))
        tell("verdict_wrong", not sound(receipt), kpi=kpi, receipt=number)
        verdicts[kpi].add(receipt.flag("pass"))
    for kpi, value, answer in misses.posted:
        right = answer.flag("pass") is due_verdict(kpi, value, LIMITS[kpi])
        tell("verdict_wrong", not right, kpi=kpi, posted=str(value))
        verdicts[kpi].add(answer.flag("pass"))
    for kpi in LIMITS:
        assert verdicts[kpi] == {True, False}, f"{kpi} never {_lacking(verdicts[kpi])}"
    tell.none_bad("the verdict is not what value and threshold come to")


def _lacking(seen: set[bool]) -> str:
    return "passes" if True not in seen else "misses, on whichever side of its threshold"


@pytest.mark.criterion("kpi-verdict-consistent", *RECEIPTS)
def test_a_value_is_what_the_work_comes_to(misses: Misses) -> None:
    """Of work whose outcome the suite knows, in each lane: what misses must be told as missed."""
    tasks = {task.text("lane"): task for task in misses.status.each("tasks")}
    for lane, (least, most) in missed_values(OLD_S).items():
        for receipt in tasks[lane].each("kpis"):
            right = least <= receipt.number("value") <= most and not receipt.flag("pass")
            assert right, (
                f"{receipt['kpi']} of {lane} is {receipt['value']}, and {least:g}, a miss, is due"
            )


@pytest.mark.criterion("kpi-verdict-consistent", *RECEIPTS)
def test_a_run_with_a_missed_kpi_shows_it(misses: Misses) -> None:
    """The violations of a run are exactly its receipts that miss, by their values."""
    due: set[tuple[Any, ...]] = set()
    for task in misses.status.each("tasks"):
        for receipt in task.each("kpis"):
            kpi, value = kpi_name(receipt.text("kpi")), receipt.number("value")
            if not due_verdict(kpi, value, receipt.number("threshold")):
                due.add((task.text("task_id"), kpi))
    shown = {
        (violation.text("task_id"), kpi_name(violation.text("kpi")))
        for violation in misses.status.each("kpi_violations")
    }
    assert shown == due, f"the run shows {sorted(shown)}, its receipts come to {sorted(due)}"
