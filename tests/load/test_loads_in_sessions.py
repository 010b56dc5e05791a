"""A phase makes a load once, and its criteria judge what came of it."""

from __future__ import annotations

import json

import pytest

from pytest_rollout.evidence.run_log import RunLog
from pytest_rollout.model.coding import decode
from pytest_rollout.model.load import LoadRecord
from tests.evidence.runs import reading
from tests.load.loaded import decided, makers, plan_of, shop
from tests.session.project import Project

pytestmark = pytest.mark.slow


def evidence(project: Project) -> RunLog:
    run = project.decision(phase="nightly")["run"]
    with reading(project.root / ".rollout/ledger.db") as ledger:
        return RunLog(ledger.of_run(run))


def test_a_good_load_is_made_once_and_judged_by_each_criterion(loaded: Project) -> None:
    status, verdicts, reasons = decided(loaded)
    assert (status, verdicts) == (0, {"quick": "pass", "reliable": "pass", "steady": "pass"})
    assert "over 80 samples in this run; allowed < 900ms" in reasons["quick"]
    assert "rate of load_failed was 0 %, over 80 samples" in reasons["reliable"]
    assert "min of load_throughput was" in reasons["steady"]
    assert "over 2 samples" in reasons["steady"]
    kept = [file for batch in evidence(loaded).batches for file in batch.body.attachments]
    assert [file.name for file in kept] == ["load.small.json"]
    text = (loaded.root / ".rollout/attachments" / kept[0].digest).read_text(encoding="utf-8")
    record: LoadRecord = decode(LoadRecord, json.loads(text))
    assert (record.planned, record.started, record.completed) == (80, 80, True)
    assert makers(loaded) == []


def test_a_target_that_is_slow_or_fails_is_a_no(loaded: Project) -> None:
    loaded.write("shop.py", shop(60, "is slow"))
    status, verdicts, reasons = decided(loaded)
    assert (status, verdicts["quick"], verdicts["reliable"]) == (10, "fail", "pass")
    assert "p95 of load_latency was 1" in reasons["quick"]
    loaded.write("shop.py", shop(60, "fails"))
    status, verdicts, reasons = decided(loaded)
    assert (status, verdicts["reliable"]) == (10, "fail")
    # A request that failed has no time: it counts as one that took a day.
    assert verdicts["quick"] == "fail"
    said = "p95 of load_latency was 86400000ms (as a request counts that failed) at"
    assert said in reasons["quick"]
    assert "(endpoint start)" in reasons["quick"]


def test_a_suite_makes_a_load_and_observes_it_beside_the_plan(loaded: Project) -> None:
    lines = "        check: {load: small}\n        metric: load_latency"
    loaded.change(lines, "        metric: load_latency", "suites/demo/rollout.yaml")
    loaded.write(
        "suites/demo/test_nightly.py",
        """\
        import pytest

        pytestmark = pytest.mark.nightly


        @pytest.mark.criterion("quick")
        @pytest.mark.effect("change")
        def test_quick(load):
            record = load("small", observe="load_latency")
            assert load("small") is record
            assert [one.name for one in record.endpoints] == ["start"]
        """,
    )
    status, verdicts, reasons = decided(loaded)
    assert (status, verdicts["quick"]) == (0, "pass")
    assert "over 80 samples" in reasons["quick"]
    loaded.change("        check: {load: small}\n", "", "suites/demo/rollout.yaml")
    loaded.change('@pytest.mark.effect("change")\n', "", "suites/demo/test_nightly.py")
    status, verdicts, reasons = decided(loaded)
    assert (status, verdicts["quick"]) == (11, "error")
    assert "would make load small on web, and declares no effect" in reasons["quick"]


def test_what_no_load_gives_is_refused(loaded: Project) -> None:
    loaded.write(
        "suites/demo/test_nightly.py",
        """\
        import pytest

        pytestmark = [pytest.mark.nightly, pytest.mark.effect("change")]


        @pytest.mark.criterion("quick")
        def test_quick(load):
            load("smal")


        @pytest.mark.criterion("reliable")
        def test_reliable(load):
            load("small", observe="load_latenci")
        """,
    )
    status, _, reasons = decided(loaded)
    assert status == 11
    assert "demo has no load `smal` (did you mean `small`?)" in reasons["quick"]
    assert "not load_latenci (did you mean `load_latency`?)" in reasons["reliable"]


def test_it_is_made_only_where_changes_are_allowed(loaded: Project) -> None:
    loaded.plan(plan_of(url="http://127.0.0.1:9"))
    status, verdicts, reasons = decided(loaded, "--rollout-env", "prod")
    assert (status, set(verdicts.values())) == (11, {"error"})
    assert "refused in prod: the environment does not allow it" in reasons["quick"]
    loaded.plan(plan_of(url="http://127.0.0.1:9", allow="observe, change"))
    status, verdicts, reasons = decided(loaded, "--rollout-env", "prod")
    assert (status, set(verdicts.values())) == (11, {"error"})
    assert "demo.nightly has not begun" in reasons["quick"]
