"""Documents of the repository: sections, tables, lists, and commits that they are of."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from pytest_rollout import Reported, RolloutError

RUNBOOKS = "docs/runbooks/mvp_incident_runbooks.md"
OPERATIONS = "docs/proposal/06-operations"
DRILLS = f"{OPERATIONS}/runbook_drill_evidence.md"
LAUNCH = f"{OPERATIONS}/launch_readiness_and_handoff.md"
REPORT = f"{OPERATIONS}/reports/pilot_sli_baseline.json"
DAILY = f"{OPERATIONS}/reports/slo_daily.jsonl"
BACKLOG = "docs/proposal/04-plan/backlog.yaml"
PILOT = "docs/proposal/04-plan/pilot.yaml"
ROLES = "docs/proposal/04-plan/roles.yaml"
ADOPTION = "docs/proposal/04-plan/adoption_metrics.yaml"
EDUCATION = f"{OPERATIONS}/user_education.md"
THREATS = "docs/proposal/03-security/threat_model.md"
RULES = "infra/alerting/rules.yaml"
DASHBOARD = "infra/dashboard/thread_health.json"
DEPRECATIONS = "docs/api/deprecations.yaml"
SCHEMA_BEFORE = "docs/api/openapi-previous.json"


def document(repository: Path, path: str) -> str:
    """The text of a document; raises AssertionError where it is absent or empty."""
    file = repository / path
    assert file.is_file(), f"the repository has no {path}"
    text = file.read_text(encoding="utf-8")
    assert text.strip(), f"{path} is empty"
    return text


def structured(repository: Path, path: str) -> Reported:
    """What a document of YAML or JSON says."""
    text = document(repository, path)
    try:
        said = json.loads(text) if path.endswith(".json") else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError) as error:
        raise RolloutError(f"{path}: {str(error).splitlines()[0]}") from None
    if not isinstance(said, Mapping):
        raise RolloutError(f"{path} holds no object")
    return Reported(_texts(said), path)


def _texts(value: Any) -> Any:
    """The same, with days and times as texts: YAML reads them by itself."""
    if isinstance(value, Mapping):
        return {str(key): _texts(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_texts(part) for part in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def sections(text: str, level: int) -> dict[str, str]:
    """The sections of Markdown at a level, by their headings; what stands before the first goes."""
    marks = "#" * level
    heading = re.compile(rf"^{marks} +(.+?)\s*$", re.MULTILINE)
    upper = re.compile(rf"^#{{1,{level}}} ", re.MULTILINE)
    bodies = {}
    for match in heading.finditer(text):
        end = upper.search(text, match.end())
        bodies[match.group(1)] = text[match.end() : end.start() if end else None].strip()
    return bodies


def table(text: str, source: str) -> list[Reported]:
    """The rows of the first table of Markdown, each by the names in its head."""
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in text.splitlines()
        if line.strip().startswith("|")
    ]
    if len(rows) < 2:
        return []
    head = [name.lower() for name in rows[0]]
    return [
        Reported(dict(zip(head, row, strict=False)), f"{source}, row {number}")
        for number, row in enumerate(rows[2:], 1)
    ]


def named(text: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`\n]+)`", text)


def words(text: str) -> list[str]:
    """The words of a text that may be names of metrics."""
    return re.findall(r"[a-z][a-z0-9_]+", text)


def days_in(text: str) -> list[str]:
    """The days that stand in a text, as 2025-11-10."""
    return re.findall(r"\b\d{4}-\d{2}-\d{2}\b", text)


def git(repository: Path, *words: str) -> str:
    """What git says of the repository; raises RolloutError where it fails."""
    command = ["git", "-C", str(repository), "-c", "safe.directory=*", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    if done.returncode:
        raise RolloutError(f"git {' '.join(words)}: {done.stderr.strip()[:200]}")
    return done.stdout.strip()


def is_commit(repository: Path, revision: str) -> bool:
    """Whether the repository has a commit of this name."""
    try:
        git(repository, "cat-file", "-e", f"{revision}^{{commit}}")
    except RolloutError:
        return False
    return True
