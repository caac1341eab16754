"""Serving without descriptors or memory: what is too much is refused, and everybody else gets the right answer."""

import json
import os
import select
import signal
import threading
import time
import zlib
from collections import Counter
from contextlib import ExitStack

import numpy as np
import pytest
import requests

from durability.conftest import until
from durability.served import INFER, INFLATE, fill, predicts, tensor_message, workers
from durability.traffic import answered_meanwhile, peak_memory
from serving.conftest import ServeProcess
from support import http2
from support.http1 import Raw, request
from support.network import crowd

pytestmark = pytest.mark.apus_only

PARALLEL = 64
BODY = 50_000_000


@pytest.fixture
def serve(tmp_path):
    """Starts `apus serve` of `fast`, `identity` and `inflate`; it must end well."""
    started = []

    def start(wrapper: list[str] | None = None, with_python: bool = False) -> ServeProcess:
        repository = fill(tmp_path / "models", with_python)
        server = ServeProcess(["--model-repository", str(repository)], tmp_path / "server", wrapper=wrapper)
        started.append(server)
        return server.start()

    yield start
    for server in started:
        if server.is_running():
            assert server.stop(60) == 0, server.log_tail()


# Descriptors


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_few_descriptors(serve, protocol):
    server = serve(["prlimit", "--nofile=256:256"])
    assert predicts(server)
    with crowd(server.port if protocol == "http" else server.grpc_port, 2000):
        time.sleep(1)
        assert server.is_running(), server.log_tail()
    assert until(lambda: requests.get(f"{server.url}/v2/health/live", timeout=2).status_code == 200)
    assert until(lambda: predicts(server))


def test_a_worker_that_dies_while_there_are_no_descriptors_is_replaced(serve):
    server = serve(["prlimit", "--nofile=256:256"], with_python=True)
    assert until(lambda: predicts(server, "slow"))
    with crowd(server.port, 1000), crowd(server.grpc_port, 1000):
        time.sleep(1)
        for worker in workers(server.process.pid):
            os.kill(worker, signal.SIGKILL)
        time.sleep(2)
        assert server.is_running(), server.log_tail()
    assert until(lambda: predicts(server, "slow"), 60), server.log_tail()


# Memory


def parallel(ask) -> Counter:
    """How often `ask` came to what result, for as many callers as are there at once."""
    outcomes = Counter()
    lock = threading.Lock()

    def run():
        try:
            outcome = ask()
        except Exception as error:
            outcome = f"{type(error).__name__}: {error}"
        with lock:
            outcomes[outcome] += 1

    threads = [threading.Thread(target=run) for _ in range(PARALLEL)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def garbage() -> tuple[bytes, list[str]]:
    return b'{"inputs": [' + b"x" * BODY, []


def tensors() -> tuple[bytes, list[str]]:
    count = BODY // 4
    tensor = {"name": "INPUT", "shape": [1, count], "datatype": "FP32", "parameters": {"binary_data_size": 4 * count}}
    head = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    return head + bytes(4 * count), [f"Inference-Header-Content-Length: {len(head)}"]


def numbers() -> tuple[bytes, list[str]]:
    count = BODY // 2
    head = f'{{"inputs": [{{"name": "INPUT", "shape": [1, {count}], "datatype": "FP32", "data": ['
    return head.encode() + b"1," * (count - 1) + b"1]}]}", []


@pytest.mark.parametrize(("make", "status", "bound"), [
    (garbage, 400, 2_000), pytest.param(tensors, 200, 3_000, marks=pytest.mark.slow), pytest.param(numbers, 200, 4_500, marks=pytest.mark.slow),
], ids=["garbage", "tensors", "numbers"])
def test_large_bodies_over_http(serve, make, status, bound):
    """A few are taken at a time. All of them would need 3 200 MB by themselves, and some times that to be read and answered."""
    server = serve()
    body, headers = make()

    def ask() -> int:
        with Raw(server.port, timeout=120) as connection:
            connection.send(request("/v2/models/identity/infer", f"Content-Length: {len(body)}", *headers), body)
            code, _, content = connection.answer()
            if code != 200:
                assert json.loads(content)["error"]
            return code

    with answered_meanwhile(server):
        outcomes = parallel(ask)
        peak = peak_memory(server.process.pid)
    print(outcomes, f"{peak:.0f} MB")
    assert outcomes.keys() == {status, 503}
    assert peak < bound
    assert ask() == status, "what was too much before is not taken afterwards"


@pytest.mark.parametrize(("make", "status", "bound"), [
    (lambda: b"\xff" * BODY, "3", 2_500),
    pytest.param(lambda: tensor_message("identity", "INPUT", np.zeros((1, BODY // 4), np.float32)), "0", 4_500, marks=pytest.mark.slow),
], ids=["garbage", "tensors"])
def test_large_messages_over_grpc(serve, make, status, bound):
    """INVALID_ARGUMENT or the answer, and RESOURCE_EXHAUSTED for what is too much."""
    server = serve()
    content = make()

    def ask() -> str | None:
        window = (1 << 31) - 1
        with http2.Connection(server.grpc_address, timeout=120, INITIAL_WINDOW_SIZE=window) as connection:
            connection.send(http2.window_update(0, window - 65_535))
            return connection.call(1, INFER, content, seconds=120)

    with answered_meanwhile(server):
        outcomes = parallel(ask)
        peak = peak_memory(server.process.pid)
    print(outcomes, f"{peak:.0f} MB")
    assert outcomes.keys() == {status, "8"}
    assert peak < bound
    assert ask() == status


def zeros(count: int) -> bytes:
    """So many zeros, as gzip packs them."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(bytes(1_000_000)) for _ in range(count // 1_000_000)) + packer.flush()


@pytest.mark.slow
def test_messages_that_unpack_to_much_are_bounded(serve):
    """Some MB on the wire, some GB in memory, for as long as the calls are not ended."""
    server = serve()
    packed = zeros(120_000_000)
    prefixed = b"\x01" + len(packed).to_bytes(4, "big") + packed
    with http2.Connection(server.grpc_address) as connection:
        for stream in range(1, 81, 2):
            connection.send(http2.headers(stream, http2.call_fields(INFER, grpc_encoding="gzip")))
            connection.send_data(stream, prefixed, end=False)
            connection.wait(lambda: stream in connection.statuses, 0.2)
            peak = peak_memory(server.process.pid)
            assert peak < 1_800, f"{peak:.0f} MB after {stream // 2 + 1} messages of {len(packed)} bytes"
        for stream in range(1, 81, 2):
            connection.send(http2.frame(http2.DATA, http2.END_STREAM, stream))
        assert connection.wait(lambda: len(connection.statuses) == 40, 60)
        peak = peak_memory(server.process.pid)
        assert peak < 1_800, f"{peak:.0f} MB when all messages are unpacked"
        # Zeros are no message; and those that were too much at a time are told so.
        assert set(connection.statuses.values()) <= {"3", "8"}, connection.statuses


@pytest.mark.slow
def test_bodies_that_unpack_to_much_do_not_hold_up_others(serve):
    """Some kB each: who comes after them need not wait until most of them are done."""
    server = serve()
    packed = zeros(60_000_000)
    head = request("/v2/models/identity/infer", "Content-Encoding: gzip", f"Content-Length: {len(packed)}")
    with ExitStack() as stack:
        bombs = [stack.enter_context(Raw(server.port, timeout=300)) for _ in range(24)]
        for bomb in bombs:
            bomb.send(head + packed)
        assert requests.get(f"{server.url}/v2/health/live", timeout=300).status_code == 200
        done, _, _ = select.select([bomb.socket for bomb in bombs], [], [], 0)
        for bomb in bombs:
            status, _, _ = bomb.answer()
            assert status in (400, 503)
        assert len(done) < len(bombs) / 2, f"{len(done)} of {len(bombs)} were answered before a small request"


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_answers_that_nobody_reads_are_bounded(serve, protocol):
    """10 MB each, for questions of some bytes."""
    server = serve()
    question = tensor_message("inflate", "x", np.ones((1, 1), np.float32))
    with ExitStack() as stack:
        connection = stack.enter_context(http2.Connection(server.grpc_address, INITIAL_WINDOW_SIZE=0))
        for number in range(200):
            # Each has begun to be answered, or is refused, or held back, before the next is asked.
            if protocol == "http":
                reader = stack.enter_context(Raw(server.port, receive_buffer=4096))
                reader.send(INFLATE)
                is_answered = bool(select.select([reader.socket], [], [], 10)[0])
            else:
                stream = 2 * number + 1
                connection.send(http2.headers(stream, http2.call_fields(INFER)))
                connection.send_data(stream, http2.message(question))
                is_answered = connection.wait(lambda: stream in connection.answered, 10)
            peak = peak_memory(server.process.pid)
            assert peak < 1_500, f"{peak:.0f} MB after {number + 1} answers"
            if not is_answered:
                break
        assert predicts(server)


def test_requests_that_are_sent_ahead_wait_for_their_turn(serve):
    """A client that asks on and on over one connection, and reads nothing, has one answer in memory, not all."""
    server = serve()
    with answered_meanwhile(server), Raw(server.port, timeout=2, receive_buffer=4096) as connection:
        with pytest.raises(TimeoutError):
            for _ in range(10_000):
                connection.send(INFLATE * 100)
        assert peak_memory(server.process.pid) < 500
