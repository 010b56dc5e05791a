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
from suites.bridge.views.alerting import (
    ABOUT,
    ALERTS,
    CRITICAL,
    MOST_WITHIN_S,
    NUMBERS,
    exported,
    unknown,
)
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
    loaded = {alert.text("name") for alert in bridge.operator.get("/v1/alerts").each("alerts")}
    problems = {about: rule_problem(about, rules, loaded, scraped) for about in ABOUT}
    problems |= {f"{name}, in words": words_problem(rules[name], scraped) for name in rules}
    problems["tick-failed"] = "" if "tick-failed" in rules.keys() & loaded else "it is not watched"
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
    metrics = [word for word in papers.words(expression) if "_" in word]
    probes = "/ready" in expression
    if not probes and not any(exported(metric, scraped) for metric in metrics):
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


def words_problem(rule: Reported, scraped: Scrape) -> str:
    """What is wrong with how a rule says its measure; empty where that is what fires."""
    expression, fires = rule.text("expr"), rule.text("fires")
    if lost := unknown(expression, scraped):
        return f"in {expression!r} {lost!r} means nothing"
    said = re.search(r"(<|<=|>|>=) (\d+(?:\.\d+)?)$", expression)
    cut = re.fullmatch(r"(>|>=) (\d+(?:\.\d+)?)", fires)
    if said is None or cut is None:
        return f"{expression!r} names no limit that {fires!r} could be"
    below = said[1].startswith("<")
    limit = 1 - float(said[2]) if below else float(said[2])
    if said[1].replace("<", ">") != cut[1] or not math.isclose(limit, float(cut[2]), abs_tol=1e-9):
        return f"it says {said[0]}, and fires at {fires}"
    severity = "critical" if rule.text("name") in CRITICAL else "warning"
    if rule.text("severity") != severity or rule.text("channel")[:1] != "#":
        return f"it tells {rule['channel']} as {rule['severity']}"
    return ""


@pytest.mark.criterion("alerting-tested")
def test_each_alert_was_provoked(alerted: Mapping[str, Alerted], observe: Observe) -> None:
    problems = {
        name: alerted[name].problem() if name in alerted else "nobody provoked it"
        for name in ALERTS
    }
    observe_each(observe, "alert_untested", problems)


@pytest.mark.criterion("alerting-tested")
@pytest.mark.rehearsal_only
def test_the_limits_of_alerts_are_kept(edged: Mapping[str, str], observe: Observe) -> None:
    """One short of a limit nobody is told, at it people are."""
    observe_each(observe, "alert_untested", edged)
