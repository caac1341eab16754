"""Fills both servers with the same runs, so that searches have something to search.

MLflow's database is filled by bulk SQL through MLflow's own SQLAlchemy tables, after its server has made the schema:
through its API a hundred thousand runs would take the better part of an hour. Ours is filled through the public API.
"""

import sqlalchemy
from mlflow.store.tracking.dbmodels.models import SqlLatestMetric, SqlMetric, SqlParam, SqlRun, SqlTag

import load

FAMILIES, DEPTHS, TEAMS = 10, 7, 5


def value(number: int, salt: int) -> float:
    """A number in [0, 1) that looks random; wrk/fill.lua makes the same ones."""
    return ((number * 7919 + salt * 104729) % 1000003) / 1000003


def fill_mlflow(database: str, experiment: str, count: int) -> None:
    """Writes `count` runs with three metrics, two params and two tags each."""
    engine = sqlalchemy.create_engine(database)
    for start in range(0, count, 5000):
        runs, metrics, latest, params, tags = [], [], [], [], []
        for number in range(start, min(start + 5000, count)):
            run = f"{number:032x}"
            runs.append({
                "run_uuid": run, "name": f"run-{number}", "user_id": "bench", "status": "RUNNING", "lifecycle_stage": "active",
                "source_type": "UNKNOWN", "source_name": "", "entry_point_name": "", "source_version": "",
                "start_time": 1700000000000 + number, "experiment_id": int(experiment),
                "artifact_uri": f"mlflow-artifacts:/{experiment}/{run}/artifacts",
            })
            for salt, key in enumerate(["acc", "loss", "time"], 1):
                point = {"run_uuid": run, "key": key, "value": round(value(number, salt), 9), "timestamp": 1, "step": 1, "is_nan": False}
                metrics.append(point)
                latest.append(point)
            params += [{"run_uuid": run, "key": "family", "value": f"f{number % FAMILIES}"},
                       {"run_uuid": run, "key": "depth", "value": str(number % DEPTHS)}]
            tags += [{"run_uuid": run, "key": "mlflow.runName", "value": f"run-{number}"},
                     {"run_uuid": run, "key": "team", "value": f"t{number % TEAMS}"}]
        with engine.begin() as connection:
            for table, rows in [(SqlRun, runs), (SqlMetric, metrics), (SqlLatestMetric, latest), (SqlParam, params), (SqlTag, tags)]:
                connection.execute(sqlalchemy.insert(table.__table__), rows)
    analyze(engine)
    engine.dispose()


def fill_history(database: str, run: str, key: str, count: int) -> None:
    """Writes `count` points of one key."""
    engine = sqlalchemy.create_engine(database)
    with engine.begin() as connection:
        for start in range(0, count, 20000):
            connection.execute(sqlalchemy.insert(SqlMetric.__table__), [
                {"run_uuid": run, "key": key, "value": step / 7, "timestamp": step, "step": step, "is_nan": False}
                for step in range(start, min(start + 20000, count))
            ])
        connection.execute(sqlalchemy.insert(SqlLatestMetric.__table__), [{
            "run_uuid": run, "key": key, "value": (count - 1) / 7, "timestamp": count - 1, "step": count - 1, "is_nan": False,
        }])
    engine.dispose()


def analyze(engine: sqlalchemy.Engine) -> None:
    """Gives the planner its statistics, which bulk loading does not."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sqlalchemy.text("ANALYZE"))


def fill_apus(url: str, experiment: str, count: int) -> float:
    """Makes the same runs through runs/create and log-batch; returns the seconds it took."""
    return load.fill(url, 3600 if count > 200_000 else 900, experiment=experiment, count=count)
