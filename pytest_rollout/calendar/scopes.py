"""The edges of scopes: the one source of them, for the fetch from the ledger and for the cut."""

from __future__ import annotations

from pytest_rollout.calendar.buckets import Bucketing, newest
from pytest_rollout.model.rule import Scope, ScopeKind
from pytest_rollout.model.windows import Hours

CLOSED = {ScopeKind.DAYS: Bucketing.DAY, ScopeKind.NIGHTS: Bucketing.NIGHT}


def bounds(
    scope: Scope, at_us: int, begun_us: int | None, zone: str, nights: Hours | None = None
) -> tuple[int | None, int | None]:
    """The event times a scope reaches, as (excluded start, included end); None is open.

    A window is (at - span, at]: what is exactly span old has left it. Since the begin of a
    phase that was not begun there is nothing: an empty window. Days and nights are those
    that are over.
    """
    match scope.kind:
        case ScopeKind.SPAN:
            return at_us - scope.span_us, at_us
        case ScopeKind.SINCE:
            if begun_us is None:
                return at_us, at_us
            end = begun_us + scope.span_us if scope.span_us else at_us
            return begun_us - 1, min(at_us, end)
        case ScopeKind.AGE:
            return None, at_us - scope.span_us
        case ScopeKind.DAYS | ScopeKind.NIGHTS:
            over = newest(CLOSED[scope.kind], zone, nights, scope.last, at_us)
            return over[0].start_us - 1, over[-1].end_us - 1
        case _:
            return None, None
