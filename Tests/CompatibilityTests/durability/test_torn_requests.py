"""Connections that break in the middle of a request: no half batch, no half artifact, and a retry is right."""

import json
import socket
import struct
import time
from urllib.parse import urlsplit

import pytest

from support.api import Api
from support.server import Server

PROXY = "/api/2.0/mlflow-artifacts/artifacts"


@pytest.fixture(scope="module")
def torn(tmp_path_factory):
    server = Server(directory=tmp_path_factory.mktemp("torn")).start()
    yield server
    server.stop()
    from durability.conftest import check_integrity

    check_integrity(server)


def send_part(url: str, request: bytes, count: int, reset: bool) -> None:
    """Sends the first `count` bytes and leaves, with a reset or in an orderly way."""
    address = urlsplit(url)
    connection = socket.create_connection((address.hostname, address.port), timeout=20)
    if reset:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.sendall(request[:count])
    if not reset:
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(5)
        try:
            while connection.recv(65536):
                pass
        except OSError:
            pass
    connection.close()


def cuts(length: int, head: int) -> list[int]:
    """Some places of the head, many of the body, and its last bytes."""
    return sorted({0, 1, head // 2, head - 1, head, *range(head, length, max(1, (length - head) // 25)), length - 2, length - 1})


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_batches_cut_at_any_byte(torn, reset):
    api = Api(torn.url)
    run = api.run(api.experiment())
    body = json.dumps({
        "run_id": run,
        "metrics": [{"key": "m", "value": i, "timestamp": i, "step": i} for i in range(50)],
        "params": [{"key": f"p{i}", "value": str(i)} for i in range(20)],
        "tags": [{"key": f"t{i}", "value": str(i)} for i in range(20)],
    }).encode()
    head = (f"POST /api/2.0/mlflow/runs/log-batch HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode()
    for count in cuts(len(head + body), len(head)):
        send_part(torn.url, head + body, count, reset)
    time.sleep(0.3)
    data = api.read_run(run)["data"]
    assert "metrics" not in data and "params" not in data
    assert api.send("POST", "runs/log-batch", data=body, headers={"Content-Type": "application/json"}).status_code == 200
    data = api.read_run(run)["data"]
    assert (len(data["params"]), data["metrics"][0]["step"]) == (20, 49)
    assert len(api.get("metrics/get-history", run_id=run, metric_key="m")["metrics"]) == 50


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_uploads_cut_at_any_byte(torn, reset, chunked):
    api = Api(torn.url)
    experiment = api.experiment()
    run = api.run(experiment)
    path = f"{PROXY}/{experiment}/{run}/artifacts/f.bin"
    data = bytes(range(256)) * 1000
    framing = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(data)}"
    head = f"PUT {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{framing}\r\n\r\n".encode()
    body = b"".join(b"%x\r\n%s\r\n" % (1000, data[i:i + 1000]) for i in range(0, len(data), 1000)) + b"0\r\n\r\n"
    whole = head + (body if chunked else data)
    # With the last chunk's own line break missing, a lenient parser may take the message as complete.
    places = [count for count in cuts(len(whole), len(head)) if not chunked or count <= len(whole) - 5]
    for count in places:
        send_part(torn.url, whole, count, reset)
    time.sleep(0.3)
    assert api.send("GET", path).status_code == 404
    assert "files" not in api.get("artifacts/list", run_id=run)
    assert api.send("PUT", path, data=data).status_code == 200
    assert api.send("GET", path).content == data


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_a_torn_replacement_leaves_the_old_bytes(torn, reset):
    api = Api(torn.url)
    experiment = api.experiment()
    run = api.run(experiment)
    path = f"{PROXY}/{experiment}/{run}/artifacts/f.bin"
    assert api.send("PUT", path, data=b"old" * 1000).status_code == 200
    head = f"PUT {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 500000\r\n\r\n".encode()
    send_part(torn.url, head + b"n" * 500_000, len(head) + 250_000, reset)
    time.sleep(0.2)
    assert api.send("GET", path).content == b"old" * 1000
    assert [item["path"] for item in api.get("artifacts/list", run_id=run)["files"]] == ["f.bin"]


def test_the_client_leaves_before_the_answer(torn):
    api = Api(torn.url)
    run = api.run(api.experiment())
    for step in range(50):
        body = json.dumps({"run_id": run, "key": "m", "value": step, "timestamp": step, "step": step}).encode()
        head = (f"POST /api/2.0/mlflow/runs/log-metric HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n").encode()
        send_part(torn.url, head + body, len(head + body), reset=True)
    time.sleep(0.5)
    # Whole or absent, each of them; sending them again does no harm.
    for step in range(50):
        api.metric(run, "m", step, timestamp=step, step=step)
    points = api.get("metrics/get-history", run_id=run, metric_key="m")["metrics"]
    assert [point["step"] for point in points] == list(range(50))
