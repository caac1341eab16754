"""The contract between Amazon SageMaker and a container: `apus serve MODEL --contract sagemaker`."""

import csv
import io
import json
import time

import mlflow
import numpy as np
import pytest
import requests

from serving import scoring
from serving.scoring_fixtures import saved_models  # noqa: F401
from support.network import free_port


class Container(scoring.ScoringServer):
    """The process as SageMaker starts it: only its environment says where to listen."""

    def __init__(self, model, directory, environment=None):
        super().__init__(model, directory)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {"SAGEMAKER_BIND_TO_PORT": str(self.port)} | (environment or {})

    def command(self):
        return [str(scoring.binary()), "serve", str(self.model), "--contract", "sagemaker"]


@pytest.fixture(scope="module")
def container(saved_models, tmp_path_factory):
    server = Container(saved_models / "diabetes_onnx", tmp_path_factory.mktemp("container")).start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def rows():
    return scoring.diabetes().rows[:6]


@pytest.fixture(scope="module")
def wanted(saved_models, rows):
    return mlflow.pyfunc.load_model(str(saved_models / "diabetes_onnx")).predict(rows)["variable"].to_numpy()


@pytest.mark.alone
def test_ping_is_quick_and_empty(container):
    start = time.monotonic()
    answer = requests.get(f"{container.url}/ping", timeout=2)
    assert (answer.status_code, answer.content) == (200, b"")
    assert time.monotonic() - start < 2


def test_execution_parameters(container):
    answer = requests.get(f"{container.url}/execution-parameters")
    assert answer.json() == {"MaxConcurrentTransforms": 1, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 6}


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "application/json, text/csv;q=0.5"])
def test_json_in_and_out(container, rows, wanted, accept):
    headers = {"X-Amzn-SageMaker-Custom-Attributes": "trace=1"} | ({"Accept": accept} if accept else {})
    answer = container.invoke({"dataframe_split": rows.to_dict(orient="split")}, **headers)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json"), answer.text
    np.testing.assert_allclose([row["variable"] for row in answer.json()["predictions"]], wanted, rtol=1e-6)


def test_csv_in_and_out(container, rows, wanted):
    answer = container.invoke(rows.to_csv(index=False), "text/csv", Accept="text/csv")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv"), answer.text
    np.testing.assert_allclose([float(row[0]) for row in csv.reader(io.StringIO(answer.text))], wanted, rtol=1e-6)


def test_lines_of_json(container, rows, wanted):
    answer = container.invoke({"dataframe_records": rows.to_dict(orient="records")}, Accept="application/jsonlines")
    assert answer.status_code == 200
    np.testing.assert_allclose([json.loads(line)["variable"] for line in answer.text.splitlines()], wanted, rtol=1e-6)


def test_refusals(container):
    assert container.invoke("{}", Accept="image/png").status_code == 406
    assert container.invoke("{}", "image/png").status_code == 415
    answer = container.invoke("{}")
    assert (answer.status_code, answer.json()["error_code"]) == (400, "BAD_REQUEST")


def test_the_environment_sets_the_default_form(saved_models, rows, tmp_path):
    environment = {
        "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv", "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "4",
        "SAGEMAKER_BATCH_STRATEGY": "SINGLE_RECORD",
    }  # fmt: skip
    server = Container(saved_models / "diabetes_onnx", tmp_path, environment).start()
    try:
        answer = server.invoke({"dataframe_split": rows.to_dict(orient="split")}, Accept="*/*")
        assert answer.headers["content-type"] == "text/csv"
        parameters = requests.get(f"{server.url}/execution-parameters").json()
        assert parameters["MaxConcurrentTransforms"] == 4
        assert parameters["BatchStrategy"] == "SINGLE_RECORD"
    finally:
        server.stop()
