"""What a decision was made from: every run and record that was read, by its digest."""

from __future__ import annotations

from pytest_rollout.evidence.attestations import attest
from pytest_rollout.evidence.bodies import Seal
from pytest_rollout.evidence.decoding import said
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.records import RecordKind
from pytest_rollout.evidence.resets import reset
from pytest_rollout.model.attestation import Attestation
from pytest_rollout.model.reset import Reset
from pytest_rollout.report.stored import to_json
from tests.evidence.runs import PLAN, Place, Writer, opened, plan_of, reaching

REACHING = reaching("{span: 7d}").replace(
    "    criteria:",
    "    guardrails:\n"
    '      - {id: g, metric: errors, take: sum, fail: "> 9", over: [{span: 1h}]}\n'
    "    criteria:\n"
    "      - {id: read, kind: manual, by: [sre]}",
)


def uris(run: Writer) -> dict[str, str]:
    return {one.uri: one.digest["sha256"] for one in run.judged().inputs}


def seal_of(ledger: Ledger, run: str) -> str:
    (record,) = [one for one in ledger.of_run(run) if one.kind is RecordKind.SEAL]
    return said(record, Seal).digest


def test_a_run_that_reads_no_other_names_itself_and_its_plan(place: Place) -> None:
    with opened(place) as ledger:
        other = Writer(ledger, "r0", "prod").good()
        run = Writer(ledger, "r1", "prod").good()
        named = uris(run)
        assert named["rollout-run:r1"] == seal_of(ledger, "r1")
        assert named["rollout-plan:demo"] == plan_of().digest
        assert "rollout-run:r0" not in named
        assert [uri for uri in named if uri.startswith("rollout-decision:")] == [
            "rollout-decision:demo.canary/exit@r0"  # an earlier look
        ]
        assert other.decisions


def test_every_run_of_which_something_counts_is_named_by_its_seal(place: Place) -> None:
    with opened(place) as ledger:
        Writer(ledger, "r0", "prod", REACHING).good()
        Writer(ledger, "other", "prod", REACHING, release="v0").good()
        killed = Writer(ledger, "killed", "prod", REACHING)
        killed.start()
        killed.manifest()
        killed.checks()
        named = uris(Writer(ledger, "r1", "prod", REACHING).good())
        assert named["rollout-run:r0"] == seal_of(ledger, "r0")
        assert "rollout-run:killed" in named
        assert "rollout-run:other" not in named


def test_words_of_people_are_named_by_what_they_say(place: Place) -> None:
    with opened(place) as ledger:
        told = Attestation("demo.canary.read", "A. Person", "sre", "read", True, 0, "v1")
        attest(ledger, told, "prod")
        attest(ledger, Attestation("demo.canary.read", "B", "sre", "", True, 0, "v0"), "prod")
        reset(ledger, Reset("demo.canary.g", "A", "fixed", 0, "", "blind", "v1"), "prod")
        run = Writer(ledger, "r1", "prod", REACHING).good()
        attest(ledger, told, "prod")  # after it
        kinds = sorted(uri.partition("@")[0] for uri in uris(run))
        assert kinds.count("rollout-attestation:demo.canary.read") == 1
        assert kinds.count("rollout-reset:demo.canary.g") == 1


def test_deciding_again_gives_the_same_bytes_after_others_wrote(place: Place) -> None:
    with opened(place) as ledger:
        Writer(ledger, "r0", "prod", REACHING).good()
        run = Writer(ledger, "r1", "prod", REACHING).good()
        stored = to_json(run.decisions[1])
        Writer(ledger, "r2", "prod", REACHING).good()
        assert to_json(run.judged()) == stored


def test_files_beside_the_plan_are_named(place: Place) -> None:
    with opened(place) as ledger:
        run = Writer(ledger, "r1", "prod")
        digest = plan_of().digest
        facts = {
            **{"plans": {"demo": digest}, "gates": ["demo.canary/exit"], "partial": []},
            **{"drill": None, "configured": {}, "zone_data": "", "versions": {}},
            **{"beside": {"demo": {"waivers.yaml": "a" * 64}}},
        }
        ledger.keep_text(digest, PLAN)
        run.append(RecordKind.RUN, facts)
        run.identify("start")
        run.manifest()
        run.checks()
        run.seal()
        assert uris(run)["rollout-file:waivers.yaml"] == "a" * 64
