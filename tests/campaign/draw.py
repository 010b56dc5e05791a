"""Which interruption a case is: the same for the same seed and number."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from tests.campaign.project import BAD

REST = "rest"
_ITEM_PLACES = ("start", "setup", "teardown", "finish", "test")
_ITEMS = {"plain": 10, "workers": 5, "served": 5}
_RUNNING = ("plain", "workers", "served")


@dataclass(frozen=True)
class Kind:
    """A kind of interruption: how often it is drawn, of which runs, and who is struck."""

    name: str
    weight: int
    shapes: Sequence[str] = _RUNNING
    roles: Sequence[str] = ("controller",)
    act: str = "wait"  # what happens inside, at a place
    rest: bool = False  # struck when nothing runs
    storage: bool = False  # the ledger's files are struck
    lossy: bool = False  # what was committed may be gone or unreadable afterwards


_WORKERS = ("gw0", "gw1")
_ANYBODY = ("controller", *_WORKERS)
KINDS = {
    kind.name: kind
    for kind in (
        Kind("kill -9 the controller", 10),
        Kind("kill -9 a worker", 8, ("workers",), _WORKERS),
        Kind("kill -9 the target", 5, ("served",), ("target",)),
        Kind("kill -9 all of them", 5, roles=_ANYBODY),
        Kind("SIGTERM to the controller", 6),
        Kind("SIGTERM to all of them", 3),
        Kind("SIGINT to the controller", 6),
        Kind("SIGINT to all of them", 6),
        Kind("os._exit(0) in a test", 3, roles=_ANYBODY, act="exit"),
        Kind("os._exit(0) in a fixture", 2, roles=_ANYBODY, act="exit"),
        Kind("os._exit(0) in a hook", 3, roles=_ANYBODY, act="exit"),
        Kind("os._exit(0) at exit", 2, roles=_ANYBODY, act="exit"),
        Kind("disk full", 6, storage=True),
        Kind("file size limit", 4, roles=_ANYBODY, act="limit", storage=True),
        Kind("clock set back", 4, roles=_ANYBODY, act="clock"),
        Kind("clock set ahead, then right", 2, roles=_ANYBODY, act="clock"),
        Kind("bytes of the files at rest", 8, ("plain", "workers"), rest=True, lossy=True),
        Kind("bytes of the files in a run", 6, lossy=True, storage=True),
        Kind("rows at rest", 8, ("plain", "workers"), rest=True, lossy=True),
        Kind("rows in a run", 6, lossy=True, storage=True),
        Kind("file cut at rest", 4, ("plain", "workers"), rest=True, lossy=True),
        Kind("file cut in a run", 4, lossy=True, storage=True),
        Kind("an older copy at rest", 4, ("plain", "workers"), rest=True, lossy=True),
        Kind("an older copy in a run", 4, lossy=True, storage=True),
        Kind("read-only before a run", 3, rest=True),
        Kind("read-only in a run", 4, storage=True),
        Kind("two runs at once", 3, ("plain", "workers"), rest=True),
        Kind("a run starts while another is killed", 4, ("plain", "workers")),
    )
}


@dataclass(frozen=True)
class Case:
    """One interruption of one run."""

    seed: int
    index: int
    kind: Kind
    shape: str
    bad: str  # what is bad about the tests of the run; empty where they are good
    prior: str  # what the ledger already holds: nothing, good runs, or a killed one at last
    role: str
    place: tuple[str, float] | None  # a place and which one; None: at a moment
    moment: float  # the part of an undisturbed run's length after which it is struck

    @property
    def name(self) -> str:
        """Seed and number: enough to do it again."""
        return f"{self.seed}/{self.index}"

    def chance(self, what: str) -> random.Random:
        """Randomness of its own for every further choice."""
        return random.Random(f"{self.name}/{what}")

    @property
    def template(self) -> tuple[str, str]:
        """The shape and what has happened before it begins."""
        return self.shape, f"bad {self.bad}" if self._at_rest and self.bad else self.prior

    @property
    def _at_rest(self) -> bool:
        return self.kind.rest and self.kind.lossy

    @property
    def after_a_run(self) -> bool:
        """Whether what is struck is a ledger at rest, and no run."""
        return self._at_rest

    def words(self) -> str:
        """What is done, for a report."""
        when = f"at {self.moment:.0%} of its length"
        if self.place:
            when = f"at {self.place[0]} {self.place[1]:.3f} of {self.role}"
        if self.kind.rest:
            when = "at rest"
        return (
            f"{self.kind.name}, {when}; shape {self.shape}, tests {self.bad or 'good'}, "
            f"before: {self.template[1] or 'nothing'}"
        )


def draw(
    seed: int, index: int, kinds: Sequence[str] = (), shapes: Sequence[str] = _RUNNING
) -> Case:
    """The case of a number, of all kinds and shapes or of some."""
    chance = random.Random(f"{seed}/{index}")
    named = [KINDS[name] for name in kinds] if kinds else list(KINDS.values())
    among = [kind for kind in named if set(kind.shapes) & set(shapes)]
    kind = chance.choices(among, [one.weight for one in among])[0]
    possible = [name for name in kind.shapes if name in shapes]
    shape = chance.choices(possible, [_SHARE[name] for name in possible])[0]
    bad = chance.choice(sorted(BAD)) if chance.random() < 0.4 else ""
    priors = ["good", "good", "killed"] if kind.rest and kind.lossy else ["", "good", "killed"]
    prior = chance.choice(priors) if shape != "served" else chance.choice(["", "good"])
    roles = [role for role in kind.roles if _there(role, shape, kind)]
    role = chance.choice(roles)
    place = None if kind.rest else _place(chance, kind, shape, role)
    return Case(seed, index, kind, shape, bad, prior, role, place, chance.uniform(0.05, 1.05))


def _there(role: str, shape: str, kind: Kind) -> bool:
    """Whether there is such a process, and it runs what the kind needs."""
    tests = kind.name.endswith(("in a test", "in a fixture"))
    if shape == "workers":
        return role != "controller" or not tests
    return role not in _WORKERS


_SHARE = {"plain": 5, "workers": 3, "served": 2}
_EXITS = {"in a test": ["test"], "in a fixture": ["fixture"], "at exit": ["atexit"]}


def _place(chance: random.Random, kind: Kind, shape: str, role: str) -> tuple[str, float] | None:
    """A place and which one; a part of a whole where it is a statement."""
    if kind.act == "wait" and (chance.random() < 0.4 or role == "target"):
        return None
    if kind.act == "clock" and chance.random() < 0.3:
        return None
    hooks = ["configure", "collected", "sessionfinish", "unconfigure", "atexit"]
    if role == "controller" and shape == "workers":
        hooks.remove("collected")
    items = [] if role == "controller" and shape == "workers" else list(_ITEM_PLACES)
    names = next((names for word, names in _EXITS.items() if word in kind.name), None)
    if names is None:
        names = [chance.choice(hooks), *([chance.choice(items)] if items else [])]
        if kind.name != "rows in a run" and "in a hook" not in kind.name:
            names += ["statement", "statement"]
        elif "test" in names:
            names.remove("test")
    name = chance.choice(names)
    if name == "statement":
        return name, chance.random()
    return name, float(chance.randint(1, _ITEMS[shape]) if name in _ITEM_PLACES else 1)
