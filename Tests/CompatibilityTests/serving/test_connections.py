"""HTTP/1.1 connections that ask for predictions: order, pipelining, half-closing, slow and odd senders.

Small requests for predictions are answered where they come in, all others on the common way; callers must not notice.
"""

import json
import socket
import time

import numpy as np
import pytest

from serving import models
from support.http1 import Raw


@pytest.fixture
def connection(serving):
    with Raw(serving.port, timeout=30) as made:
        yield made


def send_slowly(connection: Raw, *pieces: bytes, pause: float) -> None:
    for piece in pieces:
        assert connection.send(piece)
        time.sleep(pause)


def numbers(count: int, first: int = 0) -> list[list[int]]:
    return [list(range(first + row, first + row + 16)) for row in range(count)]


def post(rows: list[list[int]], path: str = "/v2/models/simple/infer", headers: str = "", length: bool = True) -> bytes:
    shape = [len(rows), 16]
    data = [number for row in rows for number in row]
    inputs = [{"name": name, "shape": shape, "datatype": "INT32", "data": data} for name in ("INPUT0", "INPUT1")]
    body = json.dumps({"inputs": inputs}).encode()
    size = f"Content-Length: {len(body)}\r\n" if length else ""
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{size}{headers}\r\n"
    return head.encode() + body


GET = b"GET /v2/models/simple HTTP/1.1\r\nHost: localhost\r\n\r\n"


def assert_sum(answer, rows: list[list[int]]) -> None:
    status, headers, body = answer
    assert status == 200, body
    assert len(headers) == len({name.lower() for name in headers}), headers
    assert headers["content-type"] == "application/json"
    assert "date" in headers and "x-request-id" in headers
    outputs = {output["name"]: output["data"] for output in json.loads(body)["outputs"]}
    assert outputs["OUTPUT0"] == [2 * number for row in rows for number in row]


def test_answers_come_in_the_order_of_the_requests(connection):
    """One write with many requests, some of which are answered where they come in, and some on the common way."""
    asked = [numbers(1, first) for first in range(40)]
    connection.send(b"".join(post(rows) + (GET if index % 3 == 0 else b"") for index, rows in enumerate(asked)))
    for index, rows in enumerate(asked):
        assert_sum(connection.answer(), rows)
        if index % 3 == 0:
            assert json.loads(connection.answer()[2])["name"] == "simple"


def test_thousands_of_requests_are_sent_ahead(connection):
    request = post(numbers(1))
    for _ in range(10):
        connection.send(request * 300)
        for _ in range(300):
            assert_sum(connection.answer(), numbers(1))


@pytest.mark.parametrize("count", [1, 60, 400, 3_000])
def test_small_and_large_bodies_are_answered_alike(connection, count):
    """400 rows are more than a small request has."""
    for _ in range(3):
        connection.send(post(numbers(count)))
        assert_sum(connection.answer(), numbers(count))


@pytest.mark.parametrize("cut", [1, 20, 90, 150, -1])
def test_a_request_that_comes_in_pieces(connection, cut):
    request = post(numbers(2))
    send_slowly(connection, request[:cut], request[cut:], pause=0.05)
    assert_sum(connection.answer(), numbers(2))
    connection.send(request)
    assert_sum(connection.answer(), numbers(2))


def test_a_body_that_comes_slowly(connection):
    """More than a second is no longer a small request."""
    request = post(numbers(1))
    third = len(request) // 3
    send_slowly(connection, request[:third], request[third : 2 * third], request[2 * third :], pause=0.8)
    assert_sum(connection.answer(), numbers(1))


def test_a_caller_who_closed_his_side_is_answered(connection):
    connection.send(post(numbers(1)) + post(numbers(2)))
    connection.socket.shutdown(socket.SHUT_WR)
    assert_sum(connection.answer(), numbers(1))
    assert_sum(connection.answer(), numbers(2))
    assert connection.answer() is None


def test_a_caller_who_wants_the_connection_closed(connection):
    connection.send(post(numbers(1), headers="Connection: close\r\n"))
    assert_sum(connection.answer(), numbers(1))
    assert connection.answer() is None


def test_a_caller_of_http_1_0_gets_its_answer_and_the_end(connection):
    connection.send(post(numbers(1)).replace(b"HTTP/1.1", b"HTTP/1.0"))
    assert_sum(connection.answer(), numbers(1))
    assert connection.answer() is None


def test_a_caller_of_http_1_0_may_stay(connection):
    for _ in range(2):
        connection.send(post(numbers(1), headers="Connection: keep-alive\r\n").replace(b"HTTP/1.1", b"HTTP/1.0"))
        assert_sum(connection.answer(), numbers(1))


def test_a_caller_who_waits_to_be_told_to_go_on(connection):
    head, body = post(numbers(1), headers="Expect: 100-continue\r\n").split(b"\r\n\r\n", 1)
    send_slowly(connection, head + b"\r\n\r\n", body, pause=0.2)
    assert_sum(connection.answer(), numbers(1))


def test_chunks_are_read(connection):
    head, body = post(numbers(1), headers="Transfer-Encoding: chunked\r\n", length=False).split(b"\r\n\r\n", 1)
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(body[at : at + 50]), body[at : at + 50]) for at in range(0, len(body), 50))
    connection.send(head + b"\r\n\r\n" + chunks + b"0\r\n\r\n" + post(numbers(2)))
    assert_sum(connection.answer(), numbers(1))
    assert_sum(connection.answer(), numbers(2))


def test_what_is_no_request_is_refused_after_the_answers(connection):
    connection.send(post(numbers(1)) + post(numbers(2)) + b"this is no HTTP\r\n\r\n")
    assert_sum(connection.answer(), numbers(1))
    assert_sum(connection.answer(), numbers(2))
    assert connection.answer()[0] == 400
    assert connection.answer() is None


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ("Host: other.example\r\n", 400),
        ("Origin: https://other.example\r\n", 403),
        ("Content-Length: 5\r\n", 400),
    ],
)
def test_what_no_route_may_see_is_refused(serving, headers, status):
    """Also behind a request to the same address that was fine."""
    with Raw(serving.port) as connection:
        connection.send(post(numbers(1)))
        assert_sum(connection.answer(), numbers(1))
        connection.send(post(numbers(1), headers=headers))
        assert connection.answer()[0] == status


def test_another_host_on_the_same_connection_is_refused(connection):
    connection.send(post(numbers(1)) + post(numbers(1)).replace(b"Host: localhost", b"Host: evil.example"))
    assert_sum(connection.answer(), numbers(1))
    assert connection.answer()[0] == 403


def test_errors_have_the_protocols_shape(connection):
    """A request that fails leaves the connection as it is."""
    connection.send(post(numbers(1), path="/v2/models/nothing/infer") + post(numbers(1)))
    status, headers, body = connection.answer()
    assert status == 404 and "not found" in json.loads(body)["error"]
    assert_sum(connection.answer(), numbers(1))


def test_a_large_answer_reaches_a_slow_reader_whole_while_the_server_stops(start_serving, tmp_path):
    """The end of the process waits for an answer that is on its way."""
    models.save(tmp_path / "models", "echo", models.identity("FP32"))
    server = start_serving("--model-repository", tmp_path / "models")
    values = np.arange(3_000_000, dtype=np.float32)
    inputs = [{"name": "INPUT", "shape": [1, len(values)], "datatype": "FP32", "parameters": {"binary_data_size": values.nbytes}}]
    head = json.dumps({"inputs": inputs, "parameters": {"binary_data_output": True}}).encode()
    with Raw(server.port, receive_buffer=1 << 16) as connection:
        connection.send(
            b"POST /v2/models/echo/infer HTTP/1.1\r\nHost: localhost\r\n"
            + b"Inference-Header-Content-Length: %d\r\nContent-Length: %d\r\n\r\n" % (len(head), len(head) + values.nbytes)
            + head
            + values.tobytes()
        )
        time.sleep(1)
        server.process.terminate()
        time.sleep(1)
        status, headers, body = connection.answer()
    assert status == 200
    assert body[int(headers["inference-header-content-length"]) :] == values.tobytes()
    assert server.process.wait(timeout=30) == 0
