"""HTTP/1.1 by hand: requests that no client would send, and answers that are read when the test wants it."""

import http.client

from support.wire import Wire


class Lasting:
    """A reader that a response closes when it is read, and that the next one needs: it may hold bytes of that one."""

    def __init__(self, reader):
        self._reader = reader

    def __getattr__(self, name: str):
        return getattr(self._reader, name)

    def close(self) -> None:
        pass


class Raw(Wire):
    """A connection to a port of this machine."""

    def __init__(self, port: int, timeout: float = 60, receive_buffer: int | None = None):
        super().__init__("127.0.0.1", port, timeout, receive_buffer)
        self._reader = self.socket.makefile("rb")

    def __exit__(self, *_) -> None:
        self._reader.close()
        super().__exit__()

    def answer(self) -> tuple[int, http.client.HTTPMessage, bytes] | None:
        """Status, headers and body of the next answer; None when the connection was closed without one."""
        response = http.client.HTTPResponse(self.socket)
        response.fp.close()
        response.fp = Lasting(self._reader)
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
