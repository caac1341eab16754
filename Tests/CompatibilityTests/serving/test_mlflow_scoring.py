"""MLflow's scoring protocol: the same requests to `apus serve` and to MLflow's own server, and its own clients."""

import io
import json
import math

import mlflow
import mlflow.deployments
import numpy as np
import pandas as pd
import pytest
import requests
from mlflow.pyfunc.scoring_server.client import ScoringServerClient

from serving import scoring
from serving.scoring_fixtures import saved_models, scoring_server  # noqa: F401

MODELS = ["wine_onnx", "diabetes_onnx", "wine_sklearn", "diabetes_sklearn"]
ONNX = [name for name in MODELS if "onnx" in name]


def same(found, wanted) -> bool:
    """Equality, in which a NaN is a NaN and 32-bit numbers that went another way may differ in their last bits."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and found.keys() == wanted.keys() and all(same(found[k], wanted[k]) for k in wanted)
    if isinstance(wanted, list):
        return isinstance(found, list) and len(found) == len(wanted) and all(map(same, found, wanted))
    if isinstance(wanted, float) and isinstance(found, float):
        return math.isnan(wanted) and math.isnan(found) or math.isclose(found, wanted, rel_tol=1e-6, abs_tol=1e-9)
    return type(found) is type(wanted) and found == wanted


def data_of(name: str) -> scoring.Data:
    return scoring.wine() if name.startswith("wine") else scoring.diabetes()


def forms(rows: pd.DataFrame) -> dict[str, dict]:
    split = rows.to_dict(orient="split")
    shuffled = rows[rows.columns[::-1]].assign(extra=1).to_dict(orient="split")
    return {
        "split": {"dataframe_split": split},
        "split without index": {"dataframe_split": {key: split[key] for key in ("columns", "data")}},
        "split in another order": {"dataframe_split": shuffled},
        "records": {"dataframe_records": rows.to_dict(orient="records")},
        "instances": {"instances": rows.to_dict(orient="records")},
        "inputs by column": {"inputs": rows.to_dict(orient="list")},
        "inputs by row": {"inputs": rows.to_dict(orient="records")},
    }


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("form", forms(pd.DataFrame({"a": [1]})))
def test_every_form_is_answered_as_mlflow_answers(scoring_server, saved_models, name, form):
    body = forms(data_of(name).rows[:20])[form]
    status, wanted = scoring.expected(saved_models / name, body)
    answer = scoring_server(name).invoke(body)
    if name == "wine_onnx":
        # MLflow's wrapper fails on a model with outputs of different widths; the labels are the model's own.
        assert status == 400
        assert answer.status_code == 200, answer.text
        table = pd.DataFrame(answer.json()["predictions"])
        model = mlflow.pyfunc.load_model(str(saved_models / "wine_sklearn"))
        assert table["label"].tolist() == model.predict(data_of(name).rows[:20]).tolist()
        assert [len(row) for row in table["probabilities"]] == [3] * 20
        return
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json"), answer.text
    assert same(answer.json(), wanted)


@pytest.mark.parametrize("name", MODELS)
def test_csv(scoring_server, saved_models, name):
    rows = data_of(name).rows[:30]
    wanted = mlflow.pyfunc.load_model(str(saved_models / name.replace("wine_onnx", "wine_sklearn"))).predict(rows)
    answer = scoring_server(name).invoke(rows.to_csv(index=False), "text/csv; charset=utf-8")
    assert answer.status_code == 200, answer.text
    predictions = pd.DataFrame(answer.json()["predictions"])
    np.testing.assert_allclose(predictions.iloc[:, 0].to_numpy(), np.asarray(wanted).ravel(), rtol=1e-5)


@pytest.mark.parametrize("name", ["wine_sklearn", "diabetes_onnx"])
def test_parquet_needs_python(scoring_server, saved_models, name):
    rows = data_of(name).rows[:10]
    buffer = io.BytesIO()
    rows.to_parquet(buffer)
    answer = scoring_server(name).invoke(buffer.getvalue(), "application/vnd.apache.parquet")
    if name.endswith("onnx"):
        assert answer.status_code == 415
        assert "Parquet" in answer.text
    else:
        status, wanted = scoring.expected(saved_models / name, buffer.getvalue(), "application/vnd.apache.parquet")
        assert (answer.status_code, answer.json()) == (status, wanted)


ARRAYS = ["diabetes_unsigned_onnx", "diabetes_tensor_onnx", "diabetes_named_onnx", "diabetes_unsigned_sklearn"]


@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("key", ["inputs", "instances"])
def test_arrays(scoring_server, saved_models, name, key):
    rows = scoring.diabetes().rows[:7].to_numpy().tolist()
    status, wanted = scoring.expected(saved_models / name, {key: rows})
    answer = scoring_server(name).invoke({key: rows})
    assert answer.status_code == status == 200, answer.text
    assert same(answer.json(), wanted)


@pytest.mark.parametrize("name", ["diabetes_unsigned_onnx", "diabetes_tensor_onnx", "diabetes_unsigned_sklearn"])
def test_tables_for_models_of_arrays(scoring_server, saved_models, name):
    rows = scoring.diabetes().rows[:7]
    for body in [{"dataframe_split": rows.to_dict(orient="split")}, {"dataframe_records": rows.to_dict(orient="records")}]:
        status, wanted = scoring.expected(saved_models / name, body)
        answer = scoring_server(name).invoke(body)
        assert answer.status_code == status == 200, answer.text
        assert same(answer.json(), wanted)


@pytest.mark.parametrize("name", ["diabetes_named_onnx", "diabetes_unsigned_onnx"])
def test_named_tensors(scoring_server, saved_models, name):
    rows = scoring.diabetes().rows[:3].to_numpy().tolist()
    for body in [{"inputs": {"X": rows}}, {"instances": [{"X": row} for row in rows]}]:
        status, wanted = scoring.expected(saved_models / name, body)
        answer = scoring_server(name).invoke(body)
        assert answer.status_code == status == 200, answer.text
        assert same(answer.json(), wanted)


@pytest.mark.parametrize("name", MODELS + ARRAYS)
@pytest.mark.parametrize(
    "body",
    [
        "", "{", "[1]", "5", "null", b"\xff", "{}", '{"inputs":[1],"instances":[1]}', '{"columns":["a"],"data":[[1]]}',
        '{"dataframe_split":[1]}', '{"dataframe_split":{}}', '{"dataframe_split":{"columns":["a"],"data":[[1]],"x":1}}',
        '{"dataframe_split":{"columns":["a","b"],"data":[[1]]}}', '{"dataframe_records":{"a":1}}',
        '{"inputs":[[1,2],[3]]}', '{"inputs":{"zzz":[1]},"params":{}}', '{"inputs":"text"}', '{"instances":[{"a":1},5]}',
        '{"inputs":[[["a"]]]}', '{"dataframe_split":{"columns":["alcohol"],"data":[["x"]]}}',
    ],
)  # fmt: skip
def test_faults_are_refused_as_mlflow_refuses_them(scoring_server, saved_models, name, body):
    status, wanted = scoring.expected(saved_models / name, body)
    answer = scoring_server(name).invoke(body)
    assert status == 400
    assert answer.status_code == 400, answer.text
    assert set(answer.json()) == {"error_code", "message"}
    assert answer.json()["error_code"] in ("BAD_REQUEST", "INVALID_PARAMETER_VALUE")
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("name", ["typed_onnx", "typed_sklearn"])
def test_casts_that_keep_the_value(scoring_server, saved_models, name):
    columns = ["alcohol", "proline", "magnesium"]
    for row in [[13, 1065, 127], [13.5, 1065.0, 127], ["13.5", "1065", True], [1e300, 0, 0.1], [0.1, -5, 1.5]]:
        if name.endswith("onnx") and row[0] == 1e300:
            continue  # The matrix of the file is of 32-bit numbers, and this is none.
        body = {"dataframe_split": {"columns": columns, "data": [row]}}
        status, wanted = scoring.expected(saved_models / name.replace("onnx", "sklearn"), body)
        answer = scoring_server(name).invoke(body)
        assert answer.status_code == status == 200, (row, answer.text)
        if name.endswith("sklearn"):
            assert answer.json() == wanted
        else:
            assert [row["label"] for row in answer.json()["predictions"]] == wanted["predictions"]


@pytest.mark.parametrize("name", ["typed_onnx", "typed_sklearn"])
@pytest.mark.parametrize(
    ("row", "part"),
    [
        ([13, 1065.5, 1], "[0][1]: 1065.5"), ([13, 1e30, 1], "[0][1]: 1e+30"), ([13, 1, 1e300], "[0][2]: 1e+300"),
        ([13, None, 1], "[0][1]: null"), (["x", 1, 1], "[0][0]: 'x'"), ([13, [1], 1], "[0][1]: a list"),
    ],
)  # fmt: skip
def test_no_value_is_changed_silently(scoring_server, name, row, part):
    body = {"dataframe_split": {"columns": ["alcohol", "proline", "magnesium"], "data": [row]}}
    answer = scoring_server(name).invoke(body)
    assert answer.status_code == 400
    assert answer.json()["error_code"] == "INVALID_PARAMETER_VALUE"
    assert f"dataframe_split.data{part}" in answer.json()["message"]


def test_missing_columns_are_named(scoring_server, saved_models):
    rows = scoring.wine().rows[:1]
    body = {"dataframe_split": rows.rename(columns={"hue": "other"}).to_dict(orient="split")}
    _, wanted = scoring.expected(saved_models / "wine_sklearn", body)
    message = "Model is missing inputs ['hue']. Note that there were extra inputs: ['other']."
    assert message in wanted["message"]
    for name in ["wine_onnx", "wine_sklearn"]:
        answer = scoring_server(name).invoke(body)
        assert (answer.status_code, answer.json()["error_code"]) == (400, wanted["error_code"])
        assert message in answer.json()["message"]


def test_nan_goes_in_and_comes_out(scoring_server, saved_models):
    rows = scoring.diabetes().rows[:2].copy()
    rows.iloc[0, 3] = float("nan")
    body = json.dumps({"dataframe_split": rows.to_dict(orient="split")})
    assert "NaN" in body
    status, wanted = scoring.expected(saved_models / "diabetes_onnx", body)
    answer = scoring_server("diabetes_onnx").invoke(body)
    assert answer.status_code == status == 200, answer.text
    assert same(answer.json(), wanted)
    assert math.isnan(answer.json()["predictions"][0]["variable"])


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain", "application/octet-stream", "text/csv; header=present", "text/csv;charset=ascii", "TEXT/CSV",
        "application/json;x=1", "multipart/form-data",
    ],
)  # fmt: skip
def test_other_content_types(scoring_server, saved_models, content_type):
    status, text = scoring.expected(saved_models / "diabetes_onnx", "{}", content_type)
    answer = scoring_server("diabetes_onnx").invoke("{}", content_type)
    assert answer.status_code == status == 415
    assert answer.headers["content-type"].startswith("text/plain")
    # MLflow goes on to tell how its protocol changed.
    assert text.startswith(answer.text)


def test_no_content_type(scoring_server):
    answer = scoring_server("diabetes_onnx").invoke("{}", None)
    assert answer.status_code == 415


def test_health_and_version(scoring_server):
    url = scoring_server("diabetes_onnx").url
    for path in ["/ping", "/health"]:
        answer = requests.get(url + path)
        assert (answer.status_code, answer.text, answer.headers["content-type"]) == (200, "\n", "application/json")
    assert requests.get(url + "/version").text == mlflow.__version__


@pytest.mark.parametrize("name", ["diabetes_onnx", "diabetes_sklearn"])
def test_scoring_server_client(scoring_server, saved_models, name):
    server = scoring_server(name)
    client = ScoringServerClient("127.0.0.1", server.port)
    client.wait_server_ready(timeout=10)
    assert client.get_version() == mlflow.__version__
    rows = scoring.diabetes().rows[:25]
    wanted = np.asarray(mlflow.pyfunc.load_model(str(saved_models / name)).predict(rows)).ravel()
    found = client.invoke(rows).get_predictions().to_numpy().ravel()
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
    columns = {column: rows[column].to_numpy() for column in rows}
    np.testing.assert_allclose(client.invoke(columns).get_predictions().to_numpy().ravel(), wanted, rtol=1e-6)


def test_scoring_server_client_with_arrays(scoring_server, saved_models):
    client = ScoringServerClient("127.0.0.1", scoring_server("diabetes_tensor_onnx").port)
    rows = scoring.diabetes().rows[:5].to_numpy(np.float32)
    wanted = mlflow.pyfunc.load_model(str(saved_models / "diabetes_tensor_onnx")).predict(rows)["variable"]
    np.testing.assert_allclose(np.array(client.invoke(rows)["predictions"]["variable"]), wanted, rtol=1e-6)


def test_deployments_client(scoring_server, saved_models):
    server = scoring_server("diabetes_onnx")
    client = mlflow.deployments.get_deploy_client(server.url)
    body = {"dataframe_split": scoring.diabetes().rows[:4].to_dict(orient="split")}
    _, wanted = scoring.expected(saved_models / "diabetes_onnx", body)
    assert same(client.predict(endpoint="diabetes_onnx", inputs=body), wanted)
    assert [endpoint.name for endpoint in client.list_endpoints()] == ["diabetes_onnx"]
    endpoint = client.get_endpoint("diabetes_onnx")
    assert endpoint.endpoint_url == f"{server.url}/endpoints/diabetes_onnx/invocations"
    with pytest.raises(requests.HTTPError, match="404"):
        client.predict(endpoint="nobody", inputs=body)


def test_validate_serving_input(scoring_server, saved_models):
    """The payloads that MLflow itself makes of an example."""
    for name in ["diabetes_sklearn", "wine_sklearn"]:
        rows = data_of(name).rows[:2]
        payload = mlflow.models.convert_input_example_to_serving_input(rows)
        answer = scoring_server(name).invoke(payload)
        wanted = mlflow.models.validate_serving_input(str(saved_models / name), payload)
        assert answer.json()["predictions"] == np.asarray(wanted).tolist()


ECHO = {"number": [1, 2.5], "text": ["x", "y"]}


@pytest.mark.parametrize(
    "body",
    [
        {"inputs": ECHO}, {"inputs": ECHO, "params": {"factor": 3}}, {"inputs": ECHO, "params": {"words": ["b"], "other": 1}},
        {"inputs": ECHO | {"time": ["2020-01-01", "2021-02-03T04:05:06.789"]}},
        {"dataframe_split": {"columns": ["number", "text", "bytes"], "data": [[1, "x", "aGk="]]}},
        {"dataframe_records": [{"number": 1, "text": "x", "flag": True, "time": None}]},
        {"dataframe_records": [{"number": None, "text": "x"}]}, {"instances": [{"number": 1, "text": "é"}]},
    ],
)  # fmt: skip
def test_a_model_in_python_sees_what_mlflow_shows_it(scoring_server, saved_models, body):
    status, wanted = scoring.expected(saved_models / "echo_python", body)
    answer = scoring_server("echo_python").invoke(body)
    assert answer.status_code == status == 200, answer.text
    assert same(answer.json(), wanted)


@pytest.mark.parametrize("params", [{"factor": "3"}, {"factor": None, "words": "b"}, {"words": [1]}, [1]])
def test_wrong_params(scoring_server, saved_models, params):
    body = {"inputs": ECHO, "params": params}
    status, wanted = scoring.expected(saved_models / "echo_python", body)
    answer = scoring_server("echo_python").invoke(body)
    assert (answer.status_code, answer.json()["error_code"]) == (status, wanted["error_code"])


@pytest.mark.xfail(strict=False, reason="texts of a CSV body arrive as pandas' str, not as object")
def test_csv_for_python(scoring_server, saved_models):
    text = 'text,number\n007,1\n"a,""b""",2.5\n'
    status, wanted = scoring.expected(saved_models / "echo_python", text, "text/csv")
    answer = scoring_server("echo_python").invoke(text, "text/csv")
    assert answer.status_code == status == 200, answer.text
    assert same(answer.json(), wanted)


@pytest.mark.parametrize(
    "body", [{"messages": [{"role": "user", "content": "hi"}], "n": 1}, {"prompt": "x"}, {"input": ["x", "y"]}]
)
def test_conversations(scoring_server, saved_models, body):
    status, wanted = scoring.expected(saved_models / "chat_python", body)
    answer = scoring_server("chat_python").invoke(body)
    assert answer.status_code == status == 200, answer.text
    assert same(answer.json(), wanted)
    assert "predictions" not in answer.json()


def test_many_callers_get_their_own_answers(scoring_server, saved_models):
    from concurrent.futures import ThreadPoolExecutor

    rows = scoring.diabetes().rows
    wanted = mlflow.pyfunc.load_model(str(saved_models / "diabetes_onnx")).predict(rows)["variable"].to_numpy()
    server = scoring_server("diabetes_onnx")
    session = requests.Session()
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=64))

    def ask(index: int) -> bool:
        if index % 7 == 0:
            return session.post(f"{server.url}/invocations", json={"inputs": {"age": ["x"]}}).status_code == 400
        count = 1 + index % 3
        part = rows[index : index + count]
        answer = session.post(f"{server.url}/invocations", json={"dataframe_split": part.to_dict(orient="split")})
        found = [row["variable"] for row in answer.json()["predictions"]]
        return np.allclose(found, wanted[index : index + count], rtol=1e-6)

    with ThreadPoolExecutor(64) as pool:
        assert all(pool.map(ask, range(400)))
