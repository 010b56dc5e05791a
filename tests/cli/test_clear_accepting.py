"""Overrides and receipts of clearances: who may give them, what they are worth, what shows them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pytest_rollout.signoff import receipt as receipts
from tests.cli.clear_site import OVERRIDE, ROLES, Site
from tests.cli.clear_site import site as site
from tests.cli.conftest import Answer
from tests.cli.test_sign import keys as keys
from tests.evidence.runs import FAIL, tamper


@pytest.fixture
def held(site: Site) -> Site:
    """A site whose entry is GO, and whose phase was frozen on record."""
    (site.project.root / "roles.yaml").write_text(ROLES)
    site.decided()
    site.frozen()
    return site


def last(answer: Answer) -> str:
    """The answer of the gate, which the next command may follow."""
    lines = [line for line in answer.out.splitlines() if not line.startswith("  next: ")]
    return lines[-1]


def test_two_people_of_roles_accept_what_is_missing(held: Site) -> None:
    answer = held.clear(*OVERRIDE)
    assert (answer.status, last(answer)) == (0, "demo.canary/entry in prod: clear under OVERRIDE")
    assert "waived  freeze: OVERRIDDEN by ada@x.org and bob@x.org at " in answer.out
    assert "(INC-12): frozen on record since " in answer.out
    assert held.clear("--json").json["gates"][0]["overridden"] is True
    assert held.project.rollout("begin", "demo.canary", "--by", "A").status == 0


def test_it_stands_in_status_and_in_every_later_decision_of_the_release(held: Site) -> None:
    held.clear(*OVERRIDE)
    status = held.project.rollout("status").out
    assert "OVERRIDDEN " in status
    assert " by ada@x.org and bob@x.org, demo.canary/entry for v1: INC-12" in status
    held.decided("r2")
    assert "overridden" in _conditions(held)
    said = held.project.rollout("report", "demo.canary/entry", "--format", "html").out
    assert "the clearance of demo.canary/entry was overridden by " in said
    held.version = "v2"
    held.decided("r3")
    assert "overridden" not in _conditions(held)


def _conditions(held: Site) -> list[str]:
    decision = held.project.rollout("report", "demo.canary/entry", "--format", "json").json
    return [one["reason"]["code"] for one in decision["conditions"]]


def test_a_refusal_is_accepted_and_stays_a_refusal(site: Site) -> None:
    (site.project.root / "roles.yaml").write_text(ROLES)
    site.decided(ready=FAIL)
    assert site.clear().status == 10
    assert site.clear(*OVERRIDE).status == 0
    assert site.project.rollout("decide", "demo.canary/entry").status == 10


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (("--by", "ada@x.org"), "takes two different people"),
        (("--by", "ada@x.org", "--by", "ada@x.org"), "takes two different people"),
        (("--by", "ada@x.org", "--by", "eve@x.org"), "roles.yaml names no `eve@x.org`"),
        (("--by", "ada@x.org", "--by", "cid@x.org"), "cid@x.org holds no role of roles.yaml"),
    ],
)
def test_nobody_else_overrides(held: Site, more: tuple[str, ...], why: str) -> None:
    (held.project.root / "roles.yaml").write_text(f"{ROLES}  - {{id: cid@x.org, roles: []}}\n")
    answer = held.clear("--override", *more, "--reason", "INC-12")
    assert (answer.status, why in answer.err) == (4, True), answer
    assert held.clear().status == 11


def test_it_takes_a_reason_and_people(held: Site) -> None:
    assert "--reason: says nothing" in held.clear(*OVERRIDE[:-1], " ").err
    assert "--by and --reason are for it alone" in held.clear("--reason", "x").err
    (held.project.root / "roles.yaml").unlink()
    assert "names nobody, and an override takes two" in held.clear(*OVERRIDE).err


def test_where_people_have_keys_both_must_sign(held: Site, keys: Path) -> None:
    signers = (keys / "allowed_signers").read_text()
    (held.project.root / "allowed_signers").write_text(signers)
    for name, role in (("ada", "sre"), ("bob", "pm")):
        refused = held.clear(*OVERRIDE)
        assert (refused.status, f"{name}@x.org has not signed it: `rollout" in refused.err) == (
            4,
            True,
        )
        who = ("--by", f"{name}@x.org", "--key", str(keys / name))
        signing = ("sign", "demo.canary/entry", "--as", role, *who, "--override")
        assert "--why: says nothing" in held.project.rollout(*signing).err
        assert held.project.rollout(*signing, "--why", "INC-12").status == 0
    assert held.clear(*OVERRIDE).status == 0


def test_a_damaged_ledger_is_never_overridden(held: Site) -> None:
    assert held.clear(*OVERRIDE).status == 0
    tamper(held.project.store, "UPDATE records SET at_us = at_us - 1 WHERE sequence = 4")
    assert held.clear().status == 11
    again = held.clear(*OVERRIDE)
    assert (again.status, "nobody can accept this: the ledger was damaged" in again.err) == (
        4,
        True,
    )


def test_another_release_or_state_is_not_covered(held: Site) -> None:
    assert held.clear(*OVERRIDE).status == 0
    held.version = "v2"
    again = held.clear(*OVERRIDE)
    assert (again.status, "nobody can accept this: v1 was judged, v2 runs" in again.err) == (
        4,
        True,
    )
    held.decided("r2")
    assert "no   freeze: " in held.clear().out


@pytest.fixture
def given(site: Site) -> Path:
    """The receipt of a clearance."""
    site.decided()
    path = site.project.root / "receipt.json"
    answer = site.clear("--receipt", str(path))
    assert answer.status == 0
    assert f"receipt: {path}, until " in answer.err
    return path


def verified(site: Site, path: Path, *more: str) -> Answer:
    return site.project.rollout("verify", "--receipt", str(path), *more)


def test_a_receipt_says_what_was_cleared_and_counts_for_a_while(site: Site, given: Path) -> None:
    data = json.loads(given.read_text())
    assert (data["gate"], data["environment"], data["release"]) == (
        "demo.canary/entry",
        "prod",
        "v1",
    )
    assert (list(data["targets"]), data["run"], data["overridden"]) == (["api"], "r1", [])
    answer = verified(site, given)
    assert answer.status == 0
    assert "the receipt of demo.canary/entry in prod counts until " in answer.out
    assert verified(site, given, "--json").json["problems"] == []


def test_each_changed_value_of_a_receipt_is_noticed(site: Site, given: Path) -> None:
    text = given.read_text()
    for number, line in enumerate(text.splitlines()):
        if '"' not in line or line.rstrip().endswith(("{", "[")):
            continue
        changed = line.replace("0", "1", 1) if "0" in line else line.replace("a", "b", 1)
        given.write_text(text.replace(line, changed, 1))
        if changed != line:
            answer = site.project.rollout("verify", "--receipt", str(given))
            assert answer.status in (4, 11), (number, line)
    given.write_text(text + " ")
    assert "its bytes were changed" in verified(site, given).out


def test_a_receipt_expires(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.decided()
    monkeypatch.setattr(receipts, "LIFE_US", 1)
    path = site.project.root / "r.json"
    site.clear("--receipt", str(path))
    answer = verified(site, path)
    assert (answer.status, "it expired at " in answer.out) == (11, True)


def test_a_receipt_never_outlives_what_it_rests_on(site: Site) -> None:
    site.decided()
    path = site.project.root / "r.json"
    site.clear("--receipt", str(path), "--max-age", "60s")
    cleared, until = (json.loads(path.read_text())[key] for key in ("cleared_at", "until"))
    lasted = datetime.fromisoformat(until) - datetime.fromisoformat(cleared)
    assert timedelta(0) < lasted <= timedelta(seconds=60)


def test_a_receipt_of_another_ledger(site: Site, given: Path) -> None:
    site.project.store.unlink()
    for name in ("ledger.db-wal", "ledger.db-shm"):
        (site.project.store.parent / name).unlink(missing_ok=True)
    site.stack.pop_all().close()
    site.serve()
    site.decided()
    assert "it belongs to another ledger: record " in verified(site, given).out


def test_a_receipt_of_a_decision_that_was_superseded(site: Site, given: Path) -> None:
    site.decided("r2")
    assert verified(site, given).status == 0, "the same was decided again"
    site.decided("r3", FAIL)
    assert "the decision of demo.canary/entry is another one since" in verified(site, given).out


def test_a_freeze_or_a_trip_voids_a_receipt(site: Site, given: Path) -> None:
    site.frozen()
    assert "freeze: frozen on record since" in verified(site, given).out
    site.frozen("resume")
    assert verified(site, given).status == 0
    site.tripped()
    assert "trips: demo.canary.rail tripped" in verified(site, given).out


def test_a_plan_that_asks_otherwise_since_voids_a_receipt(site: Site, given: Path) -> None:
    site.change("    owners: [sre]\n", "    owners: [sre]\n    signoff: [sre]\n")
    (site.project.root / "roles.yaml").write_text(ROLES)
    assert "signatures sre: nobody has signed as sre" in verified(site, given).out
    site.change("    signoff: [sre]\n", "")
    assert verified(site, given).status == 0
    site.change(
        "says: The target is ready}", "says: The target is ready, check: {http: /, on: api}}"
    )
    assert "plan: " in verified(site, given).out


def test_a_receipt_is_verified_without_asking_a_target(site: Site, given: Path) -> None:
    site.version = "v2"
    assert verified(site, given).status == 0


def test_no_receipt_without_a_yes(site: Site) -> None:
    site.decided(ready=FAIL)
    path = site.project.root / "r.json"
    assert site.clear("--receipt", str(path)).status == 10
    assert not path.exists()
    assert "is no receipt" in verified(site, path).err


@pytest.mark.parametrize(
    ("bounds", "says"),
    [
        ('valid-before="20200101"', "key has expired"),
        ('valid-after="20400101"', "key is not yet valid"),
        ('namespaces="other"', "key is not permitted for use in signature namespace"),
    ],
)
def test_a_key_counts_while_it_is_valid(site: Site, keys: Path, bounds: str, says: str) -> None:
    site.change("    owners: [sre]\n", "    owners: [sre]\n    signoff: [sre]\n")
    (site.project.root / "roles.yaml").write_text(ROLES)
    signers = site.project.root / "allowed_signers"
    signers.write_text((keys / "allowed_signers").read_text())
    site.decided()
    who = ("--as", "sre", "--by", "ada@x.org", "--key", str(keys / "ada"))
    assert site.project.rollout("sign", "demo.canary/entry", *who).status == 0
    assert site.clear().status == 0
    override = (*who, "--override", "--why", "INC-12")
    assert site.project.rollout("sign", "demo.canary/entry", *override).status == 0
    assert site.clear().status == 0, "an override replaces no signature"
    signers.write_text(signers.read_text().replace("ada@x.org ", f"ada@x.org {bounds} "))
    answer = site.clear()
    assert answer.status == 11
    assert says in answer.out, answer.out
    assert "can be given by ada@x.org" in answer.out
