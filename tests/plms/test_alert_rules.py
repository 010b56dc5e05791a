"""The alert rules and the dashboard of PLMS, as they lie in the repository."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from fixtures.plms.all_faults import FAULTS
from fixtures.plms.operator import deployed as monitoring
from fixtures.plms.operator.deployed import Deployed
from pytest_rollout import find_program
from pytest_rollout.targets.reference import Fault
from suites.plms.grafana import build

ALERTS = Path(__file__).parents[2] / "suites/plms/alerts"
RULES = (ALERTS / "rules.yml").read_text(encoding="utf-8")


def promtool(*words: str) -> subprocess.CompletedProcess[str]:
    command = [find_program(("promtool",), "prometheus"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("tests", sorted(path.name for path in ALERTS.glob("*.test.yml")))
def test_rules_pass_their_unit_tests(tests: str) -> None:
    done = promtool("test", "rules", str(ALERTS / tests))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dashboard_is_the_one_that_is_built() -> None:
    assert build.FILE.read_text(encoding="utf-8") == build.built()


REPLACED = [one.name for one in monitoring.FAULTS if "replaces" in one.sets]


# Which unit tests say no to a condition that is another; who is told is no matter of theirs.
CAUGHT_BY = {
    "rule-runway-warning-inclusive": {"runway-warning"},
    "rule-runway-critical-inclusive": {"runway-critical"},
    "rule-invariants-failure-inclusive": {"invariants-failure"},
    "rule-ci-width-spike-inclusive": {"ci-width-spike", "ci-width-per-lane"},
    "ci-width-averaged": {"ci-width-spike", "ci-width-per-lane"},
}


@pytest.mark.parametrize("fault", CAUGHT_BY)
def test_a_wrong_condition_is_caught_by_the_tests_of_its_rule(fault: str, tmp_path: Path) -> None:
    deployed = FAULTS.planted(Fault(fault)).of(Deployed).rules(RULES)
    (tmp_path / "rules.yml").write_text(deployed, encoding="utf-8")
    failed = set()
    for tests in ALERTS.glob("*.test.yml"):
        shutil.copy(tests, tmp_path)
        if promtool("test", "rules", str(tmp_path / tests.name)).returncode:
            failed.add(tests.name.removesuffix(".test.yml"))
    assert failed == CAUGHT_BY[fault]


@pytest.mark.parametrize("fault", REPLACED)
def test_a_fault_of_the_rules_leaves_them_loadable_and_different(
    fault: str, tmp_path: Path
) -> None:
    deployed = FAULTS.planted(Fault(fault)).of(Deployed).rules(RULES)
    assert deployed != RULES
    path = tmp_path / "rules.yml"
    path.write_text(deployed, encoding="utf-8")
    done = promtool("check", "rules", str(path))
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_fault_that_would_change_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="do not hold"):
        Deployed(replaces="no such words").rules(RULES)
