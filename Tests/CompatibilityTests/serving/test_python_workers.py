"""Models in Python, through the real binary: right answers, and what becomes of requests when workers die."""

import json
import os
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
import requests

from serving import python_models
from serving.conftest import ServeProcess

pytestmark = pytest.mark.apus_only

OUTPUT_TYPES = {"INT64": np.int64, "INT32": np.int32, "FP32": np.float32, "FP64": np.float64, "BYTES": object}


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("python-models")
    python_models.fill(path)
    return path


@pytest.fixture
def serve(start_serving, tmp_path):
    """Starts `apus serve` on a model's folder with this Python."""

    def start(path: Path, *arguments: str, python: bool = True):
        environment = {"XDG_CACHE_HOME": str(tmp_path / "cache")}
        if python:
            environment["APUS_PYTHON"] = sys.executable
        return start_serving(str(path), "--name", "m", *arguments, environment=environment)

    return start


@pytest.fixture(scope="module")
def served(folder, tmp_path_factory):
    """Gives the server of a model to tests that only ask; it starts when it is first asked for."""
    started = {}

    def get(name: str) -> ServeProcess:
        if name not in started:
            environment = {"XDG_CACHE_HOME": str(tmp_path_factory.getbasetemp() / "cache"), "APUS_PYTHON": sys.executable}
            arguments = [str(folder / name), "--name", "m"]
            started[name] = ServeProcess(arguments, tmp_path_factory.mktemp(name), environment).start()
        return started[name]

    yield get
    for server in started.values():
        server.discard()


def columns(table: pd.DataFrame) -> dict:
    """A table as tensors of the Open Inference Protocol."""
    kinds = {"f": "FP64", "i": "INT64"}
    return {
        "inputs": [
            {
                "name": name,
                "shape": [len(table), 1],
                "datatype": kinds.get(table[name].dtype.kind, "BYTES"),
                "data": table[name].tolist(),
            }
            for name in table
        ]
    }


def infer(server, body: dict, timeout: float = 60) -> requests.Response:
    return requests.post(f"{server.url}/v2/models/m/infer", json=body, timeout=timeout)


def invoke(server, body: dict, timeout: float = 60) -> requests.Response:
    return requests.post(f"{server.url}/invocations", json=body, timeout=timeout)


def word(text: str, **params) -> dict:
    return {"dataframe_records": [{"word": text}], **({"params": params} if params else {})}


def workers_of(server) -> list[int]:
    """The processes that the server started and that run our program."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            command = (entry / "cmdline").read_bytes()
        except (OSError, ValueError):
            continue
        if parent == server.process.pid and b"apus_worker.py" in command:
            found.append(int(entry.name))
    return sorted(found)


def eventually(condition, timeout: float = 60) -> bool:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


# Answers


@pytest.mark.parametrize("name", ["pipeline", "probabilities", "xgboost", "lightgbm"])
def test_tables_are_answered_as_in_process(served, folder, name):
    server = served(name)
    model = mlflow.pyfunc.load_model(str(folder / name))
    table = python_models.rows(50, seed=11)
    if name in ("xgboost", "lightgbm"):
        table = table[python_models.FEATURES]
    wanted = model.predict(table)
    answer = infer(server, columns(table))
    assert answer.status_code == 200, answer.text
    (output,) = answer.json()["outputs"]
    assert output["name"] == "output-1"
    assert output["shape"] == list(wanted.shape)
    found = np.array(output["data"], dtype=OUTPUT_TYPES[output["datatype"]]).reshape(output["shape"])
    np.testing.assert_array_equal(found, wanted)
    scored = invoke(server, {"dataframe_split": table.to_dict("split")})
    assert scored.status_code == 200, scored.text
    np.testing.assert_array_equal(np.array(scored.json()["predictions"], dtype=wanted.dtype), wanted)


def test_single_rows_of_many_callers_are_not_mixed_up(served, folder):
    server = served("probabilities")
    model = mlflow.pyfunc.load_model(str(folder / "probabilities"))
    table = python_models.rows(300, seed=13)
    wanted = model.predict(table)

    def ask(number: int) -> np.ndarray:
        answer = infer(server, columns(table.iloc[number : number + 1]))
        assert answer.status_code == 200, answer.text
        return np.array(answer.json()["outputs"][0]["data"])

    with ThreadPoolExecutor(32) as pool:
        found = list(pool.map(ask, range(len(table))))
    np.testing.assert_allclose(np.array(found), wanted, rtol=1e-12)


def test_arrays_with_and_without_signature(served, folder):
    numbers = python_models.rows(20)[python_models.FEATURES].to_numpy()
    for name in ("matrix", "unsigned"):
        wanted = mlflow.pyfunc.load_model(str(folder / name)).predict(numbers)
        server = served(name)
        tensor = {"name": "input-0", "shape": list(numbers.shape), "datatype": "FP64", "data": numbers.ravel().tolist()}
        answer = infer(server, {"inputs": [tensor]})
        assert answer.status_code == 200, answer.text
        assert answer.json()["outputs"][0]["data"] == wanted.tolist()
        scored = invoke(server, {"inputs": numbers.tolist()})
        assert scored.json() == {"predictions": wanted.tolist()}


def test_a_wrong_width_is_the_callers_mistake(served):
    server = served("unsigned")
    answer = invoke(server, {"inputs": [[1.0, 2.0]]})
    assert answer.status_code == 400
    assert "features" in answer.text


def test_a_data_frame_comes_back_as_columns(serve, folder):
    server = serve(folder / "table")
    answer = infer(server, columns(pd.DataFrame({"x": [1.5, 2.0]}))).json()
    assert [(output["name"], output["data"]) for output in answer["outputs"]] == [
        ("double", [3.0, 4.0]),
        ("text", ["1.5", "2.0"]),
    ]
    assert invoke(server, {"dataframe_split": {"columns": ["x"], "data": [[1.5], [2.0]]}}).json() == {
        "predictions": [{"double": 3.0, "text": "1.5"}, {"double": 4.0, "text": "2.0"}]
    }


def test_params_reach_a_model_of_ones_own(served):
    server = served("odd")
    assert invoke(server, word("x")).json() == {"predictions": ["x 1"]}
    assert invoke(server, word("x", factor=5)).json() == {"predictions": ["x 5"]}
    assert invoke(server, word("x", factor="many")).status_code == 400


def test_a_conversation_is_given_to_the_model_whole(serve, folder):
    server = serve(folder / "chat")
    answer = invoke(server, {"messages": [{"role": "user", "content": "hello"}]})
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"choices": [{"message": {"role": "assistant", "content": "HELLO"}}]}


# Deaths


def test_no_request_is_lost_when_workers_are_killed_under_load(serve, folder):
    server = serve(folder / "pipeline", "--min-workers", "2", "--max-workers", "2")
    model = mlflow.pyfunc.load_model(str(folder / "pipeline"))
    table = python_models.rows(64, seed=17)
    wanted = model.predict(table).tolist()
    assert eventually(lambda: len(workers_of(server)) == 2)
    over = threading.Event()
    failures, answered = [], [0] * 8

    def load(number: int) -> None:
        session = requests.Session()
        while not over.is_set():
            row = (number * 7 + answered[number]) % len(table)
            body = columns(table.iloc[row : row + 1])
            answer = session.post(f"{server.url}/v2/models/m/infer", json=body, timeout=120)
            if answer.status_code != 200 or answer.json()["outputs"][0]["data"] != [wanted[row]]:
                failures.append(answer.text)
            answered[number] += 1

    threads = [threading.Thread(target=load, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        time.sleep(1)
        # A request is tried once more. So none may still be under way that was so at the death before.
        before = list(answered)
        assert eventually(lambda: all(now > then for now, then in zip(answered, before)))
        # Answered by the oldest, which has loaded the model then: one that is killed while it loads answers nobody.
        assert infer(server, columns(table.iloc[:1])).status_code == 200
        os.kill(workers_of(server)[0], signal.SIGKILL)
    assert infer(server, columns(table.iloc[:1])).status_code == 200
    over.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert all(answered)


def test_a_worker_that_is_killed_while_it_loads_is_replaced_at_once(serve, folder):
    """Not when the time is over that loading may take, which is minutes."""
    server = serve(folder / "odd", "--max-workers", "1")
    (first,) = workers_of(server)
    os.kill(first, signal.SIGKILL)
    assert eventually(lambda: workers_of(server) not in ([], [first]))
    (second,) = workers_of(server)
    os.kill(second, signal.SIGKILL)
    answer = invoke(server, word("x"), timeout=60)
    assert answer.status_code == 200, answer.text
    assert workers_of(server) not in ([first], [second])


def test_a_model_that_hangs_is_answered_in_time(serve, folder):
    server = serve(folder / "odd", "--run-timeout", "1", "--max-workers", "1")
    (first,) = workers_of(server)
    began = time.monotonic()
    answer = invoke(server, word("hang"))
    assert answer.status_code in (503, 504), answer.text
    assert time.monotonic() - began < 5
    assert invoke(server, word("x")).json() == {"predictions": ["x 1"]}
    assert workers_of(server) != [first]


def test_a_memory_hog_dies_alone(serve, folder):
    server = serve(folder / "odd", "--worker-memory", "2048")
    hog = invoke(server, word("hog"))
    assert hog.status_code in (400, 500, 503), hog.text
    assert invoke(server, word("x")).json() == {"predictions": ["x 1"]}
    assert server.process.poll() is None


def test_a_request_that_kills_its_worker_is_answered_503_and_the_next_one_200(serve, folder):
    server = serve(folder / "odd", "--max-workers", "1")
    answer = invoke(server, word("die"))
    assert answer.status_code == 503, answer.text
    assert invoke(server, word("x")).json() == {"predictions": ["x 1"]}


def test_what_a_model_prints_is_in_the_log(served):
    server = served("odd")
    invoke(server, word("talk"))
    assert eventually(lambda: "a word to standard error" in server.log_path.read_text(), 10)
    (line,) = [line for line in server.log_path.read_text().splitlines() if "a word to standard output" in line]
    assert "model=m" in line and "pid=" in line


def test_workers_die_with_a_server_that_is_killed(serve, folder):
    server = serve(folder / "odd")
    workers = workers_of(server)
    assert workers
    server.process.kill()
    server.process.wait()
    assert eventually(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers), 10)


# Numbers of workers


def test_a_model_at_rest_starts_with_its_first_request_and_ends_again(serve, folder):
    server = serve(folder / "odd", "--min-workers", "0", "--max-workers", "1", "--worker-idle-time", "2")
    assert workers_of(server) == []
    assert invoke(server, word("x")).json() == {"predictions": ["x 1"]}
    assert len(workers_of(server)) == 1
    assert eventually(lambda: workers_of(server) == [])
    assert invoke(server, word("y")).json() == {"predictions": ["y 1"]}


def test_workers_come_when_requests_wait_and_go_when_they_are_not_needed(serve, folder):
    server = serve(folder / "odd", "--min-workers", "1", "--max-workers", "2", "--worker-idle-time", "3")
    assert len(workers_of(server)) == 1
    with ThreadPoolExecutor(8) as pool:
        deadline = time.monotonic() + 90
        while len(workers_of(server)) < 2 and time.monotonic() < deadline:
            for answer in pool.map(lambda _: invoke(server, word("nap")), range(8)):
                assert answer.status_code == 200
    assert len(workers_of(server)) == 2
    assert eventually(lambda: len(workers_of(server)) == 1)


# Environments


@pytest.mark.xfail(strict=False, reason="MLflow 3.18.0 asks for a mlflow-skinny that PyPI lacks")
def test_an_environment_is_made_once_for_models_that_need_the_same(serve, tmp_path):
    """A model whose loader needs little, in an environment that uv makes for it."""
    cache = tmp_path / "cache"
    for name in ("one", "two"):
        model = tmp_path / name
        model.mkdir()
        version = ".".join(map(str, sys.version_info[:3]))
        (model / "code").mkdir()
        (model / "code" / f"tiny_{name}.py").write_text(
            "import tomli\n"
            "class Tiny:\n"
            "    def predict(self, data, params=None):\n"
            "        return [f'{tomli.__name__} {value}' for value in data['x']]\n"
            "def _load_pyfunc(path):\n"
            "    return Tiny()\n"
        )
        (model / "MLmodel").write_text(
            "flavors:\n  python_function:\n    code: code\n    env:\n      virtualenv: python_env.yaml\n"
            f"    loader_module: tiny_{name}\n    python_version: {version}\n"
        )
        (model / "python_env.yaml").write_text(
            f"python: {version}\nbuild_dependencies:\n- pip\ndependencies:\n- -r requirements.txt\n"
        )
        (model / "requirements.txt").write_text(f"mlflow-skinny=={mlflow.__version__}\npandas\ntomli==2.0.1\n")
        server = serve(model, "--env-manager", "uv", "--start-timeout", "300")
        answer = invoke(server, {"dataframe_split": {"columns": ["x"], "data": [[1], [2]]}})
        assert answer.status_code == 200, answer.text
        assert answer.json() == {"predictions": ["tomli 1", "tomli 2"]}
        server.stop()
    made = [path for path in (cache / "apus" / "environments").iterdir() if (path / "bin" / "python").exists()]
    assert len(made) == 1


def test_a_package_that_does_not_exist_is_told(serve, tmp_path):
    model = tmp_path / "bad"
    model.mkdir()
    (model / "MLmodel").write_text(json.dumps({"flavors": {"python_function": {"loader_module": "x"}}}))
    (model / "requirements.txt").write_text("tomli==999.0.0\n")
    with pytest.raises(RuntimeError, match="tomli"):
        serve(model, "--env-manager", "uv")
