"""A network that misbehaves: a TCP proxy in front of one loopback port."""

import socket
import struct
import threading
import time
from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit


class Proxy:
    """Passes bytes on until it is told otherwise.

    `mode` is `pass`, `stall` (bytes are taken and go nowhere, new connections are taken and never answered), or `refuse`
    (nobody listens). `delay` seconds pass before bytes are passed on. `watch` sees each piece as ("up" to the database
    or "down", bytes) before it is passed on, and returns how many of its bytes may pass; fewer than all break the
    connection after them.
    """

    def __init__(self, url: str):
        self.parts = urlsplit(url)
        self.mode = "pass"
        self.delay = 0.0
        self.watch: Callable[[str, bytes], int] = lambda direction, data: len(data)
        self.pairs: list[tuple[socket.socket, socket.socket]] = []
        self.lock = threading.Lock()
        self.port = 0
        self.listener = self._listen()

    @property
    def url(self) -> str:
        """The database's URL by way of the proxy."""
        return urlunsplit(self.parts._replace(netloc=f"{self.parts.username}@127.0.0.1:{self.port}"))

    def refuse(self) -> None:
        """Nobody listens any more, and all connections are reset."""
        self.mode = "refuse"
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.reset()

    def stall(self) -> None:
        """The network takes everything and delivers nothing."""
        self.mode = "stall"

    def mend(self) -> None:
        """All is well again; what was stalled is lost, as its connections have been given up or are now."""
        if self.mode == "refuse":
            self.listener = self._listen()
        elif self.mode == "stall":
            self.reset()
        self.mode = "pass"

    def reset(self) -> None:
        """Breaks every connection on both sides."""
        with self.lock:
            pairs, self.pairs = self.pairs, []
        for pair in pairs:
            for end in pair:
                break_off(end)

    def close(self) -> None:
        if self.mode != "refuse":
            self.refuse()

    def _listen(self) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self.port = listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", self.parts.port))
            except OSError:
                if listener.fileno() < 0 or self.mode == "refuse":
                    return
                # The database itself is away.
                break_off(client)
                continue
            pair = (client, server)
            with self.lock:
                self.pairs.append(pair)
            for direction, source, sink in [("up", client, server), ("down", server, client)]:
                threading.Thread(target=self._pump, args=(direction, source, sink), daemon=True).start()

    def _pump(self, direction: str, source: socket.socket, sink: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                if self.delay:
                    time.sleep(self.delay)
                if self.mode == "stall":
                    continue
                allowed = self.watch(direction, data)
                sink.sendall(data[:allowed])
                if allowed < len(data):
                    break
        except OSError:
            pass
        # Either end that leaves takes the other one along.
        break_off(sink)
        break_off(source)


def break_off(connection: socket.socket) -> None:
    """Ends a connection with a reset."""
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # Wakes a thread that is reading; closing alone does not.
        connection.shutdown(socket.SHUT_RD)
    except OSError:
        pass
    connection.close()
