"""Apus and `mlflow server` side by side: the same requests, in one run, on one machine.

Environment:
  QUICK=1          about three minutes: one concurrency, small data
  BIG=1            a million runs for Apus (MLflow keeps a hundred thousand)
  DATABASES        sqlite,postgres (default) or one of them
  APUS_BINARY      the executable, default .build/release/apus

MLflow runs with its default of four workers, and without its job runner, which is in its favour. PostgreSQL keeps
fsync on. Results also go to bench-results/.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Tests/CompatibilityTests"), str(ROOT / "Benchmarks"), str(Path(__file__).parent)]
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

import load  # noqa: E402
import seed  # noqa: E402
from common import process  # noqa: E402
from common.servers import DefaultMlflow  # noqa: E402
from common.table import Table, keep  # noqa: E402
from support.api import Api, unique  # noqa: E402
from support.postgres import PostgresCluster  # noqa: E402
from support.server import Server  # noqa: E402

QUICK, BIG = os.environ.get("QUICK") == "1", os.environ.get("BIG") == "1"
CONCURRENCIES = [8] if QUICK else [1, 8, 32]
SECONDS = 2 if QUICK else 5
RUNS = 3_000 if QUICK else 100_000
POINTS = 50_000 if QUICK else 1_000_000
ARTIFACT_MB = 128 if QUICK else 1024
SEARCH = {"filter": "metrics.acc > 0.9 AND params.family = 'f3'", "order_by": ["metrics.acc DESC"], "max_results": 100}


def physical_limits(directory: Path) -> dict[str, float]:
    """What one core hashes and what the disk takes, in MB (10^6 bytes) a second, measured now."""
    block = os.urandom(1 << 20)
    digest, begin = hashlib.sha256(), time.monotonic()
    for _ in range(256):
        digest.update(block)
    sha256 = 256 * (1 << 20) / 1e6 / (time.monotonic() - begin)
    begin = time.monotonic()
    subprocess.run(["dd", "if=/dev/zero", f"of={directory}/dd", "bs=1M", f"count={ARTIFACT_MB}", "conv=fsync"],
                   check=True, stdin=subprocess.DEVNULL, capture_output=True)
    disk = ARTIFACT_MB * (1 << 20) / 1e6 / (time.monotonic() - begin)
    (directory / "dd").unlink()
    syncs, begin = 0, time.monotonic()
    with open(directory / "sync", "wb", buffering=0) as file:
        while time.monotonic() - begin < 1:
            file.write(b"x" * 4096)
            os.fdatasync(file.fileno())
            syncs += 1
    (directory / "sync").unlink()
    return {"sha256_mb_s": sha256, "disk_fsync_mb_s": disk, "fdatasync_per_s": syncs / (time.monotonic() - begin)}


def curl(*arguments: str) -> float:
    """Seconds that a transfer took."""
    done = subprocess.run(["curl", "--silent", "--show-error", "--fail", "--write-out", "%{time_total}", "--output", "/dev/null", *arguments],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"curl failed: {done.stderr}")
    return float(done.stdout)


def start(make) -> tuple[Server, float]:
    begin = time.monotonic()
    server = make.start(timeout=180)
    return server, time.monotonic() - begin


def requests_of(api: Api) -> dict[str, str]:
    """An experiment and twenty runs, which the small requests write to."""
    experiment = api.experiment(unique("bench"))
    return {"experiment": experiment, "runs": ",".join(api.run(experiment) for _ in range(20))}


def small_requests(table: Table, group: str, servers: list[Server], limits: dict) -> None:
    targets = [(server, requests_of(Api(server.url))) for server in servers]
    syncs = f"{limits['fdatasync_per_s']:,.0f} fdatasync/s"
    for name, script, unit, scale, options in [
        ("log-metric", "log_metric", "requests/s", 1, {}),
        ("log-param", "log_param", "requests/s", 1, {}),
        ("runs/create", "create_run", "requests/s", 1, {}),
        ("log-batch, 1000 points of 10 keys", "log_batch", "points/s", 1000, {"keys": 10}),
        ("log-batch, 1000 points of 1000 keys", "log_batch", "points/s", 1000, {"keys": 1000}),
    ]:
        ours, theirs = (load.best(server.url, script, CONCURRENCIES, SECONDS, **variables, **options) for server, variables in targets)
        table.add(group, name, ours["per_second"] * scale, theirs["per_second"] * scale, unit, limit=syncs if scale == 1 else "",
                  apus_detail=ours, mlflow_detail=theirs)


def searches(table: Table, group: str, servers: list[Server], database: str) -> None:
    ours, theirs = servers
    ids = [Api(server.url).experiment(unique("search")) for server in servers]
    count = 1_000_000 if BIG else RUNS
    seconds = seed.fill_apus(ours.url, ids[0], count)
    seed.fill_mlflow(database, ids[1], RUNS)
    table.add(group, f"filling {count:,} runs by the API", count / seconds, None, "runs/s")
    for title, search in [("metric and param filter, by metric", SEARCH),
                          ("newest 100", {"max_results": 100}),
                          ("by metric, no filter", {"order_by": ["metrics.loss ASC"], "max_results": 100})]:
        answers = [len(Api(s.url).post("runs/search", experiment_ids=[i], **search).get("runs", [])) for s, i in zip(servers, ids)]
        if not BIG and answers[0] != answers[1]:
            raise RuntimeError(f"the servers disagree about {title}: {answers}")
        results = [load.best(server.url, "search", CONCURRENCIES[:2], SECONDS, search=json.dumps({"experiment_ids": [i], **search}))
                   for server, i in zip(servers, ids)]
        table.add(group, f"runs/search, {title}", *(r["per_second"] for r in results), "requests/s",
                  runs_apus=count, runs_mlflow=RUNS, apus_detail=results[0], mlflow_detail=results[1])
        slow = [load.run(server.url, "search", 1, SECONDS, search=json.dumps({"experiment_ids": [i], **search}))["p50_ms"]
                for server, i in zip(servers, ids)]
        table.add(group, "   its median, one client", *slow, "ms", more_is_better=False)


def history(table: Table, group: str, servers: list[Server], database: str) -> None:
    ours, theirs = servers
    apis = [Api(server.url) for server in servers]
    runs = [api.run(api.experiment(unique("history"))) for api in apis]
    for begin in range(0, POINTS, 1000):
        apis[0].post("runs/log-batch", run_id=runs[0], metrics=[
            {"key": "m", "value": step / 7, "timestamp": step, "step": step} for step in range(begin, begin + 1000)
        ])
    seed.fill_history(database, runs[1], "m", POINTS)
    seconds = [curl(f"{server.url}/api/2.0/mlflow/metrics/get-history?run_id={run}&metric_key=m") for server, run in zip(servers, runs)]
    table.add(group, f"get-history of {POINTS:,} points", *seconds, "s", more_is_better=False)


def artifacts(table: Table, group: str, servers: list[Server], directory: Path, limits: dict) -> None:
    source = directory / "artifact"
    with open(source, "wb") as file:
        for _ in range(ARTIFACT_MB):
            file.write(os.urandom(1 << 20))
    size = ARTIFACT_MB * (1 << 20) / 1e6
    up, down, peak = [], [], []
    for server in servers:
        api = Api(server.url)
        experiment = api.experiment(unique("artifact"))
        url = f"{server.url}/api/2.0/mlflow-artifacts/artifacts/{experiment}/{api.run(experiment)}/artifacts/large.bin"
        with process.PeakMemory(server.process.pid) as watch:
            up.append(size / curl("--request", "PUT", "--header", "Expect:", "--upload-file", str(source), url))
            down.append(size / curl(url))
        peak.append(watch.peak_mb)
    source.unlink()
    limit = f"sha256 {limits['sha256_mb_s']:,.0f}, disk {limits['disk_fsync_mb_s']:,.0f}"
    table.add(group, f"upload of {ARTIFACT_MB} MB", *up, "MB/s", limit=limit)
    table.add(group, f"download of {ARTIFACT_MB} MB", *down, "MB/s", limit=f"sha256 {limits['sha256_mb_s']:,.0f}")
    table.add(group, "memory while streaming", *peak, "MB", more_is_better=False)


def compare(table: Table, kind: str, directory: Path, limits: dict) -> None:
    """All measurements on one kind of database."""
    cluster = PostgresCluster(fsync=True) if kind == "postgres" else None
    try:
        if cluster:
            cluster.__enter__()
        urls = [cluster.create_database() if cluster else None for _ in range(2)]
        ours, ours_seconds = start(Server(directory / f"{kind}-apus", urls[0], name="apus"))
        theirs, theirs_seconds = start(DefaultMlflow(directory / f"{kind}-mlflow", urls[1], name="mlflow"))
        servers = [ours, theirs]
        try:
            table.head({"sqlite": "SQLite", "postgres": "PostgreSQL"}[kind])
            table.add(kind, "start to /health, empty database", ours_seconds, theirs_seconds, "s", more_is_better=False)
            time.sleep(2)
            idle = [process.memory(server.process.pid) for server in servers]
            for key, name in [("rss_mb", "idle memory, resident"), ("pss_mb", "idle memory, shared pages once")]:
                table.add(kind, name, *(item[key] for item in idle), "MB", more_is_better=False)
            small_requests(table, kind, servers, limits)
            if kind == "sqlite":
                artifacts(table, kind, servers, directory, limits)
            database = (urls[1] or "").replace("postgresql://", "postgresql+psycopg2://") or f"sqlite:///{theirs.data_directory}/mlflow.db"
            searches(table, kind, servers, database)
            history(table, kind, servers, database)
            ours.stop()
            _, again = start(ours)
            table.add(kind, "start to /health, with all that data", again, None, "s")
        finally:
            for server in servers:
                server.stop()
    finally:
        if cluster:
            cluster.__exit__()


def main() -> None:
    for program in ("wrk", "curl", "dd"):
        if not shutil.which(program):
            sys.exit(f"{program} is missing: run `make setup`")
    table = Table()
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="apus-bench-", dir=os.environ.get("BENCH_DIR")) as name:
        directory = Path(name)
        limits = physical_limits(directory)
        machine = process.machine()
        print(f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB; one core hashes "
              f"{limits['sha256_mb_s']:,.0f} MB/s, the disk writes {limits['disk_fsync_mb_s']:,.0f} MB/s and syncs "
              f"{limits['fdatasync_per_s']:,.0f} times a second.", flush=True)
        for kind in os.environ.get("DATABASES", "sqlite,postgres").split(","):
            compare(table, kind, directory, limits)
    path = keep("tracking", {"machine": machine, "limits": limits, "quick": QUICK, "big": BIG, "rows": table.rows})
    print(f"\n{time.monotonic() - begin:.0f} s; written to {path}")


if __name__ == "__main__":
    main()
