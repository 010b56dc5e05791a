"""Go-live: a rule for each target and runbook, and what became of each when it was provoked."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from pytest_rollout import Observe, Reported
from suites.bridge.checks.told import observe_each
from suites.bridge.scenarios.alerted import Alerted
from suites.bridge.views import papers
from suites.bridge.views.alerting import ABOUT, ALERTS, MOST_WITHIN_S, NUMBERS
from suites.bridge.views.exposition import Scrape
from suites.bridge.views.runbooks import CASES
from suites.bridge.views.service import Bridge

pytestmark = pytest.mark.bridge_golive


@pytest.mark.criterion("alerting-configured")
def test_there_is_a_rule_for_each(
    repository: Path, scraped: Scrape, bridge: Bridge, observe: Observe
) -> None:
    """Stated in the file, loaded by what runs, on series that are exported."""
    rules = {
        rule.text("name"): rule
        for rule in papers.structured(repository, papers.RULES).each("rules")
    }
    loaded = {one.text("name") for one in bridge.operator.get("/v1/alerts").each("alerts")}
    problems = {about: rule_problem(about, rules, loaded, scraped) for about in ABOUT}
    observe_each(observe, "alert_rule_wrong", problems)


def rule_problem(
    about: str, rules: Mapping[str, Reported], loaded: set[str], scraped: Scrape
) -> str:
    """What is wrong with the rule for a target or a runbook; empty where it can alert people."""
    name = ABOUT[about]
    rule = rules.get(name)
    if rule is None:
        return f"there is no rule {name}"
    if about not in str(rule["about"]):
        return f"{name} is about {rule['about']}"
    if name not in loaded:
        return f"{name} is not loaded"
    expression = rule.text("expr")
    metrics = [one for one in papers.words(expression) if "_" in one]
    probes = "/ready" in expression
    if not probes and not any(_exported(one, scraped) for one in metrics):
        return f"{name} looks at {expression!r}, of which nothing is exported"
    number = NUMBERS.get(name)
    if number is not None and number not in re.findall(r"\d+(?:\.\d+)?", expression):
        return f"{name} does not say {number}: {expression!r}"
    fires = rule.text("fires")
    limit = float(fires.split()[-1])
    if number is not None and not any(
        math.isclose(limit, due) for due in (float(number), 1 - float(number))
    ):
        return f"{name} says {number} in words, and fires at {fires}"
    if not 0 < rule.number("within_s") <= MOST_WITHIN_S or rule.number("for_s") > MOST_WITHIN_S:
        return f"{name} may take {rule.number('for_s'):g} s and {rule.number('within_s'):g} s"
    if not rule.text("severity") or not rule.text("channel"):
        return f"{name} has no severity, or nobody to tell"
    return "" if rule.get("runbook") in CASES else f"{name} leads to runbook {rule.get('runbook')}"


def _exported(word: str, scraped: Scrape) -> bool:
    suffixes = ("", "_total", "_count", "_sum", "_bucket")
    return any(scraped.has(f"{word}{suffix}") for suffix in suffixes)


@pytest.mark.criterion("alerting-tested")
def test_each_alert_was_provoked(alerted: Mapping[str, Alerted], observe: Observe) -> None:
    problems = {
        name: alerted[name].problem() if name in alerted else "nobody provoked it"
        for name in ALERTS
    }
    observe_each(observe, "alert_untested", problems)
