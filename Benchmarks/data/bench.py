"""Apus and DVC side by side: the same files, in one run, on one machine.

Environment:
  QUICK=1          about three minutes: few files
  ONLY             small,large,million,remote (default: all)
  APUS_BINARY      the executable, default .build/release/apus
  BENCH_DIR        where the files are, on the disk that is to be measured

DVC keeps its cache on the same disk, and works without Git and without telemetry. Apus talks to a server on this
machine by HTTP, which makes every content durable before it answers; DVC syncs nothing. Results also go to
bench-results/.
"""

import contextlib
import hashlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Tests/CompatibilityTests"), str(ROOT / "Benchmarks"), str(Path(__file__).parent)]

from common import process  # noqa: E402
from common.table import Table, keep  # noqa: E402
from static import StaticServer  # noqa: E402
from support.server import Server, binary  # noqa: E402

QUICK = os.environ.get("QUICK") == "1"
ONLY = os.environ.get("ONLY", "small,large,million,remote").split(",")
SMALL = 5_000 if QUICK else 100_000
LARGE_FILES, LARGE_MB = (2, 256) if QUICK else (10, 1_000)
MANY = 50_000 if QUICK else 1_000_000
REMOTE = 500 if QUICK else 5_000
DVC = Path(os.environ.get("APUS_DATA_ENV", ROOT / ".venv-data")) / "bin/python"


def sha256_speed() -> float:
    """What one core hashes, in MB (10^6 bytes) a second."""
    block, digest, begin = os.urandom(1 << 20), hashlib.sha256(), time.monotonic()
    for _ in range(512):
        digest.update(block)
    return 512 * (1 << 20) / 1e6 / (time.monotonic() - begin)


class Client:
    """A program with an environment of its own, whose runs are timed."""

    def __init__(self, command: list[object], environment: dict[str, str]):
        self.command, self.environment = [str(part) for part in command], os.environ | environment

    def run(self, *arguments: object, cwd: Path) -> float:
        """Seconds that a run took."""
        begin = time.monotonic()
        done = subprocess.run([*self.command, *map(str, arguments)], cwd=cwd, env=self.environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{self.command} {arguments} failed:\n{done.stdout}\n{done.stderr}")
        return time.monotonic() - begin


def dvc(folder: Path) -> Client:
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    return Client([DVC, "-m", "dvc"], {
        "DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(home / "site"), "DVC_GLOBAL_CONFIG_DIR": str(home / "global"),
        "DVC_SYSTEM_CONFIG_DIR": str(home / "system"), "HOME": str(home), "NO_PROXY": "*",
    })


def write_small(folder: Path, count: int, seed: int = 1) -> int:
    """Files of 100 to 4000 bytes in folders of 500; the bytes in all."""
    chance, total = random.Random(seed), 0
    for number in range(count):
        target = folder / f"{number // 500:04}"
        if number % 500 == 0:
            target.mkdir(parents=True)
        size = chance.randrange(100, 4000)
        (target / f"{number}.bin").write_bytes(chance.randbytes(size))
        total += size
    return total


def write_large(folder: Path) -> int:
    folder.mkdir(parents=True)
    for number in range(LARGE_FILES):
        with open(folder / f"{number}.bin", "wb") as file:
            for _ in range(LARGE_MB):
                file.write(os.urandom(1_000_000))
    return LARGE_FILES * LARGE_MB * 1_000_000


def forget_cached(folder: Path) -> None:
    """Lets the kernel write out what is dirty, so that nobody waits for the work of another."""
    os.sync()


def versions(table: Table, group: str, directory: Path, server: Server, fill, limit: str) -> None:
    """Making a version of a folder for the first time, again, and bringing it back."""
    table.head(group)
    ours, theirs = directory / "apus", directory / "dvc"
    size = fill(ours / "data")
    shutil.copytree(ours / "data", theirs / "data")
    apus, other = Client([binary(), "data"], {"MLFLOW_TRACKING_URI": server.url, "NO_PROXY": "*"}), dvc(directory)
    other.run("init", "--no-scm", "--quiet", cwd=theirs)
    forget_cached(directory)
    steps = [
        ("first commit, against `dvc add`",
         lambda: apus.run("commit", "data", "--dataset", f"bench-{group.split(':')[0]}", cwd=ours), lambda: other.run("add", "data", cwd=theirs)),
        ("commit of nothing new", lambda: apus.run("commit", "data", cwd=ours), lambda: other.run("add", "data", cwd=theirs)),
    ]
    for name, ours_step, theirs_step in steps:
        seconds = [ours_step(), theirs_step()]
        table.add(group, name, *seconds, "s", more_is_better=False, limit=limit if "first" in name else "", bytes=size)
        forget_cached(directory)
    shutil.rmtree(ours / "data")
    shutil.rmtree(theirs / "data")
    forget_cached(directory)
    seconds = [apus.run("checkout", f"bench-{group.split(':')[0]}", "data", cwd=ours), other.run("checkout", "data.dvc", cwd=theirs)]
    table.add(group, "checkout into an empty folder", *seconds, "s", more_is_better=False)
    shutil.rmtree(directory)


def million(table: Table, directory: Path, server: Server) -> None:
    """One changed file among very many."""
    group = f"{MANY:,} files, one changed"
    table.head(group)
    folder = directory / "data"
    for number in range(MANY):
        if number % 1000 == 0:
            (folder / f"{number // 1000:04}").mkdir(parents=True)
        (folder / f"{number // 1000:04}/{number}.txt").write_bytes(b"%d" % number)
    apus = Client([binary(), "data"], {"MLFLOW_TRACKING_URI": server.url, "NO_PROXY": "*"})
    table.add(group, "first commit", apus.run("commit", "data", "--dataset", "bench-million", cwd=directory), None, "s")
    changed = folder / "0007/7001.txt"
    changed.write_bytes(b"changed")
    staged = apus.run("add", "0007/7001.txt", cwd=folder) + apus.run("commit", cwd=folder)
    table.add(group, "apus data add of the file, and commit", staged, None, "s")
    changed.write_bytes(b"changed again")
    table.add(group, "commit of the folder", apus.run("commit", cwd=folder), None, "s")
    shutil.rmtree(directory)


def remote(table: Table, directory: Path, server: Server) -> None:
    """The same `dvc push` and `dvc pull`, to our server and to a plain one."""
    group = f"dvc push and pull of {REMOTE:,} files and {LARGE_MB} MB"
    table.head(group)
    with StaticServer(directory / "static") as static:
        seconds: dict[str, list[float]] = {"push": [], "pull": []}
        for name, url in (("apus", f"{server.url}/dvc/bench-remote"), ("static", static.url)):
            folder = directory / name / "repository"
            client = dvc(directory / name)
            write_small(folder / "data", REMOTE)
            (folder / "data/large.bin").write_bytes(os.urandom(LARGE_MB * 1_000_000))
            client.run("init", "--no-scm", "--quiet", cwd=folder)
            client.run("remote", "add", "--default", "bench", url, cwd=folder)
            if name == "static":
                client.run("remote", "modify", "bench", "method", "PUT", cwd=folder)
            client.run("add", "data", cwd=folder)
            forget_cached(directory)
            seconds["push"].append(client.run("push", cwd=folder))
            shutil.rmtree(folder / ".dvc/cache")
            shutil.rmtree(folder / "data")
            forget_cached(directory)
            seconds["pull"].append(client.run("pull", cwd=folder))
        for step, (ours, theirs) in seconds.items():
            table.add(group, f"dvc {step}, against a static server", ours, theirs, "s", more_is_better=False)
    shutil.rmtree(directory)


def main() -> None:
    table, begin = Table("DVC"), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="apus-bench-", dir=os.environ.get("BENCH_DIR")) as name, contextlib.ExitStack() as stack:
        directory = Path(name)
        server = Server(directory / "server", None, name="apus").start(timeout=60)
        stack.callback(server.stop)
        speed = sha256_speed()
        print(f"{process.machine()}\nSHA-256 on one core: {speed:,.0f} MB/s")
        with process.PeakMemory(server.process.pid) as watch:
            if "small" in ONLY:
                versions(table, f"small: {SMALL:,} files of 100 to 4000 bytes", directory / "small", server,
                         lambda folder: write_small(folder, SMALL), "")
            if "large" in ONLY:
                size = LARGE_FILES * LARGE_MB
                versions(table, f"large: {LARGE_FILES} files of {LARGE_MB} MB", directory / "large", server, write_large,
                         f"SHA-256 of it takes {size / speed:.1f} s")
            if "million" in ONLY:
                million(table, directory / "million", server)
            if "remote" in ONLY and not shutil.which("nginx", path="/usr/sbin:/usr/bin"):
                print("\nnginx is not here (Debian: nginx-light), so push and pull are not compared with a plain server")
            elif "remote" in ONLY:
                remote(table, directory / "remote", server)
        table.head("All of it")
        table.add("all", "largest memory of the server", watch.peak_mb, None, "MB")
        print(f"\n{time.monotonic() - begin:.0f} s; kept in {keep('data', {'machine': process.machine(), 'rows': table.rows})}")


if __name__ == "__main__":
    main()
