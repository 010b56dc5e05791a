"""Writing a decision's reports below the report folder."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_rollout.model.decision import Decision
from pytest_rollout.report import document
from pytest_rollout.report.document import Document
from pytest_rollout.report.markdown import to_markdown
from pytest_rollout.report.stored import to_json


def folder_of(decision: Decision) -> Path:
    """Where a decision's reports stand, relative to the report folder."""
    address = decision.address
    names = (address.plan, decision.environment, address.phase, decision.gate.value)
    place = Path(*(_slug(name) for name in names))
    return Path("drills", _slug(decision.drill), place) if decision.drill else place


def write(root: Path, decision: Decision, last_no: str = "") -> Path:
    """Write decision.json, report.md and report.html; the folder they stand in.

    ``last_no`` says when the gate last said no; it is no part of the decision.

    Raises OSError. Each file appears whole or not at all.
    """
    from pytest_rollout.report.html import to_html  # a template engine, for runs that end

    folder = root / folder_of(decision)
    folder.mkdir(parents=True, exist_ok=True)
    _forget_attestation(folder, to_json(decision))
    _replace(folder / "decision.json", to_json(decision))
    _replace(folder / "report.md", to_markdown(decision, last_no))
    _replace(folder / "report.html", to_html(decision, last_no))
    return folder


def write_document(folder: Path, report: Document) -> None:
    """Write final-report.md and final-report.html beside a decision's reports; raises OSError."""
    _replace(folder / "final-report.md", document.to_markdown(report))
    _replace(folder / "final-report.html", document.to_html(report))


def write_attestation(
    root: Path, decision: Decision, envelopes: Sequence[Mapping[str, object]]
) -> Path:
    """Write attestation.json beside a decision's reports; its path. Raises OSError."""
    folder = root / folder_of(decision)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "attestation.json"
    _replace(path, json.dumps({"envelopes": envelopes}, indent=2, sort_keys=True) + "\n")
    return path


def write_drill(root: Path, plan: str, data: object, markdown: str) -> Path:
    """Write drill.json and drill.md of a plan's last drill; their folder. Raises OSError."""
    folder = root / _slug(plan) / "drills"
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder / "drill.json", json.dumps(data, indent=2) + "\n")
    _replace(folder / "drill.md", markdown)
    return folder


def mark(root: Path, decision: Decision) -> None:
    """Leave of a gate's last reports only the decision of a run that has not finished.

    Raises OSError. Where nothing was reported before, nothing is.
    """
    folder = root / folder_of(decision)
    if not folder.is_dir():
        return
    _replace(folder / "decision.json", to_json(decision))
    for name in ("report.md", "report.html", "attestation.json"):
        (folder / name).unlink(missing_ok=True)


def _forget_attestation(folder: Path, text: str) -> None:
    """Remove the attestation of an earlier decision; it says nothing of this one."""
    stored = folder / "decision.json"
    if not stored.is_file() or stored.read_text(encoding="utf-8", errors="replace") != text:
        (folder / "attestation.json").unlink(missing_ok=True)


def _replace(path: Path, text: str) -> None:
    part = path.with_suffix(path.suffix + ".part")
    part.write_text(text, encoding="utf-8", errors="replace")
    part.replace(path)


def _slug(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name)[:80].strip(".") or "unnamed"
