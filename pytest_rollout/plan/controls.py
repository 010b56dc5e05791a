"""The controls that a criterion is evidence for."""

from __future__ import annotations

from pytest_rollout.plan.reader import Reader
from pytest_rollout.plan.spec.criterion_keys import CONTROL, CriterionKeys


def read_controls(reader: Reader) -> tuple[str, ...]:
    """Return the controls that a criterion names, each once; notes what is none."""
    line, controls = reader.line_of(CriterionKeys.controls), list[str]()
    for name in reader.get(CriterionKeys.controls) or ():
        if not CONTROL.fullmatch(name):
            fix = "letters, digits and . _ : / @ ( ) + -, at most 80: controls: [SOC2-CC8.1]"
            reader.problem(line, f"{reader.what}: {name!r:.90} is no name of a control", fix)
        elif name in controls:
            reader.problem(line, f"{reader.what}: the control {name} is named twice")
        else:
            controls.append(name)
    return tuple(controls)
