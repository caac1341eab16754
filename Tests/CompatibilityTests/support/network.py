"""Loopback sockets."""

import itertools
import os
import random
import socket

# Below the ports that the system gives to those who ask for any. Each process of a parallel run takes every 16th, so
# that no two take the same one in the moment before the server listens on it.
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_ports = list(range(11_008 + _worker % 16, 32_000, 16))
_start = random.SystemRandom().randrange(len(_ports))
_next_ports = itertools.cycle(_ports[_start:] + _ports[:_start])


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listened on a moment ago."""
    for port in itertools.islice(_next_ports, len(_ports)):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no port is free")
