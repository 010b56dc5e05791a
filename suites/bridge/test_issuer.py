"""Keys and roles of tokens: what the issuer publishes is what it signs with."""

from __future__ import annotations

from datetime import timedelta

import jwt
import pytest

from pytest_rollout import Stage, reported
from suites.bridge.views import oracle
from suites.bridge.views.errors import code, slips
from suites.bridge.views.lines import lines
from suites.bridge.views.said import not_done
from suites.bridge.views.service import SECRET_WORD, Bridge, private

pytestmark = [pytest.mark.bridge_security, pytest.mark.bridge_phase1, pytest.mark.effect("change")]

CLAIMS = {"iss", "sub", "agent", "workspace", "role", "iat", "exp"}


def published(bridge: Bridge) -> dict[str, dict[str, str]]:
    """The keys that anybody may check tokens with, by their names."""
    listed = reported(bridge.client.get("/issuer/keys")).each("keys")
    return {key.text("kid"): {name: str(key[name]) for name in key} for key in listed}


@pytest.mark.criterion("token-bad-signature")
def test_the_published_keys_are_those_that_sign(bridge: Bridge) -> None:
    """A library of the standard accepts a token of the issuer by the published key alone."""
    keys = published(bridge)
    token = bridge.token("suite-ann")
    head = jwt.get_unverified_header(token)
    assert head.get("alg") == "EdDSA", f"tokens are signed by {head.get('alg')}"
    key = keys[head["kid"]]
    form = {name: key.get(name) for name in ("kty", "crv", "use", "alg")}
    assert form == {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA"}
    assert set(key) == {"kty", "crv", "use", "alg", "kid", "x"}, f"a key tells {sorted(key)}"
    claims = jwt.decode(
        token,
        jwt.PyJWK(key).key,
        algorithms=["EdDSA"],
        options={"verify_exp": False, "verify_iat": False},
    )
    assert set(claims) == CLAIMS, f"a token claims {sorted(claims)}"
    due = {"iss": "bridge-issuer", "sub": "agent:suite-ann", "agent": "suite-ann"}
    due |= {"workspace": bridge.workspace, "role": "executor"}
    wrong = [name for name, value in due.items() if claims[name] != value]
    assert not wrong, f"a token claims {wrong[0]} {claims[wrong[0]]!r}"


@pytest.mark.criterion("token-expired")
def test_a_token_says_when_it_ends(phase: Stage, bridge: Bridge) -> None:
    now = phase.target("bridge").clock.now()
    for asked, lasts in (({"ttl_s": 90}, 90), ({}, 3600)):
        headers = {"Authorization": f"Bearer {bridge.secret}"}
        body = {"agent": "suite-ann", **asked}
        said = reported(bridge.client.post("/issuer/tokens", json=body, headers=headers))
        claims = jwt.decode(said.text("token"), options={"verify_signature": False})
        assert claims["exp"] - claims["iat"] == lasts, f"a token of {lasts} s lasts otherwise"
        ends = said.moment("expires_at")
        assert abs(ends.timestamp() - claims["exp"]) < 1, f"it says that it ends at {ends}"
        assert abs(ends - now - timedelta(seconds=lasts)) < timedelta(seconds=20)
        assert claims["role"] == "executor", f"without a role it is {claims['role']}"


@pytest.mark.criterion("unauthorized-no-token")
def test_the_issuer_signs_for_nobody_without_its_secret(bridge: Bridge) -> None:
    for header in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": bridge.secret}):
        answer = bridge.client.post("/issuer/tokens", json={"agent": "suite-ann"}, headers=header)
        assert not slips(answer, "PERMISSION_DENIED"), slips(answer, "PERMISSION_DENIED")
    own = {"Authorization": f"Bearer {bridge.secret}"}
    for body in ({}, {"agent": 7}, {"agent": "suite-ann", "ttl_s": "long"}, [1]):
        answer = bridge.client.post("/issuer/tokens", json=body, headers=own)
        assert not slips(answer, "INVALID_ARGUMENT"), slips(answer, "INVALID_ARGUMENT")


@pytest.mark.criterion("token-bad-signature", "token-expired")
def test_keys_change_and_tokens_live_on(phase: Stage, bridge: Bridge) -> None:
    """After a new key both kinds of tokens are good; without the issuer, those of known keys."""
    if not phase.embedded:
        not_done("no key was changed", "change one where nobody works")
    ann, thread = private(bridge)
    path, clock = f"/v1/threads/{thread}", phase.target("bridge").clock
    old = set(published(bridge))
    phase.operate("bridge", "issuer", rotate=True)
    fresh = bridge.with_token(bridge.token("suite-ann"))
    kid = jwt.get_unverified_header(fresh.token)["kid"]
    assert kid not in old, "after a change of keys the old one signs"
    assert set(published(bridge)) == {*old, kid}, "a key that signed is not listed any more"
    for who, agent in (("an old key", ann), ("the new key", fresh)):
        assert agent.ask("GET", path).status_code == 200, f"a token of {who} is refused"
    known = bridge.metric("token_validation_failures_total", reason="no-key")
    phase.operate("bridge", "issuer", off=True)
    try:
        own = {"Authorization": f"Bearer {bridge.secret}"}
        wanted = bridge.client.post("/issuer/tokens", json={"agent": "suite-ann"}, headers=own)
        for off in (bridge.client.get("/issuer/keys"), wanted):
            assert code(off) == "UNAVAILABLE", f"the issuer is off, and says {code(off)}"
            assert off.status_code == 503
        assert ann.ask("GET", path).status_code == 200, "known keys are asked for at each request"
        clock.advance(301)
        late = ann.ask("GET", path)
        assert not slips(late, "UNAVAILABLE", hidden=(SECRET_WORD,)), "keys are kept for ever"
        log = lines(phase.file("logs") / "bridge.jsonl", "log of the bridge")
        told = [line for line in log if line.text("event") == "issuer.failed"]
        assert told, "the log says nothing of an issuer that is off"
        assert told[-1].text("reason").strip(), "the log does not say what is wrong with the issuer"
        risen = bridge.metric("token_validation_failures_total", reason="no-key") - known
        assert risen == 1, f"/metrics counts {risen:g} tokens that no key was there for"
    finally:
        phase.operate("bridge", "issuer", off=False)
    assert ann.ask("GET", path).status_code == 200, "with the issuer back tokens are refused"


@pytest.mark.criterion("unit-policy", "unauthorized-role")
def test_the_plan_calls_an_executor_executioner(bridge: Bridge) -> None:
    """The same role by both names: as a token, as a member, and as an address."""
    first = bridge.agent("suite-executioner", "executioner")
    thread = first.opened("by its old name", [{"agent": "suite-bob", "role": "executioner"}])
    first.posted(thread, "a task", kind="task")
    roles = {
        row.text("agent"): row.get("role") for row in first.thread(thread).each("participants")
    }
    assert roles == {"suite-executioner": "executor", "suite-bob": "executor"}, f"they are {roles}"
    bob = bridge.agent("suite-bob", "executor")
    assert bob.send(thread, "done").status_code == 201, "the member has another role than its token"
    for role in ("executor", "executioner"):
        told = first.post(f"/v1/threads/{thread}/recipients", {"to": {"role": role}})
        assert list(told["recipients"]) == ["suite-bob"], f"{role}: {told['recipients']}"
        assert told.text("rule") == "role", f"the rule is {told['rule']}"
    for operation, state in (("remove_participant", "active"), ("to closed", "active")):
        assert oracle.allowed(operation, state, "executor") == "deny"
    assert code(first.remove(thread, "suite-bob")) == "PERMISSION_DENIED"
    assert code(first.change(thread, "closed")) == "PERMISSION_DENIED"
    assert code(bob.add(thread, "suite-eve", role="king")) == "INVALID_ARGUMENT"


@pytest.mark.criterion("unit-policy")
def test_the_policy_tells_the_whole_table(bridge: Bridge) -> None:
    """Each operation, role and state is told, and no role that there is not."""
    roles = bridge.operator.get("/v1/policy").inner("roles")
    names = {"to blocked": "change_status:blocked", "to active": "change_status:active"}
    names["to closed"] = "change_status:closed"
    for operation, state, role in oracle.cells():
        line = roles.get(names.get(operation, operation)) or {}
        assert set(line) == set(oracle.ROLES), f"{operation} is told for {sorted(line)}"
        told = line[role].get(state)
        assert told == oracle.allowed(operation, state, role), (
            f"{role} {operation} in {state} is told as {told}"
        )


@pytest.mark.criterion("malformed-payload")
def test_the_limits_that_are_told_are_kept(bridge: Bridge) -> None:
    """Of pages and bodies: what is told is taken, one more is refused."""
    ann = bridge.agent("suite-limits")
    config = bridge.operator.get("/v1/policy").inner("config")
    page, body = (config.whole(name) for name in ("page_limit_max", "body_max_bytes"))
    assert (page, body) == (200, 256 * 1024), f"pages of {page}, bodies of {body} bytes"
    assert config.number("store_wait_s") == 2, f"a writer waits for {config['store_wait_s']} s"
    rate = (config.whole("rate_limit_posts"), config.whole("rate_window_s"))
    assert rate == (120, 60), f"the rate is {rate[0]} posts in {rate[1]} s"
    assert (config["retention"], config["content_filter"]) == (None, None)
    thread = ann.opened("limits")
    path = f"/v1/threads/{thread}/messages"
    for limit, due in ((page, 200), (page + 1, 400), (1, 200), (0, 400)):
        for of in (path, f"/v1/threads/{thread}/audit", "/v1/threads", "/v1/inbox"):
            answer = ann.ask("GET", of, params={"limit": str(limit)})
            assert answer.status_code == due, f"{of} of {limit}: {answer.status_code}"
    empty = b'{"text": "x", "pad": ""}'
    for size, due in ((body, 201), (body + 1, 400)):
        content = empty[:-2] + b"p" * (size - len(empty)) + empty[-2:]
        headers = {"Authorization": f"Bearer {ann.token}", "Content-Type": "application/json"}
        answer = ann.client.post(path, content=content, headers=headers)
        assert answer.status_code == due, f"a body of {size} bytes: {answer.status_code}"
    fields: tuple[tuple[str, object, object], ...] = (
        ("title", "t" * 200, "t" * 201),
        ("project", "p" * 64, "p" * 65),
        ("team", "t" * 64, "t" * 65),
        ("participants", [f"n-{n}" for n in range(64)], [f"n-{n}" for n in range(65)]),
    )
    able = [{"agent": "suite-able", "capabilities": [f"c-{n}" for n in range(17)]}]
    fields += (("participants", [{**able[0], "capabilities": ["c"] * 16}], able),)
    for name, most, more in fields:
        taken = ann.ask("POST", "/v1/threads", {name: most}).status_code
        refused = code(ann.ask("POST", "/v1/threads", {name: more}))
        assert (taken, refused) == (201, "INVALID_ARGUMENT"), f"{name}: {taken}, then {refused}"
    sent: tuple[tuple[str, object, object], ...] = (
        ("text", "x" * 32_768, "x" * 32_769),
        ("kind", "k" * 32, "k" * 33),
        ("to", ["suite-limits-2"] * 64, ["suite-limits-2"] * 65),
    )
    ann.add(thread, "suite-limits-2")
    for name, most, more in sent:
        taken = ann.ask("POST", path, {"text": "x", name: most}).status_code
        refused = code(ann.ask("POST", path, {"text": "x", name: more}))
        assert (taken, refused) == (201, "INVALID_ARGUMENT"), f"{name}: {taken}, then {refused}"
    for reason, due in (("r" * 500, 200), ("r" * 501, 400), ("", 400), ("  ", 400)):
        answer = ann.change(ann.opened("to block"), "blocked", reason)
        assert answer.status_code == due, f"a reason of {len(reason)}: {answer.status_code}"
