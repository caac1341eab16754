"""kill -9 in the middle of everything: what was acknowledged is there, the rest is whole or absent."""

import threading
import time

import pytest

from durability.ledger import check, make_clients
from support.api import Api
from support.server import Server, target


def test_a_killed_server_loses_nothing(database, request, tmp_path, dice, rounds, verify):
    url = request.getfixturevalue("postgres_cluster").create_database() if database == "postgres" else None
    server = Server(directory=tmp_path, database=url)
    server.start()
    clients = make_clients(Api(server.url), 8)
    slowest = 0.0
    for number in range(rounds):
        stop = threading.Event()
        threads = [threading.Thread(target=client.work, args=(server.url, dice, stop)) for client in clients]
        for thread in threads:
            thread.start()
        time.sleep(dice.uniform(0.05, 2.0))
        server.kill()
        stop.set()
        for thread in threads:
            thread.join(30)
        begin = time.monotonic()
        server.start()
        slowest = max(slowest, time.monotonic() - begin)
        api = Api(server.url)
        for client in clients:
            # MLflow writes a batch in several transactions; apus promises one.
            check(api, client, atomic_batches=target() == "apus")
    api = Api(server.url)
    for client in clients:
        for evidence in client.acknowledged["artifact"].values():
            evidence.pop("checked", None)
        check(api, client, atomic_batches=target() == "apus")
    done = sum(client.done for client in clients)
    assert done > rounds, "hardly anything was acknowledged: the test proves nothing"
    server.stop()
    verify(server)
    print(f"{rounds} kills, {done} acknowledged operations, slowest restart {slowest:.2f} s")


@pytest.mark.apus_only
def test_a_second_server_does_not_open_the_same_data(tmp_path):
    with Server(directory=tmp_path) as first:
        second = Server(directory=tmp_path)
        try:
            with pytest.raises((RuntimeError, TimeoutError)):
                second.start(timeout=10)
        finally:
            second.kill()
        assert Api(first.url).send("GET", "/health").text == "OK"
