"""The edges of scopes: the one source for the fetch from the ledger and the cut in the judge."""

from __future__ import annotations

from pytest_rollout.model.rule import Scope, ScopeKind


def bounds(scope: Scope, at_us: int, begun_us: int | None) -> tuple[int | None, int | None]:
    """The event times a scope reaches, as (excluded start, included end); None is open.

    A window is (at - span, at]: what is exactly span old has left it. Since the begin of a
    phase that was not begun there is nothing: an empty window.
    """
    match scope.kind:
        case ScopeKind.SPAN:
            return at_us - scope.span_us, at_us
        case ScopeKind.SINCE:
            return (begun_us - 1 if begun_us is not None else at_us), at_us
        case _:
            return None, None
