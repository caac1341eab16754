"""kill -9 while data is pushed: what was acknowledged is there, a manifest never without its files, and no sweep takes either."""

import hashlib
import io
import json
import os
import random
import subprocess
import tarfile
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


class Committer:
    """Commits changes to a dataset of its own, whose contents it sends in batches and one by one."""

    def __init__(self, name: str, dice: random.Random):
        self.name, self.dice = name, dice
        self.files: dict[str, bytes] = {}
        # By number: the files of each version that was acknowledged; and of the one that may be there or not.
        self.versions: dict[int, dict[str, bytes]] = {}
        self.unknown: dict[str, bytes] | None = None
        self.contents: set[bytes] = set()

    @property
    def acknowledged(self) -> dict[int, dict[str, bytes]]:
        return self.versions

    def post(self, url: str, method: str, path: str, data: bytes, kind: str) -> requests.Response | None:
        try:
            answer = requests.request(method, f"{url}/api/v1/datasets/{self.name}/{path}", data=data,
                                      headers={"Content-Type": kind}, timeout=30)
        except requests.RequestException:
            return None
        assert answer.status_code in (200, 201), f"{path}: {answer.status_code} {answer.text}"
        return answer

    def work(self, url: str, stop: threading.Event) -> None:
        while not stop.is_set():
            changed = {f"{self.dice.randrange(5)}/{self.dice.randrange(40)}": self.dice.randbytes(self.dice.choice((0, 9, 900, 90_000)))
                       for _ in range(self.dice.randrange(1, 60))}
            removed = [path for path in self.files if path not in changed and self.dice.random() < 0.05]
            archive = io.BytesIO()
            with tarfile.open(fileobj=archive, mode="w") as file:
                for content in changed.values():
                    info = tarfile.TarInfo(hashlib.sha256(content).hexdigest())
                    info.size = len(content)
                    file.addfile(info, io.BytesIO(content))
            large = self.dice.randbytes(400_000)
            if not self.post(url, "POST", "contents", archive.getvalue(), "application/x-tar"):
                return
            if not self.post(url, "PUT", f"contents/{hashlib.sha256(large).hexdigest()}", large, "application/octet-stream"):
                return
            changed["large"] = large
            self.contents |= set(changed.values())
            lines = [{"message": "commit", "base": max(self.versions, default=0)}]
            lines += [{"path": path, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)} for path, content in changed.items()]
            lines += [{"path": path, "removed": True} for path in removed]
            self.unknown = {path: content for path, content in (self.files | changed).items() if path not in removed}
            answer = self.post(url, "POST", "versions", "\n".join(map(json.dumps, lines)).encode(), "application/jsonl")
            if not answer:
                return
            self.took_place(answer.json()["version"]["version"])

    def took_place(self, number: int) -> None:
        self.files, self.unknown = self.unknown or {}, None
        self.versions[number] = self.files

    def check(self, api: Api) -> None:
        if api.send("GET", f"/api/v1/datasets/{self.name}").status_code == 404:
            assert not self.versions and not self.contents
            return
        digests = [hashlib.sha256(content).hexdigest() for content in self.contents]
        missing = api.send("POST", f"/api/v1/datasets/{self.name}/contents/missing", json={"sha256": digests[-10_000:]}).json()
        assert missing["missing"] == [], "contents that were acknowledged are gone"
        numbers = [version["version"] for version in api.get(f"/api/v1/datasets/{self.name}/versions", limit=1000)["versions"]]
        if self.unknown is not None and len(numbers) > len(self.versions):
            self.took_place(max(numbers))
        assert sorted(numbers) == sorted(self.versions)
        # The first, the last and one between: each whole, all of its bytes right.
        for number in {min(self.versions), max(self.versions), self.dice.choice(list(self.versions))} if self.versions else ():
            answer = api.send("GET", f"/api/v1/datasets/{self.name}/versions/v{number}/archive")
            assert answer.status_code == 200
            with tarfile.open(fileobj=io.BytesIO(answer.content)) as file:
                found = {member.name: file.extractfile(member).read() for member in file}
            assert found == self.versions[number], f"v{number}"


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
    pushers += [Committer(f"commits-{number}", random.Random(dice.random())) for number in range(2)]
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
