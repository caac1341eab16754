"""Loopback sockets."""

import errno
import itertools
import os
import random
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

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


@contextmanager
def descriptors(count: int) -> Iterator[None]:
    """Lets the tests open so many sockets; skips the test where they may not."""
    wanted = count + 200
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"may not open {count} sockets here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def crowd(port: int, count: int) -> Iterator[list[socket.socket]]:
    """So many connections to a port of this machine, which nobody waits for: they may be made, waiting, or refused."""
    with descriptors(count), ExitStack() as stack:
        connections = []
        for _ in range(count):
            connection = stack.enter_context(socket.socket())
            connection.setblocking(False)
            assert connection.connect_ex(("127.0.0.1", port)) in (0, errno.EINPROGRESS, errno.ECONNREFUSED, errno.ECONNRESET)
            connections.append(connection)
        yield connections
