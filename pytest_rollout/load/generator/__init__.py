"""What locustfiles import: users whose requests are measured from planned arrivals, and shapes.

The modules here run in locust's process; nothing else imports locust, which changes the standard
library of its process. So does the first use of a name from here, and not the import of this.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from pytest_rollout.extras import needs_extra

if TYPE_CHECKING:
    from pytest_rollout.load.generator.shapes import Burst, Ramp, Soak, Spike, Stairs, Steady
    from pytest_rollout.load.generator.users import LoadUser

__all__ = ["Burst", "LoadUser", "Ramp", "Soak", "Spike", "Stairs", "Steady"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    needs_extra("load", "locust", "hdrh")
    import_module(f"{__name__}.hooks").listen()
    home = "users" if name == "LoadUser" else "shapes"
    return getattr(import_module(f"{__name__}.{home}"), name)
