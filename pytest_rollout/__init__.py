"""A rollout plan as a file, its criteria as pytest suites, a decision as the answer.

Suites import what they need from here; everything else is an internal of the plugin.
"""

from pytest_rollout.model.errors import EffectRefusedError, ReferenceTargetError, RolloutError

__all__ = ["EffectRefusedError", "ReferenceTargetError", "RolloutError", "scenario"]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Load `scenario` on first use: it needs pytest, which the `rollout` command does not."""
    if name == "scenario":
        from pytest_rollout.session.scenario import scenario

        return scenario
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
