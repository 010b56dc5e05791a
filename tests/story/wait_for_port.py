"""Wait until somebody listens on a port of loopback: `python -m tests.story.wait_for_port 8700`."""

import socket
import sys
import time

_TRIES, _PAUSE_S = 200, 0.1


def main(port: int) -> None:
    """Wait; raises TimeoutError where nobody comes."""
    for _ in range(_TRIES):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(_PAUSE_S)
        else:
            return
    raise TimeoutError(f"nobody listens on port {port}")


if __name__ == "__main__":
    main(int(sys.argv[1]))
