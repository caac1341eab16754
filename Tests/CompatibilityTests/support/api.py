"""A plain HTTP client for the REST interface: what is sent is what the test says, byte for byte."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import requests


def unique(prefix: str = "x") -> str:
    """A name that no other test uses."""
    return f"{prefix}-{uuid4().hex[:12]}"


@dataclass(frozen=True)
class Failure:
    """An error answer: HTTP status, `error_code`, `message`."""

    status: int
    code: str
    message: str


class Api:
    """Calls of one server. Paths without a leading slash are relative to /api/2.0/mlflow."""

    def __init__(self, url: str):
        self.url = url
        self.session = requests.Session()

    def address(self, path: str) -> str:
        return self.url + (path if path.startswith("/") else f"/api/2.0/mlflow/{path}")

    def send(self, method: str, path: str, **options: Any) -> requests.Response:
        options.setdefault("timeout", 60)
        return self.session.request(method, self.address(path), **options)

    def ok(self, method: str, path: str, json: Any = None, **options: Any) -> Any:
        """The JSON answer of a request that must succeed."""
        response = self.send(method, path, json=json, **options)
        assert response.status_code == 200, f"{method} {path}: {response.status_code} {response.text[:2000]}"
        return response.json()

    def get(self, path: str, /, **parameters: Any) -> Any:
        return self.ok("GET", path, params=parameters)

    def post(self, path: str, /, **fields: Any) -> Any:
        return self.ok("POST", path, json=fields)

    def patch(self, path: str, /, **fields: Any) -> Any:
        return self.ok("PATCH", path, json=fields)

    def delete(self, path: str, /, **fields: Any) -> Any:
        return self.ok("DELETE", path, json=fields)

    def failure(self, method: str, path: str, json: Any = None, **options: Any) -> Failure:
        """The error of a request that must fail."""
        response = self.send(method, path, json=json, **options)
        assert response.status_code >= 400, f"{method} {path} succeeded: {response.text[:2000]}"
        body = response.json()
        return Failure(response.status_code, body["error_code"], body["message"])

    # Short cuts that many tests need.

    def experiment(self, name: str | None = None, **fields: Any) -> str:
        """Makes an experiment and returns its id."""
        return self.post("experiments/create", name=name or unique("exp"), **fields)["experiment_id"]

    def run(self, experiment_id: str, **fields: Any) -> str:
        """Makes a run and returns its id."""
        return self.post("runs/create", experiment_id=experiment_id, **fields)["run"]["info"]["run_id"]

    def read_run(self, run_id: str) -> dict:
        return self.get("runs/get", run_id=run_id)["run"]

    def metric(self, run_id: str, key: str, value: Any, timestamp: int = 1, step: int = 0) -> None:
        self.post("runs/log-metric", run_id=run_id, key=key, value=value, timestamp=timestamp, step=step)

    def model(self, name: str | None = None, **fields: Any) -> str:
        """Makes a registered model and returns its name."""
        return self.post("registered-models/create", name=name or unique("model"), **fields)["registered_model"]["name"]

    def version(self, name: str, **fields: Any) -> dict:
        """Makes a version of a registered model; its source is a run of its own unless one is given."""
        if "source" not in fields:
            run = self.post("runs/create", experiment_id="0")["run"]["info"]
            fields |= {"source": run["artifact_uri"] + "/model", "run_id": run["run_id"]}
        return self.post("model-versions/create", name=name, **fields)["model_version"]

    def run_ids(self, experiment_id: str, **fields: Any) -> list[str]:
        """The ids that runs/search answers, in its order."""
        answer = self.post("runs/search", experiment_ids=[experiment_id], **fields)
        return [run["info"]["run_id"] for run in answer.get("runs", [])]


def pairs(items: list[dict]) -> dict[str, str]:
    """A list of `{key, value}` messages as a dictionary."""
    return {item["key"]: item.get("value", "") for item in items}
