"""The keys of mutants.yaml: mutants that change nothing, as people have reviewed them."""

from __future__ import annotations

from pytest_rollout.plan.spec.keys import Key, Keys
from pytest_rollout.plan.spec.kinds import Text, Whole
from pytest_rollout.plan.spec.shapes import ListOf, Nested

_SAID = Text("text", r"\S")


class EquivalentKeys(Keys, name="equivalent", title="an equivalent mutant"):
    """A small change that nobody can notice, named by its id, or by its file and changed lines."""

    exactly_one = ("id", "file")
    together = {  # noqa: RUF012
        "file": ("before", "after"),
        "before": ("file",),
        "after": ("file",),
    }

    id = Key(_SAID, "The id of the mutant, as a drill prints it.", example='"app.py:0c13d2c535c2"')
    file = Key(_SAID, "The file that is changed, from the project's folder.", example="app.py")
    line = Key(Whole(1), "Where it stands, for people; lines may move.", example="12")
    before = Key(Text("text"), "The lines as they are.", example='"return max(0, left)"')
    after = Key(Text("text"), "The lines with the change.", example='"return max(-1, left)"')
    reason = Key(_SAID, "Why it changes nothing.", example="left is never negative", required=True)
    by = Key(_SAID, "Who reviewed it.", example="A. Turing", required=True)


class EquivalentsKeys(Keys, name="equivalents", title="mutants.yaml"):
    """The mutants beside a plan that change nothing, so that no drill counts them."""

    equivalents = Key(
        ListOf(Nested(EquivalentKeys)),
        "The mutants.",
        example='[{id: "app.py:0c13d2c535c2", reason: R, by: A}]',
    )
