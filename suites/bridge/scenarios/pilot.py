"""The pilot: a real pair of agents does its reviews over the bridge, and people look on."""

from __future__ import annotations

from pytest_rollout import Stage, scenario
from suites.bridge.scenarios.wakes import told
from suites.bridge.views.pair import Pilot, pilot_of
from suites.bridge.views.said import not_done
from suites.bridge.views.service import Bridge


def review(phase: Stage, project: str, defects: int) -> None:
    """One review by the pilot's pair, and a minute in which it can end."""
    phase.operate("bridge", "review", project=project, team="core", defects=defects)
    phase.target("bridge").clock.advance(60)
    phase.operate("bridge", "settle")


@scenario(effect="change")
def pilot_run(phase: Stage) -> Pilot:
    """Two reviews from task to closed thread, the second beside a human who types a little."""
    bridge = Bridge.of(phase)
    if phase.embedded:
        phase.operate("bridge", "papers", phase="phase0")
        chosen = pilot_of(phase.file("repository"))
        projects = [str(name) for name in chosen["projects"]]
        review(phase, projects[0], defects=2)
        typed = {"agent": chosen.text("executor"), "every_s": 5, "for_s": 10}
        phase.operate("bridge", "type", **typed)
        review(phase, projects[-1], defects=1)
    now = phase.target("bridge").clock.now()
    pilot = Pilot.of(bridge, phase.file("repository"), told(phase, bridge), now)
    if not pilot.threads:
        not_done(f"no thread of the pilot's projects {pilot.chosen['projects']}", "run the pilot")
    return pilot
