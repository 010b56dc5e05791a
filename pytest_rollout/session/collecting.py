"""Collection: binding items to criteria, the manifest of what should run, the order of phases."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from pathlib import Path

import pytest

from pytest_rollout.model.check import item_name
from pytest_rollout.model.errors import Problem, RolloutError
from pytest_rollout.model.node_id import NodeId
from pytest_rollout.model.plan import Effect
from pytest_rollout.redact import hide
from pytest_rollout.session.binding import Binder, Bound, Placed
from pytest_rollout.session.collection_words import (
    hold_a_secret,
    last_line,
    moved,
    secret_id,
    why_dropped,
)
from pytest_rollout.session.item_marks import Marks, declared, effect_of, scenarios_of
from pytest_rollout.session.leaving_out import OTHER_GATE, REHEARSED, for_rehearsals, leave_out
from pytest_rollout.session.misspelt import MisspeltMarks
from pytest_rollout.session.recorder import Recorder
from pytest_rollout.session.request import Request, is_worker
from pytest_rollout.session.reviewed_lists import Lists
from pytest_rollout.session.seams import marks_selected_last
from pytest_rollout.session.unnamed import Unnamed
from pytest_rollout.session.vacuous import always_true

_Wrapper = Generator[None, object, object]


class Collecting:
    """What this process collected, and what it says should run."""

    def __init__(self, request: Request, recorder: Recorder, *, listing: bool = False) -> None:
        self.request = request
        self.recorder = recorder
        self.listing = listing
        self.bound: dict[str, Bound] = {}
        self.running: tuple[pytest.Item | None, Bound | None] = (None, None)  # where it belongs
        self.offences: list[Problem | RolloutError] = []
        self.notes: list[str] = []
        self._dropped: dict[str, str] = {}
        self._rehearsed: dict[str, Bound] = {}  # left out, as they are for rehearsals only
        self._lists = Lists(request)
        self._broken: list[tuple[str, str]] = []
        self._other_failures = False
        self._read: set[Path] = set()
        self._asks: dict[int, bool] = {}  # by bound, of which each is kept for its id
        self._bounds: list[Bound] = []
        self._misspelt = MisspeltMarks()
        self._known: dict[int, tuple[str, tuple[pytest.Mark, ...]]] = {}  # by item, while selected
        self._asked = {plan.address(phase.id).name for plan, phase in request.asked}
        self.binder = Binder(request.root, request.loaded, self._asked)
        self.unnamed = Unnamed(self._asked)
        self._asked_paths = {plan.path for plan, _ in request.asked}
        self._asked_paths |= {
            loaded.path.relative_to(request.root).as_posix() for loaded in request.broken
        }

    def place(self, item: pytest.Item) -> Bound | None:
        """Where an item belongs."""
        running, bound = self.running
        return bound if running is item else self.bound.get(item.nodeid)

    def expects(self, item: pytest.Item) -> bool:
        """Whether what becomes of an item matters to an asked gate."""
        return item.nodeid in self.unnamed or self.asks(self.place(item))

    def asks(self, bound: Bound | None) -> bool:
        """Whether an item is bound to a criterion of an asked gate."""
        if bound is None:
            return False
        asks = self._asks.get(id(bound))
        if asks is None:
            asks = self._asks[id(bound)] = not bound.gates.isdisjoint(self._gates(bound))
            self._bounds.append(bound)
        return asks

    def _gates(self, bound: Bound) -> tuple[object, ...]:
        return self.request.gates_of(bound.plan, bound.phase)

    def scenario(self, item: pytest.Item) -> str:
        """The scenario that an item's own observations belong to: the one it reads, if one."""
        names = scenarios_of(item)
        return names[0] if len(names) == 1 else ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Give the `phase` fixture its phase, without a trace in the item's id."""
        if "phase" not in metafunc.fixturenames:
            return
        name = self.binder.phase_of(metafunc.definition)
        if name is not None:
            metafunc.parametrize(
                "phase", [name], indirect=True, ids=[pytest.HIDDEN_PARAM], scope="session"
            )

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """A broken module counts against its own plan, and not at all where that was not asked."""
        report = yield
        if report.passed or not self.request.deciding:
            return report
        above = self.binder.plan_above(collector.path)
        if above is None:
            self._other_failures |= report.failed
            return report
        path = above.path.relative_to(self.request.root).as_posix()
        what = f"{collector.nodeid}: {last_line(report)}"
        if path in self._asked_paths:
            self._broken.append((above.id, what))
            return report
        if report.skipped:
            return report
        self.notes.append(f"{what} (its plan was not asked)")
        return pytest.CollectReport(collector.nodeid, "passed", None, [])

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(
        self, session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
    ) -> _Wrapper:
        """Bind before anybody deselects; order by phase and gate after everybody did."""
        self._bind(items)
        self.offences += self._lists.read()
        self._refuse(config, items)
        if not self.request.deciding:
            result = yield
            self._bind(items if self.listing else ())
            return result
        with marks_selected_last(config, items):
            result = yield
            self._bind(items)  # marks that hooks set count; those they took away still do
            self._refuse(config, items)
        self._known.clear()
        self._leave_out(config, items)
        items.sort(key=self._order())
        if self._broken and not self._other_failures:
            config.option.continue_on_collection_errors = True
        return result

    def _refuse(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """End a run whose asked plans or their tests have offences; workers run nothing."""
        if self.offences or self.request.broken:
            if not is_worker(config):
                raise pytest.UsageError(*self.usage_errors())
            items.clear()

    def usage_errors(self) -> list[str]:
        """Every offence of asked plans and their tests, each once, as messages."""
        plans = [problem for loaded in self.request.broken for problem in loaded.problems]
        return [hide(str(problem)) for problem in dict.fromkeys([*plans, *self.offences])]

    def _bind(self, items: Sequence[pytest.Item]) -> None:
        """Bind items, but for those that are as they were when they were bound before."""
        marks = Marks()
        secret = hold_a_secret(items)
        nowhere: set[int] = set()  # by what is above them: items without marks, of no place
        for item in items:
            if id(item.parent) in nowhere and not item.own_markers:
                continue
            mine = marks.of(item)
            if self._known.get(id(item)) == (item.nodeid, mine):
                continue
            problems: list[Problem] = []
            placed, before = self.binder.bind(item, mine, problems), self.place(item)
            bound = placed.bound
            if bound is not None:
                if before is not None and before.name != bound.name:
                    problems.append(moved(item, before.name, bound.name))
                if secret:
                    problems += secret_id(item)
                problems += self._vacuous(item.path)
                self.bound[item.nodeid] = bound.with_more(before)
                if not self.request.embedded and for_rehearsals(item) and bound.name in self._asked:
                    self._rehearsed[item.nodeid] = bound
            if placed.above is not None:
                problems += self._misspelt.of(item, mine, placed.above.names)
            if problems:
                self._tell(placed, problems)
            self.unnamed.note(item, placed.unnamed)
            if not (item.own_markers or problems) and self.binder.is_of_no_place(placed):
                nowhere.add(id(item.parent))
            marks.add(item, placed.plan_above, placed.marks)
            if self.request.deciding:
                self._known[id(item)] = (item.nodeid, marks.of(item))

    def _tell(self, placed: Placed, problems: Sequence[Problem]) -> None:
        """Take problems of an item: offences where a plan that has to do with it was asked."""
        paths = {stated.plan.path for stated in placed.naming}
        if placed.above is not None:
            paths.add(placed.above.path.relative_to(self.request.root).as_posix())
        if paths & self._asked_paths:
            self.offences += problems
        else:
            self.notes += [note for note in map(str, problems) if note not in self.notes]

    def _vacuous(self, path: Path) -> Iterable[Problem]:
        """Assertions of a module of checks that cannot fail, once."""
        if path in self._read or not (self.request.deciding or self.listing):
            return ()
        self._read.add(path)
        inside = path.is_relative_to(self.request.root)
        shown = path.relative_to(self.request.root).as_posix() if inside else path.name
        return always_true(path, shown)

    def _leave_out(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Checks of gates that are not asked, and in a real environment those for rehearsals."""
        mine = {item.nodeid: bound for item in items if (bound := self.place(item)) is not None}
        asked = {node: bound for node, bound in mine.items() if bound.name in self._asked}
        others = {node: bound for node, bound in asked.items() if self._of_other_gate(bound)}
        self.notes += leave_out(config, items, others, OTHER_GATE)
        left = asked.keys() & (self._rehearsed.keys() - others.keys())
        self.notes += leave_out(config, items, {node: asked[node] for node in left}, REHEARSED)

    def _of_other_gate(self, bound: Bound) -> bool:
        return bool(bound.gates) and not self.asks(bound)

    def _order(self) -> Callable[[pytest.Item], tuple[int, int]]:
        """What items are sorted by: the place of their phase, and their gate."""
        names = (plan.address(p.id).name for plan in self.request.plans for p in plan.phases)
        places = {name: place for place, name in reversed([*enumerate(names)])}

        def key(item: pytest.Item) -> tuple[int, int]:
            bound = self.place(item)
            if bound is None:
                return (-1, 0)
            return places[bound.name], 0 if "entry" in bound.gates else 1

        return key

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Remember why a bound item was dropped."""
        for item in items:
            if self.expects(item) and item.nodeid not in self._rehearsed:
                self._dropped[item.nodeid] = why_dropped(item)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Write the manifest before the first test."""
        if self.offences or self.request.broken or not self.request.deciding:
            return
        there = {item.nodeid for item in session.items}
        expected, rehearsed = dict[str, list[str]](), dict[str, list[str]]()
        for nodeid, bound in self.bound.items():
            if nodeid not in self.unnamed and not self.asks(bound):
                continue
            gates = self._gates(bound)
            checks = rehearsed if nodeid in self._rehearsed else expected
            for criterion in bound.criteria:
                if criterion.gate in gates:
                    checks.setdefault(bound.full(criterion.id), []).append(nodeid)
            if nodeid not in there and checks is expected:
                self._dropped.setdefault(nodeid, "dropped during collection")
        self._expect_the_plans_own(expected)
        absent = list(self._expect_what_plans_name(expected))
        absent += self._lists.compare(expected, self._rehearsed, self.notes)
        phases = {nodeid: bound.name for nodeid, bound in self.bound.items() if nodeid in there}
        self.recorder.manifest(
            items=expected,
            phases=phases,
            dropped=self._dropped,
            broken=self._broken,
            absent=absent,
            unnamed=self.unnamed.asked_but(self._rehearsed),
            rehearsed=rehearsed,
        )

    def pytest_report_collectionfinish(self, items: Sequence[pytest.Item]) -> list[str]:
        """What the checks of each asked phase do to its target at worst, as they declare."""
        effects: dict[str, list[Effect]] = {}
        for item in items:
            bound = self.place(item)
            if bound is not None and self.asks(bound):
                effects.setdefault(bound.name, []).append(effect_of(item))
        real = not self.request.embedded
        return [declared(name, of_phase, counted=real) for name, of_phase in effects.items()]

    def _expect_what_plans_name(self, expected: dict[str, list[str]]) -> Iterator[str]:
        """Ids and patterns that asked plans bind and that no test has, each one missing check."""
        for stated in self.binder.unmatched():
            if stated.criterion.gate in self.request.gates_of(stated.plan, stated.phase):
                expected.setdefault(stated.criterion_id, []).append(stated.pattern.text)
                yield stated.pattern.text

    def unmatched(self) -> Iterator[str]:
        """Ids and patterns that any plan binds and that no test has, as messages."""
        for stated in self.binder.unmatched():
            what = f"criterion {stated.criterion.id}: `binds` names no test: {stated.as_written}"
            yield str(Problem(stated.plan.path, stated.criterion.line, what))

    def _expect_the_plans_own(self, expected: dict[str, list[str]]) -> None:
        """Checks that an asked plan states itself run even where its file was not collected."""
        for plan, phase in self.request.asked:
            for criterion in phase.criteria:
                if criterion.check and criterion.gate in self.request.gates_of(plan, phase):
                    item = str(NodeId(plan.path, (item_name(phase.id, criterion.id),)))
                    items = expected.setdefault(plan.address(phase.id).full(criterion.id), [])
                    if item not in items:
                        items.append(item)
                        self._dropped.setdefault(item, "the plan's file was not collected")

    def all_bound(self) -> dict[str, list[str]]:
        """The items of every criterion of every plan."""
        by_criterion: dict[str, list[str]] = {}
        for nodeid, bound in self.bound.items():
            for criterion in bound.criteria:
                by_criterion.setdefault(bound.full(criterion.id), []).append(nodeid)
        return by_criterion
