"""Slow, rude and many clients of a served model: they are sent away, and everybody else gets the right answer meanwhile."""

import json
import select
import socket
import struct
import threading
import time
from contextlib import ExitStack

import numpy as np
import pytest

from durability.served import INFER, INFLATE, INFLATED, fill, predicts, tensor_message
from durability.traffic import WIDTH, answered_meanwhile, factor, peak_memory
from serving.conftest import ServeProcess
from support import http2
from support.http1 import Raw, request
from support.network import descriptors

pytestmark = pytest.mark.apus_only

PATH = "/v2/models/fast/infer"
ROW = json.dumps({"inputs": [{"name": "x", "shape": [1, WIDTH], "datatype": "FP32", "data": [1.0] * WIDTH}]}).encode()
#: In MB: what the server, small models and ten thousand connections take, and some more.
BOUND = 800


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One server for all of them: what one flood leaves behind is there for the next."""
    folder = tmp_path_factory.mktemp("floods")
    running = ServeProcess(["--model-repository", str(fill(folder / "models"))], folder / "server").start()
    yield running
    assert running.stop(60) == 0, running.log_tail()


@pytest.fixture(autouse=True)
def stays_small(server):
    yield
    assert server.is_running(), server.log_tail()
    assert peak_memory(server.process.pid) < BOUND


def is_right(answer) -> bool:
    return answer is not None and answer[0] == 200 and json.loads(answer[2])["outputs"][0]["data"] == [factor("1")] * WIDTH


# HTTP: heads


GET = b"GET /v2/health/live HTTP/1.1\r\nHost: localhost\r\n"
BOUNDLESS = {
    "many": [GET, *[b"X-Header: value\r\n" * 1_000] * 100],
    "long value": [GET + b"X-Long: ", *[b"x" * 100_000] * 100],
    "long name": [GET, *[b"x" * 100_000] * 100],
    "long path": [b"GET /", *[b"x" * 100_000] * 100],
    "long method": [b"G" * 100_000] * 100,
    "empty lines": [b"\r\n" * 50_000] * 100,
}


def test_heads_that_never_end_are_given_up(server):
    """Within ten seconds, however lively the client seems."""
    with ExitStack() as stack, answered_meanwhile(server):
        silent, half, *drips = [stack.enter_context(Raw(server.port)) for _ in range(50)]
        half.send(request(PATH)[:40])
        boundless = {name: stack.enter_context(Raw(server.port)) for name in BOUNDLESS}
        for name, connection in boundless.items():
            threading.Thread(target=connection.send, args=(*BOUNDLESS[name], b"\r\n\r\n"), daemon=True).start()
        for drip in drips:
            drip.send(request(PATH)[:-2])
        begin = time.monotonic()
        still = dict(enumerate(drips))
        while still and time.monotonic() - begin < 20:
            time.sleep(0.5)
            # A header, or a byte of one.
            still = {number: drip for number, drip in still.items() if drip.send(b"X-Drip: 1\r\n" if number % 2 else b"x")}
        assert not still, f"{len(still)} of {len(drips)} heads may go on for ever"
        assert silent.is_closed_within(10) and half.is_closed_within(10)
        for name, connection in boundless.items():
            answer = connection.answer()
            assert answer is None or 400 <= answer[0] < 500, f"{name}: {answer}"
            assert connection.is_closed_within(20), name


def test_200_headers_are_enough_for_anybody(server):
    with Raw(server.port) as connection:
        connection.send(request(PATH, f"Content-Length: {len(ROW)}", *[f"X-{number}: y" for number in range(150)]) + ROW)
        assert is_right(connection.answer())


# HTTP: chunks


def chunk(data: bytes, size: bytes | None = None, end: bytes = b"\r\n") -> bytes:
    return (b"%x" % len(data) if size is None else size) + end + data + end


HALVES = ROW[:40], ROW[40:]


@pytest.mark.parametrize("body", [
    b"".join(chunk(bytes([byte])) for byte in ROW) + b"0\r\n\r\n",
    chunk(ROW, b"%08x" % len(ROW)) + b"0\r\n\r\n",
    chunk(ROW, b"%X" % len(ROW)) + b"000\r\n\r\n",
    chunk(ROW, b"%x;name=value" % len(ROW)) + b"0\r\n\r\n",
    chunk(HALVES[0]) + chunk(HALVES[1]) + b"0\r\nX-Trailer: 1\r\n\r\n",
], ids=["bytes", "zeros before", "upper case", "extension", "trailer"])
def test_odd_chunks_are_put_together(server, body):
    with Raw(server.port) as connection:
        head = request(PATH, "Transfer-Encoding: chunked")
        for byte in head[:-4], head[-4:], body[:7], body[7:]:
            connection.send(byte)
            time.sleep(0.01)
        assert is_right(connection.answer())
        connection.send(request(PATH, f"Content-Length: {len(ROW)}") + ROW)
        assert is_right(connection.answer())


CHUNKED = ["Transfer-Encoding: chunked"]
LAST = b"0\r\n\r\n"
BROKEN = [
    pytest.param(CHUNKED, chunk(ROW, b"-1") + LAST, id="negative"),
    pytest.param(CHUNKED, chunk(ROW, b"0x%x" % len(ROW)) + LAST, id="0x"),
    pytest.param(CHUNKED, chunk(ROW, b"f" * 17) + LAST, id="overflow"),
    pytest.param(CHUNKED, chunk(ROW, b"") + LAST, id="no size"),
    pytest.param(CHUNKED, chunk(ROW, b"%x" % (len(ROW) - 3)) + LAST, id="too short"),
    pytest.param(CHUNKED, chunk(ROW) + b"0\r\n" + b"X-Trailer: value\r\n" * 100_000 + b"\r\n", id="many trailers"),
    pytest.param(["Transfer-Encoding: xchunked"], chunk(ROW) + LAST, id="unknown coding"),
    pytest.param(CHUNKED, chunk(ROW, b"7fffffffffffffff"), id="huge"),
    pytest.param(CHUNKED, chunk(ROW, b"1;" + b"x" * 5_000_000), id="long extension"),
]
DOUBTFUL = [
    pytest.param([*CHUNKED, f"Content-Length: {len(ROW)}"], chunk(ROW) + LAST, id="coding and length"),
    pytest.param(["Transfer-Encoding: chunked, chunked"], chunk(ROW) + LAST, id="twice"),
    pytest.param([f"Content-Length: {len(ROW)}", "Content-Length: 5"], ROW, id="two lengths"),
    pytest.param([f"Content-Length: {len(ROW)}, {len(ROW)}"], ROW, id="lengths in one"),
    pytest.param(["Content-Length: -5"], ROW, id="negative length"),
    pytest.param(["Content-Length: 99999999999999999999"], ROW, id="huge length"),
]


def statuses(server, headers: list[str], body: bytes) -> list[int]:
    """The answers to such a request, and to one behind it."""
    with Raw(server.port, timeout=40) as connection:
        connection.send(request(PATH, *headers), body, request(PATH, f"Content-Length: {len(ROW)}") + ROW)
        connection.socket.shutdown(socket.SHUT_WR)
        answers = []
        while (answer := connection.answer()) is not None and len(answers) < 3:
            answers.append(answer[0])
        return answers


@pytest.mark.parametrize(("headers", "body"), [*BROKEN, *DOUBTFUL])
def test_bodies_of_doubtful_length_are_not_answered(server, headers, body):
    """Two readers could see two requests in one of these; so what comes after is not answered either."""
    answers = statuses(server, headers, body)
    assert len(answers) <= 1 and 200 not in answers, answers
    assert predicts(server)


@pytest.mark.parametrize(("headers", "body"), DOUBTFUL)
def test_heads_with_a_doubtful_length_are_refused(server, headers, body):
    assert statuses(server, headers, body) in ([], [400])


@pytest.mark.parametrize(("headers", "body"), BROKEN)
def test_a_broken_body_is_the_mistake_of_its_client(server, headers, body):
    assert statuses(server, headers, body) in ([], [400])


# HTTP/2: floods


def flood(data: bytes):
    """The same again and again."""
    def run(connection: http2.Connection) -> None:
        for _ in range(2_000):
            if not connection.send(data * 100):
                return

    return run


def opened(data: bytes):
    """The same, on a stream with a call."""
    def run(connection: http2.Connection) -> None:
        connection.send(http2.headers(1, http2.call_fields(INFER)))
        flood(data)(connection)

    return run


def begun(data: bytes):
    """The same, within the headers of a call."""
    def run(connection: http2.Connection) -> None:
        connection.send(http2.headers(1, http2.call_fields(INFER), flags=0))
        flood(data)(connection)

    return run


def rapid_reset(with_message: bool):
    """CVE-2023-44487: calls that are given up as soon as they are made."""
    message = tensor_message("fast", "x", np.ones((1, WIDTH), np.float32))

    def run(connection: http2.Connection) -> None:
        for stream in range(1, 60_000, 2):
            data = http2.frame(http2.DATA, http2.END_STREAM, stream, http2.message(message)) if with_message else b""
            if not connection.send(http2.headers(stream, http2.call_fields(INFER)) + data + http2.reset(stream)):
                return

    return run


def many_calls(connection: http2.Connection) -> None:
    for stream in range(1, 10_000, 2):
        if not connection.send(http2.headers(stream, http2.call_fields(INFER))):
            return


def sent(*parts: bytes):
    return lambda connection: connection.send(*parts)


CALL = http2.headers(1, http2.call_fields(INFER))
LARGE = http2.field("x", "y" * 16_000)


@pytest.mark.parametrize("attack", [
    pytest.param(flood(http2.settings()), id="settings"),
    pytest.param(flood(http2.frame(http2.PING, payload=bytes(8))), id="ping"),
    pytest.param(flood(http2.frame(http2.PING, http2.ACK, payload=bytes(8))), id="answers to no ping"),
    pytest.param(flood(http2.frame(http2.PRIORITY, stream=1, payload=struct.pack(">IB", 0, 5))), id="priority"),
    pytest.param(opened(http2.frame(http2.DATA, stream=1)), id="empty data"),
    pytest.param(rapid_reset(False), id="rapid reset"),
    pytest.param(rapid_reset(True), id="rapid reset of whole calls"),
    pytest.param(begun(http2.frame(http2.CONTINUATION, stream=1, payload=LARGE)), id="continuation"),
    pytest.param(begun(http2.frame(http2.CONTINUATION, stream=1)), id="empty continuation"),
    pytest.param(sent(http2.headers(1, http2.call_fields(INFER), 0), http2.frame(http2.CONTINUATION, 0, 1, LARGE),
                      http2.frame(http2.CONTINUATION, http2.END_HEADERS, 1, LARGE)), id="large headers"),
    # A header of 4 kB that is written once and named ten thousand times.
    pytest.param(sent(http2.headers(1, http2.call_fields(INFER) + b"\x40" + http2.literal("x") + http2.literal("y" * 4_000)
                                    + b"\xbe" * 10_000)), id="a table that unpacks to much"),
    pytest.param(sent(http2.headers(1, http2.integer(1 << 30, 5, 0x20) + http2.call_fields(INFER))), id="a table without measure"),
    pytest.param(sent(http2.headers(1, b"\x00" + http2.integer(1 << 40, 7))), id="a header without measure"),
    pytest.param(many_calls, id="more calls than allowed"),
    pytest.param(sent(http2.window_update(0, (1 << 31) - 1) * 2), id="a window that overflows"),
    pytest.param(sent((1 << 20).to_bytes(3, "big") + bytes([http2.DATA, 0, 0, 0, 0, 1]), bytes(1 << 20)), id="a frame without measure"),
])
def test_floods_end_their_own_connection(server, attack):
    """By a GOAWAY that says why."""
    with answered_meanwhile(server), http2.Connection(server.grpc_address) as connection:
        attack(connection)
        farewells = [frame for frame in connection.frames(20) if frame.kind == http2.GOAWAY]
        assert connection.is_closed
        # It may have been lost by the reset of a connection whose last bytes nobody read.
        assert all(frame.payload[4:8] != bytes(4) for frame in farewells)


@pytest.mark.parametrize("attack", [
    pytest.param(flood(http2.window_update(0, 1)), id="window updates"),
    pytest.param(flood(http2.frame(0xBB, payload=bytes(100))), id="frames of an unknown kind"),
    # The call fails at once; what was sent until its client knows must not end the others of the connection.
    pytest.param(sent(CALL, *[http2.frame(http2.DATA, 0, 1, bytes(16_000))] * 1_000), id="data for a call that is over"),
])
def test_floods_that_cost_little_harm_nobody(server, attack):
    with answered_meanwhile(server), http2.Connection(server.grpc_address) as connection:
        attack(connection)


# Many


def keep_alive(server, stack: ExitStack) -> Raw:
    connection = stack.enter_context(Raw(server.port, timeout=10))
    connection.send(request("/v2/health/live", method="GET"))
    return connection


def beginning(server, stack: ExitStack) -> Raw:
    """Nothing but a part of a body."""
    connection = stack.enter_context(Raw(server.port))
    connection.send(request(PATH, "Content-Length: 100000") + b"{")
    return connection


def no_preface(server, stack: ExitStack) -> http2.Connection:
    return stack.enter_context(http2.Connection(server.grpc_address, preface=b""))


def half_preface(server, stack: ExitStack) -> http2.Connection:
    return stack.enter_context(http2.Connection(server.grpc_address, preface=http2.PREFACE[:9]))


def waiting(server, stack: ExitStack) -> http2.Connection:
    return stack.enter_context(http2.Connection(server.grpc_address))


def half_call(server, stack: ExitStack) -> http2.Connection:
    connection = waiting(server, stack)
    connection.send(CALL, http2.frame(http2.DATA, 0, 1, http2.message(bytes(100))[:50]))
    return connection


def closed_window(server, stack: ExitStack) -> http2.Connection:
    """A call whose answer may not be sent."""
    connection = stack.enter_context(http2.Connection(server.grpc_address, INITIAL_WINDOW_SIZE=0))
    content = http2.message(tensor_message("fast", "x", np.ones((1, WIDTH), np.float32)))
    connection.send(CALL, http2.frame(http2.DATA, http2.END_STREAM, 1, content))
    return connection


def test_who_does_not_begin_with_http_2_is_sent_away(server):
    """Within ten seconds; one that has begun may stay, and ask later."""
    with ExitStack() as stack:
        idle, *strangers = [make(server, stack) for make in (waiting, no_preface, half_preface)]
        for stranger in strangers:
            assert all(frame.kind != http2.HEADERS for frame in stranger.frames(20))
            assert stranger.is_closed
        assert idle.call(1, INFER, tensor_message("fast", "x", np.ones((1, WIDTH), np.float32))) == "0"


@pytest.mark.parametrize("make", [keep_alive, beginning, no_preface, half_preface, waiting, half_call, closed_window],
                         ids=lambda make: make.__name__)
def test_2000_connections_that_do_nothing(server, make):
    with descriptors(2_000), answered_meanwhile(server), ExitStack() as stack:
        for _ in range(2_000):
            make(server, stack)
        # Those that are there go on, and new ones come in.
        assert predicts(server)
    assert predicts(server)


@pytest.mark.slow
@pytest.mark.parametrize(("make", "count"), [(keep_alive, 10_000), (waiting, 6_000)], ids=["HTTP", "gRPC"])
def test_more_connections_that_do_nothing(server, make, count):
    """As many as the usual limit of 20,000 descriptors lets both ports have."""
    with descriptors(count), answered_meanwhile(server), ExitStack() as stack:
        for _ in range(count):
            make(server, stack)
        assert predicts(server)


# Slow, with limits that take their time


@pytest.mark.slow
def test_those_that_stall_are_given_up(server):
    """A body after 30 s without a byte, or a minute in all; an answer after 30 s that nobody reads; a connection after an idle minute."""
    with ExitStack() as stack, answered_meanwhile(server):
        idle = keep_alive(server, stack)
        assert idle.answer()[0] == 200
        begin = time.monotonic()
        stalled = beginning(server, stack)
        drip = beginning(server, stack)
        chunks = stack.enter_context(Raw(server.port))
        chunks.send(request(PATH, "Transfer-Encoding: chunked") + b"1\r\n{\r\n1;")
        reader = stack.enter_context(Raw(server.port, receive_buffer=4096))
        reader.send(INFLATE)
        while not select.select([drip.socket], [], [], 1)[0] and time.monotonic() - begin < 80:
            drip.send(b" ")
            chunks.send(b"x")
        assert time.monotonic() - begin < 80, "a body may come byte by byte for ever"
        answer = drip.answer()
        assert answer is None or 400 <= answer[0] < 500
        assert stalled.is_closed_within(5) and chunks.is_closed_within(5) and idle.is_closed_within(20)
        # What was on its way is read, the rest is not sent.
        received = 0
        try:
            while data := reader.socket.recv(1 << 16):
                received += len(data)
        except ConnectionResetError:
            pass
        assert received < 4 * INFLATED


@pytest.mark.slow
def test_a_refused_body_may_not_drip_on(server):
    with ExitStack() as stack:
        drip = beginning(server, stack)
        begin = time.monotonic()
        # A minute for the body, and half a one for its client to leave.
        while drip.send(b" ") and time.monotonic() - begin < 110:
            time.sleep(1)
        assert time.monotonic() - begin < 110


@pytest.mark.slow
def test_a_call_whose_answer_is_not_taken_is_given_up(server):
    with ExitStack() as stack:
        connection = closed_window(server, stack)
        assert connection.wait(lambda: connection.is_closed or 1 in connection.statuses, 75) or connection.is_closed


@pytest.mark.slow
def test_slow_readers_get_the_whole_answer(server):
    """10 MB at 100 kB/s: it never stands still."""
    with Raw(server.port, receive_buffer=1 << 16) as connection:
        connection.send(INFLATE)
        received = 0
        while received < 4 * INFLATED:
            data = connection.socket.recv(10_000)
            assert data, f"cut after {received} bytes"
            received += len(data)
            time.sleep(len(data) / 100_000)
