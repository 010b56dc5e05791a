"""Day 0: what the checker of the dry run is worth, and how the dry run was done."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from suites.plms.scenarios.checker_rules import RULES, CheckerTried, unlike, unnamed
from suites.plms.scenarios.preparation import Prepared
from suites.plms.views.checker import NO_REGISTRY, left_out
from suites.plms.views.host import Host, run

pytestmark = pytest.mark.day0

_STRICT = re.compile(r"dry run on (?P<where>\w+): \w+, \d+ violations?(?P<strict>, strict)?, exit")


@pytest.mark.criterion("invariants-dry-run-status-ok")
def test_dry_run_was_strict(prepared: Prepared) -> None:
    """What is on record must not say otherwise; staging-first asks for the record itself."""
    runs = [match for event in prepared.actions if (match := _STRICT.search(event.says))]
    lax = [match["where"] for match in runs if not match["strict"]]
    assert not lax, (
        f"the dry run on {' and on '.join(lax)} is not on record as strict: what breaks a strict "
        "rule alone was not looked for"
    )


@pytest.mark.criterion("invariants-dry-run-status-ok")
def test_checker_says_the_same_to_people(checker_tried: CheckerTried) -> None:
    """Who calls it without --json reads words, and the same of them."""
    _, said = checker_tried.words["clean_strict"]
    assert _states(said) == ["OK"], f"without --json it says {said!r} of sound rows"
    _, said = checker_tried.words["all_strict"]
    assert _states(said) == ["FAIL"], f"without --json it says {said[:200]!r} of broken rows"
    ways = [way for rule in RULES.values() for way in rule.ways]
    missing = unnamed(said, ways)
    assert not missing, f"without --json it does not name {', '.join(missing[:5])} of broken rows"
    assert re.search(rf"\b{len(ways)}\b", said), f"{len(ways)} rows are broken, it says {said[:80]}"


def _states(said: str) -> list[str]:
    return sorted(set(re.findall(r"\b(?:OK|FAIL)\b", said)))


@pytest.mark.criterion("invariants-dry-run-zero-violations")
@pytest.mark.parametrize("rule", RULES)
def test_dry_run_would_notice_each_violation(checker_tried: CheckerTried, rule: str) -> None:
    broken = RULES[rule]
    wrong = unlike(checker_tried.strict[rule], broken.ways)
    assert not wrong, (
        f"no violation means little: over {len(broken.ways)} rows that break the rule that "
        f"{broken.says}: {wrong}"
    )


@pytest.mark.criterion("invariants-dry-run-zero-violations")
def test_dry_run_counts_no_sound_row(checker_tried: CheckerTried) -> None:
    checked = checker_tried.sound
    more = checked.violations - checker_tried.clean_strict.violations
    assert not more, (
        f"the checker counts {more} rows that break no rule: {'; '.join(checked.details)}"
    )


@pytest.mark.criterion("invariants-dry-run-exit-code")
@pytest.mark.parametrize("instead", NO_REGISTRY)
def test_checker_without_a_registry_does_not_exit_well(
    host: Host, tmp_path: Path, instead: str
) -> None:
    path, content = tmp_path / "registry.db", NO_REGISTRY[instead]
    if content is not None:
        path.write_bytes(content)
    done = run(host.checker, "--db", path, "--strict", "--json")
    assert done.returncode != 0, (
        f"given {instead} the checker exits 0: nothing was checked, and it looks like success"
    )
    assert not re.search(r"\bOK\b", done.stdout), f"given {instead} the checker says {done.stdout}"
    said = f"{done.stdout}{done.stderr}"
    assert str(path) in said, f"given {instead} the checker does not say of which file: {said!r}"


@pytest.mark.criterion("invariants-dry-run-staging-first")
def test_staging_holds_what_production_holds(prepared: Prepared) -> None:
    lacking = left_out(prepared.staging.result.registry, prepared.host.registry)
    assert not lacking, f"a dry run on staging shows little: {'; '.join(lacking)}"
