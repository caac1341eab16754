"""HTTP/2 by hand: frames that no client would send, and calls of gRPC whose every byte the test decides.

Headers are sent as plain literals. What a server answers is read as far as tests need it: which frames came, and the
status of a call.
"""

import struct
import time
from collections.abc import Iterator
from typing import NamedTuple

from support.wire import Wire

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM, ACK, END_HEADERS = 1, 1, 4
HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE = range(1, 7)


class Frame(NamedTuple):
    kind: int
    flags: int
    stream: int
    payload: bytes


def frame(kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + struct.pack(">BBI", kind, flags, stream) + payload


def settings(**values: int) -> bytes:
    """A SETTINGS frame, such as `settings(INITIAL_WINDOW_SIZE=0)`."""
    return frame(SETTINGS, payload=b"".join(struct.pack(">HI", globals()[name], value) for name, value in values.items()))


def window_update(stream: int, increment: int) -> bytes:
    return frame(WINDOW_UPDATE, stream=stream, payload=struct.pack(">I", increment))


def reset(stream: int, code: int = 8) -> bytes:
    """By default: CANCEL."""
    return frame(RST_STREAM, stream=stream, payload=struct.pack(">I", code))


def integer(value: int, bits: int, first: int = 0) -> bytes:
    """A number as HPACK writes it, behind the upper bits of its first byte."""
    most = (1 << bits) - 1
    if value < most:
        return bytes([first | value])
    coded = bytearray([first | most])
    value -= most
    while value >= 128:
        coded.append(value & 127 | 128)
        value >>= 7
    return bytes(coded + bytes([value]))


def literal(text: str | bytes) -> bytes:
    data = text if isinstance(text, bytes) else text.encode("latin-1")
    return integer(len(data), 7) + data


def field(name: str | bytes, value: str | bytes) -> bytes:
    """A header that no table takes note of."""
    return b"\x00" + literal(name) + literal(value)


def call_fields(method: str, **more: str) -> bytes:
    """The headers of a call of gRPC; `grpc_timeout="1S"` is the header `grpc-timeout`."""
    fields = {":method": "POST", ":scheme": "http", ":path": method, ":authority": "localhost", "te": "trailers",
              "content-type": "application/grpc", **{name.replace("_", "-"): value for name, value in more.items()}}
    return b"".join(field(name, value) for name, value in fields.items())


def headers(stream: int, block: bytes, flags: int = END_HEADERS) -> bytes:
    return frame(HEADERS, flags, stream, block)


def message(content: bytes) -> bytes:
    """A message of gRPC with its prefix."""
    return struct.pack(">BI", 0, len(content)) + content


# What of Huffman's code the header grpc-status needs.
_HUFFMAN = {
    "00000": "0", "00001": "1", "00010": "2", "011001": "3", "011010": "4", "011011": "5", "011100": "6", "011101": "7",
    "011110": "8", "011111": "9", "100110": "g", "101100": "r", "101011": "p", "00100": "c", "010110": "-", "01000": "s",
    "01001": "t", "00011": "a", "101101": "u",
}


def _text(data: bytes, is_huffman: bool) -> str:
    """A text of a header; empty when it has letters that no status needs."""
    if not is_huffman:
        return data.decode("latin-1")
    text = code = ""
    for bit in "".join(f"{byte:08b}" for byte in data):
        code += bit
        if code in _HUFFMAN:
            text, code = text + _HUFFMAN[code], ""
    return text if len(code) < 8 and set(code) <= {"1"} else ""


def literals(block: bytes) -> Iterator[tuple[str, str]]:
    """The headers of a block that are not taken from a table by their number; names that are, are empty."""
    at = 0

    def number(bits: int) -> int:
        nonlocal at
        value, shift = block[at] & ((1 << bits) - 1), 0
        at += 1
        if value < (1 << bits) - 1:
            return value
        while True:
            value, shift, at = value + ((block[at] & 127) << shift), shift + 7, at + 1
            if block[at - 1] < 128:
                return value

    def text() -> str:
        nonlocal at
        is_huffman = block[at] >= 128
        length = number(7)
        at += length
        return _text(block[at - length:at], is_huffman)

    while at < len(block):
        if block[at] & 0x80:
            number(7)
        elif block[at] & 0xE0 == 0x20:
            number(5)
        else:
            name = text() if number(6 if block[at] & 0x40 else 4) == 0 else ""
            yield name, text()


class Connection(Wire):
    """A connection that says nothing by itself but the preface and its settings."""

    def __init__(self, address: str, preface: bytes = PREFACE, timeout: float = 20, receive_buffer: int | None = None, **options: int):
        host, port = address.split(":")
        super().__init__(host, int(port), timeout, receive_buffer)
        self._received = bytearray()
        #: What the other side lets us send: on a new stream, and on the connection and the streams by their number.
        self.initial_window = 65_535
        self.windows = {0: 65_535}
        self.frame_size = 16_384
        #: The status of calls that are over; None of those that were reset without one.
        self.statuses: dict[int, str | None] = {}
        #: The calls whose answers have begun, or that are over.
        self.answered: set[int] = set()
        self.is_closed = False
        if preface:
            # Without a table, each header comes in full.
            self.send(preface + settings(HEADER_TABLE_SIZE=0, **options))

    def send(self, *parts: bytes) -> bool:
        """Whether the other side still took it."""
        is_sent = super().send(*parts)
        self.is_closed = self.is_closed or not is_sent
        return is_sent

    def frames(self, seconds: float = 20) -> Iterator[Frame]:
        """The frames that come, until the connection is closed or the time is over."""
        deadline = time.monotonic() + seconds
        while True:
            while len(self._received) >= 9:
                length = int.from_bytes(self._received[:3], "big")
                if len(self._received) < 9 + length:
                    break
                kind, flags, stream = struct.unpack(">BBI", self._received[3:9])
                came = Frame(kind, flags, stream, bytes(self._received[9:9 + length]))
                del self._received[:9 + length]
                self._note(came)
                yield came
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return
            self.socket.settimeout(remaining)
            try:
                data = self.socket.recv(1 << 16)
            except TimeoutError:
                return
            except ConnectionResetError:
                data = b""
            if not data:
                self.is_closed = True
                return
            self._received += data

    def _note(self, came: Frame) -> None:
        if came.kind == SETTINGS and not came.flags & ACK:
            for at in range(0, len(came.payload), 6):
                name, value = struct.unpack(">HI", came.payload[at:at + 6])
                if name == INITIAL_WINDOW_SIZE:
                    self.initial_window = value
                elif name == MAX_FRAME_SIZE:
                    self.frame_size = value
            self.send(frame(SETTINGS, ACK))
        elif came.kind == WINDOW_UPDATE:
            window = self.windows.get(came.stream, self.initial_window)
            self.windows[came.stream] = window + struct.unpack(">I", came.payload)[0]
        elif came.kind == HEADERS:
            self.answered.add(came.stream)
            status = dict(literals(came.payload)).get("grpc-status")
            if status is not None:
                self.statuses[came.stream] = status
        elif came.kind == RST_STREAM:
            self.answered.add(came.stream)
            self.statuses.setdefault(came.stream, None)

    def wait(self, condition, seconds: float = 20) -> bool:
        """Whether the condition held, of this connection, before it was closed or the time was over."""
        if condition():
            return True
        return any(condition() for _ in self.frames(seconds))

    def wait_until_closed(self, seconds: float = 20) -> bool:
        """Whether the other side ended the connection in time."""
        for _ in self.frames(seconds):
            pass
        return self.is_closed

    def send_data(self, stream: int, data: bytes | memoryview, end: bool = True, seconds: float = 60) -> bool:
        """Sends as fast as the windows allow; False when the call is over before."""
        deadline = time.monotonic() + seconds
        data, at = memoryview(data), 0
        self.wait(lambda: self.initial_window != 65_535, 5)
        while at < len(data):
            self.windows.setdefault(stream, self.initial_window)
            room = min(self.windows[0], self.windows[stream], self.frame_size)
            if room <= 0:
                if not self.wait(lambda: stream in self.statuses or min(self.windows[0], self.windows[stream]) > 0, deadline - time.monotonic()):
                    return False
                if stream in self.statuses:
                    return False
                continue
            piece = data[at:at + room]
            at += len(piece)
            self.windows[0] -= len(piece)
            self.windows[stream] -= len(piece)
            head = len(piece).to_bytes(3, "big") + struct.pack(">BBI", DATA, END_STREAM if end and at == len(data) else 0, stream)
            if not self.send(head, piece):
                return False
        return True

    def call(self, stream: int, method: str, content: bytes, seconds: float = 60, **more: str) -> str | None:
        """The status of a call of one message; None without one."""
        self.send(headers(stream, call_fields(method, **more)))
        self.send_data(stream, message(content), seconds=seconds)
        self.wait(lambda: stream in self.statuses, seconds)
        return self.statuses.get(stream)
