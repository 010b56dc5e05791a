"""`report`: what the final report of a phase shows."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from pytest_rollout.model.reporting import Figure, ReportSpec, Section
from pytest_rollout.model.rule import Take, Taking
from pytest_rollout.plan import terms
from pytest_rollout.plan.reader import Reader, nearest

_LAST = Taking(Take.LAST, "last")
_KINDS = ("metric", "events", "from")


def read_report(reader: Reader, phases: Collection[str]) -> ReportSpec | None:
    """The report of a phase, if it states one."""
    tree = reader.tree("report")
    if tree is None:
        return None
    inner = reader.reader(tree, f"the report of {reader.what}")
    title = inner.text("title", "Report")
    sections = tuple(
        _section(inner.reader(one, f"a section of {inner.what}"), phases)
        for one in inner.items("sections")
    )
    inner.done()
    spec = ReportSpec(title, sections, inner.line)
    for name in sorted(spec.phases() - set(phases)):
        what = f"{inner.what} names unknown phase `{name}`"
        inner.problem(inner.line, what, nearest(name, phases))
    return spec


def _section(reader: Reader, phases: Collection[str]) -> Section:
    title = reader.text("title")
    if not title:
        reader.problem(reader.line, f"{reader.what} has no `title`")
    label, names = next(_each(reader), ("", ()))
    figures = tuple(
        figure
        for tree in reader.items("figures")
        if (figure := _figure(reader.reader(tree, f"a figure of section {title}"))) is not None
    )
    reader.done()
    if not figures:
        reader.problem(reader.line, f"{reader.what} has no `figures`")
    return Section(title, figures, label, names)


def _each(reader: Reader) -> Iterator[tuple[str, tuple[str, ...]]]:
    entries = reader.entries("each")
    if len(entries) > 1:
        reader.problem(reader.line_of("each"), f"{reader.what}: `each` has more than one label")
    for label, tree in entries:
        if isinstance(tree.value, list):
            yield label, reader.texts("each", tree.value)
        else:
            what = f"{reader.what}: `each` does not list the values of `{label}`"
            reader.problem(tree.line, what, f"each: {{{label}: [A, B]}}")


def _figure(reader: Reader) -> Figure | None:
    given = [kind for kind in _KINDS if reader.has(kind)]
    says = reader.text("says")
    found = Figure(
        says=says,
        phase=reader.word("phase") or "",
        metric=reader.word("metric") or "",
        taking=reader.parsed("take", terms.taking) or _LAST,
        where=reader.pairs("where"),
        by=reader.word("by") or "",
        percent=_percent(reader),
        events=reader.word("events") or "",
        first=reader.word("from") or "",
        last=reader.word("to") or "",
    )
    reader.done()
    if len(given) != 1:
        fix = "{says: Uptime, metric: probe_answered, take: rate}"
        reader.problem(reader.line, f"{reader.what} has one of `metric`, `events`, `from`", fix)
        return None
    if not says:
        reader.problem(reader.line, f"{reader.what} says no name", "says: Uptime")
    if found.metric and not reader.has("take"):
        reader.problem(reader.line, f"{reader.what}: `metric` without `take`", "take: mean")
    if reader.has("from") != reader.has("to"):
        reader.problem(reader.line, f"{reader.what}: `from` goes with `to`", "from: day0, to: day7")
    return found


def _percent(reader: Reader) -> bool:
    word = reader.word("as")
    if word not in (None, "percent", "number"):
        line = reader.line_of("as")
        reader.problem(line, f"{reader.what}: `as` is percent or number, not `{word}`")
    return word == "percent"
