"""A power cut: what was acknowledged is on the disk itself, and the server starts again without help.

The data lives on ext4 in a file. FS_IOC_SHUTDOWN stops that file system at once and throws away what was not synced,
as a machine without power does; mounting it again replays its journal. The mount options take away what might help
by chance: the journal is not committed by time, and renaming does not sync.
"""

import fcntl
import os
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from durability.conftest import until
from durability.ledger import check, make_clients
from durability.strace import dies_at, first_calls, injecting
from support.api import Api
from support.server import Server

pytestmark = pytest.mark.apus_only

FS_IOC_SHUTDOWN = 0x8004587D
WITHOUT_LOG_FLUSH = 2


class Disk:
    """An ext4 file system at `path` whose power can be cut."""

    def __init__(self, image: Path, path: Path):
        self.image = image
        self.path = path
        path.mkdir()
        with open(image, "wb") as file:
            file.truncate(16 << 30)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-J", "size=64", str(image)], check=True)

    def mount(self) -> str:
        """Mounts the file system; returns why it could not."""
        done = subprocess.run(["mount", "-t", "ext4", "-o", "loop,commit=300,noauto_da_alloc", str(self.image), str(self.path)],
                              capture_output=True, text=True)
        return "" if done.returncode == 0 else done.stderr.strip() or "mount failed"

    def cut(self) -> None:
        """From now on nothing reaches the disk, and what has not is lost."""
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, FS_IOC_SHUTDOWN, struct.pack("I", WITHOUT_LOG_FLUSH))
        finally:
            os.close(descriptor)

    def power_on(self) -> None:
        """Mounts what is left, after everybody who used it has ended."""
        # What a killed process had open is closed a moment later.
        assert until(lambda: subprocess.run(["umount", str(self.path)], capture_output=True).returncode == 0)
        problem = self.mount()
        assert not problem, problem


@pytest.fixture
def disk(tmp_path):
    if shutil.which("mkfs.ext4", path=os.environ["PATH"] + ":/usr/sbin:/sbin") is None:
        pytest.skip("no mkfs.ext4: run `make setup`")
    disk = Disk(tmp_path / "image", tmp_path / "data")
    problem = disk.mount()
    if problem:
        disk.image.unlink()
        pytest.skip(f"may not mount a loop device: {problem}")
    yield disk
    subprocess.run(["umount", "-l", str(disk.path)], check=True)
    disk.image.unlink()


SQLITE = """
import os, sqlite3, sys
for name, mode in [("careless.db", "OFF"), ("careful.db", "FULL")]:
    connection = sqlite3.connect(os.path.join(sys.argv[1], name), isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE t (x)")
    connection.execute("PRAGMA synchronous = " + mode)
    connection.execute("INSERT INTO t VALUES (1)")
    globals()[name] = connection
# Connections that are closed would sync.
os._exit(0)
"""


def test_the_experiment_loses_what_was_not_synced(disk):
    """Without this, the tests below would prove nothing."""
    with open(disk.path / "synced", "wb") as file:
        file.write(b"x" * 5000)
        file.flush()
        os.fsync(file.fileno())
    subprocess.run([sys.executable, "-c", SQLITE, str(disk.path)], check=True)
    (disk.path / "lazy").write_bytes(b"x" * 5000)
    disk.cut()
    disk.power_on()
    assert (disk.path / "synced").read_bytes() == b"x" * 5000
    assert not (disk.path / "lazy").exists() or (disk.path / "lazy").stat().st_size == 0
    for name, rows in [("careless.db", []), ("careful.db", [(1,)])]:
        with closing(sqlite3.connect(disk.path / name)) as connection:
            assert connection.execute("SELECT x FROM t").fetchall() == rows, name


def freeze(server: Server) -> None:
    """Stops the server's threads, but for those in the kernel, which stop when they come back from there.

    Without power nobody acknowledges anything, but FS_IOC_SHUTDOWN lets processes live, and ext4 may call a sync that it
    interrupts a success.
    """
    os.killpg(server.process.pid, signal.SIGSTOP)
    threads = Path(f"/proc/{server.process.pid}/task")
    assert until(lambda: all(state(thread) in "TtDZX" for thread in threads.iterdir()), 10)


def state(thread: Path) -> str:
    """The letter that tells what a thread does; X for one that is gone."""
    try:
        return (thread / "stat").read_text().rpartition(") ")[2][0]
    except OSError:
        return "X"


def work_until_the_cut(disk: Disk, server: Server, clients: list, dice, seconds: float) -> None:
    """Lets the clients work, cuts the power in the middle, and ends the server."""
    stop = threading.Event()
    threads = [threading.Thread(target=client.work, args=(server.url, dice, stop, True)) for client in clients]
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    freeze(server)
    disk.cut()
    server.kill()
    stop.set()
    for thread in threads:
        thread.join(30)


def test_a_server_that_does_not_sync_is_caught(disk, strace, tmp_path, dice):
    """The same experiment with a server whose syncs do nothing: the judge must notice."""
    server = Server(directory=tmp_path, wrapper=injecting("fsync,fdatasync", "retval=0"))
    server.start()
    client, = make_clients(Api(server.url), 1)
    work_until_the_cut(disk, server, [client], dice, 0.5)
    assert client.done, "nothing was acknowledged: the test proves nothing"
    disk.power_on()
    server.wrapper = []
    server.start()
    try:
        with pytest.raises(AssertionError):
            check(Api(server.url), client, atomic_batches=True)
    finally:
        server.stop()


def test_a_power_cut_loses_nothing(disk, tmp_path, dice, rounds, verify):
    server = Server(directory=tmp_path)
    server.start()
    try:
        clients = make_clients(Api(server.url), 8)
        for number in range(rounds):
            work_until_the_cut(disk, server, clients, dice, dice.uniform(0.05, 1.0))
            disk.power_on()
            if number % 5 == 0:
                # What a verifier finds before any server has been there to mend it.
                verify(server)
            server.start()
            for client in clients:
                check(Api(server.url), client, atomic_batches=True)
        # Every artifact once more: what was there after its cut must have survived the later ones.
        for client in clients:
            for evidence in client.acknowledged["artifact"].values():
                evidence.pop("checked", None)
            check(Api(server.url), client, atomic_batches=True)
        done = sum(client.done for client in clients)
        assert done > rounds * 10, "hardly anything was acknowledged: the test proves nothing"
    finally:
        server.stop()
    verify(server)


@pytest.mark.parametrize("call", ["fdatasync", "fsync", "link", "pwrite64"])
def test_a_power_cut_at_the_very_first_start(disk, strace, verify, call):
    """It ends just before its n-th call, and what was not synced until then is lost: that is no reason to stay away."""
    for n in first_calls():
        server = Server(directory=disk.path / str(n))
        has_died = dies_at(server, call, n)
        disk.cut()
        server.kill()
        disk.power_on()
        with server:
            api = Api(server.url)
            api.metric(api.run(api.experiment()), "m", 1)
        verify(server)
        if not has_died:
            break
    assert n > 1, f"{call} was never called: the test proves nothing"
