"""The Console and MLflow's own UI side by side: the same data, the same pages, one headless Chromium, one machine.

Environment:
  QUICK=1          about three minutes: small data, one visit of each page
  BIG=1            all 500 columns in each of the 100,000 runs of Apus, not 50 of them
  APUS_BINARY      the executable, default .build/release/apus

MLflow runs with its default of four workers, on SQLite, as Apus does. Results also go to bench-results/.
"""

import os
import statistics
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "Tests/CompatibilityTests"), str(ROOT / "Benchmarks"), str(Path(__file__).parent)]
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

import browser as chromium  # noqa: E402
import requests  # noqa: E402
import seed  # noqa: E402
from common import process  # noqa: E402
from common.servers import DefaultMlflow  # noqa: E402
from common.table import Table, keep  # noqa: E402
from playwright.sync_api import Browser, sync_playwright  # noqa: E402
from support.api import Api, unique  # noqa: E402
from support.server import Server  # noqa: E402

QUICK, BIG = os.environ.get("QUICK") == "1", os.environ.get("BIG") == "1"
VISITS = 1 if QUICK else 3
TABLE_RUNS, TABLE_COLUMNS = (200, 20) if QUICK else (2_000, 50)
WIDE_KEYS = 1_000 if QUICK else 12_000
CURVES, CURVE_POINTS = (3, 5_000) if QUICK else (10, 100_000)
SCALE_RUNS = 2_000 if QUICK else 100_000
SCALE_COLUMNS = 500
SCALE_CURVES, SCALE_POINTS = (10, 20_000) if QUICK else (100, 1_000_000)


def say(text: str) -> None:
    print(text, flush=True)


class Pages:
    """The addresses of the same pages on both servers."""

    def __init__(self, ours: Server, theirs: Server):
        self.ours, self.theirs = ours, theirs
        self.experiments = {name: [Api(server.url).experiment(unique(name)) for server in (ours, theirs)] for name in ("table", "wide", "curves")}
        database = f"sqlite:///{theirs.data_directory}/mlflow.db"

        def fill(name: str, runs: Callable) -> list[list[str]]:
            mine, other = self.experiments[name]
            return [seed.fill_apus(ours.port, mine, iter(runs())), seed.fill_mlflow(database, other, iter(runs()))]

        say(f"Filling both with {TABLE_RUNS:,} runs of {TABLE_COLUMNS} columns, a run of {WIDE_KEYS:,} metrics, and "
            f"{CURVES} curves of {CURVE_POINTS:,} points…")
        fill("table", lambda: seed.table_runs(TABLE_RUNS, TABLE_COLUMNS))
        self.wide = [ids[0] for ids in fill("wide", lambda: [seed.wide_run(WIDE_KEYS)])]
        self.curves = fill("curves", lambda: seed.long_runs(CURVES, CURVE_POINTS))

    def all(self) -> list[tuple[str, str, str, str, str]]:
        """Name, our address, theirs, and when each is usable."""
        table, wide, curves = (self.experiments[name] for name in ("table", "wide", "curves"))
        # MLflow draws curves of several runs in the charts of their experiment, not where it compares them.
        compared = [f"console/compare?{urllib.parse.urlencode([('run', id) for id in self.curves[0]])}",
                    f"#/experiments/{curves[1]}/runs?compareRunsMode=CHART"]
        rows = chromium.RUN_LINKS.replace("COUNT", "15")
        one, last = chromium.CURVES.replace("COUNT", "1"), f"metric_{WIDE_KEYS - 1:05}"
        first = chromium.TEXTS.replace("TEXT", "metric_00000")
        return [
            (f"table of {TABLE_RUNS:,} runs", f"console/experiments/{table[0]}", f"#/experiments/{table[1]}/runs", rows, rows),
            (f"run with {WIDE_KEYS:,} metrics", f"console/runs/{self.wide[0]}", f"#/experiments/{wide[1]}/runs/{self.wide[1]}", first, first),
            ("   its charts", f"console/runs/{self.wide[0]}/charts", f"#/experiments/{wide[1]}/runs/{self.wide[1]}/model-metrics", one, one),
            (f"run with a curve of {CURVE_POINTS:,} points", f"console/runs/{self.curves[0][0]}/charts",
             f"#/experiments/{curves[1]}/runs/{self.curves[1][0]}/model-metrics", one, one),
            (f"compare {CURVES} such runs", *compared, one, one),
            ("models", "console/models", "#/models", *[chromium.TEXTS.replace("TEXT", "Models")] * 2),
        ]


def visits(table: Table, browser: Browser, pages: Pages) -> None:
    table.head("Pages, cold cache")
    for name, mine, other, ready, their_ready in pages.all():
        ours = chromium.median([chromium.visit(browser, f"{pages.ours.url}/{mine}", ready) for _ in range(VISITS)])
        theirs = chromium.median([chromium.visit(browser, f"{pages.theirs.url}/{other}", their_ready) for _ in range(VISITS)])
        if ours is None:
            raise RuntimeError(f"the Console's page was not usable: {name}")
        for title, figure, unit in [("usable", "ready", "ms"), ("   first contentful paint", "first_paint", "ms"),
                                    ("   longest block of the main thread", "longest", "ms"), ("   received", "kilobytes", "kB")]:
            table.add("pages", f"{name}: {title}" if title == "usable" else title, getattr(ours, figure),
                      getattr(theirs, figure) if theirs else None, unit, more_is_better=False,
                      limit="" if theirs else "MLflow's page was not usable within 90 s")


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def timed(session: requests.Session, url: str, count: int) -> list[float]:
    """Milliseconds of each of `count` answers, after one that warms up."""
    times = []
    for turn in range(count + 1):
        begin = time.perf_counter()
        response = session.get(url, timeout=60)
        response.raise_for_status()
        if turn:
            times.append((time.perf_counter() - begin) * 1000)
    return times


def scale(table: Table, browser: Browser, server: Server) -> None:
    """What only Apus is asked: sizes at which the other would not come back."""
    api = Api(server.url)
    columns = SCALE_COLUMNS if BIG else 50
    say(f"\nFilling Apus with {SCALE_RUNS:,} runs, {columns} of {SCALE_COLUMNS} columns each…")
    experiment = api.experiment(unique("scale"))
    ids = seed.fill_apus(server.port, experiment, seed.table_runs(SCALE_RUNS, columns, of=SCALE_COLUMNS))
    table.head(f"Apus with {SCALE_RUNS:,} runs of {SCALE_COLUMNS} columns")
    session = requests.Session()
    for name, path in [("home", "console"), ("experiments", "console/experiments"), ("runs", f"console/experiments/{experiment}"),
                       ("run", f"console/runs/{ids[0]}"), ("compare 10", "console/compare?" + "&".join(f"run={id}" for id in ids[:10]))]:
        times = timed(session, f"{server.url}/{path}", 20 if QUICK else 200)
        table.add("scale", f"HTML of the page: {name}, p95", percentile(times, 0.95), None, "ms", limit=f"median {statistics.median(times):.1f}; goal 20")
    shown = [f"metrics.metric_{key:03}" for key in range(SCALE_COLUMNS)]
    view = urllib.parse.urlencode({"columns": "\n".join(shown)})
    found = chromium.scroll(browser, f"{server.url}/console/experiments/{experiment}?{view}",
                            "() => document.querySelectorAll('.vtable-row a').length > 5", 3 if QUICK else 10)
    table.add("scale", "scrolling its table: frames", found["frames_per_second"], None, "1/s", limit="the browser draws 60")
    table.add("scale", "   p95 of the time between frames", found["p95_frame_ms"], None, "ms")
    table.add("scale", "   longest block of the main thread", found["longest_task_ms"], None, "ms")


def curves(table: Table, server: Server) -> None:
    say(f"\nFilling Apus with {SCALE_CURVES} curves of {SCALE_POINTS:,} points…")
    experiment = Api(server.url).experiment(unique("curves"))
    ids = seed.fill_apus(server.port, experiment, seed.long_runs(SCALE_CURVES, SCALE_POINTS))
    table.head(f"Apus with {SCALE_CURVES} curves of {SCALE_POINTS:,} points, drawn at 1,000 px")
    session = requests.Session()
    plain = timed(session, f"{server.url}/console", 20)
    for share in [1, 0.1, 0.03, 0.01, 0.001]:
        width = int(SCALE_POINTS * share)
        times, size = [], 0
        for turn in range(20 if QUICK else 100):
            begin = (turn * 7919 * 131) % max(1, SCALE_POINTS - width)
            items = [("key", "loss"), ("columns", "1000"), ("from", str(begin)), ("to", str(begin + width))] + [("run", id) for id in ids]
            url = f"{server.url}/console/data/series?{urllib.parse.urlencode(items)}"
            start = time.perf_counter()
            response = session.get(url, timeout=60)
            response.raise_for_status()
            times.append((time.perf_counter() - start) * 1000)
            size = len(response.content)
        table.add("curves", f"{share:.1%} of the steps, p95", percentile(times, 0.95), None, "ms",
                  limit=f"median {statistics.median(times):.0f}, {size / 1e6:.1f} MB; goal 100; an empty answer takes {statistics.median(plain):.1f}")


def main() -> None:
    table = Table()
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="apus-bench-", dir=os.environ.get("BENCH_DIR")) as name, sync_playwright() as playwright:
        directory = Path(name)
        machine = process.machine()
        say(f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB.")
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu"])
        ours = Server(directory / "apus", name="apus").start(timeout=60)
        try:
            theirs = DefaultMlflow(directory / "mlflow", name="mlflow").start(timeout=180)
            try:
                visits(table, browser, Pages(ours, theirs))
            finally:
                theirs.stop()
            scale(table, browser, ours)
            curves(table, ours)
        finally:
            ours.stop()
            browser.close()
    path = keep("console", {"machine": machine, "quick": QUICK, "big": BIG, "rows": table.rows})
    print(f"\n{time.monotonic() - begin:.0f} s; written to {path}")


if __name__ == "__main__":
    main()
