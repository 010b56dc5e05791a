"""What is in messages stays in them, and they are shown to whom they are for."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import pytest

from pytest_rollout import Observe, reported
from suites.bridge.checks.told import Told
from suites.bridge.views.corpus import strange_texts
from suites.bridge.views.errors import code, slips
from suites.bridge.views.service import Bridge

pytestmark = [pytest.mark.bridge_messages, pytest.mark.bridge_phase1, pytest.mark.effect("change")]


@pytest.mark.criterion("no-content-filtering", "message-post-persisted")
def test_texts_are_kept_as_they_are(bridge: Bridge, observe: Observe, moment: datetime) -> None:
    seen = Told(observe)
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
        altered = row is None or (row.text("text"), row["extra"].get("extra_field")) != (
            text,
            {"kept": text[:50]},
        )
        seen("body_altered", altered, n=str(place), at=moment)
    seen.none_bad("texts were altered, of messages number")


@pytest.mark.criterion("schema-version-on-payload")
def test_each_payload_has_its_version(bridge: Bridge, observe: Observe, moment: datetime) -> None:
    ann = bridge.agent("suite-ann")
    thread = ann.opened()
    fields: dict[str, dict[str, Any]] = {
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
    release = reported(bridge.client.get("/version"))
    told = (release.text("api"), list(release["schema_versions"]))
    assert told == ("v1", [1, 2]), f"/version says {told}"
    assert re.fullmatch(r"v\d+\.\d+\.\d+", release.text("version")), f"it is {release['version']}"


@pytest.mark.criterion("schema-version-unsupported", "schema-version-on-payload")
def test_an_unknown_version_is_refused(bridge: Bridge, observe: Observe, moment: datetime) -> None:
    seen = Told(observe)
    ann = bridge.agent("suite-ann")
    thread = ann.opened()
    for version in (999, 0, -1, 3, "1", 1.5, True, [1]):
        answer = ann.send(thread, "of the future", schema_version=version)
        taken = bool(slips(answer, "INVALID_ARGUMENT")) or bool(ann.read(thread))
        seen("unknown_version_taken", taken, version=repr(version), at=moment)
    assert ann.send(thread, "of today", schema_version=2).status_code == 201
    seen.none_bad("versions were taken that are not supported")


# To whom they are shown


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
        assert sorted(message["recipients"]) == sorted(to), (
            f"a message to {to} went to {message['recipients']}"
        )
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
