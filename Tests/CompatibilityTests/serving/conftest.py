"""Fixtures of the serving tests: a repository of small models, and `apus serve` on it."""

import socket
import sys
import time
from pathlib import Path

import pytest
import requests

from serving import models
from support.network import free_port
from support.server import Server, binary


class ServeProcess(Server):
    """`apus serve` with an HTTP and a gRPC port; `arguments` say what it serves."""

    def __init__(
        self, arguments: list[str], directory: Path, environment: dict[str, str] | None = None, wrapper: list[str] | None = None,
    ):
        # The ONNX Runtime of the environment that the tests run in.
        environment = {"VIRTUAL_ENV": sys.prefix} | (environment or {})
        super().__init__(directory=directory, arguments=arguments, environment=environment, wrapper=wrapper, name="apus")
        self.grpc_port = free_port()
        #: What the clients of the Open Inference Protocol take as their address.
        self.http_address = f"127.0.0.1:{self.port}"
        self.grpc_address = f"127.0.0.1:{self.grpc_port}"

    def command(self) -> list[str]:
        ports = ["--http-port", str(self.port), "--grpc-port", str(self.grpc_port)]
        return [str(binary()), "serve", *self.arguments, *ports]

    def start(self, timeout: float = 90) -> "ServeProcess":
        """Starts the process and waits until every model is ready, by HTTP, and the gRPC port takes connections."""
        self._launch()
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"`apus serve` ended with {self.process.returncode}:\n{self.log_tail()}")
            if self._is_ready():
                return self
            time.sleep(0.02)
        self.kill()
        raise TimeoutError(f"`apus serve` was not ready after {timeout} s:\n{self.log_tail()}")

    def _is_ready(self) -> bool:
        try:
            if requests.get(f"{self.url}/v2/health/ready", timeout=5).status_code != 200:
                return False
            socket.create_connection(("127.0.0.1", self.grpc_port), timeout=5).close()
            return True
        except (requests.RequestException, OSError):
            return False


@pytest.fixture(scope="session")
def model_repository(tmp_path_factory) -> Path:
    """A folder in Triton's layout with the models of `models.fill`; tests do not change it."""
    folder = tmp_path_factory.mktemp("models")
    models.fill(folder)
    return folder


@pytest.fixture(scope="session")
def flowers() -> models.Iris:
    """What the classifier `iris` of the repository was made of, and what it must answer."""
    return models.iris()


@pytest.fixture(scope="session")
def serving(model_repository, tmp_path_factory) -> ServeProcess:
    """`apus serve --model-repository`, shared by all tests that only ask."""
    process = ServeProcess(["--model-repository", str(model_repository)], tmp_path_factory.mktemp("serving")).start()
    yield process
    process.discard()


@pytest.fixture
def start_serving(tmp_path):
    """Starts `apus serve` with arguments of the test's own; it ends with the test."""
    started = []

    def start(*arguments: str, environment: dict[str, str] | None = None) -> ServeProcess:
        process = ServeProcess([*map(str, arguments)], tmp_path / f"serving-{len(started)}", environment)
        started.append(process)
        return process.start()

    yield start
    for process in started:
        process.discard()
