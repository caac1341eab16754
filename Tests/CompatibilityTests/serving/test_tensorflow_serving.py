"""TensorFlow Serving's REST API and KServe's V1 protocol, by plain requests as their clients send them."""

import base64
import json
import math

import mlflow
import numpy as np
import onnxruntime
import pytest
import requests

from serving import scoring
from serving.scoring_fixtures import saved_models, scoring_server  # noqa: F401

NAME = "diabetes_onnx"
VERBS = [":predict", ":PREDICT", "/versions/{version}:predict"]


@pytest.fixture(scope="session")
def session(saved_models):
    """ONNX Runtime itself on the file of a model."""
    return lambda name: onnxruntime.InferenceSession(str(saved_models / name / "model.onnx"))


def version(server) -> str:
    return requests.get(f"{server.url}/v1/models/{server.model.name}").json()["model_version_status"][0]["version"]


@pytest.mark.parametrize("verb", VERBS)
def test_rows_and_columns(scoring_server, session, verb):
    server = scoring_server(NAME)
    path = f"/v1/models/{NAME}" + verb.format(version=version(server))
    rows = scoring.diabetes().rows[:5].to_numpy(np.float32)
    (wanted,) = session(NAME).run(None, {"X": rows})
    for body in [{"instances": rows.tolist()}, {"instances": [{"X": row} for row in rows.tolist()]}]:
        answer = server.invoke(body, path=path)
        assert answer.status_code == 200, answer.text
        np.testing.assert_allclose(np.array(answer.json()["predictions"], np.float32), wanted, rtol=1e-6)
    for body in [{"inputs": rows.tolist()}, {"inputs": {"X": rows.tolist()}, "signature_name": "serving_default"}]:
        answer = server.invoke(body, path=path)
        assert answer.status_code == 200, answer.text
        np.testing.assert_allclose(np.array(answer.json()["outputs"], np.float32), wanted, rtol=1e-6)


def test_several_outputs_are_named(scoring_server, session):
    rows = scoring.wine().rows[:4].to_numpy(np.float32)
    labels, probabilities = session("wine_onnx").run(["label", "probabilities"], {"X": rows})
    server = scoring_server("wine_onnx")
    predictions = server.invoke({"instances": rows.tolist()}, path="/v1/models/wine_onnx:predict").json()["predictions"]
    assert [row["label"] for row in predictions] == labels.tolist()
    np.testing.assert_allclose([row["probabilities"] for row in predictions], probabilities, rtol=1e-5)
    outputs = server.invoke({"inputs": rows.tolist()}, path="/v1/models/wine_onnx:predict").json()["outputs"]
    assert outputs["label"] == labels.tolist()
    np.testing.assert_allclose(outputs["probabilities"], probabilities, rtol=1e-5)


@pytest.mark.parametrize("name", ["wine_onnx", "wine_sklearn"])
def test_instances_by_the_names_of_columns(scoring_server, saved_models, name):
    """What KServe's clients send to a model of a table."""
    rows = scoring.wine().rows[:6]
    wanted = mlflow.pyfunc.load_model(str(saved_models / "wine_sklearn")).predict(rows).tolist()
    body = {"instances": rows.to_dict(orient="records")}
    answer = scoring_server(name).invoke(body, path=f"/v1/models/{name}:predict")
    assert answer.status_code == 200, answer.text
    predictions = answer.json()["predictions"]
    assert [row["label"] if isinstance(row, dict) else row for row in predictions] == wanted


def test_classify_and_regress(scoring_server, session):
    rows = scoring.wine().rows[:3].to_numpy(np.float32)
    (probabilities,) = session("wine_onnx").run(["probabilities"], {"X": rows})
    body = {"examples": [{"X": row} for row in rows.tolist()]}
    result = scoring_server("wine_onnx").invoke(body, path="/v1/models/wine_onnx:classify").json()["result"]
    assert [[label for label, _ in row] for row in result] == [["0", "1", "2"]] * 3
    np.testing.assert_allclose([[score for _, score in row] for row in result], probabilities, rtol=1e-5)
    rows = scoring.diabetes().rows[:3].to_numpy(np.float32)
    (wanted,) = session(NAME).run(None, {"X": rows})
    body = {"examples": [{"X": row} for row in rows.tolist()]}
    result = scoring_server(NAME).invoke(body, path=f"/v1/models/{NAME}:regress").json()["result"]
    np.testing.assert_allclose(result, wanted.ravel(), rtol=1e-6)
    wrong = scoring_server("wine_onnx").invoke({"examples": [{"X": [1] * 13}]}, path="/v1/models/wine_onnx:regress")
    assert (wrong.status_code, list(wrong.json())) == (400, ["error"])


def test_texts_and_base64(tmp_path, tmp_path_factory):
    import onnx
    from onnx import TensorProto, helper

    graph = helper.make_graph(
        [helper.make_node("Identity", ["text"], ["plain"]), helper.make_node("Identity", ["text"], ["raw_bytes"])],
        "texts",
        [helper.make_tensor_value_info("text", TensorProto.STRING, ["n"])],
        [helper.make_tensor_value_info(name, TensorProto.STRING, ["n"]) for name in ("plain", "raw_bytes")],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.save(made, tmp_path / "texts.onnx")
    server = scoring.ScoringServer(tmp_path / "texts.onnx", tmp_path_factory.mktemp("texts"))
    server.start()
    try:
        encoded = base64.b64encode("hé".encode()).decode()
        answer = server.invoke({"instances": [{"b64": encoded}, "x"]}, path=f"/v1/models/{server.model.name}:predict")
        assert answer.status_code == 200, answer.text
        assert answer.json()["predictions"] == [
            {"plain": "hé", "raw_bytes": {"b64": encoded}},
            {"plain": "x", "raw_bytes": {"b64": base64.b64encode(b"x").decode()}},
        ]
    finally:
        server.stop()


def test_nan_is_bare(scoring_server):
    row = [0.0] * 9 + [float("nan")]
    answer = scoring_server(NAME).invoke(json.dumps({"instances": [row]}), path=f"/v1/models/{NAME}:predict")
    assert answer.status_code == 200, answer.text
    assert math.isnan(np.ravel(answer.json()["predictions"])[0])


@pytest.mark.parametrize(
    "body",
    [
        "", "{", "[]", "{}", '{"instances":[]}', '{"instances":1}', '{"instances":[[1,2]]}', '{"instances":[["a"]]}',
        '{"inputs":{"nothing":[1]}}', '{"instances":[[1]],"inputs":[[1]]}', '{"instances":[[1,2],[3]]}',
        '{"signature_name":"none","instances":[[1,2,3,4,5,6,7,8,9,10]]}', '{"instances":[[1,2,3,4,5,6,7,8,9,null]]}',
    ],
)  # fmt: skip
def test_faults(scoring_server, body):
    answer = scoring_server(NAME).invoke(body, path=f"/v1/models/{NAME}:predict")
    assert answer.status_code == 400, answer.text
    assert list(answer.json()) == ["error"]
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("nobody:predict", 404), (NAME + ":fit", 400), (NAME, 400), (NAME + ":explain", 501),
        (NAME + "/versions/99:predict", 404), (NAME + "/versions/one:predict", 400), (NAME + "/labels/none:predict", 404),
    ],
)  # fmt: skip
def test_wrong_addresses(scoring_server, path, status):
    answer = scoring_server(NAME).invoke({"instances": [[1] * 10]}, path=f"/v1/models/{path}")
    assert (answer.status_code, list(answer.json())) == (status, ["error"])


def test_status_and_metadata(scoring_server):
    server = scoring_server(NAME)
    assert requests.get(f"{server.url}/v1/models").json() == {"models": [NAME]}
    status = requests.get(f"{server.url}/v1/models/{NAME}").json()
    assert (status["name"], status["ready"]) == (NAME, True)
    (only,) = status["model_version_status"]
    assert (only["state"], only["status"]) == ("AVAILABLE", {"error_code": "OK", "error_message": ""})
    assert requests.get(f"{server.url}/v1/models/{NAME}/versions/{only['version']}").json() == status
    metadata = requests.get(f"{server.url}/v1/models/{NAME}/metadata").json()
    assert metadata["model_spec"] == {"name": NAME, "signature_name": "", "version": only["version"]}
    signature = metadata["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert signature["inputs"]["X"]["dtype"] == "DT_FLOAT"
    assert [part["size"] for part in signature["inputs"]["X"]["tensor_shape"]["dim"]] == ["-1", "10"]
    missing = requests.get(f"{server.url}/v1/models/nobody")
    assert (missing.status_code, list(missing.json())) == (404, ["error"])
