"""`apus serve --model-repository`: Triton's folder, its configuration, and models that come and go."""

import base64
import json
import shutil
import threading
import time
from pathlib import Path

import mlflow
import numpy as np
import pytest
import requests
import tritonclient.http as triton_http
from tritonclient.utils import InferenceServerException

from serving import models
from serving.test_serve_command import run, scale


@pytest.fixture
def repository(tmp_path) -> Path:
    """A repository of the test's own: `scale` in versions 1 and 3."""
    folder = tmp_path / "models"
    models.save(folder, "scale", models.scale(1), version=1)
    models.save(folder, "scale", models.scale(3), version=3)
    return folder


def index(serving) -> dict:
    """Versions, states and reasons by name."""
    answer = requests.post(f"{serving.url}/v2/repository/index", json={}, timeout=10)
    assert answer.status_code == 200
    return {(entry["name"], entry.get("version", "")): (entry["state"], entry.get("reason", "")) for entry in answer.json()}


def eventually(condition, seconds=15.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.05)


class TestVersions:
    def test_the_newest_is_served(self, repository, start_serving):
        serving = start_serving("--model-repository", repository)
        assert scale(serving.url, "scale") == [3, 6, 9, 12]
        assert scale(serving.url, "scale/versions/3") == [3, 6, 9, 12]
        assert requests.get(f"{serving.url}/v2/models/scale/versions/1", timeout=10).status_code == 404
        assert set(index(serving)) == {("scale", "3")}

    @pytest.mark.parametrize(
        ("policy", "versions"),
        [("all { }", {"1", "3", "5"}), ("latest { num_versions: 2 }", {"3", "5"}), ("specific { versions: [1, 5] }", {"1", "5"})],
    )
    def test_policies(self, repository, start_serving, policy, versions):
        models.save(repository, "scale", models.scale(5), version=5, config=f"version_policy: {{ {policy} }}")
        serving = start_serving("--model-repository", repository)
        assert {version for _, version in index(serving)} == versions
        for version in versions:
            assert scale(serving.url, f"scale/versions/{version}")[0] == int(version)
        assert scale(serving.url, "scale")[0] == 5

    def test_mlflow_folders_are_versions(self, tmp_path, start_serving):
        for version in (1, 2):
            folder = tmp_path / "models" / "double" / str(version)
            folder.parent.mkdir(parents=True, exist_ok=True)
            mlflow.onnx.save_model(models.scale(version), str(folder), pip_requirements=["onnx"])
        serving = start_serving("--model-repository", tmp_path / "models")
        assert scale(serving.url, "double") == [2, 4, 6, 8]


class TestConfiguration:
    def test_what_it_says_is_seen(self, repository, start_serving):
        (repository / "scale" / "config.pbtxt").write_text("""
            name: "scale"  # as its folder
            platform: "onnxruntime_onnx"
            max_batch_size: 8
            input [ { name: "x" data_type: TYPE_FP32 dims: [ 4 ] } ]
            output [ { name: "y" data_type: TYPE_FP32 dims: [ 4 ] } ]
            instance_group [ { count: 2 kind: KIND_CPU } ]
            dynamic_batching { preferred_batch_size: [ 4, 8 ] max_queue_delay_microseconds: 100 }
            parameters { key: "intra_op_thread_count" value { string_value: "2" } }
            model_warmup [ { name: "random" batch_size: 2 count: 3
              inputs { key: "x" value { data_type: TYPE_FP32 dims: [ 4 ] random_data: true } } } ]
        """)
        serving = start_serving("--model-repository", repository)
        client = triton_http.InferenceServerClient(serving.http_address)
        assert client.get_model_config("scale")["max_batch_size"] == 8
        assert client.get_model_metadata("scale")["inputs"][0]["shape"] == [-1, 4]
        assert scale(serving.url, "scale", [(1, 2, 3, 4)] * 3) == [3, 6, 9, 12] * 3
        client.close()

    @pytest.mark.parametrize(
        ("config", "reason"),
        [('max_batch_size: 8\nmax_batchsize: 4', "line 2, column 1"),
         ('name: "other"', "other"),
         ('input [ { name: "x" data_type: TYPE_INT64 dims: [ -1, 4 ] } ]', "INT64"),
         ('max_batch_size: 4 input [ { name: "x" dims: [ 5 ] } ]', "shape"),
         ('output [ { name: "z" } ]', "'z'"),
         ('platform: "tensorrt_plan"', "tensorrt_plan"),
         ('name: "scale', "closing quote"),
         ("input {" * 5000, "nested too deeply"),
         ('model_warmup { batch_size: 1 inputs { key: "x" value { data_type: TYPE_FP32 dims: [ 9 ] } } }', "shape")],
    )
    def test_a_bad_one_is_told_and_takes_nothing_else_down(self, repository, tmp_path, config, reason):
        from serving.conftest import ServeProcess

        models.save(repository, "fixed", models.fixed())
        (repository / "scale" / "config.pbtxt").write_text(config)
        serving = ServeProcess(["--model-repository", str(repository)], tmp_path / "serving")
        serving._launch()
        try:
            eventually(lambda: _is_listed(serving, "fixed", "READY"))
            states = {name: state for (name, _), state in index(serving).items()}
            assert states["scale"][0] == "UNAVAILABLE"
            assert reason in states["scale"][1]
            assert requests.get(f"{serving.url}/v2/health/live", timeout=10).status_code == 200
            assert requests.get(f"{serving.url}/v2/models/fixed/ready", timeout=10).status_code == 200
            assert requests.get(f"{serving.url}/v2/models/scale/ready", timeout=10).status_code >= 400
        finally:
            serving.discard()

    def test_bad_files(self, repository, tmp_path):
        from serving.conftest import ServeProcess

        for name, content in [("empty", b""), ("nonsense", b"nonsense" * 100)]:
            (repository / name / "1").mkdir(parents=True)
            (repository / name / "1" / "model.onnx").write_bytes(content)
        (repository / "torch" / "1").mkdir(parents=True)
        (repository / "torch" / "1" / "model.pt").write_bytes(b"x")
        (repository / "bare").mkdir()
        (repository / "notes.txt").write_text("no model")
        serving = ServeProcess(["--model-repository", str(repository)], tmp_path / "serving")
        serving._launch()
        try:
            eventually(lambda: _is_listed(serving, "scale", "READY"))
            eventually(lambda: len(index(serving)) == 5)
            states = {name: state for (name, _), state in index(serving).items()}
            for name in ["empty", "nonsense", "torch", "bare"]:
                assert states[name][0] == "UNAVAILABLE" and states[name][1], name
            assert "model.pt" in states["torch"][1]
            assert scale(serving.url, "scale") == [3, 6, 9, 12]
        finally:
            serving.discard()

    def test_no_repository(self, tmp_path):
        ended = run("serve", "--model-repository", tmp_path / "absent", "--port", "0")
        assert ended.returncode == 1 and ended.stderr.startswith("error: ")


def _is_listed(serving, name, state) -> bool:
    try:
        return any(key[0] == name and value[0] == state for key, value in index(serving).items())
    except requests.RequestException:
        return False


class TestByRequest:
    def test_explicit_mode(self, repository, start_serving):
        models.save(repository, "other", models.scale(7))
        serving = start_serving(
            "--model-repository", repository, "--model-control-mode", "explicit", "--load-model", "scale"
        )
        client = triton_http.InferenceServerClient(serving.http_address)
        assert client.is_model_ready("scale") and not client.is_model_ready("other")
        client.load_model("other")
        assert client.is_model_ready("other")
        assert scale(serving.url, "other") == [7, 14, 21, 28]
        client.unload_model("scale")
        assert not client.is_model_ready("scale")
        assert client.is_server_ready()
        with pytest.raises(InferenceServerException):
            client.load_model("absent")
        with pytest.raises(InferenceServerException):
            client.load_model("../models/scale")
        client.load_model("scale")
        assert scale(serving.url, "scale") == [3, 6, 9, 12]
        client.close()

    def test_with_another_configuration(self, repository, start_serving):
        serving = start_serving("--model-repository", repository)
        client = triton_http.InferenceServerClient(serving.http_address)
        client.load_model("scale", config=json.dumps({"version_policy": {"all": {}}, "max_batch_size": 2}))
        assert set(index(serving)) == {("scale", "1"), ("scale", "3")}
        assert scale(serving.url, "scale/versions/1") == [1, 2, 3, 4]
        with pytest.raises(InferenceServerException, match="max_batchsize"):
            client.load_model("scale", config=json.dumps({"max_batchsize": 2}))
        with pytest.raises(InferenceServerException):
            client.load_model("scale", config="no json")
        assert scale(serving.url, "scale") == [3, 6, 9, 12]
        client.close()

    def test_with_files(self, repository, start_serving, tmp_path):
        serving = start_serving("--model-repository", repository, environment={"APUS_CACHE_DIR": str(tmp_path / "cache")})
        client = triton_http.InferenceServerClient(serving.http_address)
        content = models.scale(9).SerializeToString()
        client.load_model("fresh", config=json.dumps({"backend": "onnxruntime"}), files={"file:1/model.onnx": content})
        assert scale(serving.url, "fresh") == [9, 18, 27, 36]
        client.unload_model("fresh")
        eventually(lambda: ("fresh", "1") not in index(serving))
        eventually(lambda: not list((tmp_path / "cache").glob("models/.draft*/1")))
        client.close()

    @pytest.mark.parametrize(
        "name",
        ["../../../../tmp/apus-escaped", "1/../../x", "/1/x", "1//x", "1/.x", "1/a\\b", "x/model.onnx", "", "1",
         "1/MLmodel", "1/" + "a" * 300, "1/" + "/".join("abcdefghijk")],
    )
    def test_files_cannot_be_written_elsewhere(self, repository, start_serving, tmp_path, name):
        """CVE-2023-31036."""
        serving = start_serving("--model-repository", repository, environment={"APUS_CACHE_DIR": str(tmp_path / "cache")})
        before = sorted(path for path in tmp_path.rglob("*") if "serving-" not in str(path))
        body = {"parameters": {"config": "{}", f"file:{name}": base64.b64encode(b"x").decode()}}
        answer = requests.post(f"{serving.url}/v2/repository/models/scale/load", json=body, timeout=30)
        assert 400 <= answer.status_code < 500, answer.text
        assert sorted(path for path in tmp_path.rglob("*") if "serving-" not in str(path)) == before
        assert scale(serving.url, "scale") == [3, 6, 9, 12]

    def test_not_while_the_folder_is_watched(self, repository, start_serving):
        serving = start_serving("--model-repository", repository, "--model-control-mode", "poll")
        for verb in ["load", "unload"]:
            answer = requests.post(f"{serving.url}/v2/repository/models/scale/{verb}", json={}, timeout=30)
            assert answer.status_code == 400


class TestWatching:
    def test_what_comes_changes_and_goes(self, repository, start_serving):
        serving = start_serving(
            "--model-repository", repository, "--model-control-mode", "poll", "--repository-poll-secs", "0.1"
        )
        assert scale(serving.url, "scale")[0] == 3
        models.save(repository, "scale", models.scale(4), version=4)
        eventually(lambda: scale(serving.url, "scale")[0] == 4)
        # A broken version leaves the one before.
        (repository / "scale" / "5").mkdir()
        (repository / "scale" / "5" / "model.onnx").write_bytes(b"half a mod")
        eventually(lambda: index(serving).get(("scale", "5"), ("",))[0] == "UNAVAILABLE")
        assert scale(serving.url, "scale")[0] == 4
        models.save(repository, "scale", models.scale(5), version=5)
        eventually(lambda: scale(serving.url, "scale")[0] == 5)
        # The same version, other content.
        models.save(repository, "scale", models.scale(6), version=5)
        eventually(lambda: scale(serving.url, "scale")[0] == 6)
        models.save(repository, "fresh", models.scale(8))
        eventually(lambda: index(serving).get(("fresh", "1"), ("",))[0] == "READY")
        assert scale(serving.url, "fresh")[0] == 8
        shutil.rmtree(repository / "scale")
        eventually(lambda: not any(name == "scale" for name, _ in index(serving)))
        assert requests.get(f"{serving.url}/v2/models/scale", timeout=10).status_code == 404


class TestUnderLoad:
    def test_no_request_is_dropped_while_models_are_loaded_anew(self, repository, start_serving):
        (repository / "scale" / "config.pbtxt").write_text("version_policy { all { } }")
        serving = start_serving("--model-repository", repository)
        stop = threading.Event()
        failures, answered = [], [0]
        lock = threading.Lock()
        data = {"inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP32", "data": [1, 2, 3, 4]}]}

        def ask(version):
            session = requests.Session()
            while not stop.is_set():
                answer = session.post(f"{serving.url}/v2/models/scale/versions/{version}/infer", json=data, timeout=30)
                good = answer.status_code == 200 and answer.json()["outputs"][0]["data"][0] == version
                with lock:
                    answered[0] += 1
                    if not good:
                        failures.append(answer.text)

        threads = [threading.Thread(target=ask, args=(version,)) for version in (1, 3) for _ in range(8)]
        for thread in threads:
            thread.start()
        try:
            for turn in range(30):
                answer = requests.post(f"{serving.url}/v2/repository/models/scale/load", json={}, timeout=60)
                assert answer.status_code == 200, answer.text
        finally:
            stop.set()
            for thread in threads:
                thread.join(30)
        assert failures == []
        assert answered[0] > 200
