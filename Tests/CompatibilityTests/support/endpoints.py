"""Endpoints of a server, with small ONNX models behind them, for tests of what is seen of them."""

import time

import requests

from support.api import Api, unique

FEATURES = 4


def scale(factor: float):
    """y = factor * x, for rows of four numbers."""
    import numpy
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    shape = ["n", FEATURES]
    model = helper.make_model(
        helper.make_graph(
            [helper.make_node("Mul", ["x", "factor"], ["y"])], "graph",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
            [numpy_helper.from_array(numpy.array([factor], dtype=numpy.float32), "factor")],
        ),
        opset_imports=[helper.make_opsetid("", 17)], ir_version=9,
    )
    onnx.checker.check_model(model)
    return model


def register(url: str, name: str, *factors: float) -> None:
    """Logs a model for each factor, as the next version of `name`."""
    import mlflow

    mlflow.set_tracking_uri(url)
    mlflow.set_registry_uri(url)
    for factor in factors:
        with mlflow.start_run():
            mlflow.onnx.log_model(scale(factor), name="model", registered_model_name=name, pip_requirements=["onnx"])


class Endpoint:
    """One endpoint of a server: it doubles, and its model's second version triples."""

    def __init__(self, url: str, name: str | None = None, **fields):
        self.api = Api(url)
        self.url = url
        self.model = unique("scale")
        self.name = name or unique("endpoint")
        register(url, self.model, 2, 3)
        answer = self.api.send("POST", "/api/v1/endpoints", json={"name": self.name, "source": f"models:/{self.model}/1", **fields})
        assert answer.status_code == 201, answer.text
        self.wait(lambda endpoint: "stable" in endpoint)

    def path(self, rest: str = "") -> str:
        return f"/api/v1/endpoints/{self.name}{rest}"

    def get(self) -> dict:
        return self.api.get(self.path())

    def wait(self, condition, seconds: float = 60) -> dict:
        """The endpoint, as soon as the condition holds of it."""
        end = time.monotonic() + seconds
        while True:
            endpoint = self.get()
            if condition(endpoint):
                return endpoint
            assert time.monotonic() < end, endpoint
            time.sleep(0.05)

    def deploy(self, version: int, strategy) -> None:
        answer = self.api.send("POST", self.path("/deploy"), json={"source": f"models:/{self.model}/{version}", "strategy": strategy})
        assert answer.status_code in (200, 202), answer.text

    def ask(self, row: list[float] | None = None, **more) -> requests.Response:
        """Asks by the Open Inference Protocol."""
        values = row or [1.0, 2.0, 3.0, 4.0]
        body = {"inputs": [{"name": "x", "shape": [1, len(values)], "datatype": "FP32", "data": values}], **more}
        return self.api.send("POST", f"/v2/models/{self.name}/infer", json=body)

    def predictions(self, **parameters) -> list[dict]:
        """All pages of the log, the newest first."""
        found = []
        while True:
            answer = self.api.get(self.path("/predictions"), **parameters)
            found += answer["predictions"]
            if "next_page_token" not in answer:
                return found
            parameters["page_token"] = answer["next_page_token"]

    def logged(self, count: int, seconds: float = 10) -> list[dict]:
        """The log, as soon as it has so many predictions."""
        end = time.monotonic() + seconds
        while len(found := self.predictions()) < count and time.monotonic() < end:
            time.sleep(0.05)
        return found
