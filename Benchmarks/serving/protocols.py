"""The same rows as each protocol writes them, and what each answers, read back."""

import json
import urllib.request

import grpc
import numpy as np
from load import Request
from tritonclient.grpc import service_pb2

INFER = "/inference.GRPCInferenceService/ModelInfer"
NAMES = {"float32": "FP32", "float64": "FP64"}


def tensor(rows: np.ndarray, name: str) -> dict:
    return {"name": name, "shape": list(rows.shape), "datatype": NAMES[rows.dtype.name]}


def v2_json(model: str, rows: np.ndarray, input: str, outputs: list[str]) -> Request:
    body = {"inputs": [tensor(rows, input) | {"data": rows.ravel().tolist()}]}
    if outputs:
        body["outputs"] = [{"name": name} for name in outputs]
    return Request(f"/v2/models/{model}/infer", compact(body))


def v2_binary(model: str, rows: np.ndarray, input: str, outputs: list[str]) -> Request:
    data = rows.tobytes()
    head = {"inputs": [tensor(rows, input) | {"parameters": {"binary_data_size": len(data)}}],
            "outputs": [{"name": name, "parameters": {"binary_data": True}} for name in outputs]}
    head = compact(head)
    return Request(f"/v2/models/{model}/infer", head + data,
                   {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(head))})


def v2_grpc(model: str, rows: np.ndarray, input: str, outputs: list[str]) -> Request:
    message = service_pb2.ModelInferRequest(model_name=model, raw_input_contents=[rows.tobytes()])
    message.inputs.add(name=input, datatype=NAMES[rows.dtype.name], shape=rows.shape)
    for name in outputs:
        message.outputs.add(name=name)
    return Request(INFER, message.SerializeToString(), is_grpc=True)


def scoring(rows: np.ndarray, columns: tuple[str, ...]) -> Request:
    """MLflow's own protocol: a data frame, or an array where the columns have no names."""
    body = {"dataframe_split": {"columns": list(columns), "data": rows.tolist()}} if columns else {"inputs": rows.tolist()}
    return Request("/invocations", compact(body))


def bento(rows: np.ndarray) -> Request:
    return Request("/predict", compact({"rows": rows.tolist()}))


def compact(body: dict) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def ask(port: int, request: Request) -> tuple[np.ndarray, bytes, str]:
    """Sends a request once: the predictions, the answer's body and its content type."""
    if request.is_grpc:
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            body = channel.unary_unary(request.path)(request.body, timeout=30)
        message = service_pb2.ModelInferResponse.FromString(body)
        output = message.outputs[0]
        if message.raw_output_contents:
            values = np.frombuffer(message.raw_output_contents[0], dtype_of(output.datatype))
        else:
            contents = output.contents
            values = np.array([*contents.int64_contents, *contents.int_contents, *contents.fp32_contents, *contents.fp64_contents])
        return values, body, ""
    headers = {"Content-Type": "application/json", **request.headers}
    asked = urllib.request.Request(f"http://127.0.0.1:{port}{request.path}", data=request.body, headers=headers)
    with urllib.request.urlopen(asked, timeout=30) as answer:
        body, kind = answer.read(), answer.headers.get("Content-Type", "")
        length = answer.headers.get("Inference-Header-Content-Length")
    if length:
        output = json.loads(body[:int(length)])["outputs"][0]
        return np.frombuffer(body[int(length):], dtype_of(output["datatype"])), body, kind
    document = json.loads(body)
    if isinstance(document, dict):
        document = document["outputs"][0]["data"] if "outputs" in document else document["predictions"]
    return np.array(document).ravel(), body, kind


def dtype_of(datatype: str) -> str:
    return {"FP32": "<f4", "FP64": "<f8", "INT64": "<i8", "INT32": "<i4"}[datatype]
