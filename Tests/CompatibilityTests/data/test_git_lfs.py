"""The real Git LFS against a server, and what it does not do: wrong, cut and hostile requests."""

import base64
import hashlib
import os
import random
import subprocess
from pathlib import Path

import pytest
import requests

# The Swift tests and those of durability look at both databases.
pytestmark = [pytest.mark.apus_only, pytest.mark.any_database]

MEDIA = "application/vnd.git-lfs+json"


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class GitRepository:
    """A clone whose large files go to a dataset of a server, and whose commits to a bare repository beside it."""

    def __init__(self, folder: Path, origin: Path, endpoint: str, home: Path, user: str):
        self.folder = folder
        home.mkdir(parents=True, exist_ok=True)
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")} | {
            "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "GIT_LFS_SKIP_SMUDGE": "1", "GIT_TERMINAL_PROMPT": "0", "NO_PROXY": "*",
        }
        folder.parent.mkdir(parents=True, exist_ok=True)
        self.run("clone", "--quiet", origin, folder, at=folder.parent)
        self.run("lfs", "install", "--local", "--skip-smudge")
        for key, value in (("lfs.url", endpoint), ("user.name", user), ("user.email", f"{user}@example.org")):
            self.run("config", key, value)

    def run(self, *arguments: object, at: Path | None = None, fails: bool = False) -> str:
        done = subprocess.run(
            ["git", *map(str, arguments)], cwd=at or self.folder, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120,
        )
        assert (done.returncode != 0) == fails, f"git {arguments}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def commit(self, files: dict[str, bytes]) -> None:
        for path, content in files.items():
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_bytes(content)
        self.run("add", "--all")
        self.run("commit", "--quiet", "--message", "Change data")


@pytest.fixture
def clone(server, dataset, tmp_path):
    """Makes clones, each of a user of its own."""
    origin = tmp_path / "origin.git"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch", "main", origin], check=True)
    made = []

    def make(user: str = "ada") -> GitRepository:
        endpoint = server.url.replace("://", f"://{user}:secret@") + f"/lfs/{dataset}"
        made.append(GitRepository(tmp_path / f"clone-{len(made)}", origin, endpoint, tmp_path / f"home-{len(made)}", user))
        return made[-1]

    return make


def batch(server, dataset: str, operation: str, *objects: tuple[str, int], **fields) -> requests.Response:
    body = {"operation": operation, "objects": [{"oid": oid, "size": size} for oid, size in objects]} | fields
    return requests.post(f"{server.url}/lfs/{dataset}/objects/batch", json=body, headers={"Content-Type": MEDIA, "Accept": MEDIA}, timeout=60)


def put(server, dataset: str, content: bytes) -> None:
    [entry] = batch(server, dataset, "upload", (sha256(content), len(content))).json()["objects"]
    assert requests.put(entry["actions"]["upload"]["href"], data=content, timeout=60).status_code == 200


class TestRealClient:
    def test_what_is_pushed_is_pulled_elsewhere(self, clone):
        files = {f"data/{number}.bin": random.Random(number).randbytes(number * 50_000) for number in range(12)}
        here = clone()
        here.run("lfs", "track", "*.bin")
        here.commit(files)
        here.run("push", "--quiet", "origin", "HEAD:main")
        there = clone()
        assert (there.folder / "data/3.bin").read_bytes().startswith(b"version https://git-lfs")
        there.run("lfs", "pull")
        for path, content in files.items():
            assert (there.folder / path).read_bytes() == content
        assert there.run("lfs", "fsck").strip().endswith("OK")

    def test_locks_keep_others_out(self, clone):
        ada = clone("ada")
        ada.run("lfs", "track", "--lockable", "*.bin")
        ada.commit({"shared.bin": b"1" * 1000})
        ada.run("push", "--quiet", "origin", "HEAD:main")
        ada.run("lfs", "lock", "shared.bin")
        bob = clone("bob")
        assert "ada" in bob.run("lfs", "locks")
        bob.run("lfs", "lock", "shared.bin", fails=True)
        bob.run("lfs", "unlock", "shared.bin", fails=True)
        bob.run("config", "lfs.locksverify", "true")
        (bob.folder / "shared.bin").chmod(0o644)
        bob.commit({"shared.bin": b"2" * 1000})
        assert "lock" in bob.run("push", "origin", "HEAD:main", fails=True).lower()
        bob.run("lfs", "unlock", "--force", "shared.bin")
        assert "shared.bin" not in ada.run("lfs", "locks")
        bob.run("push", "--quiet", "origin", "HEAD:main")


class TestObjects:
    def test_what_a_client_is_told_of_objects(self, server, dataset):
        put(server, dataset, b"present")
        answer = batch(server, dataset, "download", (sha256(b"present"), 7), (sha256(b"absent"), 6), ("xyz", 1), (sha256(b"present"), 8))
        assert answer.headers["Content-Type"] == MEDIA
        present, absent, invalid, wrong = answer.json()["objects"]
        assert requests.get(present["actions"]["download"]["href"], timeout=60).content == b"present"
        assert (absent["error"]["code"], invalid["error"]["code"], wrong["error"]["code"]) == (404, 422, 422)
        [known, new] = batch(server, dataset, "upload", (sha256(b"present"), 7), (sha256(b"new"), 3)).json()["objects"]
        assert "actions" not in known
        assert set(new["actions"]) == {"upload", "verify"}
        [other] = batch(server, dataset, "upload", (sha256(b"new"), 3), hash_algo="sha512").json()["objects"]
        assert other["error"]["code"] == 409

    def test_bytes_that_are_not_what_their_name_says_are_refused(self, server, dataset):
        url = f"{server.url}/lfs/{dataset}/objects/{sha256(b'right')}"
        answer = requests.put(url, data=b"wrong", timeout=60)
        assert (answer.status_code, answer.headers["Content-Type"]) == (422, MEDIA)
        assert requests.get(url, timeout=60).status_code == 404
        for content_type in ("text/html; charset=utf-8", "application/octet-stream"):
            assert requests.put(url, data=b"right", headers={"Content-Type": content_type}, timeout=60).status_code == 200
        assert requests.get(url, timeout=60).content == b"right"

    def test_a_download_goes_on_where_it_was_cut(self, server, dataset):
        content = random.Random(4).randbytes(100_000)
        put(server, dataset, content)
        url = f"{server.url}/lfs/{dataset}/objects/{sha256(content)}"
        rest = requests.get(url, headers={"Range": "bytes=40000-99999"}, timeout=60)
        assert (rest.status_code, rest.content) == (206, content[40000:])

    def test_an_upload_is_verified(self, server, dataset):
        put(server, dataset, b"present")

        def verify(oid: str, size: int) -> int:
            return requests.post(f"{server.url}/lfs/{dataset}/verify", json={"oid": oid, "size": size},
                                 headers={"Content-Type": MEDIA}, timeout=60).status_code

        assert (verify(sha256(b"present"), 7), verify(sha256(b"present"), 8), verify(sha256(b"absent"), 6), verify("x", 1)) == (200, 422, 404, 404)

    def test_an_object_is_known_to_its_dataset_only(self, server, dataset):
        put(server, dataset, b"secret")
        assert requests.get(f"{server.url}/lfs/{dataset}2/objects/{sha256(b'secret')}", timeout=60).status_code == 404
        [entry] = batch(server, dataset + "2", "download", (sha256(b"secret"), 6)).json()["objects"]
        assert entry["error"]["code"] == 404

    @pytest.mark.parametrize(
        "body", [b"", b"nothing", b"[]", b"{}", b'{"operation": "delete", "objects": []}', b'{"operation": "upload", "objects": [1]}',
                 b'{"operation": "upload", "objects": [{"oid": 1}]}', b'{"operation": "upload", "objects": [{"oid": "a", "size": "b"}]}',
                 b'{"operation": "upload", "objects": [{"oid": "a", "size": 1e30}]}', b'{"operation": "upload", "transfers": ["ssh"], "objects": []}'],
    )
    def test_what_is_no_request(self, server, dataset, body):
        answer = requests.post(f"{server.url}/lfs/{dataset}/objects/batch", data=body, headers={"Content-Type": MEDIA}, timeout=60)
        assert answer.status_code == 422
        assert answer.json()["message"]

    def test_no_page_of_another_origin_can_ask(self, server, dataset):
        answer = requests.post(f"{server.url}/lfs/{dataset}/objects/batch", data=b'{"operation": "download", "objects": []}',
                               headers={"Content-Type": "text/plain"}, timeout=60)
        assert answer.status_code == 422


class TestLocks:
    def ask(self, server, dataset: str, method: str, path: str, user: str = "ada", **options) -> requests.Response:
        credentials = base64.b64encode(f"{user}:x".encode()).decode()
        headers = {"Content-Type": MEDIA, "Authorization": f"Basic {credentials}"}
        return requests.request(method, f"{server.url}/lfs/{dataset}/locks{path}", headers=headers, timeout=60, **options)

    def test_the_life_of_a_lock(self, server, dataset):
        made = self.ask(server, dataset, "POST", "", json={"path": "a.bin", "ref": {"name": "refs/heads/main"}})
        assert made.status_code == 201
        lock = made.json()["lock"]
        assert (lock["path"], lock["owner"]["name"]) == ("a.bin", "ada")
        again = self.ask(server, dataset, "POST", "", user="bob", json={"path": "a.bin"})
        assert (again.status_code, again.json()["lock"]["id"]) == (409, lock["id"])
        for user, ours, theirs in (("ada", ["a.bin"], []), ("bob", [], ["a.bin"])):
            found = self.ask(server, dataset, "POST", "/verify", user=user, json={}).json()
            assert ([each["path"] for each in found["ours"]], [each["path"] for each in found["theirs"]]) == (ours, theirs)
        assert self.ask(server, dataset, "POST", f"/{lock['id']}/unlock", user="bob", json={}).status_code == 403
        assert self.ask(server, dataset, "POST", f"/{lock['id']}/unlock", user="bob", json={"force": True}).status_code == 200
        assert self.ask(server, dataset, "POST", f"/{lock['id']}/unlock", json={}).status_code == 404
        assert self.ask(server, dataset, "GET", "").json()["locks"] == []

    def test_many_locks_come_in_pages(self, server, dataset):
        for number in range(7):
            assert self.ask(server, dataset, "POST", "", json={"path": f"{number}.bin"}).status_code == 201
        paths, cursor = [], None
        while True:
            page = self.ask(server, dataset, "GET", "", params={"limit": 3} | ({"cursor": cursor} if cursor else {})).json()
            paths += [lock["path"] for lock in page["locks"]]
            cursor = page.get("next_cursor")
            if not cursor:
                break
        assert paths == [f"{number}.bin" for number in range(7)]
        assert [lock["path"] for lock in self.ask(server, dataset, "GET", "", params={"path": "3.bin"}).json()["locks"]] == ["3.bin"]

    @pytest.mark.parametrize("path", ["", "a\0b", "x" * 5000])
    def test_paths_that_cannot_be_locked(self, server, dataset, path):
        assert self.ask(server, dataset, "POST", "", json={"path": path}).status_code == 422
