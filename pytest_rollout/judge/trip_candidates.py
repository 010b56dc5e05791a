"""The moments at which a guardrail that is watched since an anchor may trip, in one pass.

Two tallies of the same take run over its slots, one with what is lost filled with what helps,
one with what harms; at every other moment nothing can change.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from itertools import groupby

from pytest_rollout.judge.series import event_time
from pytest_rollout.judge.slices import Slice
from pytest_rollout.judge.takes import tally_of
from pytest_rollout.judge.tally import Terms
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.evidence import Hole
from pytest_rollout.model.rule import Rule, ScopeKind, Take


@dataclass(frozen=True, slots=True)
class Suspect:
    """A moment that has to be judged, because the rule might trip at it."""

    at_us: int
    trips: bool  # on what was seen
    lost: bool  # if what was lost was bad


def only_grows(rule: Rule) -> bool:
    """Return whether what a rule looks at only ever grows, so that one tally serves all looks."""
    anchored = len(rule.scopes) == 1 and rule.scopes[0].kind is ScopeKind.SINCE
    return anchored and rule.versus is None


def suspects(rule: Rule, slice_: Slice, terms: Terms) -> Iterator[Suspect]:
    """Yield the moments at which such a rule might trip; at no other does it, whatever was lost.

    ``slice_`` is what it looks at in the end.
    """
    helped = tally_of(rule, slice_.scope, terms)
    harmed = None  # from the first hole on
    unknown = False
    for moment, items in groupby(slice_.own, key=event_time):
        for item in items:
            if isinstance(item.value, Hole):
                harmed = harmed or deepcopy(helped)
                unknown = unknown or item.value.n is None
                n = 1 if item.value.n is None else item.value.n
                helped.fill(n, item.slot, harmful=False)
                harmed.fill(n, item.slot, harmful=True)
                continue
            for value, count in item.value:
                helped.add(value, count, item.slot)
                if harmed is not None:
                    harmed.add(value, count, item.slot)
        enough = helped.n >= slice_.need
        sure = not unknown or rule.take.take in (Take.MIN, Take.MAX)
        trips = enough and sure and helped.fails()
        might = harmed is not None and (unknown or (enough and harmed.fails()))
        if trips or might:
            yield Suspect(moment, trips, might)
