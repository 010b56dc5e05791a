"""Messages: kept as posted, read by cursors without loss, and shown to whom they are for."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import pairwise

import pytest

from pytest_rollout import Observe, Reported, reported
from suites.bridge.views.corpus import strange_texts
from suites.bridge.views.errors import code, slips
from suites.bridge.views.service import Agent, Bridge

pytestmark = [pytest.mark.bridge_phase1, pytest.mark.effect("change")]

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
    for number, (text, said) in enumerate(posted, 1):
        rows = [
            [row for row in reader.read(thread) if row.get("id") == said.text("id")]
            for reader in (ann, bob)
        ]
        kept = all(
            len(found) == 1
            and found[0].text("text") == text
            and found[0].text("from") == "suite-ann"
            and found[0].whole("seq") == said.whole("seq") == number
            for found in rows
        )
        observe("message_not_as_posted", int(not kept), number=str(number), at=moment)


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
        to = {"to": [names[1 - number % 2]]} if hidden else {}
        message = sender.posted(thread, f"message {number}", **to).text("id")
        if not hidden:
            mine.append(message)
    return reader, thread, mine


def paged(reader: Agent, thread: str, sizes: list[int]) -> list[Reported]:
    """All messages that a reader gets with pages of these sizes, in turns."""
    rows: list[Reported] = []
    cursor = ""
    for turn in range(3 * MESSAGES):
        said = reader.page(thread, cursor, sizes[turn % len(sizes)])
        rows += said.each("messages")
        cursor = said.text("next_cursor")
        if not said.each("messages"):
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
    return came, polls, cursor


@pytest.mark.criterion("read-cursor-empty-poll")
def test_a_poll_at_the_end_moves_nothing(
    bridge: Bridge, observe: Observe, moment: datetime
) -> None:
    ann = bridge.agent("suite-ann")
    thread = ann.opened()
    for number in range(3):
        ann.posted(thread, f"message {number}")
    cursor = ann.page(thread).text("next_cursor")
    for number in range(5):
        said = ann.page(thread, cursor)
        moved = bool(said.each("messages")) or said.text("next_cursor") != cursor
        observe("cursor_moved_over_nothing", int(moved), poll=str(number), at=moment)
    late = ann.posted(thread, "after the polls").text("id")
    came = [row.text("id") for row in ann.page(thread, cursor).each("messages")]
    assert came == [late], "what came after empty polls is not read, or is not all"


@pytest.mark.criterion("read-cursor-invalid")
def test_a_bad_cursor_is_refused(bridge: Bridge, observe: Observe, moment: datetime) -> None:
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
        observe(
            "bad_cursor_taken", int(bool(slips(answer, "INVALID_ARGUMENT"))), what=what, at=moment
        )


# What is in them


@pytest.mark.criterion("no-content-filtering")
def test_texts_are_kept_as_they_are(bridge: Bridge, observe: Observe, moment: datetime) -> None:
    ann, bob = bridge.agent("suite-filter"), bridge.agent("suite-bob")
    thread = ann.opened("anything", ["suite-bob"])
    sent = strange_texts(100, seed=2)
    posted = {}
    for place, text in enumerate(sent):
        answer = ann.send(thread, text, extra_field={"kept": text[:50]})
        assert answer.status_code == 201, f"{text[:40]!r} is answered {answer.status_code}"
        posted[reported(answer).text("id")] = (place, text)
    rows = {row.text("id"): row for row in bob.read(thread)}
    for message, (place, text) in posted.items():
        row = rows.get(message)
        altered = row is None or row.text("text") != text
        altered = altered or row["extra"].get("extra_field") != {"kept": text[:50]}
        observe("body_altered", int(altered), n=str(place), at=moment)


@pytest.mark.criterion("schema-version-on-payload")
def test_each_payload_has_its_version(bridge: Bridge, observe: Observe, moment: datetime) -> None:
    ann = bridge.agent("suite-ann")
    thread = ann.opened()
    fields: dict[str, dict[str, object]] = {
        "left out": {},
        "one": {"schema_version": 1},
        "two": {"schema_version": 2},
        "two with kind": {"schema_version": 2, "kind": "progress"},
    }
    posted = {what: ann.posted(thread, what, **more) for what, more in fields.items()}
    read = {row.text("text"): row for row in ann.read(thread)}
    for what, more in fields.items():
        wanted = more.get("schema_version", 1)
        for place, said in (("posted", posted[what]), ("read", read[what])):
            wrong = said.get("schema_version") != wanted
            observe("payload_without_version", int(wrong), what=what, place=place, at=moment)
    wrong = ann.thread(thread).get("schema_version") not in (1, 2)
    observe("payload_without_version", int(wrong), what="thread", place="read", at=moment)


@pytest.mark.criterion("schema-version-unsupported")
def test_an_unknown_version_is_refused(bridge: Bridge, observe: Observe, moment: datetime) -> None:
    ann = bridge.agent("suite-ann")
    thread = ann.opened()
    for version in (999, 0, -1, 3, "1", 1.5, True, [1]):
        answer = ann.send(thread, "of the future", schema_version=version)
        taken = bool(slips(answer, "INVALID_ARGUMENT")) or bool(ann.read(thread))
        observe("unknown_version_taken", int(taken), version=repr(version), at=moment)
    assert ann.send(thread, "of today", schema_version=2).status_code == 201


# To whom


@pytest.mark.criterion("multi-agent-thread")
def test_all_read_the_same_history(bridge: Bridge, observe: Observe, moment: datetime) -> None:
    names = [f"suite-talk-{number}" for number in range(4)]
    talkers = [bridge.agent(name) for name in names]
    thread = talkers[0].opened("a talk", names[1:3])
    spoken = []
    for number in range(12):
        talker = talkers[number % 3]
        spoken.append(talker.posted(thread, f"{talker.name} says {number}").text("id"))
    talkers[0].add(thread, names[3])
    spoken.append(talkers[3].posted(thread, "I came last").text("id"))
    for talker in talkers:
        for limit in (3, 200):
            came = [row.text("id") for row in talker.read(thread, limit)]
            differs = int(came != spoken)
            observe("history_differs", differs, agent=talker.name, limit=str(limit), at=moment)


@pytest.mark.criterion("directed-delivery")
def test_a_directed_message_is_for_its_addressees(
    bridge: Bridge, observe: Observe, moment: datetime
) -> None:
    names = [f"suite-dir-{number}" for number in range(5)]
    agents = {name: bridge.agent(name) for name in names}
    sender, thread = agents[names[0]], agents[names[0]].opened("for some", names[1:])
    for number, to in enumerate(([names[1]], [names[2], names[3]], [names[4]])):
        word = f"only-for-{number}"
        message = sender.posted(thread, word, to=to)
        assert sorted(message["recipients"]) == sorted(to)
        woken = [
            row.text("recipient")
            for row in bridge.operator.triggers(thread)
            if row.text("message_id") == message.text("id")
        ]
        for name in names[1:]:
            seen = (
                agents[name]
                .ask("GET", f"/v1/threads/{thread}/messages", params={"limit": "200"})
                .text
            )
            seen += agents[name].ask("GET", f"/v1/threads/{thread}").text
            seen += agents[name].ask("GET", f"/v1/threads/{thread}/audit").text
            wrong = (word in seen) != (name in to) or woken.count(name) != int(name in to)
            observe("directed_leaked", int(wrong), to=word, member=name, at=moment)
        assert names[0] not in woken, "the sender is woken by its own message"


@pytest.mark.criterion("broadcast-delivery")
def test_a_broadcast_reaches_each_other_member_once(
    bridge: Bridge, observe: Observe, moment: datetime
) -> None:
    names = [f"suite-cast-{number}" for number in range(6)]
    agents = [bridge.agent(name) for name in names]
    thread = agents[0].opened("for all", names[1:5])
    agents[0].add(thread, names[5])
    for sender in (agents[0], agents[3]):
        message = sender.posted(thread, f"to all, from {sender.name}")
        woken = [
            row.text("recipient")
            for row in bridge.operator.triggers(thread)
            if row.text("message_id") == message.text("id")
        ]
        for agent in agents:
            read = [row.text("id") for row in agent.read(thread)].count(message.text("id"))
            reached = list(message["recipients"]).count(agent.name)
            due = int(agent is not sender)
            wrong = read != 1 or (reached, woken.count(agent.name)) != (due, due)
            observe("broadcast_off", int(wrong), sender=sender.name, member=agent.name, at=moment)
    assert code(agents[0].send(thread, "to nobody", to=["suite-nobody"])) == "INVALID_ARGUMENT"
