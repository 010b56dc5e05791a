"""The sentence of each reason not to believe the record of a load."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_rollout.report.fact_words import Facts, Say, count


def _lasting(f: Facts, key: str) -> str:
    return lasting(f.number(key))


def lasting(microseconds: int) -> str:
    """Return a duration as people say it: ``85.2ms``, ``1.25s``, ``90s``."""
    if microseconds < 1_000_000:
        return f"{microseconds / 1_000:.6g}ms"
    return f"{microseconds / 1_000_000:.4g}s"


def _who(f: Facts) -> str:
    return f"load worker {f['worker']}" if f.known("worker") else "the load generator"


def _of_another(f: Facts) -> str:
    other = " and ".join(map(str, f.all_of("other")))
    return f"the record is of load {f['load']} with another {other} than the plan states"


def _held(f: Facts) -> str:
    return f"all {f.count('held', 'user')} waited for the target"


def _gone(f: Facts) -> str:
    last = f"in the last {count(f.number('seconds'), 'second')}, or was not answered"
    when = "in every second" if f["seconds"] == f["of"] else last
    return f"every request failed {when}: the target was not there, so no time of an answer counts"


_AT_ODDS = {
    "processor": "a process does not say how full its core was",
    "endpoint-twice": "an endpoint stands in it twice",
    "generator-twice": "a process stands in it twice",
    "second-twice": "a second stands in it twice",
    "failures-beyond": "more requests failed in a second than ended",
    "requests": "its endpoints and its seconds hold different numbers of requests",
    "failures": "its endpoints and its seconds hold different numbers of failures",
    "errors": "it tells of more errors than failures",
    "long": "it lasted much longer than planned",
    "latency": "latencies are shorter than service times",
}


def _at_odds(f: Facts) -> str:
    contradictions = "; ".join(
        _AT_ODDS.get(str(contradiction), str(contradiction)) for contradiction in f.all_of("what")
    )
    return f"the record of the load contradicts itself: {contradictions}"


SENTENCES: Mapping[str, Say] = {
    "load.no-record": "load {load} left no record",
    "load.no-counts": "the record of load {load} holds counts that are negative, or no numbers",
    "load.at-odds": _at_odds,
    "load.begins-apart": lambda f: (
        f"the processes began up to {_lasting(f, 'apart_us')} apart, {_lasting(f, 'most_us')} are "
        "allowed: the stated rate was not offered"
    ),
    "load.other-times": lambda f: (
        f"by the end of second {f['second']}, {f['started']} arrivals had started and "
        f"{f['planned']} were planned: the load was not offered at its planned times"
    ),
    "load.users": lambda f: (
        f"in second {f['second']} there were {f['users']} of {f.count('planned', 'planned user')}: "
        "the others were gone"
    ),
    "load.raised": lambda f: (
        f"{f.count('raised', 'task')} of the locustfile raised an exception though no request of "
        "theirs had failed: what they did not ask is in no figure"
    ),
    "load.unasked": "{asked} of {started} arrivals that started asked anything",
    "load.of-another": _of_another,
    "load.trouble": "the load broke off: {says}",
    "load.cut-short": lambda f: (
        f"the load did not run to its planned end: it was ended after {_lasting(f, 'lasted_us')} "
        f"of {_lasting(f, 'duration_us')}"
    ),
    "load.workers": "{seen} of {expected} that should make the load took part in it",
    "load.worker-lost": lambda f: f"{_who(f)} was lost before the end, and its part of the load",
    "load.saturated": lambda f: (
        f"{_who(f)} used {f['percent']} % of its core, so it measures itself "
        "(generators: more processes, or a lower rate)"
    ),
    "load.woken-late": lambda f: (
        f"{_who(f)} was woken {_lasting(f, 'late_us')} late, more than "
        f"{_lasting(f, 'most_us')}: its machine has too much to do"
    ),
    "load.clock": lambda f: (
        f"the clock of {_who(f)} was set by {_lasting(f, 'by_us')} while the load ran"
    ),
    "load.nothing-offered": "load {load} planned no arrival",
    "load.planned-less": lambda f: (
        f"{f['planned']} arrivals were planned, not the {f['profile']} of the profile: "
        "the stated rate was not offered"
    ),
    "load.not-started": lambda f: (
        f"{f['started']} of {f['planned']} planned arrivals started, at least 99 in 100 must"
        + (f"; {f['dropped']} were dropped" if f.number("dropped") else "")
        + (f": {_held(f)}, which is too slow for this rate" if f.known("held") else "")
    ),
    "load.delays-lost": "{kept} of {started} arrivals after the warm-up say how late they started",
    "load.late": lambda f: (
        f"1 in 100 arrivals started more than {_lasting(f, 'late_us')} late, "
        f"{_lasting(f, 'most_us')} are allowed"
        + (f" ({_held(f)})" if f.known("held") else " (more processes, or a lower rate)")
    ),
    "load.no-request": lambda f: (
        f"no request was made, though {f.count('started', 'arrival')} started"
    ),
    "load.unanswered": "{answered} requests ended of {started} arrivals that started",
    "load.counts": "endpoint {endpoint} kept {kept} times of {requests} requests",
    "load.few": lambda f: f"{f.count('n', 'answer')} after the warm-up, {f['need']} are needed",
    "load.target-gone": _gone,
}
