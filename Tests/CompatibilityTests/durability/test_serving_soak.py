"""Traffic, kill -9 of workers and redeploys at once: no wrong answer, no request without one, and memory that stays.

Some minutes with APUS_SLOW=1, else some seconds.
"""

import os
import shutil
import signal
import threading
import time

import pytest
import requests

from durability.served import put, workers
from durability.traffic import WIDTH, BinaryClient, GRPCClient, JSONClient, Memory
from serving.conftest import ServeProcess

pytestmark = pytest.mark.apus_only

SECONDS = 240 if os.environ.get("APUS_SLOW") == "1" else 30


class Trouble(threading.Thread):
    """Does something again and again, at random moments; a failure of its own is a failure of the test."""

    def __init__(self, action, dice, pause: tuple[float, float]):
        super().__init__(daemon=True)
        self.action, self.dice, self.pause = action, dice, pause
        self.count = 0
        self.fault: str | None = None
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.wait(self.dice.uniform(*self.pause)):
            try:
                self.count += bool(self.action())
            except Exception as error:
                self.fault = f"{type(error).__name__}: {error}"
                return

    def finish(self) -> None:
        self._stopped.set()
        self.join(60)


def test_nothing_is_lost_under_traffic_kills_and_redeploys(tmp_path, dice):
    repository = tmp_path / "models"
    for name in ("fast", "slow"):
        put(repository / name, 1, is_python=name == "slow")
    arguments = ["--model-repository", str(repository), "--model-control-mode", "explicit", "--load-model", "*"]
    server = ServeProcess(arguments, tmp_path / "server").start()
    newest = {"fast": 1, "slow": 1}

    # A worker is killed when all have loaded their model: one that cannot even load it is told to callers, rightly.
    loading = threading.Lock()

    def redeploy(name: str) -> bool:
        newest[name] += 1
        version = newest[name]
        put(repository / name, version, is_python=name == "slow")
        answer = requests.post(f"{server.url}/v2/repository/models/{name}/load", json={}, timeout=60)
        assert answer.status_code == 200, f"load of {name}: {answer.status_code} {answer.text[:500]}"
        # The version before may still answer what it has taken.
        shutil.rmtree(repository / name / str(version - 2), ignore_errors=True)
        return True

    def redeploy_slow() -> bool:
        with loading:
            return redeploy("slow")

    def kill() -> bool:
        with loading:
            alive = workers(server.process.pid)
            if not alive:
                return False
            os.kill(dice.choice(alive), signal.SIGKILL)
            # Answered by the next one, once it is there.
            body = {"inputs": [{"name": "x", "shape": [1, WIDTH], "datatype": "FP32", "data": [0.0] * WIDTH}]}
            answer = requests.post(f"{server.url}/v2/models/slow/infer", json=body, timeout=60)
            assert answer.status_code == 200, f"after a kill: {answer.status_code} {answer.text[:500]}"
            return True

    try:
        clients = [kind(address, name, seed) for seed, (kind, address, name) in enumerate(
            (kind, address, name) for name in ("fast", "slow")
            for kind, address in ((JSONClient, server.http_address), (BinaryClient, server.http_address), (GRPCClient, server.grpc_address),
                                  (JSONClient, server.http_address)))]
        troubles = [Trouble(lambda: redeploy("fast"), dice, (0.2, 1.0)), Trouble(redeploy_slow, dice, (3.0, 6.0)),
                    Trouble(kill, dice, (1.0, 3.0))]
        memory = Memory(server.process.pid)
        threads = [*clients, *troubles, memory]
        for thread in threads:
            thread.start()
        begin = time.monotonic()
        # On a busy machine it goes on until enough has happened.
        while (lasted := time.monotonic() - begin) < SECONDS or (lasted < 4 * SECONDS and any(trouble.count < 2 for trouble in troubles)):
            if any(thread.fault for thread in (*clients, *troubles)):
                break
            time.sleep(0.1)
        for thread in (*troubles, *clients, memory):
            thread.finish()
        faults = [f"{type(thread).__name__}: {thread.fault}" for thread in (*clients, *troubles) if thread.fault]
        assert not faults, "\n".join(faults) + f"\n{server.log_tail()}"
        assert server.is_running()
        assert all(client.answers > SECONDS for client in clients), [client.answers for client in clients]
        # Traffic moved on to newer versions, and workers did die: else the test proves nothing.
        assert all(len(client.versions) > 1 for client in clients), [client.versions for client in clients]
        assert all(trouble.count > 1 for trouble in troubles), [trouble.count for trouble in troubles]
        size, growth = memory.growth()
        assert growth < max(10, size * 0.1), f"{size:.0f} MB grew by {growth:.1f} MB"
        print(f"{sum(client.answers for client in clients)} answers, {troubles[0].count} and {troubles[1].count} redeploys, {troubles[2].count} kills, "
              f"slowest {max(client.slowest for client in clients):.2f} s, {size:.0f} MB {growth:+.1f} MB")
    finally:
        server.stop()
