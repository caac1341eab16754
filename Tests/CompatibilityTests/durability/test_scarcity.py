"""A full disk and no descriptors left: reads go on, writes are refused politely, and it passes by itself."""

import subprocess
import time

import pytest
import requests

from durability.conftest import until
from support.api import Api
from support.network import crowd
from support.server import Server

PROXY = "/api/2.0/mlflow-artifacts/artifacts"


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 MB."""
    path = tmp_path / "small"
    path.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(path)], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"may not mount a tmpfs: {mounted.stderr.strip()}")
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)


@pytest.mark.apus_only
def test_a_full_disk(small_disk, verify):
    server = Server(directory=small_disk).start()
    try:
        api = Api(server.url)
        experiment = api.experiment()
        run = api.run(experiment)
        root = f"{PROXY}/{experiment}/{run}/artifacts"
        assert api.send("PUT", f"{root}/small", data=b"kept").status_code == 200
        api.metric(run, "before", 1)
        ballast = small_disk / "ballast"
        ballast.write_bytes(b"\0" * (16 << 20))

        kept, refusal = [], None
        for number in range(40):
            begin = time.monotonic()
            response = api.send("PUT", f"{root}/{number}", data=number.to_bytes(4) * (1 << 20))
            if response.status_code != 200:
                refusal = response
                assert time.monotonic() - begin < 10
                break
            kept.append(number)
        assert refusal is not None, "the disk never filled up"
        assert refusal.status_code in (503, 507), refusal.text
        assert refusal.json()["error_code"] and refusal.json()["message"]
        assert str(small_disk) not in refusal.text

        # Fill the last corner, then write rows: acknowledged ones are there, the others are refused.
        with open(small_disk / "corner", "wb", buffering=0) as corner:
            for size in (1 << 16, 1 << 12, 1):
                try:
                    while True:
                        corner.write(b"\0" * size)
                except OSError:
                    pass
        acknowledged = []
        for step in range(300):
            response = api.send("POST", "runs/log-metric", json={
                "run_id": run, "key": "during", "value": step, "timestamp": step, "step": step,
            })
            assert response.status_code in (200, 503, 507), response.text
            if response.status_code == 200:
                acknowledged.append(step)

        assert api.send("GET", "/health").text == "OK"
        assert api.read_run(run)["info"]["run_id"] == run
        assert api.send("GET", f"{root}/small").content == b"kept"
        listed = {item["path"] for item in api.get("artifacts/list", run_id=run)["files"]}
        assert listed == {"small", *map(str, kept)}, "half an upload is visible"

        ballast.unlink()
        (small_disk / "corner").unlink()
        assert until(lambda: api.send("PUT", f"{root}/after", data=b"again").status_code == 200)
        assert until(lambda: api.send("POST", "runs/log-metric", json={
            "run_id": run, "key": "after", "value": 1, "timestamp": 1,
        }).status_code == 200)
        history = api.get("metrics/get-history", run_id=run, metric_key="during").get("metrics", [])
        assert set(acknowledged) <= {point["step"] for point in history}
        assert api.send("GET", f"{root}/0").content == (0).to_bytes(4) * (1 << 20)
    finally:
        server.stop()
    verify(server)


@pytest.mark.apus_only
def test_few_descriptors(tmp_path, verify):
    server = Server(directory=tmp_path, wrapper=["prlimit", "--nofile=256:256"]).start()
    try:
        api = Api(server.url)
        run = api.run(api.experiment())
        with crowd(server.port, 2000):
            time.sleep(1)
            assert server.is_running(), server.log_tail()
        assert until(lambda: requests.get(server.url + "/health", timeout=2).text == "OK")
        fresh = Api(server.url)
        fresh.metric(run, "m", 1)
        assert fresh.send("PUT", f"{PROXY}/1/{run}/artifacts/f", data=b"x" * 100_000).status_code == 200
    finally:
        server.stop()
    verify(server)
