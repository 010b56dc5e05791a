"""The loads of a plan: what each offers, and by whom."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from pytest_rollout.model.load import (
    Generators,
    Law,
    LoadProfile,
    Offer,
    Shape,
    ShapeKind,
)
from pytest_rollout.model.plan import Plan
from pytest_rollout.plan.reader import Reader, nearest
from pytest_rollout.plan.spec.keys import Key
from pytest_rollout.plan.spec.load_keys import (
    GeneratorsKeys,
    LoadKeys,
    RehearsalKeys,
    ShapeKeys,
)
from pytest_rollout.plan.spec.plan_keys import PlanKeys

_OF_KINDS: Mapping[Key[Any], tuple[ShapeKind, ...]] = {
    ShapeKeys.over: (ShapeKind.RAMP,),
    ShapeKeys.steps: (ShapeKind.STAIRS,),
    ShapeKeys.peak: (ShapeKind.SPIKE,),
    ShapeKeys.every: (ShapeKind.BURST,),
    ShapeKeys.lasts: (ShapeKind.BURST, ShapeKind.SPIKE),
}


def read_loads(reader: Reader) -> tuple[LoadProfile, ...]:
    """Return the loads under `loads`; one that is stated twice is an offence."""
    loads: dict[str, LoadProfile] = {}
    for tree in reader.get(PlanKeys.loads) or ():
        inner = reader.inner(tree, LoadKeys, "a load")
        load = _load(inner)
        inner.done()
        if load is None:
            continue
        if load.id in loads:
            inner.problem(tree.line, f"load {load.id} is stated twice")
        loads[load.id] = load
    return tuple(loads.values())


def _load(reader: Reader) -> LoadProfile | None:
    """The load as far as it can be read: with offences it serves the names that refer to it."""
    id_ = reader.get(LoadKeys.id)
    if id_ is not None:
        reader.what = f"load {id_}"
    duration = reader.get(LoadKeys.duration)
    locustfile, target = reader.get(LoadKeys.locustfile), reader.get(LoadKeys.target)
    offer = Offer(
        duration or 0,
        reader.get(LoadKeys.rate),
        reader.get(LoadKeys.users),
        reader.get(LoadKeys.warm_up) or 0,
    )
    says, shape, law = reader.get(LoadKeys.says) or "", _shape(reader), reader.get(LoadKeys.law)
    seed, generators = reader.get(LoadKeys.seed), _generators(reader)
    late, need = reader.get(LoadKeys.most_start_delay), reader.get(LoadKeys.need)
    if reader.is_mapping and not (reader.has(LoadKeys.rate) or reader.has(LoadKeys.users)):
        reader.say(reader.line, "it has neither `rate` nor `users`", "rate: 40/s")
    if locustfile is not None:
        _inside(reader, locustfile)
    _warm(reader, offer, reader.line_of(LoadKeys.warm_up))
    rehearsal = _rehearsal(reader, offer)
    if id_ is None:
        return None
    return LoadProfile(
        id=id_,
        says=says,
        locustfile=locustfile or "",
        target=target or "",
        offer=offer,
        shape=shape,
        law=law or Law.POISSON,
        seed=seed,
        generators=generators,
        most_start_delay_us=late,
        need=need,
        rehearsal=rehearsal,
        line=reader.line,
    )


def _inside(reader: Reader, locustfile: str) -> None:
    path = PurePosixPath(locustfile)
    if path.is_absolute() or ".." in path.parts:
        line = reader.line_of(LoadKeys.locustfile)
        reader.say(line, "`locustfile` lies outside of the project", "locustfile: load/web.py")


def _all_warm_up(offer: Offer) -> bool:
    return 0 < offer.duration_us <= offer.warm_up_us


def _warm(reader: Reader, offer: Offer, line: int) -> None:
    if _all_warm_up(offer):
        reader.say(line, "nothing is left after `warm_up`", "make it shorter than `duration`")


def _shape(reader: Reader) -> Shape:
    tree = reader.tree(LoadKeys.shape)
    if tree is None:
        return Shape()
    if not isinstance(tree.value, Mapping):
        word = tree.value if isinstance(tree.value, str) else str(tree.value)
        known = {kind.value: kind for kind in ShapeKind}
        if word not in known:
            reader.say(tree.line, f"unknown shape `{word:.60}`", nearest(word, known))
        return Shape(known.get(word, ShapeKind.STEADY), peak=2.0)
    inner = reader.inner(tree, ShapeKeys, f"{reader.what}: shape")
    kind = inner.get(ShapeKeys.kind) or ShapeKind.STEADY
    for key, kinds in _OF_KINDS.items():
        if inner.has(key) and kind not in kinds:
            names = " or ".join(shape_kind.value for shape_kind in kinds)
            inner.say(inner.line_of(key), f"`{key.name}` is of a {names}", f"kind: {kinds[0]}")
    peak = inner.get(ShapeKeys.peak)
    shape = Shape(
        kind,
        inner.get(ShapeKeys.over) or 0,
        inner.get(ShapeKeys.steps) or 0,
        2.0 if peak is None else peak,
        inner.get(ShapeKeys.every) or 0,
        inner.get(ShapeKeys.lasts) or 0,
    )
    inner.done()
    if shape.every_us and shape.lasts_us > shape.every_us:
        problem = "a burst lasts longer than it is to the next one"
        inner.say(inner.line_of(ShapeKeys.lasts), problem, "make `lasts` shorter than `every`")
    return shape


def _generators(reader: Reader) -> Generators:
    tree = reader.get(LoadKeys.generators)
    if tree is None:
        return Generators()
    inner = reader.inner(tree, GeneratorsKeys, f"{reader.what}: generators")
    processes, workers = inner.get(GeneratorsKeys.processes), inner.get(GeneratorsKeys.workers)
    bind = inner.get(GeneratorsKeys.bind) or ""
    inner.done()
    given = [key for key in (GeneratorsKeys.processes, GeneratorsKeys.workers) if inner.has(key)]
    if inner.is_mapping and len(given) != 1:
        inner.say(inner.line, "it has one of `processes` and `workers`", "processes: 2")
    if workers and not bind:
        inner.say(inner.line, "workers need to know where to connect", 'bind: "0.0.0.0:5557"')
    if bind and not workers:
        inner.say(inner.line_of(GeneratorsKeys.bind), "only workers connect", "workers: 2")
    return Generators(processes or 1, workers or 0, bind)


def _rehearsal(reader: Reader, stated: Offer) -> Offer | None:
    tree = reader.get(LoadKeys.rehearsal)
    if tree is None:
        return None
    inner = reader.inner(tree, RehearsalKeys, f"{reader.what}: rehearsal")
    if inner.is_mapping and not tree.value:
        inner.say(tree.line, "it changes nothing", "duration: 10s")
    duration, warm_up = inner.get(RehearsalKeys.duration), inner.get(RehearsalKeys.warm_up)
    rate, users = inner.get(RehearsalKeys.rate), inner.get(RehearsalKeys.users)
    inner.done()
    if rate is not None and reader.has(LoadKeys.users) and not reader.has(LoadKeys.rate):
        fix = "state `users`, or a `rate` for others, too"
        inner.say(inner.line_of(RehearsalKeys.rate), "the load has no `rate` elsewhere", fix)
    offer = Offer(
        duration or stated.duration_us,
        stated.rate if rate is None else rate,
        stated.users if users is None else users,
        stated.warm_up_us if warm_up is None else warm_up,
    )
    if warm_up is not None or not _all_warm_up(stated):  # that is told already
        _warm(inner, offer, inner.line)
    return offer


def load_problems(plan: Plan) -> list[tuple[int, str, str]]:
    """Return what is wrong between the loads of a plan, its targets, and the checks of them."""
    problems: list[tuple[int, str, str]] = []
    for load in (load_profile for load_profile in plan.loads if load_profile.target):
        for environment in plan.environments.values():
            target = environment.targets.get(load.target)
            if environment.targets and target is None:
                problem = f"load {load.id}: environment {environment.name} has no target"
                fix = nearest(load.target, environment.targets)
                problems.append((load.line, f"{problem} `{load.target}`", fix))
            elif target is not None and target.file:
                problem = f"load {load.id}: `{load.target}` is a file, which answers no HTTP"
                problems.append((load.line, problem, "target: a served one, or one with a url"))
    return problems
