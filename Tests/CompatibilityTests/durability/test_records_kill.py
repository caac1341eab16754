"""kill -9 while records are pushed and committed: each that was acknowledged is in exactly one version, or waits for one."""

import json
import random
import threading
import time

import pytest
import requests

from durability.test_dataset_kill import sweep
from support.api import Api
from support.server import Server

pytestmark = pytest.mark.apus_only


class Recorder:
    """Pushes numbered records to a dataset, and makes versions of them; a batch without an answer is sent again."""

    def __init__(self, name: str, dice: random.Random):
        self.name, self.dice = name, dice
        self.path = f"/api/v1/datasets/{name}/records"
        self.next = 0
        self.acknowledged: set[int] = set()
        # The batch whose answer was lost, by its key.
        self.open: tuple[str, list[int]] | None = None

    def work(self, url: str, stop: threading.Event) -> None:
        try:
            if requests.get(f"{url}/api/v1/datasets/{self.name}", timeout=30).status_code == 404:
                requests.post(f"{url}/api/v1/datasets", json={"name": self.name}, timeout=30)
            while not stop.is_set():
                if self.open is None:
                    count = self.dice.randrange(1, 50)
                    self.open = f"key-{self.next}", list(range(self.next, self.next + count))
                    self.next += count
                key, numbers = self.open
                # The same key must have the same bytes.
                lines = "".join(json.dumps({"n": number, "pad": "x" * (number % 7 * 300)}) + "\n" for number in numbers)
                answer = requests.post(url + self.path, data=lines, timeout=30,
                                       headers={"Content-Type": "application/jsonl", "Idempotency-Key": key})
                assert answer.status_code in (200, 201), f"{answer.status_code} {answer.text}"
                assert answer.json()["records"] == len(numbers)
                self.acknowledged.update(numbers)
                self.open = None
                if self.dice.random() < 0.3:
                    answer = requests.post(f"{url}{self.path}/commit", json={}, timeout=30)
                    assert answer.status_code in (200, 409, 503), f"{answer.status_code} {answer.text}"
        except requests.RequestException:
            return

    def committed(self, api: Api) -> list[int]:
        head = api.get(f"/api/v1/datasets/{self.name}").get("head")
        if head is None:
            return []
        base = f"/api/v1/datasets/{self.name}/versions/v{head['version']}"
        numbers, following = [], 1
        for item in api.get(f"{base}/list", recursive="true", limit=10_000)["items"]:
            first, last = map(int, item["path"].rsplit("/", 1)[1].removesuffix(".jsonl").split("-"))
            lines = api.send("GET", f"{base}/files/{item['path']}").content.decode().splitlines()
            assert (first, last) == (following, following + len(lines) - 1), "the files' numbers have holes"
            following = last + 1
            numbers += [json.loads(line)["n"] for line in lines]
        return numbers

    def check(self, api: Api, is_over: bool = False) -> None:
        if api.send("GET", f"/api/v1/datasets/{self.name}").status_code == 404:
            assert not self.acknowledged
            return
        if is_over:
            api.send("POST", f"{self.path}/commit", json={})
        numbers = self.committed(api)
        assert len(numbers) == len(set(numbers)), "records are in two files"
        waiting = api.get(self.path)["pending"]["records"]
        perhaps = set(self.open[1]) if self.open else set()
        assert set(numbers) <= self.acknowledged | perhaps
        assert len(self.acknowledged) <= len(numbers) + waiting <= len(self.acknowledged | perhaps)
        if is_over:
            assert waiting == 0 and self.acknowledged <= set(numbers)


def test_a_killed_server_loses_and_doubles_no_record(database, request, tmp_path, dice, rounds, verify):
    url = request.getfixturevalue("postgres_cluster").create_database() if database == "postgres" else None
    server = Server(directory=tmp_path, database=url)
    server.start()
    recorders = [Recorder(f"records-{number}", random.Random(dice.random())) for number in range(4)]
    for _ in range(rounds):
        stop = threading.Event()
        threads = [threading.Thread(target=recorder.work, args=(server.url, stop)) for recorder in recorders]
        for thread in threads:
            thread.start()
        time.sleep(dice.uniform(0.05, 1.5))
        server.kill()
        stop.set()
        for thread in threads:
            thread.join(60)
        server.start()
        for recorder in recorders:
            recorder.check(Api(server.url))
    # What waits is no garbage.
    sweep(server)
    for recorder in recorders:
        recorder.check(Api(server.url), is_over=True)
    assert sum(len(recorder.acknowledged) for recorder in recorders) > rounds * 20, "hardly anything was acknowledged"
    server.stop()
    verify(server)
