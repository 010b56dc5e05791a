"""Messages are kept as posted, and read by cursors without loss."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from pytest_rollout import Observe, Reported, reported
from suites.bridge.checks.told import Told
from suites.bridge.views.corpus import strange_texts
from suites.bridge.views.errors import slips
from suites.bridge.views.service import PAGE, Agent, Bridge

pytestmark = [pytest.mark.bridge_messages, pytest.mark.bridge_phase1, pytest.mark.effect("change")]

SIZES = (1, 2, 3, 7, 20, 200)
MESSAGES = 41


@pytest.mark.criterion("message-post-persisted")
def test_a_message_reads_back_as_it_was_posted(
    bridge: Bridge, observe: Observe, moment: datetime
) -> None:
    ann, bob = bridge.agent("suite-ann"), bridge.agent("suite-bob")
    thread = ann.opened(members=["suite-bob"])
    posted: list[tuple[str, Reported]] = []
    for text in strange_texts(20, seed=1):
        answer = ann.send(thread, text, kind="message")
        assert answer.status_code == 201, f"a post answers {answer.status_code}"
        posted.append((text, reported(answer)))
    assert len({said.text("id") for _, said in posted}) == 20, "two messages have one id"
    read = [reader.read(thread) for reader in (ann, bob)]
    for number, (text, said) in enumerate(posted, 1):
        rows = [[row for row in came if row.get("id") == said.text("id")] for came in read]
        kept = all(
            len(copies) == 1
            and copies[0].text("text") == text
            and copies[0].text("from") == "suite-ann"
            and copies[0].whole("seq") == said.whole("seq") == number
            for copies in rows
        )
        observe("message_not_as_posted", int(not kept), number=str(number), at=moment)


@pytest.mark.criterion("message-post-persisted")
def test_a_message_keeps_each_of_its_fields(bridge: Bridge, moment: datetime) -> None:
    ann, bob = bridge.agent("suite-ann"), bridge.agent("suite-bob")
    thread = ann.opened(members=["suite-bob"])
    first = ann.posted(thread, "a question", kind="task")
    ids = {"X-Request-Id": "suite.request", "X-Correlation-Id": "suite.correlation"}
    body = {"text": "an answer", "kind": "work", "to": ["suite-ann"], "schema_version": 2}
    path = f"/v1/threads/{thread}/messages"
    said = reported(bob.ask("POST", path, {**body, "reply_to": first.text("id")}, headers=ids))
    due = {**body, "reply_to": first.text("id"), "from": "suite-bob", "seq": 2, "extra": {}}
    due |= {"thread_id": thread, "recipients": ["suite-ann"], "undeliverable": []}
    due |= {"request_id": "suite.request", "correlation_id": "suite.correlation"}
    for which, row in (("acknowledged", said), ("read", ann.read(thread)[-1])):
        wrong = [f"{name} is {row.get(name)!r}" for name in due if row.get(name) != due[name]]
        assert not wrong, f"of what was posted, as {which}: {'; '.join(wrong)}"
        times = [row.moment(name) for name in ("created_at", "accepted_at")]
        assert times[0] == times[1] >= first.moment("created_at"), f"as {which} it is of {times}"
        assert abs(times[0] - moment) < timedelta(hours=1), f"as {which} it is of {times[0]}"
    assert ann.thread(thread).moment("updated_at") == times[0], "the thread was changed otherwise"
    assert first.get("to") is None, "a broadcast says whom it is for"
    assert first.get("reply_to") is None, "a question says what it replies to"


# Cursors


def filled(bridge: Bridge) -> tuple[Agent, str, list[str]]:
    """A reader, a thread with messages of two senders, and the ids of what it may read."""
    senders = [bridge.agent("suite-page-1"), bridge.agent("suite-page-2")]
    reader = bridge.agent("suite-reader")
    names = [sender.name for sender in senders]
    thread = senders[0].opened("many pages", [names[1], "suite-reader"])
    mine = []
    for number in range(MESSAGES):
        hidden = number % 10 == 7  # a directed message to the other one: a gap for the reader
        sender = senders[number % 2]
        to = [names[1 - number % 2]] if hidden else None
        message = sender.posted(thread, f"message {number}", to=to).text("id")
        if not hidden:
            mine.append(message)
    return reader, thread, mine


def paged(reader: Agent, thread: str, sizes: list[int]) -> list[Reported]:
    """All messages that a reader gets with pages of these sizes, in turns."""
    rows: list[Reported] = []
    cursor = ""
    more = True
    for turn in range(3 * MESSAGES):
        size = sizes[turn % len(sizes)]
        said = reader.page(thread, cursor, size)
        came = said.each("messages")
        assert len(came) <= size, f"a page of {size} holds {len(came)} messages"
        assert bool(came) == more, f"has_more was {more}, and {len(came)} messages came"
        rows += came
        cursor, more = said.text("next_cursor"), said.flag("has_more")
        if not came:
            return rows
    return rows


@pytest.fixture(scope="module")
def pages(bridge: Bridge) -> list[tuple[str, list[str], list[Reported]]]:
    """Of each way to page: its name, the ids that are to come, and what came."""
    reader, thread, mine = filled(bridge)
    chosen = random.Random(7)
    ways = {str(size): [size] for size in SIZES}
    ways["mixed"] = [chosen.randint(1, 9) for _ in range(20)]
    return [(name, mine, paged(reader, thread, sizes)) for name, sizes in ways.items()]


@pytest.mark.criterion("read-cursor-complete")
def test_each_message_comes_once_whatever_the_page(
    pages: list[tuple[str, list[str], list[Reported]]], observe: Observe, moment: datetime
) -> None:
    for size, mine, rows in pages:
        came = [row.text("id") for row in rows]
        for place, message in enumerate(mine):
            wrong = came.count(message) != 1
            observe("message_missed_or_repeated", int(wrong), size=size, n=str(place), at=moment)
        assert set(came) <= set(mine), "messages came that this reader may not read"


@pytest.mark.criterion("read-cursor-complete")
def test_a_thread_longer_than_the_largest_page(bridge: Bridge) -> None:
    """In pages of the largest size, of half of it, and of no stated size."""
    writers = [bridge.agent(f"suite-long-{number}") for number in range(3)]
    thread = writers[0].opened("long", [writer.name for writer in writers[1:]])
    total = PAGE + 15
    with ThreadPoolExecutor(3) as pool:
        sent = pool.map(
            lambda n: writers[n % 3].posted(thread, f"long {n}", wake=False).text("id"),
            range(total),
        )
        ids = set(sent)
    for limit in (PAGE, PAGE // 2, None):
        rows = writers[1].all(f"/v1/threads/{thread}/messages", "messages", limit)
        came = [row.text("id") for row in rows]
        assert len(came) == total, f"in pages of {limit} {len(came)} of {total} messages come"
        assert set(came) == ids, f"in pages of {limit} others come than were posted"
        assert [row.whole("seq") for row in rows] == list(range(1, total + 1))


@pytest.mark.criterion("read-cursor-order")
def test_messages_come_in_rising_order(
    pages: list[tuple[str, list[str], list[Reported]]], observe: Observe, moment: datetime
) -> None:
    for size, mine, rows in pages:
        for place, (first, second) in enumerate(pairwise(rows)):
            wrong = first.whole("seq") >= second.whole("seq")
            observe("pair_out_of_order", int(wrong), size=size, n=str(place), at=moment)
        known = [row.text("id") for row in rows]
        assert known == sorted(known, key=mine.index), "the order is not the one of the posts"


@pytest.mark.criterion("read-cursor-stable-under-writes")
def test_a_reader_loses_nothing_while_others_write(
    bridge: Bridge, observe: Observe, moment: datetime
) -> None:
    writers = [bridge.agent(f"suite-writer-{number}") for number in range(4)]
    reader = bridge.agent("suite-reader")
    thread = reader.opened("busy", [writer.name for writer in writers])
    each = 50

    def write(writer: Agent) -> list[str]:
        return [writer.posted(thread, f"{writer.name} {n}").text("id") for n in range(each)]

    with ThreadPoolExecutor(4) as pool:
        writing = [pool.submit(write, writer) for writer in writers]
        came, polls, cursor = polled(reader, thread, lambda: all(w.done() for w in writing))
        accepted = [message for done in writing for message in done.result()]
    assert polls > 5, f"the reader polled {polls} times only, so nothing was written meanwhile"
    assert len(set(accepted)) == 4 * each
    for place, message in enumerate(accepted):
        observe("message_lost_to_reader", int(came.count(message) != 1), n=str(place), at=moment)
    assert len(came) == len(accepted), f"{len(came)} messages came, {len(accepted)} were posted"
    assert cursor


def polled(reader: Agent, thread: str, over: object) -> tuple[list[str], int, str]:
    """What a reader gets who polls until all is written and a page is empty."""
    assert callable(over)
    came: list[str] = []
    cursor, polls = "", 0
    while polls < 2_000:
        ended = over()  # asked before the page: what is written then is on it
        said = reader.page(thread, cursor, 20)
        rows = said.each("messages")
        came += [row.text("id") for row in rows]
        cursor, polls = said.text("next_cursor"), polls + 1
        if ended and not rows:
            break
        time.sleep(0.005)
    return came, polls, cursor


@pytest.mark.criterion("read-cursor-empty-poll", "read-cursor-complete")
def test_a_poll_at_the_end_moves_nothing(
    bridge: Bridge, observe: Observe, moment: datetime
) -> None:
    seen = Told(observe)
    ann = bridge.agent("suite-ann")
    thread = ann.opened()
    for number in range(3):
        ann.posted(thread, f"message {number}")
    cursor = ann.page(thread).text("next_cursor")
    for number in range(5):
        said = ann.page(thread, cursor)
        moved = bool(said.each("messages")) or said.text("next_cursor") != cursor
        seen("cursor_moved_over_nothing", moved, poll=str(number), at=moment)
    late = ann.posted(thread, "after the polls").text("id")
    came = [row.text("id") for row in ann.page(thread, cursor).each("messages")]
    assert came == [late], "what came after empty polls is not read, or is not all"
    seen.none_bad("an empty page moved the cursor, poll")


@pytest.mark.criterion("read-cursor-invalid", "read-cursor-complete")
def test_a_bad_cursor_is_refused(bridge: Bridge, observe: Observe, moment: datetime) -> None:
    seen = Told(observe)
    ann = bridge.agent("suite-ann")
    thread, other = ann.opened(), ann.opened()
    for place in (thread, other):
        for number in range(3):
            ann.posted(place, f"message {number}")
    good, foreign = (ann.page(place, limit=2).text("next_cursor") for place in (thread, other))
    assert len(ann.page(thread, good).each("messages")) == 1, "a good cursor does not work either"
    middle = len(good) // 2
    altered = good[:middle] + ("A" if good[middle] != "A" else "B") + good[middle + 1 :]
    bad = {"nonsense": "garbage", "another thread": foreign, "altered": altered, "number": "2"}
    for what, cursor in {**bad, "cut": good[:-2], "long": "A" * 3000}.items():
        answer = ann.ask("GET", f"/v1/threads/{thread}/messages", params={"cursor": cursor})
        seen("bad_cursor_taken", bool(slips(answer, "INVALID_ARGUMENT")), what=what, at=moment)
    seen.none_bad("a cursor was taken that must be refused")
