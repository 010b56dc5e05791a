"""The listening sockets of this machine, by the kernel."""

from __future__ import annotations

import ipaddress
import socket
import struct
from pathlib import Path

_LISTENING = "0A"
_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))


def bound_to(port: int) -> list[str]:
    """The addresses at which somebody listens on a port."""
    addresses = []
    for table in _TABLES:
        rows = table.read_text().splitlines()[1:] if table.is_file() else []
        for row in rows:
            local, state = row.split()[1], row.split()[3]
            address, _, number = local.partition(":")
            if state == _LISTENING and int(number, 16) == port:
                addresses.append(_address(address))
    return addresses


def _address(written: str) -> str:
    """An address as the kernel writes it: words of four bytes, each with its last byte first."""
    words = [int(written[at : at + 8], 16) for at in range(0, len(written), 8)]
    packed = b"".join(struct.pack("=I", word) for word in words)
    kind = socket.AF_INET if len(packed) == 4 else socket.AF_INET6
    return socket.inet_ntop(kind, packed)


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches an address."""
    parsed = ipaddress.ip_address(address)
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback
