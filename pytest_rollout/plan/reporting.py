"""`report`: what the final report of a phase shows."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from pytest_rollout.model.reporting import Figure, ReportSpec, Section
from pytest_rollout.model.rule import Take, Taking
from pytest_rollout.plan.reader import Reader, nearest
from pytest_rollout.plan.spec.phase_keys import FigureKeys, PhaseKeys, ReportKeys, SectionKeys

_LAST = Taking(Take.LAST, "last")
_KINDS = (FigureKeys.metric, FigureKeys.events, FigureKeys.from_)


def read_report(reader: Reader, phases: Collection[str]) -> ReportSpec | None:
    """The report of a phase, if it states one."""
    tree = reader.get(PhaseKeys.report)
    if tree is None:
        return None
    inner = reader.inner(tree, ReportKeys, f"the report of {reader.what}")
    title = inner.get(ReportKeys.title_)
    sections = tuple(
        _section(inner.inner(item, SectionKeys, f"a section of {inner.what}"))
        for item in inner.get(ReportKeys.sections) or ()
    )
    inner.done()
    spec = ReportSpec(title, sections, inner.line)
    for name in sorted(spec.phases() - set(phases)):
        problem = f"{inner.what} names unknown phase `{name}`"
        inner.problem(inner.line, problem, nearest(name, phases))
    return spec


def _section(reader: Reader) -> Section:
    title = reader.get(SectionKeys.title_) or ""
    if not title:
        reader.problem(reader.line, f"{reader.what} has no `title`")
    label, names = next(_each(reader), ("", ()))
    figures = tuple(
        figure
        for tree in reader.get(SectionKeys.figures) or ()
        if (figure := _figure(reader.inner(tree, FigureKeys, f"a figure of section {title}")))
        is not None
    )
    reader.done()
    if not any(figures):
        reader.problem(reader.line, f"{reader.what} has no `figures`")
    return Section(title, tuple(figure for figure in figures if figure), label, names)


def _each(reader: Reader) -> Iterator[tuple[str, tuple[str, ...]]]:
    entries = reader.get(SectionKeys.each) or []
    if len(entries) > 1:
        reader.problem(
            reader.line_of(SectionKeys.each), f"{reader.what}: `each` has more than one label"
        )
    for label, tree in entries:
        if isinstance(tree.value, list):
            yield label, reader.names(SectionKeys.each, tree.value)
        else:
            problem = f"{reader.what}: `each` does not list the values of `{label}`"
            reader.problem(tree.line, problem, f"each: {{{label}: [A, B]}}")


def _figure(reader: Reader) -> Figure | None:
    given = [kind for kind in _KINDS if reader.has(kind)]
    says = reader.get(FigureKeys.says) or ""
    where = reader.get(FigureKeys.where)
    figure = Figure(
        says=says,
        phase=reader.get(FigureKeys.phase) or "",
        metric=reader.get(FigureKeys.metric) or "",
        taking=reader.get(FigureKeys.take) or _LAST,
        where=where or {},
        by=reader.get(FigureKeys.by) or "",
        percent=_percent(reader),
        events=reader.get(FigureKeys.events) or "",
        first=reader.get(FigureKeys.from_) or "",
        last=reader.get(FigureKeys.to) or "",
    )
    reader.done()
    if len(given) != 1:
        fix = "{says: Uptime, metric: probe_answered, take: rate}"
        reader.problem(reader.line, f"{reader.what} has one of `metric`, `events`, `from`", fix)
        return None
    if not says:
        reader.problem(reader.line, f"{reader.what} says no name", "says: Uptime")
    if figure.metric and not reader.has(FigureKeys.take):
        reader.problem(reader.line, f"{reader.what}: `metric` without `take`", "take: mean")
    if reader.has(FigureKeys.from_) != reader.has(FigureKeys.to):
        reader.problem(reader.line, f"{reader.what}: `from` goes with `to`", "from: day0, to: day7")
    return figure


def _percent(reader: Reader) -> bool:
    word = reader.get(FigureKeys.as_)
    if word not in (None, "percent", "number"):
        line = reader.line_of(FigureKeys.as_)
        reader.problem(line, f"{reader.what}: `as` is percent or number, not `{word}`")
    return word == "percent"
