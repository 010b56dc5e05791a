"""A reference target of one's own: its clock, its operator, its console, its identity."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from pytest_rollout import Faults, ReferenceTarget, RolloutError, fault
from pytest_rollout.targets.reference import (
    IDENTITY_HEADER,
    SETTING_VARIABLE,
    AsgiApp,
    Fault,
    Receive,
    Scope,
    Send,
    Setting,
)
from pytest_rollout.targets.reference_clock import ReferenceClock

NOON = datetime(2025, 11, 10, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Taste:
    """A part of the target."""

    sour: bool = False


FAULTS = Faults([fault("sour", Taste, "It tastes sour.", sour=True)])


async def plain(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that answers its path."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope["path"].encode()})


def ask(app: AsgiApp, method: str, path: str, **options: Any) -> httpx.Response:
    async def within() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://target") as client:
            return await client.request(method, path, **options)

    return asyncio.run(within())


def target_with(monkeypatch: pytest.MonkeyPatch, folder: Path, name: str = "") -> ReferenceTarget:
    setting = Setting(folder / "data", NOON, Fault(name) if name else None)
    for variable, value in setting.to_environ().items():
        monkeypatch.setenv(variable, value)
    return ReferenceTarget("kitchen", FAULTS)


@pytest.fixture
def target(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ReferenceTarget:
    return target_with(monkeypatch, tmp_path)


def test_every_answer_says_that_it_is_a_reference_target(target: ReferenceTarget) -> None:
    app = target.serve(plain)
    answers = [ask(app, "GET", path) for path in ("/tea", "/reference/clock")]
    assert [one.headers[IDENTITY_HEADER] for one in answers] == ["kitchen"] * 2
    assert answers[0].text == "/tea"


def test_it_has_a_folder_and_the_part_that_the_fault_changes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert target_with(monkeypatch, tmp_path).part(Taste) == Taste()
    ill = target_with(monkeypatch, tmp_path, "sour")
    assert ill.part(Taste) == Taste(sour=True)
    assert ill.folder.is_dir()
    with pytest.raises(ValueError, match="'sweet' is not a fault"):
        target_with(monkeypatch, tmp_path, "sweet")


def test_its_clock_moves_only_when_it_is_told_to(target: ReferenceTarget) -> None:
    app = target.serve(plain)

    def moved(**body: Any) -> Any:
        return ask(app, "POST", "/reference/clock", json=body).json()["now"]

    assert ask(app, "GET", "/reference/clock").json() == {"now": "2025-11-10T12:00:00+00:00"}
    assert moved(advance_s=90) == "2025-11-10T12:01:30+00:00"
    assert moved(advance_s=0.5) == "2025-11-10T12:01:30.500000+00:00"
    assert moved(to="2025-11-10T08:00:00-05:00") == "2025-11-10T13:00:00+00:00"


@pytest.mark.parametrize(
    "body",
    [
        b'{"advance_s": -1}',
        b'{"advance_s": true}',
        b'{"advance_s": NaN}',
        b'{"advance_s": Infinity}',
        b'{"advance_s": 1e300}',
        b'{"advance_s": 1, "to": "2025-11-10T13:00:00+00:00"}',
        b'{"to": "2025-11-10T11:59:00+00:00"}',
        b'{"to": "2025-11-10T13:00:00"}',
        b'{"to": "noon"}',
        b"{}",
        b"[]",
        b"x",
    ],
)
def test_a_move_that_is_none_is_refused(target: ReferenceTarget, body: bytes) -> None:
    answer = ask(target.serve(plain), "POST", "/reference/clock", content=body)
    assert answer.status_code == 400
    assert answer.json()["detail"]
    assert target.clock.now() == NOON


def test_a_step_of_the_operator_answers_what_was_done_and_what_came_of_it(
    target: ReferenceTarget,
) -> None:
    @target.step("brew")
    async def brew(arguments: Mapping[str, Any]) -> dict[str, Any]:
        target.clock.advance(60)
        target.operator.note("change", "tea brewed")
        answer = await target.operator.ask("GET", f"/{arguments['cup']}")
        return {"said": answer.text}

    target.operator.learn("rest", lambda arguments: None)
    app = target.serve(plain)
    done = ask(app, "POST", "/reference/operator/brew", json={"cup": "blue"}).json()
    change = {"at": "2025-11-10T12:01:00+00:00", "kind": "change", "what": "tea brewed"}
    assert done == {"actions": [change], "result": {"said": "/blue"}}
    rest = ask(app, "POST", "/reference/operator/rest", json={}).json()
    assert rest == {"actions": [], "result": {}}


def test_a_step_that_cannot_be_done_says_why(target: ReferenceTarget) -> None:
    def refuse(arguments: Mapping[str, Any]) -> None:
        raise ValueError("brew takes a cup")

    def miss(arguments: Mapping[str, Any]) -> None:
        raise RolloutError("kettle is not installed")

    target.operator.learn("brew", refuse)
    target.operator.learn("boil", miss)
    app = target.serve(plain)
    said = [
        (answer.status_code, answer.json()["detail"])
        for answer in (
            ask(app, "POST", f"/reference/operator/{step}", json={})
            for step in ("brew", "boil", "dance")
        )
    ]
    assert said == [
        (400, "brew takes a cup"),
        (501, "kettle is not installed"),
        (404, "the operator knows no step dance"),
    ]
    assert ask(app, "GET", "/reference/operator/brew").status_code == 405
    assert ask(app, "DELETE", "/reference/clock").status_code == 405


def test_started_by_hand_its_clock_runs_with_the_wall(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(SETTING_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    app = ReferenceTarget("kitchen").serve(plain)
    said = ask(app, "GET", "/reference/clock").json()["now"]
    assert abs(datetime.fromisoformat(said) - datetime.now(UTC)) < timedelta(seconds=5)
    refused = ask(app, "POST", "/reference/clock", json={"advance_s": 5})
    assert (refused.status_code, refused.json()) == (
        400,
        {"detail": "this clock runs with the wall"},
    )


def test_what_is_due_is_done_in_order_when_the_clock_comes_to_it() -> None:
    seen: list[tuple[str, datetime]] = []
    clock = ReferenceClock(NOON, passing=lambda moment: seen.append(("work", moment)))
    for minutes in (5, 2):
        due = NOON + timedelta(minutes=minutes)
        clock.at(due, lambda: seen.append(("due", clock.now())))
    clock.advance(180)
    at = [NOON + timedelta(minutes=minutes) for minutes in (2, 2, 3)]
    assert seen == list(zip(("work", "due", "work"), at, strict=True))
    clock.to(NOON + timedelta(minutes=5))
    assert seen[-2:] == [("due", NOON + timedelta(minutes=5)), ("work", clock.now())]


def test_a_clock_never_goes_back() -> None:
    clock = ReferenceClock(NOON)
    assert clock.to(NOON - timedelta(minutes=1)) == NOON
