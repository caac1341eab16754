"""Clients that ask a served model without pause, and check every answer to the last digit.

The models multiply by a factor that their version tells, so that an answer shows which rows and which version it was
made from: `y = x * (version + 1)`.
"""

import http.client
import json
import random
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import tritonclient.grpc

WIDTH = 4


def factor(version: str) -> int:
    return int(version) + 1


class Client(threading.Thread):
    """Asks one model by one protocol until it is told to stop; an answer that is wrong, or none, ends it."""

    def __init__(self, address: str, model: str, seed: int):
        super().__init__(daemon=True)
        self.address, self.model = address, model
        self.dice = random.Random(seed)
        self.answers = 0
        self.versions: set[str] = set()
        self.slowest = 0.0
        self.fault: str | None = None
        self._stopped = threading.Event()

    def run(self) -> None:
        try:
            self.connect()
            while not self._stopped.is_set():
                # Halves, whose products are exact.
                rows = np.array([[self.dice.randrange(1 << 20) / 2 for _ in range(WIDTH)] for _ in range(self.dice.choice((1, 1, 1, 2, 7)))], np.float32)
                begin = time.monotonic()
                version, answer = self.ask(rows)
                self.slowest = max(self.slowest, time.monotonic() - begin)
                if not np.array_equal(answer.reshape(rows.shape), rows * factor(version)):
                    self.fault = f"{rows.tolist()} gave {answer.tolist()} of version {version}"
                    return
                self.answers += 1
                self.versions.add(version)
        except Exception as error:
            self.fault = f"{type(error).__name__}: {error}"

    def finish(self) -> None:
        self._stopped.set()
        self.join(60)
        if self.is_alive():
            self.fault = "no answer within a minute"

    def connect(self) -> None:
        raise NotImplementedError

    def ask(self, rows: np.ndarray) -> tuple[str, np.ndarray]:
        raise NotImplementedError


class JSONClient(Client):
    """The Open Inference Protocol as JSON, over one connection."""

    def connect(self) -> None:
        self.connection = http.client.HTTPConnection(*self.address.split(":"), timeout=30)

    def post(self, body: bytes, headers: dict[str, str]) -> tuple[bytes, http.client.HTTPResponse]:
        self.connection.request("POST", f"/v2/models/{self.model}/infer", body, headers)
        response = self.connection.getresponse()
        content = response.read()
        if response.status != 200:
            raise RuntimeError(f"{response.status} {content[:500]!r}")
        return content, response

    def ask(self, rows: np.ndarray) -> tuple[str, np.ndarray]:
        tensor = {"name": "x", "shape": list(rows.shape), "datatype": "FP32", "data": rows.ravel().tolist()}
        content, _ = self.post(json.dumps({"inputs": [tensor]}).encode(), {"Content-Type": "application/json"})
        answer = json.loads(content)
        return answer["model_version"], np.array(answer["outputs"][0]["data"], np.float32)


class BinaryClient(JSONClient):
    """The same with tensors in binary, as tritonclient.http sends them."""

    def ask(self, rows: np.ndarray) -> tuple[str, np.ndarray]:
        data = struct.pack(f"<{rows.size}f", *rows.ravel())
        tensor = {"name": "x", "shape": list(rows.shape), "datatype": "FP32", "parameters": {"binary_data_size": len(data)}}
        head = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
        content, response = self.post(head + data, {"Inference-Header-Content-Length": str(len(head))})
        length = int(response.headers["Inference-Header-Content-Length"])
        return json.loads(content[:length])["model_version"], np.frombuffer(content[length:], "<f4")


class GRPCClient(Client):
    """The Open Inference Protocol over gRPC, by Triton's client."""

    def connect(self) -> None:
        self.client = tritonclient.grpc.InferenceServerClient(self.address)

    def ask(self, rows: np.ndarray) -> tuple[str, np.ndarray]:
        tensor = tritonclient.grpc.InferInput("x", rows.shape, "FP32")
        tensor.set_data_from_numpy(rows)
        result = self.client.infer(self.model, [tensor], client_timeout=30)
        return result.get_response().model_version, result.as_numpy(result.get_response().outputs[0].name)


def peak_memory(pid: int) -> float:
    """The most memory that a process ever had at once, in MB (10^6 bytes)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6


class Memory(threading.Thread):
    """Samples a process's resident size, in MB (10^6 bytes)."""

    def __init__(self, pid: int):
        super().__init__(daemon=True)
        self.pid = pid
        self.samples: list[float] = []
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.wait(0.2):
            with open(f"/proc/{self.pid}/statm") as file:
                self.samples.append(int(file.read().split()[1]) * 4096 / 1e6)

    def finish(self) -> None:
        self._stopped.set()
        self.join(5)

    def growth(self) -> tuple[float, float]:
        """The median size in the second quarter of the time, and how much larger the last quarter's is."""
        quarter = max(1, len(self.samples) // 4)
        early, late = sorted(self.samples[quarter:2 * quarter]), sorted(self.samples[-quarter:])
        return early[len(early) // 2], late[len(late) // 2] - early[len(early) // 2]


@contextmanager
def answered_meanwhile(server, name: str = "fast") -> Iterator[list[Client]]:
    """Asks a model by every protocol while something else goes on, and afterwards: every answer must be there and right."""
    kinds = [(JSONClient, server.http_address), (BinaryClient, server.http_address), (GRPCClient, server.grpc_address)]
    clients = [kind(address, name, seed) for seed, (kind, address) in enumerate(kinds)]
    for client in clients:
        client.start()
    try:
        yield clients
        # They are not only alive, they get answers.
        before = [client.answers for client in clients]
        deadline = time.monotonic() + 30
        while not all(client.fault or client.answers > count for client, count in zip(clients, before)) and time.monotonic() < deadline:
            time.sleep(0.02)
        stuck = [type(client).__name__ for client, count in zip(clients, before) if client.answers == count]
    finally:
        for client in clients:
            client.finish()
    faults = [f"{type(client).__name__}: {client.fault}" for client in clients if client.fault]
    assert not faults and not stuck, f"{faults} {stuck}\n{server.log_tail()}"
    assert server.is_running(), server.log_tail()
