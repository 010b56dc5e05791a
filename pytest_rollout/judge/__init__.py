"""From evidence to a decision: pure, without input, output, clock or YAML.

One way through: :func:`~pytest_rollout.judge.decide.decide` folds findings; findings come
from rules over slices of observations, from checks, from people, and from demands on the run.
"""

from pytest_rollout.judge.case import Case
from pytest_rollout.judge.decide import decide

__all__ = ["Case", "decide"]
