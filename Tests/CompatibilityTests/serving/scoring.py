"""Models of real data saved by MLflow, `apus serve` on each of them, and what MLflow itself answers in this process."""

import json
import logging
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import cloudpickle
import mlflow
import numpy as np
import pandas as pd
import requests
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature, infer_signature
from mlflow.pyfunc import scoring_server
from mlflow.types.schema import ColSpec, ParamSchema, ParamSpec, Schema, TensorSpec
from sklearn.datasets import load_diabetes, load_wine
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from support.network import free_port
from support.server import binary, quiet_environment

# Workers have no such module: models take its classes along.
cloudpickle.register_pickle_by_value(sys.modules[__name__])


logging.getLogger("mlflow").setLevel(logging.ERROR)

# Otherwise MLflow runs each model in a process of its own to find out what it imports.
QUICK = {"pip_requirements": ["mlflow"]}


@dataclass(frozen=True)
class Data:
    rows: pd.DataFrame
    target: np.ndarray


def wine() -> Data:
    rows, target = load_wine(return_X_y=True, as_frame=True)
    return Data(rows, target.to_numpy())


def diabetes() -> Data:
    rows, target = load_diabetes(return_X_y=True, as_frame=True)
    return Data(rows, target.to_numpy())


def save_all(folder: Path) -> None:
    """Each model in a folder of its name; those in ONNX say so by their names."""
    from skl2onnx import to_onnx

    data = wine()
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500)).fit(data.rows, data.target)
    signature = infer_signature(data.rows, classifier.predict(data.rows))
    mlflow.sklearn.save_model(classifier, folder / "wine_sklearn", signature=signature, **QUICK)
    matrix = data.rows[:1].to_numpy(np.float32)
    converted = to_onnx(classifier, matrix, options={"zipmap": False}, target_opset=17)
    mlflow.onnx.save_model(converted, folder / "wine_onnx", signature=signature, **QUICK)
    # Typed columns: whole numbers and numbers.
    typed = data.rows[["alcohol", "proline", "magnesium"]].astype({"proline": "int64", "magnesium": "float32"})
    small = LogisticRegression(max_iter=2000).fit(typed, data.target)
    converted = to_onnx(small, typed[:1].to_numpy(np.float32), options={"zipmap": False}, target_opset=17)
    signature = infer_signature(typed, small.predict(typed))
    mlflow.onnx.save_model(converted, folder / "typed_onnx", signature=signature, **QUICK)
    mlflow.sklearn.save_model(small, folder / "typed_sklearn", signature=signature, **QUICK)

    data = diabetes()
    regressor = LinearRegression().fit(data.rows, data.target)
    converted = to_onnx(regressor, data.rows[:1].to_numpy(np.float32), target_opset=17)
    answers = regressor.predict(data.rows)
    mlflow.onnx.save_model(converted, folder / "diabetes_onnx", signature=infer_signature(data.rows, answers), **QUICK)
    mlflow.onnx.save_model(converted, folder / "diabetes_unsigned_onnx", **QUICK)
    tensors = infer_signature(data.rows.to_numpy(np.float32), answers)
    mlflow.onnx.save_model(converted, folder / "diabetes_tensor_onnx", signature=tensors, **QUICK)
    signature = infer_signature(data.rows, answers)
    mlflow.sklearn.save_model(regressor, folder / "diabetes_sklearn", signature=signature, **QUICK)
    mlflow.sklearn.save_model(regressor, folder / "diabetes_unsigned_sklearn", **QUICK)
    named = ModelSignature(inputs=Schema([TensorSpec(np.dtype("float32"), (-1, 10), "X")]))
    mlflow.onnx.save_model(converted, folder / "diabetes_named_onnx", signature=named, **QUICK)

    mlflow.pyfunc.save_model(
        folder / "echo_python", python_model=Echo(), **QUICK,
        signature=ModelSignature(
            inputs=Schema([
                ColSpec("double", "number"), ColSpec("string", "text"), ColSpec("datetime", "time", required=False),
                ColSpec("binary", "bytes", required=False), ColSpec("boolean", "flag", required=False),
            ]),
            params=ParamSchema([ParamSpec("factor", "double", 2.0), ParamSpec("words", "string", ["a"], shape=(-1,))]),
        ),
    )
    mlflow.pyfunc.save_model(folder / "chat_python", python_model=Chat(), **QUICK)


class Echo(mlflow.pyfunc.PythonModel):
    """Tells what it was given."""

    def predict(self, context, model_input, params=None):
        return pd.DataFrame({
            "number": model_input["number"] * params["factor"],
            "text": model_input["text"] + params["words"][0],
            "columns": ",".join(f"{name}:{kind}" for name, kind in model_input.dtypes.items()),
            "values": [repr(list(row)) for row in model_input.itertuples(index=False)],
        })


class Chat(mlflow.pyfunc.PythonModel):
    """Takes whatever it is sent."""

    def predict(self, context, model_input, params=None):
        return {"choices": [{"message": {"role": "assistant", "content": repr(model_input)}}], "score": float("nan")}


def expected(folder: Path, body, content_type: str = "application/json"):
    """The status and the answer of MLflow's own scoring server, without HTTP."""
    model = mlflow.pyfunc.load_model(str(folder), suppress_warnings=True)
    schema = model.metadata.get_input_schema()
    data = body if isinstance(body, (str, bytes)) else json.dumps(body)
    try:
        answer = scoring_server.invocations(data, content_type, model, schema)
    except MlflowException as error:
        return error.get_http_status_code(), json.loads(error.serialize_as_json())
    return answer.status, json.loads(answer.response) if answer.status == 200 else answer.response


class ScoringServer:
    """`apus serve` on one model."""

    def __init__(self, model: Path, directory: Path, arguments: list[str] = (), environment: dict | None = None):
        self.model = model
        self.directory = directory
        self.arguments = list(arguments)
        self.environment = environment
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        ports = ["--http-port", str(self.port), "--grpc-port", "off"]
        return [str(binary()), "serve", str(self.model), "--name", self.model.name, *ports, *self.arguments]

    def start(self, timeout: float = 120) -> "ScoringServer":
        self.directory.mkdir(parents=True, exist_ok=True)
        path = self.directory / "serve.log"
        # The libraries are those of this process.
        here = {"APUS_PYTHON": sys.executable, "VIRTUAL_ENV": sys.prefix}
        with open(path, "ab") as log:
            self.process = subprocess.Popen(
                self.command(), cwd=self.directory, env=quiet_environment(here | (self.environment or {})),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                if requests.get(f"{self.url}/ping", timeout=5).status_code == 200:
                    return self
            except requests.RequestException:
                pass
            time.sleep(0.02)
        self.stop()
        raise RuntimeError(f"`apus serve {self.model}` is not ready:\n{path.read_text()[-4000:]}")

    def stop(self) -> None:
        """Ends it at once, without the time that it gives to its callers."""
        self.process.kill()
        self.process.wait()

    def invoke(self, body, content_type: str | None = "application/json", path: str = "/invocations", **headers):
        data = body if isinstance(body, (str, bytes)) else json.dumps(body)
        if content_type is not None:
            headers["Content-Type"] = content_type
        return requests.post(self.url + path, data=data, headers=headers, timeout=60)
