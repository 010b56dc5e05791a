"""What the later phases find: documents, records, releases, threads, drills of the service."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import pytest

from pytest_rollout import Reported, Stage, reported
from suites.bridge.scenarios.commanded import Program
from suites.bridge.views import papers, people
from suites.bridge.views.exposition import Scrape, scrape
from suites.bridge.views.lines import lines
from suites.bridge.views.runbooks import Known
from suites.bridge.views.service import Bridge

# Events that a log may hold, by the pages of the bridge: some are of bad days alone.
EVENTS = frozenset(
    (
        "request",
        "policy.denied",
        "message.stored",
        "store.failed",
        "issuer.failed",
        "service.started",
        "filter.decision",
        "tick.completed",
        "tick.idle",
        "tick.failed",
        "supervisor.kicked",
        "supervisor.started",
        "supervisor.slept",
    )
)


@pytest.fixture(scope="session")
def repository(lived: None, phase: Stage) -> Path:
    """The repository, after what people did for the phase."""
    return phase.file("repository")


@pytest.fixture(scope="session")
def records(lived: None, phase: Stage) -> Path:
    """What people wrote down for the phase."""
    return phase.file("records")


@pytest.fixture(scope="session")
def runtime(phase: Stage) -> Path:
    """The journal of the runtime."""
    return phase.file("runtime")


@pytest.fixture(scope="session")
def today(lived: None, phase: Stage) -> datetime:
    """When the phase looks, by the clock of its own target: those of trials may be far ahead."""
    return phase.target("bridge").clock.now()


@pytest.fixture(scope="session")
def release(phase: Stage) -> Reported:
    """What the service says of its release."""
    return reported(phase.target("bridge").client.get("/version"))


@pytest.fixture(scope="session")
def version(release: Reported) -> str:
    """The version that runs."""
    return release.text("version")


@pytest.fixture(scope="session")
def revision(release: Reported) -> str:
    """The revision that runs."""
    return release.text("revision")


@pytest.fixture(scope="session")
def scraped(phase: Stage) -> Scrape:
    """A look at the metrics."""
    return scrape(phase.target("bridge").client)


@pytest.fixture(scope="session")
def schema(phase: Stage) -> Mapping[str, object]:
    """The OpenAPI that is served."""
    answer = phase.target("bridge").client.get("/openapi.json").raise_for_status()
    document: Mapping[str, object] = answer.json()
    return document


@pytest.fixture(scope="session")
def known(phase: Stage, scraped: Scrape, schema: Mapping[str, Mapping[str, object]]) -> Known:
    """What runbooks may name."""
    program = Program(phase.file("cli"), phase.target("bridge").url)
    usage = program.run("--help")
    commands = frozenset(
        re.findall(r"\b([a-z]+(?:-[a-z]+)*-thread)\b", usage.stdout + usage.stderr)
    )
    families = {re.sub(r"_(?:bucket|sum|count)$", "", name) for name in scraped.samples}
    events = EVENTS | {str(line.get("event")) for line in _logged(phase.file("logs"))}
    paths = (
        *schema.get("paths", {}),
        "/health",
        "/ready",
        "/metrics",
        "/issuer/tokens",
        "/issuer/keys",
    )
    return Known(frozenset({*scraped.samples, *families}), frozenset(events), paths, commands)


def _logged(folder: Path) -> list[Reported]:
    return [line for file in sorted(folder.glob("*.jsonl")) for line in lines(file, "log")]


@pytest.fixture(scope="session")
def threads(lived: None, bridge: Bridge) -> Sequence[Reported]:
    """All threads."""
    return bridge.operator.all("/v1/threads", "threads")


@pytest.fixture(scope="session")
def pilot_threads(threads: Sequence[Reported]) -> Sequence[Reported]:
    """The threads of projects: those of the pilot, and of who came after it."""
    return [thread for thread in threads if thread.get("project")]


@pytest.fixture(scope="session")
def escalations(lived: None, bridge: Bridge) -> Sequence[Reported]:
    """All escalations."""
    return bridge.operator.get("/v1/escalations").each("escalations")


@pytest.fixture(scope="session")
def operators_since(
    records: Path, bridge: Bridge, escalations: Sequence[Reported], threads: Sequence[Reported]
) -> Sequence[str]:
    """Who used an operator's command since the launch, by the audit logs of threads."""
    launches = people.written(records, "launch")
    if not launches:
        return []
    since, ran = launches[-1].moment("at"), set()
    for thread in threads:
        if thread.moment("updated_at") < since:
            continue
        ran |= {
            event.text("actor")
            for event in bridge.operator.audit(thread.text("id"))
            if event.text("role") == "operator"
            and event.moment("at") >= since
            and event.text("actor") != bridge.operator.name
        }
    return sorted(ran)


@pytest.fixture(scope="session")
def lived(phase: Stage) -> None:
    """What people do before a phase is judged; in a rehearsal the scripted operator does it."""
    for step, arguments in LIVED.get(phase.id.rpartition(".")[2], ()):
        phase.operate("bridge", step, **arguments)


LIVED: Mapping[str, Sequence[tuple[str, Mapping[str, object]]]] = {
    "golive": [
        ("papers", {"phase": "golive"}),
        ("launch", {"run": "a rehearsal"}),
    ],
    "postlaunch": [
        ("pilot", {"days": 2}),
        ("papers", {"phase": "golive"}),
        ("launch", {"run": "a rehearsal"}),
        ("after-launch", {}),
    ],
    "phase2": [("pilot", {"days": 7}), ("benchmark", {})],
    "phase3": [("pilot", {"days": 3}), ("papers", {"phase": "phase3"})],
}


@pytest.fixture(scope="session")
def baseline(repository: Path) -> Reported:
    """The baseline report that is on file."""
    return papers.structured(repository, papers.REPORT)


@pytest.fixture(scope="session")
def load_tokens(phase: Stage) -> Iterator[None]:
    """Says to processes of locust where the issuer's secret is."""
    before = os.environ.get("BRIDGE_SECRET")
    os.environ["BRIDGE_SECRET"] = str(phase.file("secret"))
    yield
    if before is None:
        del os.environ["BRIDGE_SECRET"]
    else:
        os.environ["BRIDGE_SECRET"] = before
