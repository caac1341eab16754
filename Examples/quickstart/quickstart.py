"""Trains, compares, registers and uses two small models, with nothing but the official MLflow client.

Set MLFLOW_TRACKING_URI to the server. The data comes with scikit-learn, so nothing is downloaded.
"""

import contextlib
import io
import logging
import os
import sys
import time
import urllib.request
import warnings
from dataclasses import dataclass
from typing import Any, Callable

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
os.environ.setdefault("MPLBACKEND", "Agg")
# The data is small: more threads would only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
warnings.filterwarnings("ignore")

BOLD, DIM, GREEN, PLAIN = ("\033[1m", "\033[2m", "\033[32m", "\033[0m") if sys.stdout.isatty() else ("", "", "", "")


def say(text: str = "") -> None:
    print(text, flush=True)


def wait_for_server(url: str, seconds: float = 60) -> float:
    """Waits until the server is healthy and returns how long that took."""
    begin = time.monotonic()
    process = os.environ.get("APUS_DEMO_SERVER_PID")
    while time.monotonic() - begin < seconds:
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5) as answer:
                if answer.read() == b"OK":
                    return time.monotonic() - begin
        except OSError:
            if process and not os.path.exists(f"/proc/{process}"):
                sys.exit("The server ended while it started.")
            time.sleep(0.02)
    sys.exit(f"No server answers at {url}: start one, or set MLFLOW_TRACKING_URI.")


if __name__ == "__main__":
    URL = os.environ.get("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000").rstrip("/")
    READY = wait_for_server(URL)
    say(f"{BOLD}Apus quickstart{PLAIN}")
    say(f"  {GREEN}✓{PLAIN} server ready at {URL} after {READY:.2f} s")
    say(f"  {DIM}… loading mlflow and scikit-learn{PLAIN}")

import mlflow  # noqa: E402  (after the first words on the screen: importing takes seconds)
from mlflow import MlflowClient  # noqa: E402
from mlflow.models import infer_signature  # noqa: E402
from skops.io import dumps, get_untrusted_types  # noqa: E402
from sklearn.base import BaseEstimator  # noqa: E402
from sklearn.datasets import load_diabetes, load_digits  # noqa: E402
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier, RandomForestRegressor  # noqa: E402
from sklearn.linear_model import ElasticNet, LogisticRegression, Ridge  # noqa: E402
from sklearn.metrics import accuracy_score, root_mean_squared_error  # noqa: E402
from sklearn.model_selection import train_test_split  # noqa: E402
from sklearn.neural_network import MLPClassifier  # noqa: E402
from sklearn.svm import SVC  # noqa: E402

logging.getLogger("mlflow").setLevel(logging.ERROR)


@dataclass(frozen=True)
class Candidate:
    """A family of models with one set of hyperparameters."""

    family: str
    model: BaseEstimator
    params: dict[str, Any]


@dataclass(frozen=True)
class Task:
    """A question, its data, how an answer is judged, and who tries to answer it."""

    name: str
    question: str
    load: Callable[[], Any]
    metric: str
    higher_is_better: bool
    judge: Callable[[Any, Any], float]
    candidates: list[Candidate]


TASKS = [
    Task(
        "digits", "which digit is on an image of 8 x 8 pixels?", load_digits, "val_accuracy", True, accuracy_score,
        [
            *[Candidate("logistic regression", LogisticRegression(C=c, max_iter=100), {"C": c}) for c in (0.001, 0.1)],
            *[Candidate("support vectors", SVC(gamma=gamma), {"gamma": gamma}) for gamma in (1e-4, 1e-3)],
            *[Candidate("random forest", RandomForestClassifier(count, random_state=0), {"n_estimators": count})
              for count in (10, 60)],
            Candidate("neural network", MLPClassifier((32,), max_iter=40, random_state=0), {"units": 32}),
        ],
    ),
    Task(
        "diabetes", "how far does the disease progress in a year?", load_diabetes, "val_rmse", False,
        root_mean_squared_error,
        [
            *[Candidate("ridge", Ridge(alpha), {"alpha": alpha}) for alpha in (0.05, 1.0)],
            Candidate("elastic net", ElasticNet(0.002, l1_ratio=0.5), {"alpha": 0.002}),
            Candidate("random forest", RandomForestRegressor(60, max_depth=5, random_state=0), {"max_depth": 5}),
            *[Candidate("boosted trees", GradientBoostingRegressor(n_estimators=80, learning_rate=rate, max_depth=2,
                                                                  random_state=0), {"learning_rate": rate})
              for rate in (0.05, 0.2)],
        ],
    ),
]


def parts(task: Task) -> tuple[list, tuple]:
    """The rows to train and to choose with, and those that are held out to the end."""
    x, y = task.load(return_X_y=True)
    x, x_new, y, y_new = train_test_split(x, y, test_size=0.1, random_state=1)
    return train_test_split(x, y, test_size=0.25, random_state=1), (x_new, y_new)


def fit(candidate: Candidate, task: Task, data: tuple) -> float:
    """Trains, logs a metric at each step of models that have steps, and returns the score on the validation rows."""
    x_train, x_val, y_train, y_val = data
    candidate.model.fit(x_train, y_train)
    if isinstance(candidate.model, MLPClassifier):
        for epoch, loss in enumerate(candidate.model.loss_curve_):
            mlflow.log_metric("train_loss", loss, step=epoch, synchronous=False)
        mlflow.flush_async_logging()
    if isinstance(candidate.model, GradientBoostingRegressor):
        for step, prediction in enumerate(candidate.model.staged_predict(x_val)):
            mlflow.log_metric(task.metric, task.judge(y_val, prediction), step=step, synchronous=False)
        mlflow.flush_async_logging()
    score = task.judge(y_val, candidate.model.predict(x_val))
    # The last step of all, so that this is the value that searches see.
    mlflow.log_metric(task.metric, score, step=1000)
    return score


def log_model(candidate: Candidate, name: str, x) -> None:
    """Logs the model with its signature, as a new version of the registered model."""
    # The client announces on stderr what we say ourselves.
    with contextlib.redirect_stderr(io.StringIO()):
        mlflow.sklearn.log_model(
            candidate.model, name="model", registered_model_name=name,
            signature=infer_signature(x, candidate.model.predict(x)),
            # We have just trained it ourselves, so every type inside may be trusted.
            skops_trusted_types=get_untrusted_types(data=dumps(candidate.model)),
            pip_requirements=["scikit-learn", "skops"],
        )


def search(task: Task, experiment_id: str, client: MlflowClient) -> None:
    """Trains every candidate in a nested run, compares them, and makes the best one the champion."""
    data, (x_new, y_new) = parts(task)
    say(f"\n{BOLD}{task.name}: {task.question}{PLAIN}")
    say(f"  {len(data[0])} rows to train, {len(data[1])} to choose, {len(x_new)} held out to the end")

    by_run = {}
    with mlflow.start_run(experiment_id=experiment_id, run_name=f"{task.name} search") as parent:
        for number, candidate in enumerate(task.candidates, 1):
            label = " ".join(f"{key}={value}" for key, value in candidate.params.items())
            begin = time.monotonic()
            with mlflow.start_run(experiment_id=experiment_id, run_name=f"{candidate.family} {label}", nested=True) as run:
                mlflow.set_tag("family", candidate.family)
                score = fit(candidate, task, data)
            by_run[run.info.run_id] = candidate
            say(f"  {GREEN}✓{PLAIN} {number}/{len(task.candidates)} {candidate.family:20} {label:20} "
                f"{task.metric} {score:8.4f}   {DIM}{time.monotonic() - begin:4.1f} s{PLAIN}")
        direction = "DESC" if task.higher_is_better else "ASC"
        found = client.search_runs([experiment_id], f"tags.mlflow.parentRunId = '{parent.info.run_id}'",
                                   order_by=[f"metrics.{task.metric} {direction}"])
        mlflow.log_metric(f"best_{task.metric}", found[0].data.metrics[task.metric])

    say(f"\n  The server ranks them: search_runs(order_by=\"metrics.{task.metric} {direction}\")")
    say(f"  {DIM}   {'run':34} {'family':20} {task.metric:>12}   run id{PLAIN}")
    for rank, run in enumerate(found, 1):
        mark = f"{GREEN}★{PLAIN}" if rank == 1 else " "
        say(f"  {mark} {rank} {run.info.run_name:34} {run.data.tags['family']:20} "
            f"{run.data.metrics[task.metric]:12.4f}   {DIM}{run.info.run_id[:8]}{PLAIN}")

    best, name = found[0], f"{task.name}-model"
    with mlflow.start_run(run_id=best.info.run_id):
        log_model(by_run[best.info.run_id], name, data[0])
    version = client.get_latest_versions(name, ["None"])[0].version
    client.set_registered_model_alias(name, "champion", version)
    client.set_model_version_tag(name, version, task.metric, f"{best.data.metrics[task.metric]:.4f}")
    say(f"\n  {GREEN}✓{PLAIN} registered as {name}, version {version}, and called @champion")

    champion = mlflow.pyfunc.load_model(f"models:/{name}@champion")
    predictions = champion.predict(x_new)
    say(f"  {GREEN}✓{PLAIN} loaded back from models:/{name}@champion; "
        f"on the held-out rows: {task.metric.removeprefix('val_')} {task.judge(y_new, predictions):.4f}")
    say(f"    predicted {', '.join(f'{value:.0f}' for value in predictions[:10])}")
    say(f"    true      {', '.join(f'{value:.0f}' for value in y_new[:10])}")


def main() -> None:
    mlflow.set_tracking_uri(URL)
    client = MlflowClient(URL, URL)
    mlflow.sklearn.autolog(log_models=False, log_datasets=True, silent=True)
    begin = time.monotonic()
    ids = {}
    for task in TASKS:
        ids[task.name] = mlflow.set_experiment(f"quickstart-{task.name}").experiment_id
        search(task, ids[task.name], client)

    runs = sum(len(client.search_runs([experiment_id])) for experiment_id in ids.values())
    say(f"\n{BOLD}Done in {time.monotonic() - begin:.0f} s{PLAIN}: {runs} runs in {len(ids)} experiments, "
        f"{len(TASKS)} registered models with a champion each.")
    say("Where to look:")
    for name, experiment_id in ids.items():
        say(f"  apus runs search --experiment {experiment_id}     the runs of quickstart-{name}")
    say(f"  {URL}/console                             all of it in a browser")
    say(f"  {URL}/console/experiments/{ids['digits']}               the table of runs")
    say(f"  {URL}/console/models/digits-model         the registered model and its champion")
    say("  python -c 'import mlflow; print(mlflow.pyfunc.load_model(\"models:/digits-model@champion\"))'")


if __name__ == "__main__":
    main()
