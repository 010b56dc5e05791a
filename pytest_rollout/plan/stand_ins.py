"""Answers to manual criteria for rehearsals, `attestations.embedded.yaml` beside the plan."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_rollout.model.attestation import StandIn
from pytest_rollout.model.plan import Criterion, Phase, Plan
from pytest_rollout.plan.faults import read_faults
from pytest_rollout.plan.reader import Reader, nearest
from pytest_rollout.plan.spec.keys import Key
from pytest_rollout.plan.spec.waiver_keys import StandInKeys, StandInsKeys

NAME = "attestations.embedded.yaml"


def read_stand_ins(reader: Reader, plan: Plan) -> tuple[StandIn, ...]:
    """The stand-ins of a plan; what is wrong with them goes to the reader."""
    stand_ins: dict[tuple[str, str], StandIn] = {}
    for tree in reader.get(StandInsKeys.attestations) or ():
        inner = reader.inner(tree, StandInKeys, "a stand-in")
        stand_in = _stand_in(inner, plan) if isinstance(tree.value, Mapping) else None
        if stand_in is None:
            continue
        first = stand_ins.setdefault((stand_in.phase, stand_in.criterion), stand_in)
        if first is not stand_in:
            problem = (
                f"{stand_in.criterion} of phase {stand_in.phase} is answered twice, first at line"
            )
            reader.problem(stand_in.line, f"{problem} {first.line}", "keep one of the two")
    reader.done()
    return tuple(stand_ins.values())


def _stand_in(reader: Reader, plan: Plan) -> StandIn | None:
    words: Mapping[str, str] = {
        key.name: _stated(reader, key)
        for key in (
            *(StandInKeys.phase, StandInKeys.criterion, StandInKeys.by),
            *(StandInKeys.role, StandInKeys.note),
        )
    }
    passed = not reader.get(StandInKeys.fail)
    faults = read_faults(reader, StandInKeys.faults)
    reader.done()
    stated = _criterion(reader, plan, words) if words["phase"] and words["criterion"] else None
    if stated is None or not all(words.values()):
        return None
    allowed = stated.by or plan.known_roles()
    if words["role"] not in allowed:
        problem = f"{reader.what} of {stated.id}: role `{words['role']}` may not attest it"
        reader.problem(reader.line_of(StandInKeys.role), problem, nearest(words["role"], allowed))
    return StandIn(**words, passed=passed, faults=faults, line=reader.line)


def _stated(reader: Reader, key: Key[str | None]) -> str:
    words = (reader.get(key) or "").strip()
    if not words:
        reader.problem(reader.line_of(key), f"{reader.what} has no `{key.name}`")
    return words


def _criterion(reader: Reader, plan: Plan, words: Mapping[str, str]) -> Criterion | None:
    phase: Phase | None = plan.phase(words["phase"])
    if phase is None:
        hint = nearest(words["phase"], [phase.id for phase in plan.phases])
        reader.problem(reader.line_of(StandInKeys.phase), f"unknown phase `{words['phase']}`", hint)
        return None
    slug = words["criterion"]
    stated = next((criterion for criterion in phase.criteria if criterion.id == slug), None)
    if stated is None:
        hint = nearest(
            slug,
            [
                criterion.id
                for criterion in phase.criteria
                if criterion.attested or criterion.ingest
            ],
        )
        problem = f"phase {phase.id} has no criterion `{slug}`"
        reader.problem(reader.line_of(StandInKeys.criterion), problem, hint)
    elif not (stated.attested or stated.ingest):
        problem = f"criterion {slug} is not attested: its kind is {stated.kind.value}"
        fix = "say in the plan which roles may: by: [ROLE]"
        reader.problem(reader.line_of(StandInKeys.criterion), problem, fix)
        return None
    return stated
