"""What connections that are driven by hand have in common."""

import socket
from typing import Self


class Wire:
    """A TCP connection on which the test itself says every byte."""

    def __init__(self, host: str, port: int, timeout: float, receive_buffer: int | None = None):
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(timeout)
        self.socket.connect((host, port))

    def __enter__(self) -> Self:
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
