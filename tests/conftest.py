"""What every test of the product stands on."""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    """Let signals end the processes that tests start, also where this run is in the background."""
    for number, handler in (
        (signal.SIGINT, signal.default_int_handler),
        (signal.SIGHUP, signal.SIG_DFL),
    ):
        if signal.getsignal(number) is signal.SIG_IGN:  # which children inherit
            signal.signal(number, handler)
