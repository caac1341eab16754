"""kill -9 while data is pushed: what was acknowledged is there, a manifest never without its files, and no sweep takes either."""

import hashlib
import json
import os
import random
import subprocess
import threading
import time

import pytest
import requests

from support.api import Api
from support.server import Server, binary

pytestmark = pytest.mark.apus_only


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


class Pusher:
    """Pushes directories to a dataset of its own by DVC's protocol, some of their files by that of Git LFS too."""

    def __init__(self, name: str, dice: random.Random):
        self.name, self.dice = name, dice
        # By address: what was acknowledged, and what may be there or not.
        self.acknowledged: dict[str, bytes] = {}
        self.unknown: dict[str, bytes] = {}
        self.manifests: dict[str, dict[str, bytes]] = {}

    def address(self, name: str) -> str:
        return f"/dvc/{self.name}/files/md5/{name[:2]}/{name[2:]}"

    def send(self, url: str, method: str, path: str, content: bytes) -> bool:
        self.unknown[path] = content
        try:
            answer = requests.request(method, url + path, data=content, timeout=30)
        except requests.RequestException:
            return False
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        self.acknowledged[path] = self.unknown.pop(path)
        return True

    def work(self, url: str, stop: threading.Event) -> None:
        while not stop.is_set():
            files = {f"{self.dice.randrange(3)}/{number}": self.dice.randbytes(self.dice.choice((0, 10, 5_000, 300_000)))
                     for number in range(self.dice.randrange(1, 8))}
            for content in files.values():
                if not self.send(url, "POST", self.address(md5(content)), content):
                    return
            large = max(files.values(), key=len)
            if not self.send(url, "PUT", f"/lfs/{self.name}/objects/{hashlib.sha256(large).hexdigest()}", large):
                return
            entries = [{"md5": md5(content), "relpath": path} for path, content in sorted(files.items())]
            content = json.dumps(entries, sort_keys=True).encode()
            self.manifests[md5(content) + ".dir"] = files
            if not self.send(url, "POST", self.address(md5(content) + ".dir"), content):
                return

    def check(self, api: Api) -> None:
        for path, content in list(self.unknown.items()):
            answer = api.send("GET", path)
            assert answer.status_code == 404 or answer.content == content, path
            if answer.status_code == 200:
                self.acknowledged[path] = self.unknown.pop(path)
        for path, content in self.acknowledged.items():
            answer = api.send("GET", path)
            assert (answer.status_code, answer.content) == (200, content), path
        versions = api.get(f"/api/v1/datasets/{self.name}/versions", limit=1000)["versions"] if self.acknowledged else []
        numbers = [version["version"] for version in versions]
        assert numbers == list(range(len(numbers), 0, -1)), "numbers have holes"
        known = {version["origin"]["detail"]: version for version in versions}
        for name, files in self.manifests.items():
            if self.address(name) not in self.acknowledged:
                continue
            assert known[name]["files"] == len(files)
            for path, content in files.items():
                answer = api.send("GET", f"/api/v1/datasets/{self.name}/versions/v{known[name]['version']}/files/{path}")
                assert (answer.status_code, answer.content) == (200, content), f"{name}: {path}"


def sweep(server: Server) -> str:
    """Removes garbage as `apus gc` does, with blobs that look two hours old, so that none is spared for its youth."""
    past = time.time() - 7200
    for folder, _, files in os.walk(server.data_directory):
        for file in files:
            if len(file) >= 60:
                os.utime(os.path.join(folder, file), (past, past))
    command = [str(binary()), "gc", "--json", "--data-dir", str(server.data_directory)]
    command += ["--database", server.database] if server.database else []
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_killed_server_loses_no_data(database, request, tmp_path, dice, rounds, verify):
    url = request.getfixturevalue("postgres_cluster").create_database() if database == "postgres" else None
    server = Server(directory=tmp_path, database=url)
    server.start()
    pushers = [Pusher(f"data-{number}", random.Random(dice.random())) for number in range(4)]
    for _ in range(rounds):
        stop = threading.Event()
        threads = [threading.Thread(target=pusher.work, args=(server.url, stop)) for pusher in pushers]
        for thread in threads:
            thread.start()
        time.sleep(dice.uniform(0.05, 1.5))
        server.kill()
        stop.set()
        for thread in threads:
            thread.join(60)
        server.start()
        for pusher in pushers:
            pusher.check(Api(server.url))
    assert sum(len(pusher.acknowledged) for pusher in pushers) > rounds * 4, "hardly anything was acknowledged: the test proves nothing"

    # What is unreferred to goes, and only that: the rest of one dataset is still whole when another is deleted.
    assert Api(server.url).send("DELETE", "/api/v1/datasets/data-0").status_code == 200
    swept = json.loads(sweep(server))
    assert swept["blobs"] > 0
    for pusher in pushers[1:]:
        pusher.check(Api(server.url))
    assert json.loads(sweep(server))["blobs"] == 0
    server.stop()
    verify(server)
