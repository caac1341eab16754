"""A PostgreSQL cluster that lives as long as one test session."""

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

from .network import free_port


def find_binaries() -> Path | None:
    """The directory of the newest installed PostgreSQL server's programs, or None."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    if found:
        return found[-1].parent
    initdb = shutil.which("initdb")
    return Path(initdb).resolve().parent if initdb else None


class PostgresCluster:
    """A throwaway cluster on a free loopback port, without passwords; `fsync` says whether it may lose data."""

    def __init__(self, fsync: bool = False):
        self.binaries = find_binaries()
        if self.binaries is None:
            raise FileNotFoundError("no PostgreSQL server found: run `make setup`")
        self.directory = Path(tempfile.mkdtemp(prefix="apus-pg-"))
        self.port = free_port()
        self.fsync = fsync
        self._names = itertools.count(1)

    def __enter__(self) -> "PostgresCluster":
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self.directory, owner.pw_uid, owner.pw_gid)
        self.directory.chmod(0o755)
        self._run("initdb", "-D", str(self.directory / "data"), "-A", "trust", "-U", "apus", "--no-sync", "-E", "UTF8",
                  "--locale=C.UTF-8")
        self._start()
        return self

    def __exit__(self, *_) -> None:
        self.stop("immediate")
        shutil.rmtree(self.directory, ignore_errors=True)

    def _start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.directory} -c max_connections=500"
        if not self.fsync:
            options += " -c fsync=off -c full_page_writes=off"
        self._run("pg_ctl", "-D", str(self.directory / "data"), "-w", "-o", options,
                  "-l", str(self.directory / "log"), "start")

    def stop(self, mode: str = "fast") -> None:
        """Stops the cluster; `mode` is `fast` or, without a checkpoint, `immediate`."""
        self._run("pg_ctl", "-D", str(self.directory / "data"), "-m", mode, "-w", "stop", check=False)

    def start_again(self) -> None:
        """Starts the cluster after `stop`, on the same port."""
        self._start()

    def create_database(self) -> str:
        """Makes an empty database and returns its URL."""
        name = f"db{next(self._names)}"
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "apus", name)
        return f"postgresql://apus@127.0.0.1:{self.port}/{name}"

    def query(self, url: str, sql: str) -> str:
        """The unaligned, tuples-only output of one statement."""
        return self._run("psql", "-X", "-At", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql)

    def _run(self, program: str, *arguments: str, check: bool = True) -> str:
        command = [str(self.binaries / program), *arguments]
        if os.geteuid() == 0:
            # PostgreSQL refuses to run as root.
            command = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]
        done = subprocess.run(command, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT if program != "psql" else subprocess.PIPE, text=True)
        if check and done.returncode != 0:
            raise RuntimeError(f"{program} failed ({done.returncode}): {done.stdout}{done.stderr or ''}")
        return done.stdout
