"""The sentences of results that other tools left in files."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_rollout.model.rule import duration_words
from pytest_rollout.report.fact_words import Facts, Say, count, joined


def _from(f: Facts) -> str:
    said_time = ", as they say" if f.known("said_time") and f["said_time"] == "True" else ""
    said_release = " as they say" if f["said_release"] == "True" else ""
    origin = f"{f['file']} ({f['format']}, sha256 {f['digest'][:12]}), brought by {f['by']}"
    ended = f"ended {f.wall('ended')}{said_time}, of {f['release']}{said_release}"
    unsaid = "".join(f"; {doubt}" for doubt in f.all_of("unsaid"))
    return f"{origin}; {ended}{unsaid}"


SENTENCES: Mapping[str, Say] = {
    "result.from": _from,
    "result.none": "no file was brought (`rollout ingest`)",
    "result.no-release": "a file is of one release, and that of this run is unknown",
    "result.other-release": "brought of {of}, not of {release}",
    "result.two-releases": lambda f: (
        f"{f['file']} was brought as of {' and as of '.join(map(str, f.all_of('releases')))}"
    ),
    "result.two-environments": lambda f: (
        f"{f['file']} was brought for {' and for '.join(map(str, f.all_of('environments')))}"
    ),
    "result.doubted": lambda f: f"{joined(f.each_said('why'))}; {f.said('result')}",
    "result.stale": lambda f: f"it ended {f.wall('ended')}, longer ago than max_age allows",
    "result.not-begun": "the phase was not begun, and a file of its exit is of one that has",
    "result.before-begin": lambda f: (
        f"it began {f.wall('started')}, before the phase did ({f.wall('begun')})"
    ),
    "result.ahead": lambda f: f"it ended {f.wall('ended')}, after this run: a clock is wrong",
    "result.too-few": lambda f: (
        f"it holds {count(f.number('n'), 'request')}, and {f['need']} decide"
    ),
    "result.too-short": lambda f: (
        f"the load lasted {duration_words(f.number('lasted_us'))} of "
        f"{duration_words(f.number('least_us'))}: it was cut off, or is another one"
    ),
    "result.dropped": lambda f: (
        f"{f['dropped']} of {f['planned']} planned arrivals never started; at most 1 in 100 may"
    ),
    "result.less-offered": "{rate} arrivals a second, and {asked} are asked: less was offered",
    "result.failed-before": lambda f: (
        f"a file of the same release failed before it: {f.said('before')}; then {f.said('result')}"
    ),
    "result.no-case": "no case in the file is it",
    "result.too-few-cases": lambda f: (
        f"{count(f.number('n'), 'case')} in the file match, and {f['need']} are asked"
    ),
    "result.cases-passed": lambda f: f"{count(f.number('n'), 'case')} passed",
}
