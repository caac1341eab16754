"""The servers that answer predictions, each started as its own documentation says, with the same models."""

import json
import os
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from models import Model
from support.network import free_port
from support.server import REPOSITORY, binary, quiet_environment

HERE = Path(__file__).parent
PEERS = REPOSITORY / ".venv-peers/bin"
MLFLOW = REPOSITORY / ".venv-mlflow/bin"
CORES = os.cpu_count() or 1


def active(environment: Path) -> dict[str, str]:
    """The variables of an activated virtual environment, where Apus finds ONNX Runtime and Python."""
    return {"PATH": f"{environment}:{os.environ['PATH']}", "VIRTUAL_ENV": str(environment.parent)}


class Process:
    """A server's process; it is ready when `ready` answers 200."""

    name = ""
    ready = "/v2/health/ready"

    def __init__(self, directory: Path):
        self.directory = directory
        self.port, self.grpc_port, self.other_port = free_port(), free_port(), free_port()
        self.process: subprocess.Popen | None = None
        self.start_seconds = 0.0
        directory.mkdir(parents=True, exist_ok=True)

    def command(self) -> list[str]:
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        return {}

    def __enter__(self) -> "Process":
        begin = time.monotonic()
        with open(self.directory / "log", "wb") as log:
            self.process = subprocess.Popen(
                self.command(), cwd=self.directory, env=quiet_environment(self.environment()),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > begin + 120:
                self.__exit__()
                raise RuntimeError(f"{self.name} did not start:\n{(self.directory / 'log').read_text(errors='replace')[-3000:]}")
            time.sleep(0.01)
        self.start_seconds = time.monotonic() - begin
        return self

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{self.ready}", timeout=2) as answer:
                return answer.status == 200
        except (OSError, urllib.error.HTTPError):
            return False

    def __exit__(self, *_) -> None:
        for number, patience in ((signal.SIGTERM, 10), (signal.SIGKILL, 10)):
            try:
                os.killpg(self.process.pid, number)
                self.process.wait(patience)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                pass


class Apus(Process):
    """`apus serve` on a folder in Triton's layout, or on one MLflow model."""

    name = "apus"

    def __init__(self, directory: Path, models: list[Model], copies: int = 1):
        super().__init__(directory)
        self.models, self.copies = models, copies

    def environment(self) -> dict[str, str]:
        return active(MLFLOW)

    def command(self) -> list[str]:
        repository = self.directory / "models"
        for model in self.models:
            for copy in range(self.copies):
                folder = repository / (model.name if copy == 0 else f"{model.name}-{copy}") / "1"
                folder.mkdir(parents=True, exist_ok=True)
                if model.outputs:
                    shutil.copy(model.onnx, folder / "model.onnx")
                else:
                    shutil.copytree(model.mlflow, folder, dirs_exist_ok=True)
        return [str(binary()), "serve", "--model-repository", str(repository), "--http-port", str(self.port), "--grpc-port", str(self.grpc_port)]


class ApusWorkers(Process):
    """`apus serve` on one MLflow model, which Python workers run."""

    name = "apus"

    def __init__(self, directory: Path, model: Model, python: Path):
        super().__init__(directory)
        self.model, self.python = model, python

    def environment(self) -> dict[str, str]:
        return active(self.python)

    def command(self) -> list[str]:
        return [str(binary()), "serve", str(self.model.mlflow), "--http-port", str(self.port), "--grpc-port", str(self.grpc_port), "--prefer-python"]


class MLServer(Process):
    """`mlserver start` with its own runtimes, and one of ours for ONNX."""

    name = "mlserver"
    RUNTIMES = {"iris": ("mlserver_sklearn.SKLearnModel", "model.joblib"), "boosted": ("mlserver_lightgbm.LightGBMModel", "model.txt"),
                "pipeline": ("mlserver_mlflow.MLflowRuntime", "mlflow"), "mlp": ("onnx_model.ONNXModel", "model.onnx")}

    def __init__(self, directory: Path, models: list[Model], workers: int, copies: int = 1):
        super().__init__(directory)
        self.models, self.workers, self.copies = models, workers, copies

    def environment(self) -> dict[str, str]:
        return {"PYTHONPATH": str(HERE / "peers"), "PATH": f"{PEERS}:{os.environ['PATH']}"}

    def command(self) -> list[str]:
        settings = {"host": "127.0.0.1", "http_port": self.port, "grpc_port": self.grpc_port, "metrics_port": self.other_port,
                    "parallel_workers": self.workers, "environments_dir": str(self.directory / "environments"), "debug": False}
        (self.directory / "settings.json").write_text(json.dumps(settings))
        for model in self.models:
            runtime, file = self.RUNTIMES[model.name]
            for copy in range(self.copies):
                name = model.name if copy == 0 else f"{model.name}-{copy}"
                (self.directory / name).mkdir(exist_ok=True)
                (self.directory / name / "model-settings.json").write_text(json.dumps(
                    {"name": name, "implementation": runtime, "parameters": {"uri": str(model.folder / file), "version": "1"}}))
        return [str(PEERS / "mlserver"), "start", "."]


class MlflowServe(Process):
    """`mlflow models serve`, with a worker for each core."""

    name = "mlflow"
    ready = "/health"

    def __init__(self, directory: Path, model: Model, environment: Path = MLFLOW):
        super().__init__(directory)
        self.model, self.bin = model, environment

    def environment(self) -> dict[str, str]:
        return {"PATH": f"{self.bin}:{os.environ['PATH']}"}

    def command(self) -> list[str]:
        return [str(self.bin / "mlflow"), "models", "serve", "--model-uri", str(self.model.mlflow), "--env-manager", "local",
                "--host", "127.0.0.1", "--port", str(self.port), "--workers", str(CORES)]


class BentoML(Process):
    """`bentoml serve`, with a worker for each core."""

    name = "bentoml"
    ready = "/readyz"

    def __init__(self, directory: Path, model: Model):
        super().__init__(directory)
        self.model = model

    def environment(self) -> dict[str, str]:
        return {"BENCH_MODEL": str(self.model.folder), "BENCH_KIND": self.model.name, "BENCH_WORKERS": str(CORES),
                "BENTOML_DO_NOT_TRACK": "true", "BENTOML_HOME": str(self.directory / "home"), "PATH": f"{PEERS}:{os.environ['PATH']}"}

    def command(self) -> list[str]:
        return [str(PEERS / "bentoml"), "serve", "bento:Bench", "--working-dir", str(HERE / "peers"), "--host", "127.0.0.1", "--port", str(self.port)]


class BareHTTP(Process):
    """A server on Hummingbird, as Apus is, that always answers the same bytes."""

    name = "limit"
    package = HERE / "limits/http"

    def __init__(self, directory: Path, answer: bytes, content_type: str):
        super().__init__(directory)
        self.answer, self.content_type = answer, content_type

    @classmethod
    def build(cls) -> Path:
        scratch = REPOSITORY / ".build-limits"
        subprocess.run(["swift", "build", "-c", "release", "--package-path", str(cls.package), "--scratch-path", str(scratch), "--quiet"],
                       check=True, stdin=subprocess.DEVNULL)
        return scratch / "release/http"

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/ready", data=b"{}", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def command(self) -> list[str]:
        (self.directory / "answer").write_bytes(self.answer)
        return [str(self.build()), str(self.port), str(self.directory / "answer"), self.content_type]
