"""The two servers under test: the apus binary, and the real `mlflow server` that proves the tests right."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import requests

from .network import free_port

REPOSITORY = Path(__file__).resolve().parents[3]


def target() -> str:
    """`apus` unless COMPAT_TARGET says `mlflow`."""
    name = os.environ.get("COMPAT_TARGET", "apus")
    if name not in ("apus", "mlflow"):
        raise ValueError(f"COMPAT_TARGET must be apus or mlflow, not {name}")
    return name


def binary() -> Path:
    """The apus executable: APUS_BINARY, else the release build of this checkout."""
    return Path(os.environ.get("APUS_BINARY", REPOSITORY / ".build/release/apus")).resolve()


def quiet_environment(extra: dict[str, str] | None = None) -> dict[str, str]:
    """Our environment without the caller's MLflow settings, with everything that phones home off."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW_", "APUS_"))}
    environment |= {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "GIT_PYTHON_REFRESH": "quiet",
        "PYTHONWARNINGS": "ignore",
        # Models run in the environment of the tests.
        "VIRTUAL_ENV": sys.prefix,
    }
    return environment | (extra or {})


class Server:
    """One server process on a free loopback port, with its data below `directory`."""

    def __init__(
        self,
        directory: Path | None = None,
        database: str | None = None,
        arguments: list[str] | None = None,
        environment: dict[str, str] | None = None,
        wrapper: list[str] | None = None,
        name: str | None = None,
        port: int | None = None,
    ):
        self._temporary = tempfile.TemporaryDirectory(prefix="apus-compat-") if directory is None else None
        self.directory = Path(directory or self._temporary.name)
        self.database = database
        self.arguments = arguments or []
        self.environment = environment or {}
        self.wrapper = wrapper or []
        self.name = name or target()
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen | None = None

    @property
    def data_directory(self) -> Path:
        return self.directory / "data"

    @property
    def log_path(self) -> Path:
        return self.directory / "server.log"

    def command(self) -> list[str]:
        common = ["--host", "127.0.0.1", "--port", str(self.port), *self.arguments]
        if self.name == "mlflow":
            # Plain postgresql:// asks SQLAlchemy for another driver than the one that is installed.
            store = (self.database or "").replace("postgresql://", "postgresql+psycopg2://") or f"sqlite:///{self.data_directory}/mlflow.db"
            return [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", store, "--workers", "1",
                    "--artifacts-destination", str(self.data_directory / "artifacts"), *common]
        database = ["--database", self.database] if self.database else []
        return [str(binary()), "server", "--data-dir", str(self.data_directory), *database, *common]

    def prefixes(self) -> list[str]:
        """The path prefixes under which /health may be served."""
        return [value for option, value in zip(self.arguments, self.arguments[1:]) if option == "--static-prefix"] + [""]

    def start(self, timeout: float = 90) -> "Server":
        """Starts the process and waits until /health answers `OK`."""
        self._launch()
        addresses = [f"{self.url}{prefix}/health" for prefix in self.prefixes()]
        deadline = time.monotonic() + timeout
        pause = 0.005
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode} at start:\n{self.log_tail()}")
            try:
                if any(requests.get(address, timeout=5).text == "OK" for address in addresses):
                    return self
            except requests.RequestException:
                pass
            time.sleep(pause)
            pause = min(pause * 1.5, 0.2)
        self.kill()
        raise TimeoutError(f"the server was not healthy after {timeout} s:\n{self.log_tail()}")

    def _launch(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        if self.name == "mlflow":
            self.data_directory.mkdir(exist_ok=True)
        elif not binary().exists():
            raise FileNotFoundError(f"{binary()} is not there: run `make build`")
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*self.wrapper, *self.command()], cwd=self.directory, env=quiet_environment(self.environment),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )

    def stop(self, timeout: float = 20) -> int | None:
        """Asks the server to end and returns its exit code; None when it had to be killed."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self._signal(signal.SIGTERM)
            try:
                self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
                return None
        code, self.process = self.process.returncode, None
        return code

    def kill(self) -> None:
        """Ends the whole process group at once, as a crash would."""
        if self.process is not None:
            self._signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def discard(self) -> None:
        """Ends a server that nobody asks any more, without the time that it gives to its callers, and its data."""
        self.kill()
        if self._temporary is not None:
            self._temporary.cleanup()

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def log_tail(self, characters: int = 4000) -> str:
        return self.log_path.read_text(errors="replace")[-characters:] if self.log_path.exists() else ""

    def _signal(self, number: int) -> None:
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass

    def __enter__(self) -> "Server":
        return self.start()

    def __exit__(self, *_) -> None:
        self.stop()
        if self._temporary is not None:
            self._temporary.cleanup()
