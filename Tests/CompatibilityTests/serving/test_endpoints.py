"""Endpoints: versions of registered models behind a stable name, changed under load.

Models are registered with the real client and called by the Open Inference Protocol.
"""

import json
import subprocess
import threading
import time
from pathlib import Path

import mlflow
import numpy
import onnx
import pytest
import requests
from mlflow import MlflowClient
from onnx import TensorProto, helper, numpy_helper

from support.api import Api, unique
from support.server import Server, binary, quiet_environment

pytestmark = pytest.mark.apus_only

FEATURES = 4


def scale(factor: float) -> onnx.ModelProto:
    """y = factor * x."""
    node = helper.make_node("Mul", ["x", "factor"], ["y"])
    constant = numpy_helper.from_array(numpy.array([factor], dtype=numpy.float32), "factor")
    return graph([node], [constant])


def broken() -> onnx.ModelProto:
    """y = x, but fails where the first value of a row is odd: it looks for a row that is not there."""
    nodes = [
        helper.make_node("Slice", ["x", "zero", "one", "one"], ["first"]),
        helper.make_node("Cast", ["first"], ["whole"], to=TensorProto.INT64),
        helper.make_node("Mod", ["whole", "two"], ["rest"]),
        helper.make_node("Mul", ["rest", "far"], ["places"]),
        helper.make_node("ReduceMax", ["places"], ["place"], keepdims=0),
        helper.make_node("Gather", ["x", "place"], ["row"], axis=0),
        helper.make_node("Mul", ["row", "nothing"], ["noughts"]),
        helper.make_node("Add", ["x", "noughts"], ["y"]),
    ]
    whole = {"zero": 0, "one": 1, "two": 2, "far": 1_000_000}
    constants = [numpy_helper.from_array(numpy.array([value], dtype=numpy.int64), name) for name, value in whole.items()]
    constants.append(numpy_helper.from_array(numpy.array([0], dtype=numpy.float32), "nothing"))
    return graph(nodes, constants)


def graph(nodes, constants) -> onnx.ModelProto:
    shape = ["n", FEATURES]
    model = helper.make_model(
        helper.make_graph(
            nodes,
            "graph",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
            constants,
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=9,
    )
    onnx.checker.check_model(model)
    return model


class Endpoints:
    """The API and the command line of one server."""

    def __init__(self, server: Server):
        self.server = server
        self.api = Api(server.url)

    def register(self, name: str, *models: onnx.ModelProto) -> None:
        """Logs each model in a run of its own, as a version of `name`."""
        mlflow.set_tracking_uri(self.server.url)
        mlflow.set_registry_uri(self.server.url)
        for model in models:
            with mlflow.start_run():
                mlflow.onnx.log_model(model, name="model", registered_model_name=name, pip_requirements=["onnx"])

    def command(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess:
        done = subprocess.run(
            [binary(), "endpoints", *arguments, "--server", self.server.url],
            capture_output=True, text=True, timeout=120, env=quiet_environment(),
        )
        assert done.returncode == code, done.stderr + done.stdout
        return done

    def create(self, source: str | None = None, **fields) -> str:
        name = unique("endpoint")
        if source:
            fields["source"] = source
        response = self.api.send("POST", "/api/v1/endpoints", json={"name": name, **fields})
        assert response.status_code == 201, response.text
        if source:
            self.wait(name, lambda endpoint: "stable" in endpoint)
        return name

    def get(self, name: str) -> dict:
        return self.api.get(f"/api/v1/endpoints/{name}")

    def call(self, verb: str, name: str, **fields) -> dict:
        response = self.api.send("POST", f"/api/v1/endpoints/{name}/{verb}", json=fields)
        assert response.status_code in (200, 202), response.text
        return response.json()

    def deploy(self, name: str, source: str, **fields) -> dict:
        return self.call("deploy", name, source=source, **fields)

    def wait(self, name: str, condition, seconds: float = 30) -> dict:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            endpoint = self.get(name)
            if condition(endpoint):
                return endpoint
            time.sleep(0.02)
        raise AssertionError(f"{name} stayed as {json.dumps(endpoint, indent=1)}")

    def settled(self, name: str, version: str) -> dict:
        return self.wait(name, lambda found: "rollout" not in found and found["stable"]["version"] == version)


def infer(url: str, name: str, value: float = 1.0, session=requests, **headers) -> requests.Response:
    body = {
        "inputs": [{"name": "x", "shape": [1, FEATURES], "datatype": "FP32", "data": [value] * FEATURES}]
    }
    return session.post(f"{url}/v2/models/{name}/infer", json=body, headers=headers, timeout=30)


class Load:
    """Threads that ask an endpoint all the time, and what they were answered."""

    def __init__(self, url: str, name: str, threads: int = 8, values=lambda turn: 1.0, pause: float = 0):
        self.url, self.name, self.values, self.pause = url, name, values, pause
        self.answers: list[tuple[int, str, float]] = []
        self.troubles: list[str] = []
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(index,)) for index in range(threads)]

    def _run(self, seed: int) -> None:
        session = requests.Session()
        turn = seed
        while not self._over.is_set():
            turn += 1
            value = self.values(turn)
            try:
                response = infer(self.url, self.name, value, session)
            except requests.RequestException as error:
                with self._lock:
                    self.troubles.append(repr(error))
                continue
            with self._lock:
                if response.status_code == 200:
                    body = response.json()
                    self.answers.append((turn, body["model_version"], body["outputs"][0]["data"][0] / (value or 1)))
                else:
                    self.troubles.append(f"{response.status_code} {response.text[:200]}")
            if self.pause:
                time.sleep(self.pause)

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def answered(self, count: int, seconds: float = 60) -> int:
        """Waits until so many requests are answered; returns how many are."""
        end = time.monotonic() + seconds
        while len(self.answers) < count and time.monotonic() < end:
            time.sleep(0.02)
        return len(self.answers)

    def versions(self) -> set[str]:
        return {version for _, version, _ in self.answers}


@pytest.fixture(scope="module")
def registered(server) -> tuple[Endpoints, str]:
    """A model with four versions: y = x, y = 2x, y = 3x, and one that fails for odd inputs."""
    endpoints = Endpoints(server)
    name = unique("scale")
    endpoints.register(name, scale(1), scale(2), scale(3), broken())
    return endpoints, name


def test_an_endpoint_serves_what_the_real_client_registered(registered):
    endpoints, model = registered
    name = endpoints.create(f"models:/{model}/2", reason="first version", description="doubles")
    answer = infer(endpoints.server.url, name, 21)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["model_name"] == name
    assert body["model_version"] == "2"
    assert body["outputs"][0]["data"] == [42.0] * FEATURES
    found = endpoints.get(name)
    assert found["state"] == "READY"
    assert found["description"] == "doubles"
    assert found["stable"]["source"] == f"models:/{model}/2"
    listed = endpoints.api.get("/api/v1/endpoints")["endpoints"]
    assert name in [endpoint["name"] for endpoint in listed]


def test_a_version_is_asked_for_by_its_number(registered):
    endpoints, model = registered
    name = endpoints.create(f"models:/{model}/1")
    endpoints.deploy(name, f"models:/{model}/2", strategy="blue-green")
    endpoints.wait(name, lambda found: found.get("rollout", {}).get("phase") == "ready")
    body = {"inputs": [{"name": "x", "shape": [1, FEATURES], "datatype": "FP32", "data": [1.0] * FEATURES}]}
    for version, factor in [("1", 1.0), ("2", 2.0)]:
        answer = requests.post(f"{endpoints.server.url}/v2/models/{name}/versions/{version}/infer", json=body, timeout=30)
        assert answer.json()["outputs"][0]["data"][0] == factor
    missing = requests.post(f"{endpoints.server.url}/v2/models/{name}/versions/9/infer", json=body, timeout=30)
    assert missing.status_code == 404
    assert infer(endpoints.server.url, name).json()["model_version"] == "1"


def test_rollback_is_one_command(registered):
    endpoints, model = registered
    name = endpoints.create(f"models:/{model}/1")
    endpoints.deploy(name, f"models:/{model}/2")
    endpoints.settled(name, "2")
    done = endpoints.command("rollback", name, "--reason", "too many complaints")
    assert "version: 1" in done.stderr
    assert infer(endpoints.server.url, name).json()["model_version"] == "1"
    revisions = endpoints.api.get(f"/api/v1/endpoints/{name}/revisions")["revisions"]
    assert revisions[0]["action"] == "endpoint.rolled_back"
    assert revisions[0]["reason"] == "too many complaints"
    endpoints.command("delete", name, "--yes")
    assert infer(endpoints.server.url, name).status_code == 404
    endpoints.command("rollback", name)
    endpoints.wait(name, lambda found: found["state"] == "READY")
    assert infer(endpoints.server.url, name).json()["model_version"] == "1"


def test_a_good_canary_is_promoted(registered):
    endpoints, model = registered
    name = endpoints.create(f"models:/{model}/1")
    with Load(endpoints.server.url, name, threads=4) as load:
        done = endpoints.command(
            "deploy", name, f"models:/{model}/2", "--strategy", "canary", "--steps", "20,50", "--hold", "1",
            "--minimum-requests", "30", "--reason", "more data",
        )
    assert "step 2 of 2" in done.stderr
    assert load.troubles == []
    assert load.versions() == {"1", "2"}
    assert all(factor == float(version) for _, version, factor in load.answers)
    found = endpoints.settled(name, "2")
    assert found["last_rollout"]["phase"] == "promoted"
    report = json.loads(endpoints.command("report", name, "--json").stdout)
    for version in report["versions"]:
        assert version["error_rate"]["lower"] == 0
        assert version["error_rate"]["upper"] < 0.5
    assert "CONCLUSION" not in endpoints.command("report", name).stdout


def test_a_bad_canary_is_rolled_back_by_itself(registered):
    endpoints, model = registered
    name = endpoints.create(f"models:/{model}/1")
    with Load(endpoints.server.url, name, threads=4, values=float) as load:
        done = endpoints.command(
            "deploy", name, f"models:/{model}/4", "--strategy", "canary", "--steps", "10,50", "--hold", "20",
            "--minimum-requests", "5000", code=1,
        )
    assert "rolled back" in done.stderr
    assert "Errors:" in done.stderr
    found = endpoints.get(name)
    assert found["stable"]["version"] == "1"
    assert found["last_rollout"]["phase"] == "aborted"
    assert len(load.troubles) < 0.1 * len(load.answers)
    assert infer(endpoints.server.url, name, 2).status_code == 200


def test_moving_an_alias_rolls_the_endpoint(registered):
    endpoints, model = registered
    client = MlflowClient(endpoints.server.url, endpoints.server.url)
    alias = unique("champion")
    client.set_registered_model_alias(model, alias, "1")
    name = endpoints.create(f"models:/{model}@{alias}")
    assert endpoints.get(name)["follow"] == f"models:/{model}@{alias}"
    with Load(endpoints.server.url, name, threads=2) as load:
        client.set_registered_model_alias(model, alias, "3")
        endpoints.settled(name, "3")
    assert load.troubles == []
    # A roll back holds, although the alias still points to the newer version.
    endpoints.command("rollback", name)
    time.sleep(0.5)
    assert endpoints.get(name)["stable"]["version"] == "1"
    # An alias that moves again is followed again.
    client.set_registered_model_alias(model, alias, "2")
    endpoints.settled(name, "2")


def test_a_shadow_is_compared_and_never_answers(registered):
    endpoints, model = registered
    name = endpoints.create(f"models:/{model}/1")
    endpoints.deploy(name, f"models:/{model}/2", strategy="shadow")
    endpoints.wait(name, lambda found: found.get("rollout", {}).get("phase") == "running")
    for _ in range(50):
        assert infer(endpoints.server.url, name).json()["model_version"] == "1"
    found = endpoints.wait(name, lambda found: found["rollout"].get("shadow", {}).get("compared") == 50)
    shadow = found["rollout"]["shadow"]
    assert shadow["agreed"] == 0
    assert shadow["max_difference"] == 1.0
    endpoints.call("abort", name, reason="seen enough")


def test_an_a_b_test_keeps_callers_where_they_are(registered):
    endpoints, model = registered
    name = endpoints.create(f"models:/{model}/1")
    endpoints.deploy(name, f"models:/{model}/2", strategy={"kind": "a-b", "percent": 50})
    endpoints.wait(name, lambda found: found.get("rollout", {}).get("phase") == "running")
    seen = {}
    for user in range(60):
        keyed = {"X-Routing-Key": f"user-{user}"}
        versions = {infer(endpoints.server.url, name, **keyed).json()["model_version"] for _ in range(3)}
        assert len(versions) == 1
        seen[user] = versions.pop()
        cookie = infer(endpoints.server.url, name, Cookie=f"a=b; apus_routing_key=user-{user}")
        assert cookie.json()["model_version"] == seen[user]
    assert 12 <= list(seen.values()).count("2") <= 48
    report = endpoints.api.get(f"/api/v1/endpoints/{name}/report")
    assert sum(version["requests"] for version in report["versions"]) == 240
    assert report["versions"][1]["difference"]["error_rate"]["lower"] < 0
    endpoints.call("promote", name, version="2")
    assert infer(endpoints.server.url, name).json()["model_version"] == "2"


@pytest.mark.parametrize(
    "fields, words",
    [
        ({}, "source"),
        ({"source": "models:/nothing-of-this-name/1"}, "not found"),
        ({"source": "/etc/passwd"}, "models:/"),
        ({"source": "models:/{model}/1", "strategy": "hope"}, "strategy"),
        ({"source": "models:/{model}/1", "strategy": {"kind": "canary", "steps": [50, 20]}}, "steps"),
        ({"source": "models:/{model}/1", "strategy": {"kind": "canary", "steps": "5"}}, "steps"),
        ({"source": "models:/{model}/1", "settings": {"instances": 10**18}}, "instances"),
        ({"source": "models:/{model}/99"}, "not found"),
        ({"source": 7}, "source"),
    ],
)
def test_what_cannot_be_deployed_is_refused(registered, fields, words):
    endpoints, model = registered
    name = endpoints.create(f"models:/{model}/1")
    if isinstance(fields.get("source"), str):
        fields = {**fields, "source": fields["source"].replace("{model}", model)}
    response = endpoints.api.send("POST", f"/api/v1/endpoints/{name}/deploy", json=fields)
    assert response.status_code in (400, 404), response.text
    assert words in response.json()["message"]
    assert "rollout" not in endpoints.get(name)


def test_what_makes_no_sense_now_is_a_conflict(registered):
    endpoints, model = registered
    name = endpoints.create(f"models:/{model}/1")
    for verb in ["promote", "abort", "rollback"]:
        response = endpoints.api.send("POST", f"/api/v1/endpoints/{name}/{verb}", json={})
        assert response.status_code == 409, (verb, response.text)
    response = endpoints.api.send("POST", "/api/v1/endpoints", json={"name": name})
    assert response.json()["error_code"] == "RESOURCE_ALREADY_EXISTS"
    assert endpoints.api.send("GET", "/api/v1/endpoints/none-such").status_code == 404
    assert endpoints.api.send("POST", "/api/v1/endpoints/none-such/deploy", json={}).status_code == 404


def test_no_request_is_dropped_while_versions_change(registered):
    endpoints, model = registered
    name = endpoints.create(f"models:/{model}/1")
    with Load(endpoints.server.url, name, threads=8) as load:
        for round, strategy in enumerate(["all-at-once", "rolling", "blue-green", "canary"] * 2):
            version = "2" if round % 2 == 0 else "1"
            detail = {"kind": strategy, "automatic": True, "hold_seconds": 0.2, "minimum_requests": 1, "steps": [50]}
            endpoints.deploy(name, f"models:/{model}/{version}", strategy=detail)
            endpoints.settled(name, version)
            endpoints.call("rollback", name)
            endpoints.settled(name, "1" if version == "2" else "2")
            endpoints.call("rollback", name)
            endpoints.settled(name, version)
        assert load.answered(201) > 200
    assert load.troubles == []
    assert all(factor == float(version) for _, version, factor in load.answers)


def test_a_crash_comes_back_with_the_same_endpoints(tmp_path):
    with Server(directory=tmp_path) as server:
        endpoints = Endpoints(server)
        model = unique("scale")
        endpoints.register(model, scale(1), scale(2))
        name = endpoints.create(f"models:/{model}/1")
        strategy = {"kind": "canary", "steps": [50], "hold_seconds": 3, "minimum_requests": 1}
        endpoints.deploy(name, f"models:/{model}/2", strategy=strategy)
        endpoints.wait(name, lambda found: found.get("rollout", {}).get("phase") == "running")
        before = endpoints.get(name)
        server.kill()
        server.start()
        after = endpoints.wait(name, lambda found: len(found["versions"]) == 2 and found["state"] == "READY")
        assert after["rollout"]["start_time"] == before["rollout"]["start_time"]
        assert after["stable"] == before["stable"]
        with Load(server.url, name, threads=2) as load:
            endpoints.settled(name, "2")
        assert load.troubles == []
        # The copies of models that are served are there, and no others.
        folders = [path for path in Path(server.data_directory / "models").iterdir()]
        assert len(folders) == 2
        server.kill()
        server.start()
        endpoints.wait(name, lambda found: found["state"] == "READY")
        assert infer(server.url, name).json()["model_version"] == "2"


def test_a_server_that_stops_answers_what_it_was_asked(tmp_path):
    with Server(directory=tmp_path) as server:
        endpoints = Endpoints(server)
        model = unique("scale")
        endpoints.register(model, scale(1))
        name = endpoints.create(f"models:/{model}/1")
        with Load(server.url, name, threads=8) as load:
            asked = load.answered(51)
            assert server.stop() == 0
        assert asked > 50
        # Nobody was answered by an error; who came too late was refused the connection, which can be tried again.
        wrong = [trouble for trouble in load.troubles if "refused" not in trouble]
        assert wrong == []
