"""The sentences of a night that is held against the nights of a pinned release."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_rollout.model.numbers import decimal
from pytest_rollout.report.fact_words import Facts, Say, buckets, count


def _few(facts: Facts) -> str:
    need, n = facts.number("need"), facts.number("n")
    needed = f"{n} of {need} needed {facts['per']} of release {facts['other_release']} are known"
    if facts.known("same"):
        return f"{needed}: this is one of them, and {need - n} more, this one included, are needed"
    return f"{needed}: let that release run on {need - n} more, with this plan"


def _other_load(facts: Facts) -> str:
    of = facts.number("of")
    return (
        f"{facts.number('other')} of {of} {_nights(facts, of)} of release "
        f"{facts['other_release']} are of another load: its rate, length, shape, locustfile or the "
        "like is not that of this run; take the change back, or name a release that ran with it"
    )


def _gone(facts: Facts) -> str:
    return (
        f"the {facts['per']} of release {facts['other_release']} have it, and this run saw nothing "
        f"of it in {facts['metric']}"
    )


def _unknown(facts: Facts) -> str:
    """``of the 2 runs that count of this night some say nothing to compare …``."""
    runs, per = facts.number("runs"), _nights(facts, 1)
    whys = {
        "little": f"fewer than the {facts['need']} needed samples",
        "nothing": "none, because its load was refused or its check broke",
        "other": "samples of another load",
    }
    said = "; ".join(f"{facts.number(k)} with {why}" for k, why in whys.items() if facts.number(k))
    return (
        f"of the {count(runs, 'run')} that count of this {per} some say nothing to compare in "
        f"{facts['metric']}: {said}; each may have been a bad one, so this {per} stays open, and "
        "the next one decides"
    )


def _worse(facts: Facts) -> str:
    nights = _nights(facts, 2)
    return (
        f"{_tonight(facts)}, and worse than them by more than chance explains: of 365 healthy "
        f"{nights} {_alarms(facts)} may look like that; {_noise(facts)}"
    )


def _alike(facts: Facts) -> str:
    return f"{_tonight(facts)}; {_margin(facts)}; {_noise(facts)}"


def _ask(facts: Facts) -> str:
    more = count(facts.number("left"), "more run")
    return (
        f"{_tonight(facts)}; {_margin(facts)}; that is suspicious, and {more} of the same "
        f"{_nights(facts, 1)} may confirm it (rollout load PLAN.PHASE --confirm); {_noise(facts)}"
    )


def _open(facts: Facts) -> str:
    return (
        f"{_tonight(facts)}; {_margin(facts)}, neither shown nor ruled out, and the "
        f"{_nights(facts, 1)} has no run left; {_noise(facts)}"
    )


def _tonight(facts: Facts) -> str:
    """``p95 of latency was 0.412, 1.02 times that of the first 30 nights of release 1.4``."""
    value = f"{facts.amount('value')}, " if facts.known("value") else ""
    size = decimal(facts.fraction("ratio"))
    runs = count(facts.number("runs"), "run")
    per, before = _nights(facts, 1), facts.number("nights") - 1
    added = f", {before} {_nights(facts, before)} before added" if before else ""
    extra = f"this run, in which it was {facts.amount('extra')}, is beyond those that the plan "
    extra = f"{extra}allows, and does not count: " if facts.known("extra") else ""
    return (
        f"{extra}{facts['take']} of {facts['metric']} was {value}{size} times that of the first "
        f"{facts['baseline']} {_nights(facts, 2)} of release {facts['other_release']}, "
        f"in {runs} of this {per}{added}"
    )


def _margin(facts: Facts) -> str:
    side = "at least" if ">" in facts["pass"] else "at most"
    bound = decimal(facts.fraction("bound"))
    return f"{side} {bound} times at {facts['confidence']} confidence, allowed {facts['pass']}"


def _noise(facts: Facts) -> str:
    per, latest = _nights(facts, 1), facts.number("latest")
    alike = f" ({facts['common']} of it common to runs of one {per})" if facts["common"] else ""
    if facts.known("lone"):
        alike += f", but {facts['without']} without that of {facts['lone']}, which is unlike the "
        alike += "others, so consider to name another release"
    still = facts.number("still")
    left = f", {still} in which nothing was answered left out" if still else ""
    return (
        f"the noise here is {facts['noise']} from {per} to {per}{left}{alike}: what is "
        f"{facts['findable']} worse is found within {latest} {_nights(facts, latest)} "
        f"9 times in 10, with {_alarms(facts)} false alarms a year"
    )


def _nights(facts: Facts, n: int) -> str:
    return buckets(facts["per"], n)


def _alarms(facts: Facts) -> str:
    return f"at most {decimal(facts.fraction('alarms'))}"


SENTENCES: Mapping[str, Say] = {
    "nightly.few": _few,
    "nightly.gone": _gone,
    "nightly.other-load": _other_load,
    "nightly.unknown": _unknown,
    "nightly.worse": _worse,
    "nightly.alike": _alike,
    "nightly.ask": _ask,
    "nightly.open": _open,
}
