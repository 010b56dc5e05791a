"""What the flags do: defaults, spellings, the switch, the list and the percentage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import pytest

from pytest_rollout import Observe, Reported, Stage
from suites.eros.scenarios.flag_trials import Flip, texts
from suites.eros.views.router_program import route
from suites.eros.views.routing import ADOPTERS, Flags, bucket, listed
from suites.eros.views.service import Service, unrefused

pytestmark = pytest.mark.flags

ON = {"ENABLED": "true"}
STRANGERS = ("", "alex", "Alexia", "alexia_b", "luna", "nobody")  # of whom no list holds one
SHARES = (25, 50, 75)


@pytest.fixture(scope="session")
def unset(phase: Stage, service: Service) -> list[Reported]:
    """What the program decides for the roster when no variable is set."""
    return route(phase, service.names, {})


def typed(decision: Reported) -> Mapping[str, object]:
    """The flags that a decision saw."""
    return decision.inner("flags")


@pytest.mark.criterion("router-answers")
def test_the_router_decides_for_the_whole_roster(
    phase: Stage, service: Service, unset: list[Reported]
) -> None:
    names = service.names
    assert len(names) == 37, f"the roster holds {len(names)} creators, not 37"
    assert [decision.text("creator") for decision in unset] == names
    _, decided = service.decide(names, {})
    assert [decision.text("creator") for decision in decided] == names
    flags = texts({**ON, "PERCENTAGE": "50", "CREATORS": "alexia", "SHADOW_MODE": "maybe"})
    for typed_in in (False, True):
        for said in route(phase, ["alexia", *names[:5]], flags, typed_in=typed_in):
            due = service.post("/decide", {"creator": said["creator"], "flags": flags})
            assert said == due, f"the program says {dict(said)}, the service {dict(due)}"
    for odd in (
        {},
        {"creators": "alexia"},
        {"creators": [1]},
        {"creator": 1},
        {"creator": "alexia", "flags": "on"},
        {"creator": "alexia", "flags": {"EROS_V5_ENABLED": True}},
    ):
        wrong = unrefused(service.client.post("/decide", json=odd), 400)
        assert not wrong, f"{odd} names nobody to decide about, and was {wrong}"


# Defaults: of the program without a variable, and of the service with an empty environment


@pytest.mark.criterion("default-enabled-off")
def test_v5_is_off(service: Service, unset: list[Reported]) -> None:
    _, decided = service.decide(service.names, {})
    for decision in (*unset, *decided):
        assert (decision.text("target"), decision.flag("shadow")) == ("v4", False)
        assert decision.text("reason") == "kill_switch"
    assert typed(unset[0])["EROS_V5_ENABLED"] is False
    for others in ({"PERCENTAGE": "100"}, {"CREATORS": "alexia"}, {"SHADOW_MODE": "true"}):
        _, decided = service.decide(service.names, texts(others))
        assert {decision.text("target") for decision in decided} == {"v4"}, others


@pytest.mark.criterion("default-shadow-off")
def test_shadow_mode_is_off(phase: Stage, service: Service, unset: list[Reported]) -> None:
    assert typed(unset[0])["EROS_V5_SHADOW_MODE"] is False
    _, decided = service.decide(["alexia"], texts({**ON, "CREATORS": "alexia"}))
    by_program = route(phase, ["alexia"], texts({**ON, "CREATORS": "alexia"}))
    for decision in (*decided, *by_program):
        assert (decision.text("target"), decision.flag("shadow")) == ("v5", False)


@pytest.mark.criterion("default-percentage-zero")
def test_the_percentage_is_zero(phase: Stage, service: Service, unset: list[Reported]) -> None:
    assert typed(unset[0])["EROS_V5_PERCENTAGE"] == 0
    _, decided = service.decide(service.names, texts(ON))
    for decision in (*decided, *route(phase, service.names, texts(ON))):
        assert decision.text("target") == "v4", f"{decision['creator']} is given to v5"


@pytest.mark.criterion("default-allowlist-empty")
def test_the_list_is_empty(phase: Stage, service: Service, unset: list[Reported]) -> None:
    assert typed(unset[0])["EROS_V5_CREATORS"] == []
    for flags in (ON, {**ON, "CREATORS": ""}):
        answer, decided = service.decide([*service.names, ""], texts(flags))
        assert answer.inner("flags")["EROS_V5_CREATORS"] == []
        chosen = [choice.text("creator") for choice in decided if choice.text("target") == "v5"]
        assert chosen == [], f"an empty list holds {chosen}"
        by_program = route(phase, service.names, texts(flags))
        assert {decision.text("target") for decision in by_program} == {"v4"}


@pytest.mark.criterion("default-fallback-on")
def test_the_fallback_is_on(service: Service, unset: list[Reported]) -> None:
    answer, _ = service.decide(["alexia"], {})
    assert answer.inner("flags")["EROS_V5_AUTO_FALLBACK"] is True
    assert typed(unset[0])["EROS_V5_AUTO_FALLBACK"] is True


# The switch and the shadow, which win over list and percentage

PERCENTAGES = ("0", "1", "25", "50", "100")
LISTS = ("", "alexia", ",".join(ADOPTERS))


@pytest.mark.criterion("kill-switch-wins")
def test_nobody_reaches_v5_while_it_is_off(
    service: Service, observe: Observe, moment: datetime
) -> None:
    names, reached = service.names, 0
    for off in (None, "false", "0", "FALSE"):
        for percent in PERCENTAGES:
            for creators in LISTS:
                for shadow in ("true", "false"):
                    rest = {"PERCENTAGE": percent, "CREATORS": creators, "SHADOW_MODE": shadow}
                    flags = texts({**rest, **({"ENABLED": off} if off else {})})
                    away = [
                        choice.text("creator")
                        for choice in service.decide(names, flags)[1]
                        if choice.text("target") != "v4" or choice.flag("shadow")
                    ]
                    observe("v5_while_off", len(away), switch=off or "unset", **rest, at=moment)
                    if off is None and shadow == "false":
                        reached += _reached(service, names, {**flags, **texts(ON)})
    assert reached, "with the switch on nobody reaches v5 either, so the switch shows nothing"


def _reached(service: Service, names: Sequence[str], flags: Mapping[str, str]) -> int:
    return sum(choice.text("target") == "v5" for choice in service.decide(names, flags)[1])


@pytest.mark.criterion("kill-switch-instant")
def test_the_next_decision_is_for_v4(
    flips: tuple[Flip, ...], observe: Observe, moment: datetime
) -> None:
    for flip in flips:
        assert set(flip.before) == {"v5"}, f"before the switch goes off: {flip.before}"
        for target in flip.after:
            observe("v5_after_off", target != "v4", at=moment)


@pytest.mark.criterion("shadow-beats-allowlist")
def test_shadow_mode_delivers_v4(service: Service, observe: Observe, moment: datetime) -> None:
    names = service.names
    for percent in PERCENTAGES:
        for creators in LISTS:
            flags = {**ON, "SHADOW_MODE": "true", "PERCENTAGE": percent, "CREATORS": creators}
            _, decided = service.decide(names, texts(flags))
            for choice in decided:
                right = (choice.text("target"), choice.text("reason")) == ("v4", "shadow")
                observe("v5_in_shadow", not right, creator=choice.text("creator"), at=moment)
                assert choice.flag("shadow"), f"v5 does not run along for {choice['creator']}"


# How texts are read


@pytest.mark.criterion("percentage-bounds")
def test_an_odd_percentage_counts_as_zero(
    service: Service, observe: Observe, moment: datetime
) -> None:
    for odd in ("-1", "101", "25.5", "", "abc", "1e2", "50%", "0x20", "1000"):
        answer, decided = service.decide(service.names, texts({**ON, "PERCENTAGE": odd}))
        taken = [choice.text("creator") for choice in decided if choice.text("target") == "v5"]
        warned = any("EROS_V5_PERCENTAGE" in str(text) for text in answer["warnings"])
        observe("bad_percentage_taken", bool(taken) or not warned, value=odd or "empty", at=moment)
    answer, decided = service.decide(service.names, texts({**ON, "PERCENTAGE": " 50 "}))
    assert not answer["warnings"], "a good percentage is warned of"
    assert _chosen(decided) == _expected(service, {"PERCENTAGE": "50"})


def _chosen(decided: Sequence[Reported]) -> set[str]:
    return {choice.text("creator") for choice in decided if choice.text("target") == "v5"}


def _expected(service: Service, flags: Mapping[str, str], more: Sequence[str] = ()) -> set[str]:
    """Who must get v5 by the rules, whatever the router says."""
    rules = Flags.of(texts({**ON, **flags}))
    return {name for name in (*service.names, *more) if rules.decide(name)[0] == "v5"}


@pytest.mark.criterion("percentage-0-none-100-all")
def test_both_ends_of_the_percentage(
    phase: Stage, service: Service, observe: Observe, moment: datetime
) -> None:
    zero = next(name for name in map(str, range(10_000)) if bucket(name) == 0)
    last = next(name for name in map(str, range(10_000)) if bucket(name) == 99)
    for percent, target in (("0", "v4"), ("100", "v5")):
        flags = texts({**ON, "PERCENTAGE": percent})
        names = [*service.names, zero, last]
        for choice in (*service.decide(names, flags)[1], *route(phase, names, flags)):
            wrong = choice.text("target") != target
            observe(
                "wrong_at_an_end",
                wrong,
                creator=choice.text("creator"),
                percentage=percent,
                at=moment,
            )


@pytest.mark.criterion("allowlist-parsing")
def test_lists_that_people_type(service: Service, observe: Observe, moment: datetime) -> None:
    for text in (
        " alexia , luna_free ", "alexia,,luna_free,", "alexia,alexia", ",", " ",
        "alex", "Alexia", "ALEXIA", "alexia luna_free", "alexia;luna_free", "grace", "*",
    ):  # fmt: skip
        names = [*service.names, *STRANGERS]
        answer, decided = service.decide(names, texts({**ON, "CREATORS": text}))
        assert set(answer.inner("flags")["EROS_V5_CREATORS"]) == listed(text)
        expected = _expected(service, {"CREATORS": text}, STRANGERS)
        for choice in decided:
            name = choice.text("creator")
            wrong = (choice.text("target") == "v5") != (name in expected)
            observe("list_misread", wrong, creator=name or "empty", list=text, at=moment)


@pytest.mark.criterion("allowlist-union-percentage")
def test_the_list_adds_to_the_percentage(
    service: Service, observe: Observe, moment: datetime
) -> None:
    grown = 0
    for percent in ("0", "10", "25", "50", "75", "99"):
        for creators in LISTS:
            flags = {"PERCENTAGE": percent, "CREATORS": creators}
            _, decided = service.decide(service.names, texts({**ON, **flags}))
            expected = _expected(service, flags)
            grown += len(expected - _expected(service, {"PERCENTAGE": percent}))
            for choice in decided:
                name = choice.text("creator")
                observe(
                    "union_wrong", (choice.text("target") == "v5") != (name in expected), at=moment
                )
    assert grown, "nobody is listed beyond the percentage, so the union shows nothing"


@pytest.mark.criterion("bool-parsing")
def test_spellings_of_true(service: Service, observe: Observe, moment: datetime) -> None:
    for text in ("true", "True", "TRUE", "1", " true "):
        _observe_spelling(service, observe, moment, text, on=True)
    for text in ("false", "False", "0", "", " ", "yes", "on", "junk", "truely", "2", "t", "none"):
        _observe_spelling(service, observe, moment, text, on=False)


def _observe_spelling(
    service: Service, observe: Observe, moment: datetime, text: str, *, on: bool
) -> None:
    """One spelling of the switch, of shadow mode and of the fallback."""
    switch = texts({"ENABLED": text, "CREATORS": "alexia"})
    shadow = texts({**ON, "SHADOW_MODE": text, "CREATORS": "alexia"})
    (by_switch,) = service.decide(["alexia"], switch)[1]
    (by_shadow,) = service.decide(["alexia"], shadow)[1]
    answer, _ = service.decide(["alexia"], texts({"AUTO_FALLBACK": text}))
    said = {
        "EROS_V5_ENABLED": by_switch.text("target") == "v5",
        "EROS_V5_SHADOW_MODE": by_shadow.flag("shadow"),
        "EROS_V5_AUTO_FALLBACK": answer.inner("flags").flag("EROS_V5_AUTO_FALLBACK"),
    }
    for name, is_on in said.items():
        observe("spelling_misread", is_on is not on, flag=name, text=text or "empty", at=moment)
    known = text.strip().lower() in ("true", "1", "false", "0")
    assert bool(answer["warnings"]) is not known, f"{text!r} is warned of: {not known} is due"


# The hash


@pytest.mark.criterion("hash-sticky")
def test_a_bucket_stays(phase: Stage, service: Service, observe: Observe, moment: datetime) -> None:
    names = service.names
    flags = texts({**ON, "PERCENTAGE": "50"})
    seen = [service.decide(names, flags)[1], service.decide(reversed(names), flags)[1]]
    for seed in ("0", "1", "4711"):
        seen.append(tuple(route(phase, names, {**flags, "PYTHONHASHSEED": seed})))
    for name in names:
        mine = [choice for answer in seen for choice in answer if choice.text("creator") == name]
        places = {(choice.whole("bucket"), choice.text("target")) for choice in mine}
        due = (bucket(name), "v5" if bucket(name) < 50 else "v4")
        observe("bucket_moved", places != {due} or len(mine) != len(seen), creator=name, at=moment)


@pytest.mark.criterion("hash-monotonic")
def test_nobody_is_dropped_on_an_increase(
    service: Service, observe: Observe, moment: datetime
) -> None:
    names = service.names
    before: set[str] = set()
    dropped: set[str] = set()
    for percent in range(101):
        _, decided = service.decide(names, texts({**ON, "PERCENTAGE": str(percent)}))
        chosen = _chosen(decided)
        dropped |= before - chosen
        before = chosen
    assert before == set(names), f"at 100 % {sorted(set(names) - before)} are left out"
    for name in names:
        observe("dropped_on_increase", name in dropped, creator=name, at=moment)


@pytest.mark.criterion("hash-share")
def test_shares_of_many_names(service: Service, observe: Observe, moment: datetime) -> None:
    names = [f"synthetic-{number:05d}" for number in range(10_000)]
    for percent in SHARES:
        _, decided = service.decide(names, texts({**ON, "PERCENTAGE": str(percent)}))
        assert len(decided) == len(names)
        share = len(_chosen(decided)) / len(names)
        observe("share_error", abs(share - percent / 100), percentage=str(percent), at=moment)
