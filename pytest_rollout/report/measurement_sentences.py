"""The sentence of a measurement: what was taken, of what, and what was allowed."""

from __future__ import annotations

from pytest_rollout.model.load import LATENCY, SERVICE_TIME
from pytest_rollout.model.load_values import UNANSWERED_US
from pytest_rollout.model.numbers import decimal, exact_text
from pytest_rollout.model.spelling import nearest
from pytest_rollout.report.fact_words import Facts, amount, ordinal

_PARTLY = ("rate", "share")
_DAY = str(UNANSWERED_US // 1_000_000)  # seconds


def unseen_endpoint(f: Facts) -> str:
    """Return that an endpoint was not asked, and which ones were."""
    seen = [str(endpoint) for endpoint in f.all_of("seen")]
    near = nearest(f["endpoint"], seen, "nothing has that name")
    return (
        f"no sample of {f['metric']} was seen {f.within} of endpoint `{f['endpoint']}` ({near}), "
        f"only of {', '.join(seen)}; {f.count('need', 'sample')} needed"
    )


def other_holes(f: Facts) -> str:
    """Return which samples of the other side cannot be judged, and why."""
    whys = "; ".join(f.each_said("whys"))
    other = other_side(f)
    many = f.count("holes", "sample")
    return f"{many} of the other side, {other}, cannot be judged: {whys}"


def other_few(f: Facts) -> str:
    """Return how many samples the other side lacks."""
    other = other_side(f)
    said = f"{f['n']} of {f['need']} needed samples of the other side, {other}, were seen"
    if f.number("n") or not f.known("other_release"):
        return said
    return f"{said}: a run of it counts where its exit is GO, or lacks only this comparison"


def within_cuts(facts: Facts) -> str:
    """Return the sentence of a value that passes, or fails outright."""
    return f"{_taken(facts)}; allowed {facts['pass']}"


def warned(facts: Facts) -> str:
    """Return the sentence of a value that passes with a warning."""
    return f"{within_cuts(facts)}, but {facts['warn']} is a warning"


def between(facts: Facts) -> str:
    """Return the sentence of a value between target and breach."""
    target, breach = facts["pass"], facts["fail"]
    return f"{_taken(facts)}; between the target {target} and the breach {breach}"


def undecided(facts: Facts) -> str:
    """Return the sentence of a bound that leaves it open."""
    return f"{within_cuts(facts)}, neither shown nor ruled out yet"


def ranks(facts: Facts, shifted: str) -> str:
    """Return the sentence of Kayenta's test."""
    return f"{within_cuts(facts)}, and the test of ranks finds {shifted}"


def tolerated(facts: Facts) -> str:
    """Return the sentence of samples that were judged one by one."""
    when = _slot(facts)
    first = f", the first at {when}" if when else ""
    row = f", {facts['in_a_row']} in a row" if facts["in_a_row"] else ""
    of, are = facts.count("n", "sample"), "is" if facts["value"] == "1" else "are"
    return (
        f"{decimal(facts.fraction('value'))} of {of} of {facts['metric']} {are} bad{first}; "
        f"tolerated {facts['failures']}{row}"
    )


def _taken(facts: Facts) -> str:
    """``max of queue_depth was 10 at 09:07:15, over 240 samples in this run``."""
    over = f"over {facts.count('n', 'sample')} {facts.within}"
    figure = f"{facts['take']} of {facts['metric']}"
    if facts["other"]:
        return f"{figure} was {_compared(facts)}{_bound(facts)}, {over}"
    when = _slot(facts)
    first = ", the first bad one" if when and facts["take"] in ("rate", "sum") else ""
    at = f"{first} at {when}" if when else ""
    value = f"{facts.amount('value')}{_of(facts)}{_unanswered(facts)}"
    return f"{figure} was {value}{at}{_bound(facts)}, {over}"


def _unanswered(facts: Facts) -> str:
    """Says that a time is no answer's: it is what a failed request counts as."""
    timed = facts["metric"] in (LATENCY, SERVICE_TIME) and facts["unit"] == "s"
    return " (as a request counts that failed)" if timed and facts["value"] == _DAY else ""


def _slot(facts: Facts) -> str:
    """When and of what the deciding slot was: ``09:07:15 EST (lane Narrative)``."""
    of = f" ({facts['of']})" if facts["of"] else ""
    return facts.wall("at") + of if facts.known("at") else ""


def _of(facts: Facts) -> str:
    """How many of how many, for a rate or a share between 0 and 1."""
    value, n = facts.fraction("value"), facts.number("n")
    shared = facts["take"].startswith(_PARTLY) and 0 < value < 1
    return f" ({value * n} of {n})" if shared and (value * n).denominator == 1 else ""


def _compared(facts: Facts) -> str:
    """Both sides of a comparison."""
    other = other_side(facts)
    if facts.known("ratio"):
        if not facts["difference"]:  # Kayenta's effect size needs means above zero
            return f"{decimal(facts.fraction('value'))}, against {other}"
        size = decimal(facts.fraction("difference"))
        return f"{decimal(facts.fraction('value'))}, {size} times that of {other}"
    difference = facts.fraction("difference")
    more = "more than" if difference >= 0 else "less than"
    size = amount(exact_text(abs(difference)), facts["unit"], facts["shown"])
    return f"{facts.amount('value')}, {size} {more} that of {other}"


def other_side(facts: Facts) -> str:
    """Return what is compared with: ``seconds (version old) before the phase began``."""
    where = f" ({facts['other_where']})" if facts["other_where"] else ""
    when = " before the phase began" if facts.known("frozen") else ""
    if facts["other_release"] == "previous":
        when = " in accepted runs of the previous release"
    elif facts["other_release"]:
        when = f" in accepted runs of release {facts['other_release']}"
    return facts["other"] + where + when


def _bound(facts: Facts) -> str:
    """The end of the interval that decides; how far looks have lowered the level."""
    if not facts["confidence"]:
        return ""
    confidence = f"at {facts['confidence']} confidence"
    if facts.number("look") > 1:
        evaluation = f"the {ordinal(int(facts['look']))} evaluation of this release"
        confidence += f", which {evaluation} makes of {facts['stated']}"
    if not facts["bound"]:
        return f" ({confidence}, too few samples for a bound)"
    side = "at least" if facts["side"] == "low" else "at most"
    difference = "the difference is " if facts["difference"] and not facts.known("ratio") else ""
    return f" ({difference}{side} {facts.amount('bound')} {confidence})"
