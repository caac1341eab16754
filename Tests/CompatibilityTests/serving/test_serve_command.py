"""`apus serve` for one model: where it takes it from, what it says, and how it ends."""

import json
import os
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import mlflow
import numpy as np
import onnx
import pytest
import requests
import tritonclient.grpc as triton_grpc
import tritonclient.http as triton_http
from mlflow import MlflowClient

from serving import models
from support.network import free_port
from support.server import binary, quiet_environment


def run(*arguments, environment=None, timeout=60) -> subprocess.CompletedProcess:
    """Runs the binary to its end."""
    return subprocess.run(
        [str(binary()), *map(str, arguments)], env=quiet_environment(environment), timeout=timeout,
        stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )


def scale(url: str, name: str, rows=((1, 2, 3, 4),)) -> list:
    """Asks a model of `models.scale`."""
    data = {"inputs": [{"name": "x", "shape": [len(rows), 4], "datatype": "FP32", "data": list(map(list, rows))}]}
    answer = requests.post(f"{url}/v2/models/{name}/infer", json=data, timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()["outputs"][0]["data"]


@pytest.fixture(scope="module")
def scale_file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("file") / "scale.onnx"
    onnx.save(models.scale(3), path)
    return path


@pytest.fixture(scope="module")
def mlflow_folder(tmp_path_factory) -> Path:
    """An MLflow model with an ONNX form."""
    path = tmp_path_factory.mktemp("mlflow") / "model"
    example = np.ones((1, 4), np.float32)
    signature = mlflow.models.infer_signature({"x": example}, {"y": example})
    mlflow.onnx.save_model(models.scale(2), str(path), signature=signature, pip_requirements=["onnx"])
    return path


class TestWays:
    def test_file(self, scale_file, start_serving):
        serving = start_serving(scale_file)
        assert scale(serving.url, "scale") == [3, 6, 9, 12]

    def test_file_under_another_name(self, scale_file, start_serving):
        serving = start_serving(scale_file, "--name", "times three")
        assert scale(serving.url, "times%20three") == [3, 6, 9, 12]
        assert requests.get(f"{serving.url}/v2/models/scale", timeout=10).status_code == 404

    def test_mlflow_folder(self, mlflow_folder, start_serving):
        serving = start_serving(mlflow_folder)
        assert scale(serving.url, "model") == [2, 4, 6, 8]

    def test_both_of_tritons_clients(self, scale_file, start_serving):
        serving = start_serving(scale_file)
        row = np.array([[1, 2, 3, 4]], np.float32)
        for client, kit in [
            (triton_http.InferenceServerClient(serving.http_address), triton_http),
            (triton_grpc.InferenceServerClient(serving.grpc_address), triton_grpc),
        ]:
            assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("scale")
            given = kit.InferInput("x", [1, 4], "FP32")
            given.set_data_from_numpy(row)
            assert client.infer("scale", [given]).as_numpy("y").tolist() == [[3, 6, 9, 12]]
            client.close()

    def test_a_free_port_is_announced(self, scale_file, tmp_path):
        process = subprocess.Popen(
            [str(binary()), "serve", str(scale_file), "--port", "0", "--grpc-port", "0"], env=quiet_environment(),
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        try:
            first = process.stdout.readline()
            assert first.startswith("Serving scale, version 1, at http://127.0.0.1:")
            assert scale(first.split()[-1], "scale") == [3, 6, 9, 12]
            rest = [process.stdout.readline() for _ in range(4)]
            assert "/v2/models/scale/infer" in rest[0] and "/invocations" in rest[1]
            port = int(rest[3].rsplit(":", 1)[1])
            client = triton_grpc.InferenceServerClient(f"127.0.0.1:{port}")
            assert client.is_server_live()
            client.close()
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0


class TestRegistry:
    @pytest.fixture(scope="class")
    def registered(self, start_server, tmp_path_factory):
        """A server with two versions of a model: times 2, and times 5, which is the champion."""
        server = start_server()
        mlflow.set_tracking_uri(server.url)
        mlflow.set_registry_uri(server.url)
        client = MlflowClient(server.url, server.url)
        mlflow.set_experiment("serving")
        for factor in (2, 5):
            with mlflow.start_run():
                mlflow.onnx.log_model(models.scale(factor), name="model", registered_model_name="scale", pip_requirements=["onnx"])
        client.set_registered_model_alias("scale", "champion", "2")
        client.set_registered_model_alias("scale", "veteran", "1")
        return server

    @pytest.mark.parametrize(
        ("address", "answer"),
        [("models:/scale@champion", [5, 10, 15, 20]), ("models:/scale@veteran", [2, 4, 6, 8]),
         ("models:/scale/1", [2, 4, 6, 8]), ("models:/scale/latest", [5, 10, 15, 20])],
    )
    def test_addresses(self, registered, start_serving, tmp_path, address, answer):
        environment = {"MLFLOW_TRACKING_URI": registered.url, "APUS_CACHE_DIR": str(tmp_path / "cache")}
        serving = start_serving(address, environment=environment)
        assert scale(serving.url, "scale") == answer
        version = requests.get(f"{serving.url}/v2/models/scale", timeout=10).json()["versions"]
        assert version == ["1" if answer[0] == 2 else "2"]

    def test_what_is_cached_is_checked_and_brought_again_when_damaged(self, registered, start_serving, tmp_path):
        cache = tmp_path / "cache"
        arguments = ["models:/scale@champion", "--server", registered.url]
        environment = {"APUS_CACHE_DIR": str(cache)}
        start_serving(*arguments, environment=environment)
        files = list(cache.glob("models/*/model.onnx"))
        assert len(files) == 1
        before = files[0].stat()
        start_serving(*arguments, environment=environment)
        assert files[0].stat().st_ino == before.st_ino, "it was downloaded again for nothing"
        # As many bytes, but others.
        content = bytearray(files[0].read_bytes())
        content[-20] ^= 0xFF
        files[0].write_bytes(content)
        serving = start_serving(*arguments, environment=environment)
        assert scale(serving.url, "scale") == [5, 10, 15, 20]
        assert not list(cache.glob("models/.draft*"))

    def test_what_is_not_there(self, registered, tmp_path):
        environment = {"APUS_CACHE_DIR": str(tmp_path)}
        for address in ["models:/scale@nobody", "models:/scale/9", "models:/nothing/1", "models:/scale/Production"]:
            ended = run("serve", address, "--server", registered.url, environment=environment)
            assert ended.returncode == 1 and ended.stderr.startswith("error: "), address
        ended = run("serve", "models:/scale/1", "--server", f"http://127.0.0.1:{free_port()}", environment=environment)
        assert ended.returncode == 1 and "error: " in ended.stderr


class TestMistakes:
    @pytest.mark.parametrize(
        "arguments",
        [[], ["x.onnx", "--model-repository", "/tmp"], ["x.onnx", "--port", "70000"], ["x.onnx", "--workers", "2000"],
         ["models:/"], ["s3://bucket/model"], ["x.onnx", "--grpc-port", "many"], ["x.onnx", "--log-level", "loud"],
         ["--model-repository", "/tmp", "--load-model", "x"], ["--model-repository", "/tmp", "--name", "x"]],
    )
    def test_of_usage(self, arguments):
        ended = run("serve", *arguments)
        assert ended.returncode == 2, ended.stderr
        assert "rror" in ended.stderr

    def test_no_model(self, tmp_path):
        ended = run("serve", tmp_path / "absent.onnx", "--port", "0")
        assert ended.returncode == 1 and ended.stderr.startswith("error: ")
        (tmp_path / "broken.onnx").write_bytes(b"nonsense")
        ended = run("serve", tmp_path / "broken.onnx", "--port", "0")
        assert ended.returncode == 1 and ended.stderr.startswith("error: ")
        (tmp_path / "empty").mkdir()
        ended = run("serve", tmp_path / "empty", "--port", "0")
        assert ended.returncode == 1 and "MLmodel" in ended.stderr

    def test_a_port_that_is_taken(self, scale_file):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            ended = run("serve", scale_file, "--port", port)
            assert ended.returncode == 1 and "in use" in ended.stderr, ended.stderr
            ended = run("serve", scale_file, "--port", "0", "--grpc-port", port)
            assert ended.returncode == 1 and "in use" in ended.stderr, ended.stderr

    def test_help_has_examples(self):
        shown = run("serve", "--help")
        assert shown.returncode == 0
        for word in ["EXAMPLES:", "models:/wine@champion", "--model-repository", "--grpc-port", "--max-batch-size"]:
            assert word in shown.stdout

    def test_a_host_that_is_not_ours_is_refused(self, scale_file, start_serving):
        serving = start_serving(scale_file, "--allowed-hosts", "ml.example.com")
        address = f"{serving.url}/v2/models/scale"
        assert requests.get(address, headers={"Host": "ml.example.com"}, timeout=10).status_code == 200
        assert requests.get(address, headers={"Host": "evil.example.com"}, timeout=10).status_code == 403


class TestContract:
    def test_sagemaker(self, mlflow_folder, tmp_path):
        port = free_port()
        process = subprocess.Popen(
            [str(binary()), "serve", str(mlflow_folder), "--contract", "sagemaker"],
            env=quiet_environment({"SAGEMAKER_BIND_TO_PORT": str(port)}),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            for _ in range(600):
                try:
                    if requests.get(f"{url}/ping", timeout=5).status_code == 200:
                        break
                except requests.RequestException:
                    pass
                time.sleep(0.05)
            answer = requests.post(
                f"{url}/invocations", json={"inputs": {"x": [[1, 2, 3, 4]]}}, timeout=10,
                headers={"Host": "model.aws.local"},
            )
            assert answer.status_code == 200, answer.text
            assert answer.json()["predictions"] == {"y": [[2, 4, 6, 8]]}
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0


class TestEnd:
    def test_no_request_is_dropped_when_the_process_ends(self, scale_file, start_serving):
        serving = start_serving(scale_file)
        stop = threading.Event()
        failures, answered, unready = [], [0], [False]
        lock = threading.Lock()
        data = {"inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP32", "data": [1, 2, 3, 4]}]}

        def ask():
            session = requests.Session()
            while not stop.is_set():
                try:
                    answer = session.post(f"{serving.url}/v2/models/scale/infer", json=data, timeout=30)
                except requests.ConnectionError as error:
                    # Nobody listens any more: this request was never sent.
                    if "refused" not in str(error).lower():
                        with lock:
                            failures.append(str(error))
                    return
                with lock:
                    answered[0] += 1
                    if answer.status_code != 200 or answer.json()["outputs"][0]["data"] != [3, 6, 9, 12]:
                        failures.append(answer.text)

        def watch():
            while not stop.is_set():
                try:
                    if requests.get(f"{serving.url}/v2/health/ready", timeout=5).status_code != 200:
                        unready[0] = True
                except requests.ConnectionError:
                    return
                time.sleep(0.01)

        threads = [threading.Thread(target=ask) for _ in range(16)] + [threading.Thread(target=watch)]
        for thread in threads:
            thread.start()
        time.sleep(1)
        process = serving.process
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        code = process.wait(30)
        took = time.monotonic() - began
        stop.set()
        for thread in threads:
            thread.join(30)
        assert failures == []
        assert answered[0] > 100
        assert code == 0
        assert took < 10
        assert unready[0], "readiness was not taken back before the end"

    def test_idle_connections_do_not_hold_it_up(self, scale_file, start_serving):
        serving = start_serving(scale_file)
        sessions = [requests.Session() for _ in range(20)]
        for session in sessions:
            assert session.get(f"{serving.url}/v2/health/live", timeout=10).status_code == 200
        half = socket.create_connection(("127.0.0.1", serving.port))
        half.sendall(b"POST /v2/models/scale/infer HTTP/1.1\r\nHost: localhost\r\nContent-Le")
        began = time.monotonic()
        serving.process.send_signal(signal.SIGTERM)
        assert serving.process.wait(30) == 0
        assert time.monotonic() - began < 20
        half.close()

    def test_the_end_has_a_limit(self, scale_file, start_serving):
        serving = start_serving(scale_file, "--exit-timeout", "1")
        # A request whose body never comes to its end.
        slow = socket.create_connection(("127.0.0.1", serving.port))
        slow.sendall(b"POST /v2/models/scale/infer HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{")
        time.sleep(0.2)
        began = time.monotonic()
        serving.process.send_signal(signal.SIGTERM)
        serving.process.wait(30)
        assert time.monotonic() - began < 8
        slow.close()
