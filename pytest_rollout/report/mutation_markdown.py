"""A mutation drill as markdown: survivors first."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_rollout.model.mutants import MutantOutcome
from pytest_rollout.model.mutation import MutantResult, MutationDrill, Weight, score
from pytest_rollout.report import mutation
from pytest_rollout.report.escaping import code, plain, row, table


def to_markdown(drill: MutationDrill) -> str:
    """The whole drill, its answer first."""
    parts = [f"# Mutants: {plain(mutation.summary(drill))}", _facts(drill)]
    parts += _section("Not noticed by a hard criterion", mutation.unnoticed(drill))
    for outcome, title in _APART.items():
        parts += _section(title, [result for result in drill.results if result.outcome is outcome])
    parts += ["## Shares", "\n".join(_shares(drill))]
    parts += ["## Criteria", "\n".join(_criteria(drill))]
    hard = [result for result in drill.results if result.outcome is MutantOutcome.HARD]
    parts += ["## Noticed by a hard criterion", "\n".join(_noticed(hard))] if hard else []
    return "\n\n".join(parts) + "\n"


_APART = {
    MutantOutcome.NOT_RUN_THROUGH: "Run through by no phase",
    MutantOutcome.HUNG: "Hung",
    MutantOutcome.BROKEN: "Did not start, or nothing could be measured",
    MutantOutcome.EQUIVALENT: "Equivalent, as somebody reviewed",
}


def _facts(drill: MutationDrill) -> str:
    since = f" changed since {code(drill.changed_since)}" if drill.changed_since else ""
    drawn = f"{drill.chosen} of {drill.population} mutants{since}, seed {drill.seed}"
    lines = [
        f"- {drawn}, of {', '.join(map(code, drill.paths))}",
        f"- Plan digest {code(drill.plan_digest)}",
    ]
    for phase in drill.phases:
        answers = ", ".join(f"{gate} {answer.value}" for gate, answer in phase.answers.items())
        said = plain(phase.trouble or answers)
        lines.append(f"- {code(phase.phase)} without a mutant: {said} ({phase.seconds:.1f} s)")
    return "\n".join(lines)


def _section(title: str, results: list[MutantResult]) -> Iterator[str]:
    if not results:
        return
    yield f"## {title}"
    for result in results:
        place = f"{result.mutant.file}:{result.mutant.line}"
        yield f"{code(place)} {plain(result.mutant.operator)}: {plain(result.outcome.value)}"
        yield "\n".join(("```diff", *map(_fenced, mutation.change(result.mutant)), "```"))
        yield plain(result.because or mutation.where(result)) + f" {code(result.mutant.id)}"


def _fenced(line: str) -> str:
    """A line that cannot end its block: the change of a file holds what it likes."""
    return " ".join(line.replace("```", "'''").split())


def _shares(drill: MutationDrill) -> Iterator[str]:
    yield from table("Of", "Noticed by a hard criterion")
    yield row("all", f"{mutation.shares(score(drill.results))} of {score(drill.results).asked}")
    yield from (row(code(name), words) for name, words in mutation.gates(drill))
    for name, scored in mutation.by(drill, lambda mutant: mutant.file):
        yield row(code(name), f"{mutation.shares(scored)} of {scored.asked}")
    for name, scored in mutation.by(drill, lambda mutant: mutant.operator):
        yield row(plain(name), f"{mutation.shares(scored)} of {scored.asked}")


def _criteria(drill: MutationDrill) -> Iterator[str]:
    yield from table("Criterion", "Weight", "Noticed", "Rehearsed mutants that ran through it")
    for name, weight, hits, asked in mutation.noticed_by(drill):
        yield row(code(name), weight.value, str(hits), str(asked))


def _noticed(results: list[MutantResult]) -> Iterator[str]:
    yield from table("Where", "Change", "Before", "After", "Noticed by", "Because")
    for result in results:
        trial = result.trials[-1]
        notices = trial.by(Weight.HARD)
        names = ", ".join(f"{trial.phase}.{notice.id}" for notice in notices[:3])
        more = f" and {len(notices) - 3} more" if len(notices) > 3 else ""
        yield row(
            code(f"{result.mutant.file}:{result.mutant.line}"),
            plain(result.mutant.operator),
            plain(result.mutant.before),
            plain(result.mutant.after),
            plain(names + more),
            plain(notices[0].because if notices else ""),
        )
