"""Fixtures of the durability tests, and the checks that every one of them ends with.

Environment, beside that of the compatibility suite:
  DURABILITY_ROUNDS      kill -9 rounds, default 10
  DURABILITY_OPERATIONS  random operations compared between the databases, default 2000
  DURABILITY_SEED        seed of everything random, default 1
"""

import os
import random
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest
import requests

from durability.strace import strace  # noqa: F401 (a fixture)
from support.server import Server, binary, target


def setting(name: str, default: int) -> int:
    return int(os.environ.get(f"DURABILITY_{name}", default))


def sqlite_files(directory: Path) -> list[Path]:
    """Every SQLite database below a directory."""
    found = []
    for path in directory.rglob("*"):
        if path.is_file() and not path.is_symlink():
            with open(path, "rb") as file:
                if file.read(16) == b"SQLite format 3\0":
                    found.append(path)
    return found


def check_integrity(server: Server) -> None:
    """The stopped server's databases are whole, and its audit chain verifies."""
    assert not server.is_running()
    if server.database is None:
        files = sqlite_files(server.data_directory)
        assert files, f"no database below {server.data_directory}"
        for path in files:
            with closing(sqlite3.connect(path)) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)], path
                assert connection.execute("PRAGMA foreign_key_check").fetchall() == [], path
    if target() == "apus":
        command = [str(binary()), "audit", "verify", "--data-dir", str(server.data_directory)]
        command += ["--database", server.database] if server.database else []
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr


def until(condition, seconds: float = 30) -> bool:
    """Whether a condition came true in time; while the server is not reachable, it is not true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if condition():
                return True
        except requests.RequestException:
            pass
        time.sleep(0.05)
    return False


@pytest.fixture
def dice() -> random.Random:
    """Reproducible randomness."""
    return random.Random(setting("SEED", 1))


@pytest.fixture
def rounds() -> int:
    return setting("ROUNDS", 10)


@pytest.fixture
def operations() -> int:
    return setting("OPERATIONS", 2000)


@pytest.fixture
def verify():
    """The check of the stopped server."""
    return check_integrity
