"""The sentence of each reason: one table with an entry for each code.

Reasons are codes and facts; to show one, call :func:`text`. Nothing reads a sentence back.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from pytest_rollout.model.finding import Fact, Reason
from pytest_rollout.model.rule import duration_words
from pytest_rollout.report import (
    clearance_sentences,
    gate_sentences,
    life_sentences,
    load_sentences,
    measurement_sentences,
    nightly_sentences,
    result_sentences,
)
from pytest_rollout.report.fact_words import Facts, Say, buckets, each_of, each_once, joined

SILENT = ("passed", "no-reason")  # codes that say no more than the verdict beside them


def text(reason: Reason, zone: str) -> str:
    """Return the sentence of a reason; instants as the clocks of a zone read them.

    Of a code or facts that another version wrote and this one cannot say, the code with its
    facts, rather than nothing.
    """
    say = TABLE.get(reason.code)
    if isinstance(say, str) and "{" not in say:
        return say
    facts = Facts(reason.facts, zone, text)
    if say is not None:
        with suppress(ValueError):
            return say.format_map(facts) if isinstance(say, str) else say(facts)
    return _bare(reason, zone)


def _bare(reason: Reason, zone: str) -> str:
    facts = [
        f"{key} {_shown(fact, zone)}" for key, fact in reason.facts.items() if fact is not None
    ]
    return f"{reason.code}: {', '.join(facts)}" if facts else reason.code


def _shown(fact: Fact, zone: str) -> str:
    if isinstance(fact, tuple):
        return joined([_shown(item, zone) for item in fact])
    return text(fact, zone) if isinstance(fact, Reason) else str(fact)


def cause(id_: str, reason: Reason, zone: str) -> str:
    """Return what an answer rests on in one line: the finding's id, if it has one, and why."""
    return f"{id_}: {text(reason, zone)}" if id_ else text(reason, zone)


def _ended_early(f: Facts) -> str:
    until = f"until {f.wall('until')}" if f.known("until") else "as long as a rule reaches it"
    way_out = f"unless somebody settles it: rollout settle {f['run']}"
    return f"run {f['run']}: {f['why']}; that counts as unknown {until}, {way_out}"


def _several(f: Facts) -> str:
    return joined([f.speak(reason, f.zone) for reason in each_once(f.all_of("reasons"))])


def _told(f: Facts) -> str:
    state = f"{f['state']}: " if f["state"] else ""
    return (f"{f['subject']}: " if f["subject"] else "") + state + f.said("reason")


def _few(f: Facts) -> str:
    if f.number("n") == 0:
        anywhere = f.known("per") and not f.known("of_one")
        within = f"in any {buckets(f['per'], 1)}" if anywhere else f.within
        return f"no sample of {f['metric']} was seen {within}; {f.count('need', 'sample')} needed"
    return f"{f['n']} of {f['need']} needed samples of {f['metric']} were seen {f.within}"


def _holes(f: Facts) -> str:
    whys = "; ".join(f.each_said("whys"))
    return f"{f['holes']} of {f.count('n', 'sample')} of {f['metric']} cannot be judged: {whys}"


def _ahead(f: Facts) -> str:
    by = duration_words(f.number("by_us"))
    are = "is" if f.number("ahead") == 1 else "are"
    return (
        f"{f['ahead']} of {f.count('n', 'sample')} of {f['metric']} {are} from after the moment of "
        f"judging, up to {by} ahead of this machine's clock (the newest at {f.wall('newest')})"
    )


def _undated(f: Facts) -> str:
    whys = "; ".join(f.each_said("whys"))
    return f"what a run saw of {f['metric']} is lost ({whys}), and it may be of any time before"


def _absent(f: Facts) -> str:
    within = f" of {f['within']}" if f["within"] else ""
    return (
        f"{f['found']} of {f['expected']} expected groups of {f['label']}{within} "
        f"were seen in {f['metric']}"
    )


def _bucket(f: Facts) -> str:
    unit, telling, of = buckets(f["per"], f.number("of")), f.number("telling"), f.number("of")
    if of == 1:
        many = f"the {unit}"
    elif telling == of:
        many = each_of(of, unit)
    else:
        many = f"{telling} of {of} {unit}"
    which = " until" if of == 1 else ", the last until" if telling > 1 else ", the one until"
    when = f"{which} {f.wall('until')}" if f.known("until") else ""
    return f"{many}{when}: {_of_one(f, 'reason')}"


def _of_one(f: Facts, key: str) -> str:
    """The sentence of a reason that is about one bucket, which is named beside it."""
    reason = f.facts.get(key)
    if isinstance(reason, Reason):
        return f.speak(replace(reason, facts={**reason.facts, "of_one": True}), f.zone)
    return ""


def _row(f: Facts) -> str:
    if f.number("row_n"):
        many = f"{f['good']} in a row, {f['row_n']} needed"
    else:
        lasted, wanted = (duration_words(f.number(key)) for key in ("lasted_us", "row_us"))
        many = f"good for {lasted}, {wanted} needed"
    before = f"; before: {_of_one(f, 'ended')}" if f.known("ended") else ""
    now = f"; now: {_of_one(f, 'newest')}" if f.known("newest") else ""
    return f"{many}{before}{now}"


def _gap(f: Facts) -> str:
    return f"nobody looked from {f.wall('since')} to {f.wall('until')}"


def _nothing(f: Facts) -> str:
    return "of the other side nothing was seen" if f.known("other") else "nothing was seen"


def _no_ratio(f: Facts) -> str:
    side = "on the other side, " if f.known("other") else ""
    return f"{side}a ratio needs values above zero, and {f['value']} was observed"


def _checks_passed(f: Facts) -> str:
    n = f.number("n")
    return "its check passed" if n == 1 else f"{each_of(n, 'checks')} passed"


def _passed_at_last(f: Facts) -> str:
    before = f.facts.get("reason")
    silent = isinstance(before, Reason) and before.code in SILENT
    why = "" if silent else f": {f.said('reason')}"
    return f"passed only at attempt {f['attempt']}; before: {f['verdict']}{why}"


def _attested(f: Facts, how: str) -> str:
    release = f" of {f['release']}" if f["release"] else ""
    file = f", with {f['file']} (SHA-256 {f['digest'][:12]})" if f["digest"] else ""
    return f"{how} by {f['by']} ({f['role']}) at {f.wall('at')}{release}{file}: {f['note']}"


def _can(f: Facts) -> str:
    people = ", ".join(map(str, f.all_of("can")))
    if not people:
        return "roles.yaml names nobody who holds the role today"
    return f"can be answered by {people}"


def _twice(f: Facts) -> str:
    who = ", ".join(map(str, f.all_of("by")))
    can = f"; {_can(f)}" if f.all_of("can") else ""
    return f"{who} counts for another role, and each role needs a person of its own{can}"


def _too_old(f: Facts) -> str:
    life = duration_words(f.number("life_us"))
    return f"{f.said('answer')}; longer ago than the {life} for which it counts"


def _after_no(f: Facts) -> str:
    return f"{f.said('answer')}; before: {f.said('before')}"


def _score(f: Facts) -> str:
    lost = ", ".join(map(str, f.all_of("lost")))
    tail = f"; not earned in full: {lost}" if lost else ""
    return f"the score is {f.amount('score')} of 100, allowed {f['pass']}{tail}"


_MEASURED: Mapping[str, Say] = {
    "within": measurement_sentences.within_cuts,
    "beyond": measurement_sentences.within_cuts,
    "warned": measurement_sentences.warned,
    "between": measurement_sentences.between,
    "open": measurement_sentences.undecided,
    "tolerated": measurement_sentences.tolerated,
    "ranks.shifted": lambda f: measurement_sentences.ranks(f, "a harmful shift"),
    "ranks.alike": lambda f: measurement_sentences.ranks(f, "no shift beyond it"),
    "outside-theorem": lambda f: (
        f"{f.said('reason')} (Kayenta's rule, outside the theorem: worse evidence may turn it "
        "into a pass)"
    ),
    "ratio-of-nothing": "a ratio needs another side above zero",
    "no-bound-of-ratio": "the ratio of two rates has no bound here: compare their difference",
    "nothing": _nothing,
    "few": _few,
    "few.endpoint": measurement_sentences.unseen_endpoint,
    "few-buckets": lambda f: (
        f"{f['n']} of {f['need']} needed {buckets(f['per'], 2)} of {f['metric']} are over"
    ),
    "not-begun": "the phase was not begun, so no sample of {metric} counts",
    "no-look": "no sample of {metric} was seen",
    "holes": _holes,
    "other.holes": measurement_sentences.other_holes,
    "other.few": measurement_sentences.other_few,
    "ahead": _ahead,
    "undated": _undated,
    "absent": _absent,
    "bucket": _bucket,
    "gap": _gap,
    "row": _row,
    "row.bad": lambda f: f"{f.row}: {f.said('reason')}",
    "might-complete": lambda f: f"a lost sample could have been the last of {f.row}",
    "all-stale": "everything that was seen is older than evidence may be (max_age)",
    "hole.stale": "older than evidence may be (max_age)",
    "hole.ended-early": _ended_early,
    "hole.twice": "recorded twice with different values",
    "hole.too-many-buckets": lambda f: (
        f"more than {f['most']} {buckets(f['per'], 2)} lie between the first sample and the last"
    ),
    "hole.no-outcome": "a rate is of outcomes between 0 and 1, and {value} was observed",
    "hole.no-whole-outcome": "a rate has a bound where every outcome is 0 or 1, "
    "and {value} was observed",
    "hole.no-reading": "a counter is one number of at least 0, and {value} was observed",
    "hole.out-of-range": "{value} lies outside of the stated range, {low} to {high}",
    "hole.no-ratio": _no_ratio,
}
_STATED: Mapping[str, Say] = {
    "said": "{text}",
    "several": _several,
    "told": _told,
    "passed": "passed",
    "no-reason": "no reason was given",
    "unsealed": "not counted, because the run is not sealed",
    "checks-passed": _checks_passed,
    "passed-at-last": _passed_at_last,
    "check.not-collected": "its `check:` was not collected from the plan",
    "check.unbound": "no check is bound to it (no test carries criterion({criterion!r}))",
    "check.absent": "listed in bindings.txt, but not collected",
    "check.unmatched": "`binds` names it, but no such test was collected",
    "check.silent": "it never reported",
    "configured.unknown": "whether {variable} is configured was not recorded",
    "configured.not": "{variable} is not configured",
    "configured.failed": lambda f: (
        f"{f['variable']} is not configured, yet its check ran and did not pass "
        f"({f.said('checks')}): skip it where {f['variable']} is not set"
    ),
    "attested": lambda f: _attested(f, "attested"),
    "attested.no": lambda f: _attested(f, "attested as failing"),
    "attested.too-old": _too_old,
    "attested.after-no": _after_no,
    "attested.not-believed": lambda f: (
        f"{f.said('answer')}; it does not count: {f.said('why')}; {_can(f)}"
    ),
    "attested.doubtful-no": lambda f: (
        f"{f.said('answer')}; {f.said('why')}, but a no is not ignored; {_can(f)}"
    ),
    "attested.doubted": lambda f: f"{f.said('answer')}; it does not count: {f.said('why')}",
    "attested.unsigned": "it is not signed, and roles.yaml has keys",
    "attested.unverified": "its signature was not looked at",
    "attested.by-author": "it is an author of the change who says so",
    "attested.as": lambda f: f"{f['role']}: {f.said('reason')}",
    "attested.twice": _twice,
    "attested.nobody": "nobody has attested it",
    "attested.other-release": "nobody has attested it of {release}, but of {of}",
    "stand-in": "a stand-in for an attestation: {by} ({role}): {note}",
    "stand-in.drilled": "under {drill} its stand-in says no: {by} ({role})",
    "stand-in.none": "nobody has attested it: attestations.embedded.yaml has no stand-in",
    "group.none-applies": "none of its members applies",
    "score": _score,
    "score.key": lambda f: f"key member {f['key']} fails; {_score(f)}",
    "score.unknown": lambda f: f"{f['member']}: {f.said('reason')}; {_score(f)}",
    "waived": lambda f: (
        f"{f.said('reason')}; waived until {f['until']}, approved by {f['approver']}: {f['why']}"
    ),
    "waiver.other-release": lambda f: (
        f"{f.said('reason')}; a waiver of release {f['release']} does not apply"
    ),
    "condition.overdue": lambda f: f"{f.said('reason')}; the last day to meet it was {f['due']}",
    "waiver.expired": lambda f: (
        f"{f.said('reason')}; its waiver expired at the end of {f['until']}"
    ),
    "waiver.short": lambda f: f"{f.said('reason')}; its waiver does not cover this",
    "waiver.limit": lambda f: f"{f.said('reason')}, with its waiver {f['limit']}",
}
TABLE: Mapping[str, Say] = {
    **_MEASURED,
    **_STATED,
    **gate_sentences.SENTENCES,
    **clearance_sentences.SENTENCES,
    **life_sentences.SENTENCES,
    **nightly_sentences.SENTENCES,
    **load_sentences.SENTENCES,
    **result_sentences.SENTENCES,
}
