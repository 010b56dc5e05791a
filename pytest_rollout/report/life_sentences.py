"""The sentences of a phase that has begun: what was amended, and what changed since."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_rollout.report.fact_words import Facts, Say, count


def _unamended(f: Facts) -> str:
    by, was = f["by"], f["stated"]
    stated = f"; at the begin it was: {was}" if was else f"; {by} began the phase without it"
    amend = f"rollout amend {f['command']} --by AUTHOR --approved-by OTHER --why TEXT"
    amended = "nobody amended it"
    if f.known("doubt"):
        who = f"{f['author']}, approved by {f['approved_by']}"
        amended = f"its amendment by {who}, does not count: {f.said('doubt')}"
    return (
        f"{f['criterion']} was {f['how']} since the phase began, and {amended}{stated} "
        f"(take the change back, or `{amend}`)"
    )


def _amended(f: Facts) -> str:
    who = f"amended at {f.wall('at')} by {f['by']}, approved by {f['approved_by']}"
    return f"{who}, {_seen_before(f)}: {f['why']}"


def _seen_before(f: Facts) -> str:
    """What was known of it when it was amended: that it had not passed is hard to miss."""
    runs, failed = f.number("runs"), f.number("failed")
    if not runs:
        return "before anything was seen of it"
    seen = f" ({f['seen']})" if f["seen"] else ""
    last = f"the last of {count(runs, 'look')} was {f['verdict']}{seen}"
    return f"AFTER IT HAD NOT PASSED in {count(failed, 'look')}, {last}" if failed else last


def _drift(f: Facts) -> str:
    expected, read = f["expected"] or "unknown", f["read"] or "unknown"
    if f["what"] == "configuration":
        expected, read = expected[:12], read[:12]
    subject = f"address of {f['target']}" if f["target"] else f["what"]
    record = f"rollout record {f['phase']} change --says WHAT --by WHO"
    meant = f" (where it was meant: `{record}`)" if f.known("phase") else ""
    return (
        f"the {subject} was {read} at {f.wall('at')}, not {expected} as when the phase began or as "
        f"recorded since, and nobody recorded a change{meant}"
    )


def _new_release(f: Facts) -> str:
    return (
        f"the phase began with release {f['began']}, which its entry judged, and {f['now']} took "
        f"its place by a recorded change: {f['says']}"
    )


def _kept(f: Facts) -> str:
    begun = f"begun at {f.wall('at')} by {f['by']}"
    then = "are as they were then, or as recorded since"
    if f.known("unread"):
        return f"{begun}; criteria and addresses {then}; the release could not be read"
    return f"{begun}; criteria, release, configuration and addresses {then}"


SENTENCES: Mapping[str, Say] = {
    "begin.gone": "the run began after a begin that is no longer on record",
    "begin.unamended": _unamended,
    "begin.kept": _kept,
    "begin.drift": _drift,
    "begin.rolled-back": lambda f: (
        f"the phase was rolled back at {f.wall('at')} ({f['says']}), so what is measured since is "
        "not of the change, until the phase begins anew or somebody records that it is out again"
    ),
    "begin.as-it-was": "release, configuration and addresses are as expected since the begin",
    "begin.new-release": _new_release,
    "amended": _amended,
    "amended.alone": "{person} approved an amendment of their own",
}
