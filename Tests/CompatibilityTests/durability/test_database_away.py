"""PostgreSQL is slow, silent, gone, or hangs up in the middle: honest answers in time, and recovery without help."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from durability.conftest import until
from durability.ledger import check, is_polite, make_clients
from durability.proxy import Proxy
from support.api import Api
from support.postgres import PostgresCluster
from support.server import Server

pytestmark = pytest.mark.apus_only

# Both are promised within 5 s; the machine may be busy.
ANSWER = 8
RECOVERY = 8


@pytest.fixture(scope="module")
def cluster():
    """A cluster that these tests may stop, and that keeps what it acknowledged."""
    with PostgresCluster(fsync=True) as cluster:
        yield cluster


@pytest.fixture
def away(cluster, tmp_path):
    """A server that reaches its database by way of a proxy, as (server, proxy, URL without the proxy)."""
    direct = cluster.create_database()
    proxy = Proxy(direct)
    server = Server(directory=tmp_path, database=proxy.url)
    try:
        server.start()
        yield server, proxy, direct
    finally:
        server.kill()
        proxy.close()


def timed(url: str, method: str, path: str, **options) -> tuple[requests.Response, float]:
    """The answer, over a connection of its own, and the seconds it took."""
    begin = time.monotonic()
    response = Api(url).send(method, path, timeout=120, **options)
    return response, time.monotonic() - begin


def refuse_politely(answers: list[tuple[requests.Response, float]]) -> None:
    for response, _ in answers:
        # A commit that was under way may have happened: that must be said.
        assert response.status_code == 503 or "may have happened" in response.text, (response.status_code, response.text)
        assert is_polite(response), response.text
    slowest = max(seconds for _, seconds in answers)
    assert slowest < ANSWER, f"the slowest of {len(answers)} refusals took {slowest:.1f} s"


def no_transaction_is_left(cluster: PostgresCluster, url: str) -> bool:
    return cluster.query(url, """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                                 AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'
                                 AND state_change < now() - interval '1 second'""").strip() == "0"


@pytest.mark.parametrize("idle", [True, False], ids=["idle", "busy"])
@pytest.mark.parametrize("how", ["refuse", "stall"])
def test_the_database_is_away(away, cluster, verify, how, idle):
    """Reads and writes are refused in time, of one run and of many; it recovers by itself."""
    server, proxy, direct = away
    api = Api(server.url)
    experiment = api.experiment()
    runs = [api.run(experiment) for _ in range(8)]
    stop = threading.Event()

    def busy() -> None:
        mine = Api(server.url)
        while not stop.is_set():
            mine.send("POST", "runs/log-metric", json={"run_id": runs[7], "key": "busy", "value": 1, "timestamp": 1}, timeout=120)

    background = [] if idle else [threading.Thread(target=busy) for _ in range(4)]
    for thread in background:
        thread.start()
    time.sleep(0.2)
    getattr(proxy, how)()
    try:
        metric = {"key": "m", "value": 1, "timestamp": 1, "step": 1}
        with ThreadPoolExecutor(24) as pool:
            writes = [pool.submit(timed, server.url, "POST", "runs/log-metric", json={"run_id": run, **metric}) for run in runs]
            # Those of one run wait for one another, and must not add up.
            writes += [pool.submit(timed, server.url, "POST", "runs/log-metric", json={"run_id": runs[0], **metric, "step": step})
                       for step in range(8)]
            reads = [pool.submit(timed, server.url, "GET", "runs/get", params={"run_id": run}) for run in runs]
            health, seconds = timed(server.url, "GET", "/health")
            assert health.text == "OK" and seconds < 1
            refuse_politely([future.result() for future in writes + reads])
    finally:
        stop.set()
        proxy.mend()
    begin = time.monotonic()
    assert until(lambda: api.send("POST", "runs/log-metric", json={"run_id": runs[0], **metric, "key": "after"}).status_code == 200
                 and api.send("GET", "runs/get", params={"run_id": runs[0]}).status_code == 200, 60)
    recovery = time.monotonic() - begin
    assert recovery < RECOVERY, f"recovered after {recovery:.1f} s"
    for thread in background:
        thread.join(60)
    for run in runs:
        api.metric(run, "after", 2)
    assert until(lambda: no_transaction_is_left(cluster, direct), 10)
    server.stop()
    verify(server)


def test_a_slow_network_is_only_slow(away):
    server, proxy, _ = away
    api = Api(server.url)
    run = api.run(api.experiment())
    proxy.delay = 0.05
    for step in range(5):
        api.metric(run, "m", step, timestamp=step, step=step)
    assert len(api.get("metrics/get-history", run_id=run, metric_key="m")["metrics"]) == 5


def test_connections_that_are_reset_are_replaced(away, cluster):
    """Every pooled connection breaks at once: at most the requests that meet a broken one are refused."""
    server, proxy, direct = away
    api = Api(server.url)
    run = api.run(api.experiment())
    for step in range(5):
        proxy.reset()
        assert until(lambda: api.send("POST", "runs/log-metric", json={
            "run_id": run, "key": "m", "value": 1, "timestamp": step, "step": step,
        }).status_code == 200, RECOVERY)
    steps = {point["step"] for point in api.get("metrics/get-history", run_id=run, metric_key="m")["metrics"]}
    assert steps == set(range(5))
    assert until(lambda: no_transaction_is_left(cluster, direct), 10)


def is_there(api: Api, run: str, key: str) -> bool:
    return any(item["key"] == key for item in api.read_run(run)["data"].get("params", []))


def test_a_commit_whose_answer_is_lost_is_not_called_a_failure(away):
    """PostgreSQL has committed, and the connection breaks before the server learns of it."""
    server, proxy, _ = away
    api = Api(server.url)
    run = api.run(api.experiment())
    armed = threading.Event()

    def cut_the_answer(direction: str, data: bytes) -> int:
        if armed.is_set() and direction == "down" and (place := data.find(b"COMMIT\0")) >= 0:
            armed.clear()
            return place
        return len(data)

    proxy.watch = cut_the_answer
    unknown = 0
    for number in range(20):
        # Whatever else uses the database may take the cut instead.
        armed.set()
        response = api.send("POST", "runs/log-parameter", json={"run_id": run, "key": f"p{number}", "value": "1"})
        armed.clear()
        assert until(lambda: api.send("GET", "runs/get", params={"run_id": run}).status_code == 200, RECOVERY)
        present = is_there(api, run, f"p{number}")
        assert response.status_code in (200, 500, 503), response.text
        assert present or response.status_code != 200, "acknowledged, and not there"
        assert not present or response.status_code != 503, f"said that nothing was changed: {response.text}"
        if response.status_code == 500:
            assert "may have happened" in response.text and "Nothing was changed" not in response.text
            unknown += present
        # The same once more does no harm.
        assert until(lambda: api.send("POST", "runs/log-parameter", json={
            "run_id": run, "key": f"p{number}", "value": "1",
        }).status_code == 200, RECOVERY)
    assert unknown, "no commit lost its answer: the test proves nothing"


@pytest.mark.parametrize("direction", ["up", "down"])
def test_a_connection_cut_at_any_byte(away, cluster, dice, rounds, direction):
    """Cut after n bytes of a write, to the database or from it: never a false 200, never a false "nothing was changed"."""
    server, proxy, direct = away
    api = Api(server.url)
    run = api.run(api.experiment())
    seen = {"up": 0, "down": 0}
    limit: int | None = None
    cuts = 0
    lock = threading.Lock()

    def count(way: str, data: bytes) -> int:
        nonlocal limit, cuts
        with lock:
            seen[way] += len(data)
            if limit is None or way != direction:
                return len(data)
            allowed = min(len(data), limit)
            # Only the first connection that gets so far is cut.
            limit = limit - allowed if allowed == len(data) else None
            cuts += allowed < len(data)
            return allowed

    def log(number: int) -> requests.Response:
        return api.send("POST", "runs/log-batch", json={
            "run_id": run, "params": [{"key": f"p{number}", "value": "1"}],
            "metrics": [{"key": f"m{number}", "value": 1, "timestamp": 1, "step": 1}],
        })

    proxy.watch = count
    for number in range(10):
        assert log(-number).status_code == 200
    before = seen[direction]
    assert log(-10).status_code == 200
    length = seen[direction] - before
    assert length > 50
    step = max(1, length // (rounds * 5))
    answers = {200: 0, 500: 0, 503: 0}
    for number, place in enumerate(range(dice.randrange(step), length + step, step), 1):
        with lock:
            limit = place
        response = log(number)
        with lock:
            limit = None
        assert until(lambda: api.send("GET", "runs/get", params={"run_id": run}).status_code == 200, RECOVERY)
        data = api.read_run(run)["data"]
        present = any(item["key"] == f"p{number}" for item in data.get("params", []))
        assert present == any(item["key"] == f"m{number}" for item in data["metrics"]), f"byte {place}: half a batch"
        assert response.status_code in answers and (response.status_code == 200 or is_polite(response)), response.text
        answers[response.status_code] += 1
        assert present or response.status_code != 200, f"byte {place}: acknowledged, and not there"
        assert not present or response.status_code != 503, f"byte {place}: said that nothing was changed: {response.text}"
        if response.status_code == 500:
            assert "may have happened" in response.text, response.text
    # Most cuts are healed on another connection before anybody is told.
    assert cuts > 5, f"hardly anything was cut: {answers}"
    assert until(lambda: no_transaction_is_left(cluster, direct), 10)


def test_a_database_that_crashes_under_load_loses_nothing(away, cluster, dice, rounds, verify):
    server, _, direct = away
    clients = make_clients(Api(server.url), 8)
    stop = threading.Event()
    threads = [threading.Thread(target=client.work, args=(server.url, dice, stop, True)) for client in clients]
    for thread in threads:
        thread.start()
    for _ in range(min(rounds, 10)):
        time.sleep(dice.uniform(0.2, 1.0))
        cluster.stop("immediate")
        time.sleep(dice.uniform(0.1, 1.0))
        cluster.start_again()
        begin = time.monotonic()
        api = Api(server.url)
        assert until(lambda: api.send("POST", "runs/create", json={"experiment_id": "0"}).status_code == 200, 60)
        assert time.monotonic() - begin < RECOVERY
    stop.set()
    for thread in threads:
        thread.join(120)
    api = Api(server.url)
    for client in clients:
        check(api, client, atomic_batches=True)
    assert sum(client.done for client in clients) > rounds * 10
    assert until(lambda: no_transaction_is_left(cluster, direct), 10)
    server.stop()
    verify(server)


def test_a_server_without_its_database_says_so_and_does_not_start(away):
    server, proxy, _ = away
    server.stop()
    proxy.refuse()
    with pytest.raises(RuntimeError, match="database is not available"):
        server.start(timeout=30)
    assert server.process.returncode > 0
    proxy.mend()
    server.start()
    api = Api(server.url)
    api.metric(api.run(api.experiment()), "m", 1)
