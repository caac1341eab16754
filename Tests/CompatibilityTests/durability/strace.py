"""Makes system calls of a server fail, with strace.

strace counts calls for each thread by itself, and a thread pool has many. So it is attached for a single request, all
counts start from zero, and "the n-th call" is the n-th that this request makes.
"""

import functools
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest

from support.server import Server


@functools.cache
def problem() -> str:
    """Why system calls cannot be made to fail here, or an empty text."""
    if shutil.which("strace") is None:
        return "no strace: run `make setup`"
    done = subprocess.run([*injecting("fsync", "error=EIO"), "true"], capture_output=True, text=True)
    return "" if done.returncode == 0 else f"may not trace processes: {done.stderr.strip()}"


@pytest.fixture
def strace() -> None:
    """Skips the test where nothing can be traced."""
    if problem():
        pytest.skip(problem())


def injecting(calls: str, effect: str, log: Path | str = "/dev/null", files: list[Path] | None = None) -> list[str]:
    """The command before another that has an effect, such as `error=EIO:when=2`, on its calls about `files`, or all."""
    return ["strace", "-f", "-qq", "--seccomp-bpf", "-o", str(log), "-e", f"trace={calls}", "-e", f"inject={calls}:{effect}",
            *(option for path in files or [] for option in ("-P", str(path)))]


def named_files(server: Server, call: str) -> list[Path] | None:
    """The files to which a `call` must belong, for calls that others make too: the loader, and what wakes threads."""
    if call not in ("openat", "write"):
        return None
    data = server.data_directory
    return [data / name for name in ("apus.lock", "apus.db", "apus.db-wal", "apus.db-shm", "webhooks.key", "vault", "vault/id",
                                     "vault/tmp", "vault/lock")]


def dies_at(server: Server, call: str, n: int) -> bool:
    """Starts a server that is killed at the n-th `call` of a thread; false if it does not make as many and runs."""
    command = injecting(call, f"signal=KILL:when={n}", files=named_files(server, call))
    # With it, strace 6.1 forgets about the signal.
    command.remove("--seccomp-bpf")
    server.wrapper = command
    try:
        server.start()
    except RuntimeError:
        assert server.process.returncode == -signal.SIGKILL, server.log_tail()
        return True
    finally:
        server.wrapper = []
    return False


def was_hit(log: Path) -> bool:
    """Whether strace tampered with a call."""
    return log.exists() and "(INJECTED)" in log.read_text(errors="replace")


def first_calls() -> list[int]:
    """The n of the n-th call: the first ones, then some; all of them with APUS_SLOW=1."""
    return list(range(1, 200)) if os.environ.get("APUS_SLOW") == "1" else [1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144]


class Fault:
    """While it lasts, the n-th call of each thread of a running server fails; every call when n is None."""

    def __init__(self, server: Server, call: str, error: str, n: int | None = None, path: Path | None = None):
        self.log = server.directory / "strace.log"
        when = "" if n is None else f":when={n}"
        self.command = ["strace", "-f", "-o", str(self.log), "-e", f"trace={call}",
                        "-e", f"inject={call}:error={error}{when}", *(["-P", str(path)] if path else []),
                        "-p", str(server.process.pid)]

    @property
    def is_hit(self) -> bool:
        """Whether a call has failed."""
        return was_hit(self.log)

    def __enter__(self) -> "Fault":
        self.log.unlink(missing_ok=True)
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        line = self.process.stderr.readline()
        assert " attached" in line, line
        return self

    def __exit__(self, *_) -> None:
        self.process.terminate()
        self.process.communicate(timeout=30)
