"""Models to put under traffic, with more versions of them at will: each multiplies by its version's factor."""

import json
from pathlib import Path

import mlflow
import numpy as np
import onnx
import requests
from mlflow.models import infer_signature
from onnx import TensorProto, helper, numpy_helper
from tritonclient.grpc import service_pb2

from durability.traffic import WIDTH, factor
from serving import models
from support import http2
from support.http1 import request


def onnx_model(version: int) -> onnx.ModelProto:
    """y is x times the version's factor."""
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", WIDTH]) for name in ("x", "y")]
    constant = numpy_helper.from_array(np.array([factor(str(version))], np.float32), "factor")
    graph = helper.make_graph([helper.make_node("Mul", ["x", "factor"], ["y"])], "scale", ports[:1], ports[1:], [constant])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)


def python_model(version: int) -> type:
    """The same in Python; the class travels with the model by value."""
    times = factor(str(version))

    class Scale(mlflow.pyfunc.PythonModel):
        def predict(self, context, model_input, params=None):
            rows = model_input["x"] if isinstance(model_input, dict) else model_input
            return {"y": np.asarray(rows, np.float32) * np.float32(times)}

    return Scale


def put(folder: Path, version: int, is_python: bool) -> None:
    """Puts a version beside the others of a model, whole from the first moment on."""
    draft = folder.parent.parent / "draft" / f"{folder.name}-{version}"
    if is_python:
        example = {"x": np.zeros((1, WIDTH), np.float32)}
        mlflow.pyfunc.save_model(draft, python_model=python_model(version)(), pip_requirements=["mlflow"],
                                 signature=infer_signature(example, {"y": example["x"]}))
    else:
        draft.mkdir(parents=True)
        onnx.save(onnx_model(version), draft / "model.onnx")
    folder.mkdir(parents=True, exist_ok=True)
    draft.rename(folder / str(version))


def workers(pid: int) -> list[int]:
    """The server's processes that run models."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(child) for child in task.read_text().split()]
        except OSError:
            pass
    return found


#: How many numbers `inflate` makes of one: 10 MB.
INFLATED = 2_500_000


def inflate_model() -> onnx.ModelProto:
    """y is x, INFLATED times in a row: a small question with a large answer."""
    ports = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", 1]),
             helper.make_tensor_value_info("y", TensorProto.FLOAT, ["rows", INFLATED])]
    shape = numpy_helper.from_array(np.array([1, INFLATED], np.int64), "shape")
    graph = helper.make_graph([helper.make_node("Expand", ["x", "shape"], ["y"])], "inflate", ports[:1], ports[1:], [shape])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)


def fill(repository: Path, with_python: bool = False) -> Path:
    """A repository with `fast` of version 1, `inflate`, `identity` of any width, and `slow`, the same as `fast` in Python."""
    put(repository / "fast", 1, is_python=False)
    models.save(repository, "identity", models.identity("FP32"))
    models.save(repository, "inflate", inflate_model())
    if with_python:
        put(repository / "slow", 1, is_python=True)
    return repository


# Asking them


#: The method of gRPC.
INFER = "/inference.GRPCInferenceService/ModelInfer"


def _inflate_request() -> bytes:
    tensor = {"name": "x", "shape": [1, 1], "datatype": "FP32", "data": [1]}
    body = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    return request("/v2/models/inflate/infer", f"Content-Length: {len(body)}") + body


#: A request of HTTP to the model `inflate`.
INFLATE = _inflate_request()


def tensor_message(model: str, name: str, array: np.ndarray) -> bytes:
    """A request of gRPC."""
    message = service_pb2.ModelInferRequest(model_name=model)
    message.inputs.add(name=name, datatype="FP32", shape=array.shape)
    message.raw_input_contents.append(array.tobytes())
    return message.SerializeToString()


def predicts(server, name: str = "fast") -> bool:
    """Asks by new connections; an answer that is wrong fails the test."""
    row = [1.0] * WIDTH
    body = {"inputs": [{"name": "x", "shape": [1, WIDTH], "datatype": "FP32", "data": row}]}
    answer = requests.post(f"{server.url}/v2/models/{name}/infer", json=body, timeout=20)
    if answer.status_code != 200:
        return False
    assert answer.json()["outputs"][0]["data"] == [factor("1")] * WIDTH
    with http2.Connection(server.grpc_address) as connection:
        return connection.call(1, INFER, tensor_message(name, "x", np.ones((1, WIDTH), np.float32)), seconds=20) == "0"


def tensor_message(model: str, name: str, array: np.ndarray) -> bytes:
    message = service_pb2.ModelInferRequest(model_name=model)
    message.inputs.add(name=name, datatype="FP32", shape=array.shape)
    message.raw_input_contents.append(array.tobytes())
    return message.SerializeToString()
