"""HTTP/1.1 by hand: requests that no client would send, and answers that are read when the test wants it."""

import http.client
import socket


class Raw:
    """A connection to a port of this machine."""

    def __init__(self, port: int, timeout: float = 60, receive_buffer: int | None = None):
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect(("127.0.0.1", port))

    def __enter__(self) -> "Raw":
        return self

    def __exit__(self, *_) -> None:
        self.socket.close()

    def send(self, *parts: bytes) -> bool:
        """Whether the other side still took it; what it has answered can be read in either case."""
        try:
            for part in parts:
                self.socket.sendall(part)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def answer(self) -> tuple[int, http.client.HTTPMessage, bytes] | None:
        """Status, headers and body of the next answer; None when the connection was closed without one."""
        response = http.client.HTTPResponse(self.socket)
        try:
            response.begin()
            return response.status, response.headers, response.read()
        except (http.client.RemoteDisconnected, ConnectionResetError):
            return None
        finally:
            response.close()

    def is_closed_within(self, seconds: float) -> bool:
        """Whether the other side ends the connection in time; what it says before is dropped."""
        self.socket.settimeout(seconds)
        try:
            while self.socket.recv(1 << 16):
                pass
            return True
        except TimeoutError:
            return False
        except ConnectionResetError:
            return True


def request(path: str, *headers: str, method: str = "POST") -> bytes:
    """The head of a request."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *headers, "", ""]).encode("latin-1")
