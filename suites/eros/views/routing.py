"""What the flags must make of a creator, computed here and not asked of the router."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

ADOPTERS = ("alexia", "grace_bennett", "luna_free")
TRUE = frozenset({"true", "1"})  # in any spelling of upper and lower case


def bucket(creator: str) -> int:
    """The bucket of a creator, 0 to 99: the same in each process and on each machine."""
    return int(hashlib.sha256(creator.encode()).hexdigest()[:8], 16) % 100


def switched_on(text: str) -> bool:
    """Whether a text is a known spelling of true."""
    return text.strip().lower() in TRUE


def percentage(text: str) -> int:
    """The percentage that a text says; 0 where it says none."""
    digits = text.strip()
    within = digits.isascii() and digits.isdigit() and int(digits) <= 100
    return int(digits) if within else 0


def listed(text: str) -> frozenset[str]:
    """The names in a list of creators."""
    return frozenset(name.strip() for name in text.split(",")) - {""}


@dataclass(frozen=True, slots=True)
class Flags:
    """Flags as they are in force."""

    enabled: bool = False
    shadow: bool = False
    percentage: int = 0
    creators: frozenset[str] = frozenset()
    fallback: bool = True

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Flags:
        """The flags that environment variables set."""
        return cls(
            switched_on(environ.get("EROS_V5_ENABLED", "")),
            switched_on(environ.get("EROS_V5_SHADOW_MODE", "")),
            percentage(environ.get("EROS_V5_PERCENTAGE", "")),
            listed(environ.get("EROS_V5_CREATORS", "")),
            switched_on(environ.get("EROS_V5_AUTO_FALLBACK", "true")),
        )

    def typed(self) -> dict[str, object]:
        """The flags as the service reports them, the list in the order of the alphabet."""
        return {
            "EROS_V5_ENABLED": self.enabled,
            "EROS_V5_SHADOW_MODE": self.shadow,
            "EROS_V5_PERCENTAGE": self.percentage,
            "EROS_V5_CREATORS": sorted(self.creators),
            "EROS_V5_AUTO_FALLBACK": self.fallback,
        }

    def decide(self, creator: str) -> tuple[str, str]:
        """The pipeline whose schedule a creator gets, and why."""
        if not self.enabled:
            return "v4", "kill_switch"
        if self.shadow:
            return "v4", "shadow"
        if creator in self.creators:
            return "v5", "list"
        if bucket(creator) < self.percentage:
            return "v5", "percentage"
        return "v4", "default"
