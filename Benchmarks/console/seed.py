"""Fills both servers with the same experiments, so that the same pages can be opened.

Apus is filled through the public API. MLflow's database is filled by bulk SQL through MLflow's own tables, after its
server has made the schema: through its API it would take the better part of an hour.
"""

import http.client
import itertools
import json
import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import sqlalchemy
from mlflow.store.tracking.dbmodels.models import SqlLatestMetric, SqlMetric, SqlParam, SqlRun, SqlTag

BEGIN = 1_700_000_000_000


@dataclass
class Run:
    """A run with its params, and its metrics as lists of values, one for each step."""

    name: str
    start: int
    params: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, list[float]] = field(default_factory=dict)


def noise(number: int, salt: int) -> float:
    """A number in [0, 1) that looks random."""
    return ((number * 7919 + salt * 104729) % 1_000_003) / 1_000_003


def table_runs(count: int, columns: int, of: int | None = None) -> Iterator[Run]:
    """Runs with so many columns each, a fifth of them params; of `of` different ones, or always the same."""
    for number in range(count):
        keys = [(number * 7 + place * 13) % of if of else place for place in range(columns)]
        yield Run(
            f"run-{number}", BEGIN + number * 1000,
            {f"param_{key:03}": f"value-{number % (key + 2)}" for key in keys[:columns // 5]},
            {f"metric_{key:03}": [round(noise(number, key), 6)] for key in keys[columns // 5:]},
        )


def wide_run(keys: int) -> Run:
    return Run("wide", BEGIN, {}, {f"metric_{key:05}": [round(noise(key, 1), 6)] for key in range(keys)})


def long_runs(count: int, points: int) -> Iterator[Run]:
    """Curves that fall with noise, and one spike each."""
    for number in range(count):
        curve = [round(math.exp(-step / points * 4) + noise(step, number) / 10, 6) for step in range(points)]
        curve[points // (number + 2)] = 9.0
        yield Run(f"curve-{number}", BEGIN + number, {"lr": str(0.1 / (number + 1))}, {"loss": curve})


class Connection:
    """Requests to the API on one connection."""

    def __init__(self, port: int):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)

    def post(self, path: str, body: dict) -> dict:
        self.connection.request("POST", f"/api/2.0/mlflow/{path}", json.dumps(body), {"Content-Type": "application/json"})
        response = self.connection.getresponse()
        answer = response.read()
        if response.status != 200:
            raise RuntimeError(f"{path} answered {response.status}: {answer[:500]!r}")
        return json.loads(answer or b"{}")

    def log(self, experiment: str, run: Run) -> str:
        """Logs a run as a client would, a thousand points at once; returns its identifier."""
        info = self.post("runs/create", {"experiment_id": experiment, "run_name": run.name, "start_time": run.start})["run"]["info"]
        points = ({"key": key, "value": value, "timestamp": run.start + step, "step": step}
                  for key, values in run.metrics.items() for step, value in enumerate(values))
        params = [{"key": key, "value": value} for key, value in run.params.items()]
        self.post("runs/log-batch", {"run_id": info["run_id"], "params": params, "metrics": list(itertools.islice(points, 1000 - len(params)))})
        while some := list(itertools.islice(points, 1000)):
            self.post("runs/log-batch", {"run_id": info["run_id"], "metrics": some})
        self.post("runs/update", {"run_id": info["run_id"], "status": "FINISHED", "end_time": run.start + 60_000})
        return info["run_id"]


def fill_apus(port: int, experiment: str, runs: Iterator[Run]) -> list[str]:
    """Logs runs on eight connections; returns their identifiers in no order."""
    found, failures, lock = [], [], threading.Lock()

    def work() -> None:
        connection = Connection(port)
        while not failures:
            with lock:
                run = next(runs, None)
            if run is None:
                return
            try:
                found.append(connection.log(experiment, run))
            except Exception as error:  # told below, by the thread that asked
                failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return found


def fill_mlflow(database: str, experiment: str, runs: Iterator[Run]) -> list[str]:
    """Writes runs into MLflow's tables; returns their identifiers."""
    engine = sqlalchemy.create_engine(database)
    ids = []
    with engine.begin() as connection:
        def insert(table, rows: list[dict]) -> None:
            for start in range(0, len(rows), 20_000):
                connection.execute(sqlalchemy.insert(table.__table__), rows[start:start + 20_000])

        for run in runs:
            id = f"{int(experiment):016x}{len(ids):016x}"
            ids.append(id)
            insert(SqlRun, [{
                "run_uuid": id, "name": run.name, "user_id": "bench", "status": "FINISHED", "lifecycle_stage": "active",
                "source_type": "UNKNOWN", "source_name": "", "entry_point_name": "", "source_version": "",
                "start_time": run.start, "end_time": run.start + 60_000, "experiment_id": int(experiment),
                "artifact_uri": f"mlflow-artifacts:/{experiment}/{id}/artifacts",
            }])
            insert(SqlTag, [{"run_uuid": id, "key": "mlflow.runName", "value": run.name}])
            insert(SqlParam, [{"run_uuid": id, "key": key, "value": value} for key, value in run.params.items()])
            points = [{"run_uuid": id, "key": key, "value": value, "timestamp": run.start + step, "step": step, "is_nan": False}
                      for key, values in run.metrics.items() for step, value in enumerate(values)]
            insert(SqlMetric, points)
            insert(SqlLatestMetric, [
                {"run_uuid": id, "key": key, "value": values[-1], "timestamp": run.start + len(values) - 1, "step": len(values) - 1, "is_nan": False}
                for key, values in run.metrics.items()
            ])
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sqlalchemy.text("ANALYZE"))
    engine.dispose()
    return ids
