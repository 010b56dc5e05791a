"""What a campaign found, in counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from tests.campaign.draw import KINDS
from tests.campaign.scene import Outcome

LAWS = ("false GO", "unreadable", "evidence lost")


def lines(
    seed: int, outcomes: Sequence[Outcome], seconds: float, kinds: Sequence[str] = ()
) -> Iterator[str]:
    """The report; the last line says whether the laws held."""
    options = "".join(f' --kind "{kind}"' for kind in kinds)
    landed = [one for one in outcomes if one.landed]
    yield f"seed {seed}: {len(outcomes)} cases, {len(landed)} interruptions in {seconds:.0f} s"
    yield ""
    yield "  by kind of interruption"
    for name in KINDS:
        mine = [one for one in outcomes if one.kind == name]
        count = sum(one.landed for one in mine)
        left = f"  ({len(mine) - count} came too late or too early)" if len(mine) > count else ""
        if mine:
            yield f"  {count:5}  {name}{left}"
    yield from _counted("how the struck run ended", (one.ended for one in landed))
    yield from _counted("what its last gate stood at afterwards", (one.stands for one in landed))
    yield from _counted("how an undisturbed run after it ended", (one.again for one in landed))
    yield ""
    right = sum(one.go_left for one in landed)
    yield f"  {right} struck runs were GO, rightly: all had run, and was sealed and whole"
    silent = sum(one.silent_zero for one in landed)
    yield f"  {silent} ended with exit status 0 and no answer (os._exit): status shows HOLD"
    for why, count in Counter(one.impossible for one in outcomes if one.impossible).items():
        yield f"  {count} were impossible here: {why}"
    yield from _broken(f"--seed {seed}{options}", outcomes)


def _counted(title: str, words: Iterator[str]) -> Iterator[str]:
    yield ""
    yield f"  {title}"
    for word, count in Counter(words).most_common():
        yield f"  {count:5}  {word or 'unknown'}"


def _broken(options: str, outcomes: Sequence[Outcome]) -> Iterator[str]:
    yield ""
    for one in outcomes:
        if one.broken:
            more = f" (and {len(one.broken) - 1} more)" if len(one.broken) > 1 else ""
            yield f"  BROKEN {one.broken[0]}{more}"
            yield f"         {one.words}{'; ' + one.struck if one.struck else ''}"
            yield f"         again: python -m tests.campaign {options} --only {one.index}"
    counts = Counter(broken.partition(":")[0] for one in outcomes for broken in one.broken)
    shown = [f"{counts[law]} {law}" for law in LAWS]
    shown += [f"{count} {law}" for law, count in counts.items() if law not in LAWS]
    yield ", ".join(shown)
