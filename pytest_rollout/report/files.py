"""Writing a decision's reports below the report folder."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pytest_rollout.model.decision import Decision
from pytest_rollout.model.extension import ReportFormat
from pytest_rollout.model.plan import Address
from pytest_rollout.model.story import NO_STORY, Story
from pytest_rollout.report import document, load_markdown, run_folders
from pytest_rollout.report.document import Document
from pytest_rollout.report.junit import to_junit
from pytest_rollout.report.load_stored import LoadLink, link_of
from pytest_rollout.report.load_words import LoadReport
from pytest_rollout.report.markdown import to_markdown
from pytest_rollout.report.prometheus import to_prometheus
from pytest_rollout.report.stored import to_json


def folder_of(decision: Decision) -> Path:
    """Where a decision's reports stand, relative to the report folder."""
    return _folder(decision.address, decision.environment, decision.drill)


def _folder(address: Address, environment: str, drill: str | None) -> Path:
    gate = address.gate.value if address.gate else ""
    place = gate_folder(address.plan, environment, address.phase, gate)
    return Path("drills", _slug(drill), place) if drill else place


def reported(root: Path, address: Address, environment: str, drill: str | None) -> bool:
    """Whether a decision of a gate stands below the report folder."""
    return (root / _folder(address, environment, drill) / "decision.json").is_file()


def gate_folder(plan: str, environment: str, phase: str, gate: str) -> Path:
    """Where the reports of a gate stand, relative to the report folder."""
    return Path(*map(_slug, (plan, environment, phase, gate)))


def own_formats(
    last_no: Callable[[Decision], str],
    loads: Callable[[Decision], Sequence[LoadReport]] = lambda decision: (),
    story: Callable[[Decision], Story] = lambda decision: NO_STORY,
    stored: Callable[[Decision], str] = to_json,
) -> tuple[ReportFormat, ...]:
    """Return what every decision is written as, decision.json first.

    ``last_no`` says when a gate last said no, ``loads`` which ones its run made, ``story`` what
    else the ledger tells; all are no part of the decision. ``stored`` gives its stored form.
    """

    def links(decision: Decision) -> list[LoadLink]:
        return [link_of(load, _load_file(load)) for load in loads(decision)]

    def markdown(decision: Decision) -> str:
        return to_markdown(decision, last_no(decision), links(decision), story(decision))

    def html(decision: Decision) -> str:
        from pytest_rollout.report.html import to_html  # a template engine, for runs that end

        return to_html(decision, last_no(decision), links(decision), story(decision))

    return (
        ReportFormat("json", ".json", stored),
        ReportFormat("markdown", ".md", markdown),
        ReportFormat("html", ".html", html),
        ReportFormat("junit", ".junit.xml", to_junit),
        ReportFormat("prometheus", ".prom", to_prometheus),
    )


def write_loads(folders: Sequence[Path], reports: Sequence[LoadReport]) -> None:
    """Write load-NAME.md and load-NAME.html of each load beside its gate's reports.

    Those of loads that are no more are removed. Raises OSError.
    """
    written = {}
    for report in reports:
        from pytest_rollout.report import load_html

        name = _load_file(report)
        written[f"{name}.md"] = load_markdown.to_markdown(report)
        beside = replace(report, decision_page="report.html")
        written[f"{name}.html"] = load_html.to_html(beside)
    for folder in folders:
        _forget_loads(folder, kept=written)
        for name, text in written.items():
            folder.mkdir(parents=True, exist_ok=True)
            _replace(folder / name, text)


def _load_file(report: LoadReport) -> str:
    return f"load-{_slug(report.record.profile)}"


def _forget_loads(folder: Path, kept: Collection[str] = ()) -> None:
    for old in (*folder.glob("load-*.md"), *folder.glob("load-*.html")):
        if old.name not in kept:
            old.unlink(missing_ok=True)


def write(
    root: Path,
    decision: Decision,
    last_no: str = "",
    known: Callable[[str], bool] = bool,
    loads: Sequence[LoadReport] = (),
    story: Story = NO_STORY,
) -> Path:
    """Write a decision in the own formats again; the folder they stand in. Raises OSError.

    ``known`` says of a run whether it may be replaced as the gate's last; see :func:`home`.
    """
    folder = home(root, decision, known)
    last = folder == root / folder_of(decision)
    whole = last or run_folders.run_in(folder) is not None
    for given in own_formats(lambda _: last_no, lambda _: loads, lambda _: story):
        if whole or given.name != "json":  # what another ledger noted is no anchor of this one
            write_format(folder, decision, given)
    write_loads([folder], loads)
    if last:
        run_folders.keep(folder)
        run_folders.point(folder, decision.run)
    return folder


def home(root: Path, decision: Decision, known: Callable[[str], bool]) -> Path:
    """Return where the reports of a decision are written again, with its folder.

    That is the gate's folder, unless it holds a decision of another run that is not ``known``:
    of a later run, or of another ledger. Raises OSError.
    """
    folder = root / folder_of(decision)
    run = run_folders.run_in(folder)
    if run not in (None, decision.run):
        if not known(str(run)):
            return run_folders.of_run(folder, decision.run)
        run_folders.keep(folder)
    return folder


def folders_of_run(root: Path, decision: Decision) -> list[Path]:
    """Return where a run writes its reports: its own folder, and of a full run the gate's last."""
    folder = root / folder_of(decision)
    own = run_folders.of_run(folder, decision.run)
    return [own] if decision.partial else [folder, own]


def settle(root: Path, decision: Decision, before: str | None = None) -> None:
    """See after a run wrote its reports that the gate's folder holds the last full run's.

    ``before`` is the run whose reports it held when this one began. Raises OSError.
    """
    folder = root / folder_of(decision)
    if decision.partial:
        run_folders.restore(folder, decision.run, before)
    else:
        run_folders.point(folder, decision.run)
    run_folders.prune(folder)


def write_format(
    folder: Path, decision: Decision, given: ReportFormat, others: Sequence[Path] = ()
) -> None:
    """Write a decision in one format, to other folders too. Raises OSError, and what it raises.

    The files appear whole or not at all.
    """
    text = given.render(decision)
    for place in (folder, *others):
        place.mkdir(parents=True, exist_ok=True)
        if given.name == "json":
            _forget_attestation(place, text)
        _replace(place / given.file, text)


def write_document(folder: Path, report: Document) -> None:
    """Write final-report.md and final-report.html beside a decision's reports; raises OSError."""
    _replace(folder / "final-report.md", document.to_markdown(report))
    _replace(folder / "final-report.html", document.to_html(report))


def write_attestation(
    root: Path,
    decision: Decision,
    envelopes: Sequence[Mapping[str, object]],
    known: Callable[[str], bool] = bool,
) -> Path:
    """Write attestation.json beside a decision's reports; its path. Raises OSError."""
    folder = home(root, decision, known)
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


def write_mutants(root: Path, plan: str, data: object, markdown: str) -> Path:
    """Write mutants.json and mutants.md of a plan's last drill; their folder. Raises OSError."""
    folder = root / _slug(plan) / "drills"
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder / "mutants.json", json.dumps(data, indent=2) + "\n")
    _replace(folder / "mutants.md", markdown)
    return folder


def mark(root: Path, decision: Decision) -> str | None:
    """Leave of a gate's last reports only the decision of a full run that has not finished.

    Returns the run that they were of; they are kept in its folder. Raises OSError. Where nothing
    was reported before, and of a partial run, nothing is done.
    """
    folder = root / folder_of(decision)
    if decision.partial or not (folder / "decision.json").is_file():
        return None
    before = run_folders.run_in(folder)
    run_folders.keep(folder)
    _replace(folder / "decision.json", to_json(decision))
    for report in folder.glob("report.*"):  # of any format
        report.unlink(missing_ok=True)
    _forget_loads(folder)
    (folder / "attestation.json").unlink(missing_ok=True)
    return before


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
