"""Whether HTTP is mocked in this process."""

from __future__ import annotations

import socket
import sys

_SOCKETS = ("httpretty", "mocket", "pook")  # which put sockets of their own in


def mocked() -> str:
    """Return what intercepts HTTP right now; empty where nothing does, or none is loaded."""
    mocks = sys.modules.get("respx.mocks")
    registry = getattr(getattr(mocks, "Mocker", None), "registry", {})
    if any(getattr(entry, "routers", ()) for entry in registry.values()):
        return "respx"
    package = str(getattr(socket.socket, "__module__", "")).partition(".")[0]
    return package if package in _SOCKETS else ""
