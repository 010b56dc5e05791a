"""Who is refused: strangers, forgers, the late, those of another workspace; and what they learn."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import datetime

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from pytest_rollout import Observe, Stage, reported
from suites.bridge.views.errors import slips
from suites.bridge.views.operations import operations
from suites.bridge.views.service import SECRET_WORD, Bridge, private
from suites.bridge.views.tools import Call, said, spoken

pytestmark = [pytest.mark.bridge_security, pytest.mark.bridge_phase1, pytest.mark.effect("change")]


# No token


@pytest.mark.criterion("unauthorized-no-token")
def test_without_a_token_nothing_is_served(
    bridge: Bridge, observe: Observe, moment: datetime
) -> None:
    ann, thread = private(bridge)
    before = [dict(row) for row in bridge.operator.audit(thread)]
    for operation in operations(bridge):
        nobody = bridge.with_token("")
        wrong = slips(operation.ask(nobody, thread), "UNAUTHENTICATED", hidden=(SECRET_WORD,))
        observe("stranger_served", int(bool(wrong)), operation=operation.name, at=moment)
        assert not wrong, wrong
    for header in ("Bearer", "Basic YTpi", "bearer null", "Token x", ann.token):
        answer = bridge.client.get(f"/v1/threads/{thread}", headers={"Authorization": header})
        assert not slips(answer, "UNAUTHENTICATED"), f"{header[:12]!r} is served"
    assert ann.ask("GET", f"/v1/threads/{thread}").status_code == 200, "with a token neither"
    assert [dict(row) for row in bridge.operator.audit(thread)] == before


@pytest.mark.criterion("unauthorized-non-member")
def test_a_stranger_cannot_tell_that_a_thread_exists(
    bridge: Bridge, observe: Observe, moment: datetime
) -> None:
    ann, thread = private(bridge)
    eve = bridge.agent("suite-eve")
    nowhere = "no-such-thread"
    for operation in operations(bridge):
        if "/threads/{" not in operation.path or operation.streams:
            continue
        real, made_up = operation.ask(eve, thread), operation.ask(eve, nowhere)
        wrong = slips(real, "NOT_FOUND", "PERMISSION_DENIED", hidden=(SECRET_WORD,))
        told = real.text.replace(thread, "ID") != made_up.text.replace(nowhere, "ID")
        wrong += [f"{operation.name} tells them apart"] if told else []
        wrong += [] if real.status_code == made_up.status_code else [f"{operation.name}: status"]
        observe("non_member_served", int(bool(wrong)), operation=operation.name, at=moment)
        assert not wrong, wrong
    mine = [row.text("id") for row in eve.all("/v1/threads", "threads")]
    assert thread not in mine, "the list of threads shows it to a stranger"
    assert len(ann.read(thread)) == 1, "a stranger posted"


# Claims, times, signatures


def altered_claims(bridge: Bridge) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Tokens of the issuer with one claim that does not fit: what, the token, the codes due."""
    token = bridge.token
    yield "subject", token("suite-ann", sub="agent:suite-bob"), ("UNAUTHENTICATED",)
    yield "agent", token("suite-ann", claims={"agent": "suite-bob"}), ("UNAUTHENTICATED",)
    yield "workspace", token("suite-ann", workspace="elsewhere"), ("PERMISSION_DENIED",)
    yield "issuer", token("suite-ann", claims={"iss": "another"}), ("UNAUTHENTICATED",)
    yield "role", token("suite-ann", role="king"), ("UNAUTHENTICATED",)
    for claim, value in (("exp", "soon"), ("exp", True), ("agent", 7), ("role", ["operator"])):
        yield f"{claim} {value}", token("suite-ann", claims={claim: value}), ("UNAUTHENTICATED",)
    for claim in ("sub", "agent", "workspace", "role", "exp", "iat", "iss"):
        yield f"no {claim}", token("suite-ann", drop=[claim]), ("UNAUTHENTICATED",)


@pytest.mark.criterion("token-claim-mismatch")
def test_claims_must_fit(phase: Stage, bridge: Bridge, observe: Observe, moment: datetime) -> None:
    ann, thread = private(bridge)
    assert bridge.with_token(bridge.token("suite-ann")).send(thread, "fits").status_code == 201
    name, made = "token_validation_failures_total", 0
    known = bridge.metric(name, reason="claims")
    for what, token, due in altered_claims(bridge):
        forged = bridge.with_token(token)
        wrong = slips(forged.send(thread, "does not fit"), *due, hidden=(token, SECRET_WORD))
        wrong += slips(forged.ask("GET", f"/v1/threads/{thread}"), *due, hidden=(SECRET_WORD,))
        observe("wrong_claim_taken", int(bool(wrong)), claim=what, at=moment)
        assert not wrong, (what, wrong)
        made += 2 if due == ("UNAUTHENTICATED",) else 0
    risen = bridge.metric(name, reason="claims") - known
    right = risen == made if phase.embedded else risen >= made
    assert right, f"{made} tokens were refused for their claims, and /metrics counts {risen:g}"
    as_bob = ann.send(thread, "in the name of another", **{"from": "suite-bob"})
    wrong = slips(as_bob, "PERMISSION_DENIED")
    observe("wrong_claim_taken", int(bool(wrong)), claim="from", at=moment)
    promoted = bridge.with_token(bridge.token("suite-rita", "coordinator"))
    ann.add(thread, "suite-rita", role="reader")
    wrong += slips(promoted.send(thread, "with another role"), "PERMISSION_DENIED")
    observe("wrong_claim_taken", int(bool(wrong)), claim="role in the thread", at=moment)
    assert not wrong, wrong
    said = [row.text("text") for row in ann.read(thread)]
    assert said == [f"{SECRET_WORD} inside", "fits"], f"a refused message was kept: {said}"


@pytest.mark.criterion("token-expired")
def test_a_token_ends_to_the_second(
    phase: Stage, bridge: Bridge, observe: Observe, moment: datetime
) -> None:
    ann, thread = private(bridge)
    path = f"/v1/threads/{thread}"
    ended = bridge.with_token(bridge.token("suite-ann", ttl_s=-1))
    late = {"a second past": ended.ask("GET", path)}
    if phase.embedded:
        clock = phase.target("bridge").clock
        short = bridge.with_token(bridge.token("suite-ann", ttl_s=30))
        clock.advance(29)
        assert short.ask("GET", path).status_code == 200, "a second before its end it is refused"
        clock.advance(1)
        late["at its end"] = short.ask("GET", path)
        late["posting at its end"] = short.send(thread, "too late")
        clock.advance(1)
        late["after its end"] = short.ask("GET", path)
    else:
        late["an hour past"] = bridge.with_token(bridge.token("suite-ann", ttl_s=-3600)).ask(
            "GET", path
        )
    for what, answer in late.items():
        wrong = slips(answer, "UNAUTHENTICATED", hidden=(SECRET_WORD, ended.token))
        observe("expired_token_taken", int(bool(wrong)), when=what, at=moment)
    assert len(ann.read(thread)) == 1, "a late token posted"


def encoded(value: object) -> str:
    """A part of a token."""
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def forgeries(bridge: Bridge, real: str) -> dict[str, str]:
    """Tokens that the issuer did not sign, by what is wrong with each."""
    head, body, sign = real.split(".")
    known = reported(bridge.client.get("/issuer/keys")).each("keys")
    claims = jwt.decode(real, options={"verify_signature": False})
    kid = jwt.get_unverified_header(real).get("kid")
    mine = Ed25519PrivateKey.generate()
    flipped = ("A" if sign[0] != "A" else "B") + sign[1:]
    promoted = encoded({**claims, "role": "operator"})
    return {
        "broken signature": f"{head}.{body}.{flipped}",
        "no signature": f"{head}.{body}.",
        "altered claims": f"{head}.{promoted}.{sign}",
        "alg none": f"{encoded({'alg': 'none', 'typ': 'JWT', 'kid': kid})}.{body}.",
        "alg None": f"{encoded({'alg': 'None', 'typ': 'JWT'})}.{body}.{sign}",
        "public key as a secret": hmac_signed(claims, str(known[0]["x"]), kid),
        "key of a stranger": jwt.encode(claims, mine, "EdDSA", headers={"kid": kid}),
        "unknown key": jwt.encode(claims, mine, "EdDSA", headers={"kid": "another"}),
        "two parts": f"{head}.{body}",
        "no token": "not-a-token",
    }


def hmac_signed(claims: object, secret: str, kid: object) -> str:
    """A token that is signed with the public key, as if that were a shared secret."""
    text = f"{encoded({'alg': 'HS256', 'typ': 'JWT', 'kid': kid})}.{encoded(claims)}"
    sign = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(sign).decode().rstrip('=')}"


@pytest.mark.criterion("token-bad-signature")
def test_a_forged_token_is_refused(
    phase: Stage, bridge: Bridge, observe: Observe, moment: datetime
) -> None:
    ann, thread = private(bridge)
    forged = forgeries(bridge, ann.token)
    for what, token in forged.items():
        wrong = slips(
            bridge.with_token(token).ask("GET", f"/v1/threads/{thread}"),
            "UNAUTHENTICATED",
            hidden=(SECRET_WORD, token),
        )
        observe("forged_token_taken", int(bool(wrong)), what=what, at=moment)
        assert not wrong, (what, wrong)
    assert ann.ask("GET", f"/v1/threads/{thread}").status_code == 200, "the real one neither"
    logs = [path.read_text("utf-8", errors="replace") for path in phase.file("logs").glob("*")]
    assert logs, "there is no log"
    logged = "".join([*logs, bridge.client.get("/metrics").text])
    kept = [
        what
        for what, token in {**forged, "real": ann.token}.items()
        if len(token) > 40 and token in logged
    ]
    assert not kept, f"the log holds tokens: {kept}"
    assert SECRET_WORD not in logged, "the log holds the text of a message, or a title"


# The other door


def over_tools(bridge: Bridge, thread: str) -> dict[str, tuple[str, str, Call, set[str]]]:
    """Of each criterion: who comes over MCP, with which token, wanting what, and the codes due."""
    read: Call = ("v1_read_messages", {"thread_id": thread})
    post: Call = ("v1_post_message", {"thread_id": thread, "text": "over a tool"})
    elsewhere: Call = ("v1_read_messages", {"thread_id": thread, "workspace": "elsewhere"})
    token, ann = bridge.token, bridge.agent("suite-ann")
    head, body, sign = ann.token.split(".")
    flipped = f"{head}.{body}.{('A' if sign[0] != 'A' else 'B') + sign[1:]}"
    reader = bridge.agent("suite-tools-reader", "reader")
    ann.add(thread, reader.name, role="reader")
    outside = {"UNAUTHENTICATED"}, {"PERMISSION_DENIED"}
    return {
        "unauthorized-no-token": ("nobody", "", read, outside[0]),
        "unauthorized-non-member": ("a stranger", token("suite-eve"), read, {"NOT_FOUND"}),
        "unauthorized-role": ("a reader who posts", reader.token, post, outside[1]),
        "token-expired": ("who is late", token("suite-ann", ttl_s=-1), read, outside[0]),
        "token-claim-mismatch": (
            "another's subject",
            token("suite-ann", sub="agent:suite-bob"),
            read,
            outside[0],
        ),
        "token-bad-signature": ("a forger", flipped, read, outside[0]),
        "cross-workspace-rejected": (
            "somebody of another workspace",
            token("suite-ann", workspace="elsewhere"),
            read,
            outside[1],
        ),
        "single-workspace-domain": (
            "who asks for another workspace",
            ann.token,
            elsewhere,
            outside[1],
        ),
        "malformed-payload": (
            "a post without a text",
            ann.token,
            ("v1_post_message", {"thread_id": thread, "text": 7}),
            {"INVALID_ARGUMENT"},
        ),
    }


@pytest.mark.parametrize(
    "criterion",
    [
        pytest.param(name, marks=pytest.mark.criterion(name))
        for name in (
            *("unauthorized-no-token", "unauthorized-non-member", "unauthorized-role"),
            *("token-expired", "token-claim-mismatch", "token-bad-signature"),
            *("cross-workspace-rejected", "single-workspace-domain", "malformed-payload"),
        )
    ],
)
def test_tools_refuse_whom_addresses_refuse(criterion: str, phase: Stage, bridge: Bridge) -> None:
    ann, thread = private(bridge)
    who, token, call, due = over_tools(bridge, thread)[criterion]
    _, (answer,) = spoken(phase, token, [call])
    status, body = said(answer)
    told = ((body or {}).get("error") or {}).get("code")
    assert told in due, f"over MCP {who} is answered {status} {told or 'with what was asked for'}"
    assert SECRET_WORD not in str(body), f"over MCP {who} is told of the thread"
    assert len(ann.read(thread)) == 1, f"over MCP {who} posted"
