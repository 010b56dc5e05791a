"""How often the judge's bounds and alarms are wrong, against how often they say they may be.

Run as ``python -m benchmarks.coverage``; with ``--write`` it also writes coverage.md and
coverage.svg in docs/explanation, with ``--quick`` it takes some seconds. Every line rolls a known
service out many times and counts how often what the judge says of it is false: a bound on the wrong
side of the truth, an alarm on a service that is as good as was asked, a pass of one that is not;
and how often it finds what it is there to find. What is judged are the functions of
pytest_rollout.judge, on counts where they need no more. Ends with 1 where a line that claims its
level does not hold it, or where a published figure is not met.
"""

from __future__ import annotations

from benchmarks.coverage.services import outcomes, rule, verdict

__all__ = ["outcomes", "rule", "verdict"]
