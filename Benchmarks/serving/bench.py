"""Apus, MLServer, `mlflow models serve` and BentoML side by side: the same models and rows, in one run, on one machine.

Environment:
  QUICK=1          about three minutes: one concurrency, short measurements
  ONLY             iris,boosted,pipeline,mlp,memory (default) or some of them
  SERVERS          apus,mlserver,mlflow,bentoml,limit (default) or some of them
  APUS_BINARY      the executable, default .build/release/apus

Results also go to bench-results/. How each server is set up stands in servers.py.
"""

import functools
import os
import pickle
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Tests/CompatibilityTests"), str(ROOT / "Benchmarks"), str(Path(__file__).parent)]
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

import load  # noqa: E402
import numpy as np  # noqa: E402
import protocols  # noqa: E402
import servers  # noqa: E402
from columns import Columns  # noqa: E402
from common import process  # noqa: E402
from common.table import keep  # noqa: E402
from load import Request  # noqa: E402
from models import BATCH, Model  # noqa: E402

QUICK = os.environ.get("QUICK") == "1"
ONLY = os.environ.get("ONLY", "iris,boosted,pipeline,mlp,memory").split(",")
SERVERS = os.environ.get("SERVERS", "apus,mlserver,mlflow,bentoml,limit").split(",")
CONCURRENCIES = [64] if QUICK else [1, 8, 64]
# As many clients of batches as there are cores and more only wait.
BATCH_CONCURRENCIES = [8] if QUICK else [1, 8]
SECONDS = 1.5 if QUICK else 4
# Connections that a constant rate is sent by, as far as they are needed.
OPEN_CONNECTIONS = 64
COPIES = 51


def say(text: str) -> None:
    print(text, flush=True)


def has_torch() -> bool:
    return subprocess.run([servers.PEERS / "python", "-c", "import torch"], capture_output=True).returncode == 0


@functools.cache
def make(name: str, directory: Path) -> Model:
    """Makes a model in a process of its own, whose libraries are gone afterwards; PyTorch lives with the peers."""
    folder = directory / "models" / name
    python = (servers.PEERS if name == "mlp" else servers.MLFLOW) / "python"
    done = subprocess.run([python, "-W", "ignore", Path(__file__).parent / "models.py", name, folder],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        raise RuntimeError(f"the model was not made: {done.stdout}{done.stderr}")
    return Model(**pickle.loads((folder / "model.pickle").read_bytes()))


class Group:
    """One model, on all servers."""

    def __init__(self, columns: Columns, directory: Path, model: Model):
        self.columns, self.directory, self.model = columns, directory, model
        self.answers: dict[str, tuple[bytes, str]] = {}

    def measure(self, row: str, server: servers.Process, port: int, request: Request, expected: np.ndarray | None, latency: bool) -> None:
        """Checks the answer once, then measures throughput, and latencies at half of it."""
        values, body, kind = protocols.ask(port, request)
        if expected is not None and not np.allclose(values.astype(float).ravel(), expected.astype(float).ravel(), atol=1e-4):
            raise RuntimeError(f"{server.name} answers {row} wrongly: {values[:4]} in place of {expected[:4]}")
        if server.name == "apus":
            self.answers[row] = (body, kind)
        result = load.best(port, request, CONCURRENCIES if latency else BATCH_CONCURRENCIES, SECONDS)
        if latency:
            result["half"] = load.run(port, request, OPEN_CONNECTIONS, SECONDS, rate=max(1, result["per_second"] / 2))
        self.columns.put(row, server.name, result)

    def run(self, kind: type[servers.Process], *arguments: object, asks: list[tuple]) -> None:
        """Starts a server and measures each of `asks`: (row, by gRPC, request, expected, with latencies)."""
        if kind.name not in SERVERS:
            return
        name = f"{self.model.name}-{kind.__name__}"
        try:
            with kind(self.directory / name, *arguments) as server:
                for row, is_grpc, request, expected, latency in asks:
                    self.measure(row, server, server.grpc_port if is_grpc else server.port, request, expected, latency)
        except Exception as error:  # One that fails does not end the others; the table shows that it did.
            self.columns.fail(kind.name, f"{self.model.name}: {error}")

    def http_limit(self, rows: dict[str, Request]) -> None:
        """The bare HTTP server, with answers as long as those of Apus."""
        if "limit" not in SERVERS:
            return
        for row, request in rows.items():
            body, kind = self.answers.get(row, (b'{"model_name":"iris","model_version":"1","outputs":[{"name":"label","datatype":"INT64","shape":[1],"data":[0]}]}',
                                                "application/json"))
            with servers.BareHTTP(self.directory / "limit", body, kind) as server:
                result = load.best(server.port, request, CONCURRENCIES, SECONDS)
                result["half"] = load.run(server.port, request, OPEN_CONNECTIONS, SECONDS, rate=result["per_second"] / 2)
            self.columns.put(row, "limit", result)

    def runtime_limit(self, row: str, count: int) -> None:
        """The bare runtime: a loop in C on as many threads as there are cores, and nobody else on them."""
        if "limit" not in SERVERS:
            return
        core = ROOT / "Sources/COnnxRuntime"
        program = load.compiled("runtime", [Path(__file__).parent / "limits/runtime.c", core / "onnx.c"], f"-I{core}/include", "-ldl", "-lpthread")
        library = next((servers.MLFLOW.parent / "lib").glob("python3*/site-packages/onnxruntime/capi/libonnxruntime.so*"))
        file = self.directory / "rows"
        self.model.rows[:count].astype(np.float32).tofile(file)
        best = {}
        for threads in sorted({1, servers.CORES}):
            done = subprocess.run([program, library, self.model.onnx, file, str(count), str(self.model.rows.shape[1]), str(threads), str(SECONDS)],
                                  check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True)
            best = max(best, {"per_second": float(done.stdout), "connections": threads}, key=lambda result: result.get("per_second", 0))
        self.columns.put(row, "limit", best)


def predictions(model: Model, rows: np.ndarray, output: int) -> np.ndarray:
    """What the ONNX form itself answers."""
    import onnxruntime

    session = onnxruntime.InferenceSession(model.onnx)
    return session.run([model.outputs[output]], {model.input: rows})[0]


def onnx_group(columns: Columns, directory: Path, model: Model, output: int, theirs: str) -> None:
    """A model with an ONNX form: single rows and batches by each protocol.

    `theirs` is the output of MLServer's runtime for the framework, which is asked for the same as `output`.
    """
    group = Group(columns, directory, model)
    name, wanted = model.name, [model.outputs[output]]
    one, many = model.rows[:1], model.rows
    mine = {count: predictions(model, model.rows[:count], output) for count in (1, BATCH)}
    # LightGBM itself answers the probability of the second class alone.
    other = {count: values[:, 1] if name == "boosted" else values for count, values in mine.items()}
    rows = [(f"one row, {protocol}", f"{BATCH} rows, {protocol}") for protocol in ("HTTP JSON", "HTTP binary", "gRPC")]
    limits = {}
    asks = []
    for titles, is_grpc, write in zip(rows, (False, False, True), (protocols.v2_json, protocols.v2_binary, protocols.v2_grpc)):
        for title, values in zip(titles, (one, many)):
            request = write(name, values, model.input, wanted)
            asks.append((title, is_grpc, request, mine[len(values)], len(values) == 1))
            if len(values) == 1 and not is_grpc:
                limits[title] = request
    group.run(servers.Apus, [model], asks=asks)
    asks = [(title, is_grpc, write(name, values, model.input, [theirs]), other[len(values)], len(values) == 1)
            for titles, is_grpc, write in zip(rows[::2], (False, True), (protocols.v2_json, protocols.v2_grpc))
            for title, values in zip(titles, (one, many))]
    # In its own process the small models are answered faster than by a worker of MLServer's pool.
    group.run(servers.MLServer, [model], 0, asks=asks)
    environment = servers.PEERS if name == "mlp" else servers.MLFLOW
    expected = {"iris": mine, "mlp": mine}.get(name, {})
    group.run(servers.MlflowServe, model, environment,
              asks=[(title, False, protocols.scoring(values, ()), expected.get(len(values)), len(values) == 1) for title, values in zip(rows[0], (one, many))])
    group.run(servers.BentoML, model,
              asks=[(title, False, protocols.bento(values), other[len(values)], len(values) == 1) for title, values in zip(rows[0], (one, many))])
    group.http_limit(limits)
    group.runtime_limit(f"{BATCH} rows, the runtime alone", BATCH)
    group.runtime_limit("one row, the runtime alone", 1)
    columns.show(name, goals(name))


def goals(name: str) -> dict[str, list]:
    """What is promised of a row, as (other column, factor), or a bound of the 99th percentile in ms."""
    promised: dict[str, list] = {}
    if name in ("iris", "boosted"):
        promised = {"one row, HTTP JSON": [("mlserver", 10), ("mlflow", 20), ("limit", 0.7), ("p99", 2)], "one row, gRPC": [("mlserver", 10), ("p99", 2)],
                    "one row, HTTP binary": [("limit", 0.7), ("p99", 2)]}
    return promised


def workers_group(columns: Columns, directory: Path, model: Model, python: Path) -> None:
    """A model that Python runs: by MLflow's protocol, which three of the servers speak."""
    group = Group(columns, directory, model)
    asks = [(title, False, protocols.scoring(values, model.columns), None, len(values) == 1)
            for title, values in (("one row, /invocations", model.rows[:1]), (f"{BATCH} rows, /invocations", model.rows))]
    group.run(servers.ApusWorkers, model, python, asks=asks)
    if model.name == "pipeline":
        # Here the pool's processes are worth their queues: a worker for each core.
        group.run(servers.MLServer, [model], servers.CORES, asks=asks)
        group.run(servers.BentoML, model, asks=[(row, by, protocols.bento(values), None, latency)
                                                for (row, by, _, _, latency), values in zip(asks, (model.rows[:1], model.rows))])
    group.run(servers.MlflowServe, model, python, asks=asks)
    columns.show(f"{model.name} through Python workers", {asks[0][0]: [("mlserver", 4), ("mlflow", 4)], asks[1][0]: [("mlserver", 4), ("mlflow", 4)]})


def memory_group(columns: Columns, directory: Path, model: Model) -> None:
    """What a loaded model that nobody asks takes: the growth from 1 to 51 of them."""
    for name, kind, arguments in (("apus", servers.Apus, ()), ("mlserver", servers.MLServer, (0,))):
        if name not in SERVERS:
            continue
        sizes = []
        for copies in (1, COPIES):
            with kind(directory / f"memory-{name}-{copies}", [model], *arguments, copies) as server:
                time.sleep(1)
                sizes.append((process.memory(server.process.pid)["rss_mb"], server.start_seconds))
        file = model.onnx.stat().st_size / 1e6
        columns.number(f"resident with 1 model, MB", name, sizes[0][0])
        columns.number(f"resident with {COPIES} models, MB", name, sizes[1][0])
        columns.number("each further model, beyond its file, MB", name, max(0, (sizes[1][0] - sizes[0][0]) / (COPIES - 1) - file))
        columns.number("start with 1 model, s", name, sizes[0][1])
        columns.number(f"start with {COPIES} models, s", name, sizes[1][1])
    if "mlflow" in SERVERS:
        with servers.MlflowServe(directory / "memory-mlflow", model) as server:
            time.sleep(1)
            columns.number("resident with 1 model, MB", "mlflow", process.memory(server.process.pid)["rss_mb"])
            columns.number("start with 1 model, s", "mlflow", server.start_seconds)
    if "bentoml" in SERVERS:
        with servers.BentoML(directory / "memory-bentoml", model) as server:
            time.sleep(1)
            columns.number("resident with 1 model, MB", "bentoml", process.memory(server.process.pid)["rss_mb"])
            columns.number("start with 1 model, s", "bentoml", server.start_seconds)
    columns.show_numbers("Memory and start", {"each further model, beyond its file, MB": 5})


def main() -> None:
    columns = Columns()
    begin = time.monotonic()
    machine = process.machine()
    say(f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB, shared by the server and its clients.")
    with tempfile.TemporaryDirectory(prefix="apus-bench-", dir=os.environ.get("BENCH_DIR")) as name:
        directory = Path(name)
        if "iris" in ONLY:
            onnx_group(columns, directory, make("iris", directory), 0, "predict")
        if "boosted" in ONLY:
            onnx_group(columns, directory, make("boosted", directory), 1, "predict")
        if "pipeline" in ONLY:
            workers_group(columns, directory, make("pipeline", directory), servers.MLFLOW)
        if "mlp" in ONLY and has_torch():
            model = make("mlp", directory)
            onnx_group(columns, directory, model, 0, "Y")
            workers_group(columns, directory, model, servers.PEERS)
        elif "mlp" in ONLY:
            say("\nPyTorch cannot be imported in .venv-peers: its model is left out.")
        if "memory" in ONLY:
            memory_group(columns, directory, make("iris", directory))
    path = keep("serving", {"machine": machine, "quick": QUICK, "groups": columns.kept})
    say(f"\n{time.monotonic() - begin:.0f} s; written to {path}")


if __name__ == "__main__":
    main()
