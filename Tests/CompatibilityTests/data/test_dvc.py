"""The real DVC client against a server as its HTTP remote, and what it does not do: wrong, cut and hostile requests."""

import concurrent.futures
import hashlib
import json
import random
import shutil
import socket
import struct
import subprocess

import pytest
import requests

from data.conftest import tool

# The Swift tests and those of durability look at both databases.
pytestmark = [pytest.mark.apus_only, pytest.mark.any_database]

TREE = {
    "raw/a.csv": b"x,y\n1,2\n", "raw/b.csv": b"x,y\r\n3,4\r\n", "raw/empty": b"", "raw/sub/deep/c.bin": bytes(range(256)) * 4000,
    "raw/\u00fc n\u00efcode \U0001f377.txt": "grüße".encode(), "raw/sub/same-as-a.csv": b"x,y\n1,2\n",
}


def below(directory: str) -> dict[str, bytes]:
    return {path.removeprefix(directory + "/"): content for path, content in TREE.items()}


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def address(server, dataset: str, name: str, layout: str = "files/md5/") -> str:
    return f"{server.url}/dvc/{dataset}/{layout}{name[:2]}/{name[2:]}"


def manifest(files: dict[str, bytes]) -> tuple[bytes, str]:
    """A directory's manifest as DVC writes it, and its name."""
    entries = [{"md5": md5(content), "relpath": path} for path, content in sorted(files.items())]
    content = json.dumps(entries, sort_keys=True).encode()
    return content, md5(content) + ".dir"


def push(server, dataset: str, files: dict[str, bytes]) -> str:
    for content in files.values():
        assert requests.post(address(server, dataset, md5(content)), data=content, timeout=60).status_code == 200
    content, name = manifest(files)
    answer = requests.post(address(server, dataset, name), data=content, timeout=60)
    assert answer.status_code == 200, answer.text
    return name


def dvc_2(content: bytes) -> str:
    """What the real client calls a file in the layout of DVC 2."""
    code = "import io, sys; from dvc_data.hashfile.hash import fobj_md5; print(fobj_md5(sys.stdin.buffer, name='md5-dos2unix'))"
    return subprocess.run([tool("python"), "-c", code], input=content, capture_output=True, check=True, timeout=60).stdout.decode().strip()


class TestRealClient:
    @pytest.fixture(params=["POST", "PUT"])
    def method(self, request) -> str:
        return request.param

    def test_what_is_pushed_is_pulled_elsewhere(self, make_repository, method, api, dataset, versions):
        here = make_repository()
        here.run("remote", "modify", "apus", "method", method)
        here.write(TREE | {"single.csv": b"a,b\n" * 1000})
        here.run("add", "raw", "single.csv")
        assert "new" in here.run("status", "--cloud")
        here.run("push")
        assert "in sync" in here.run("status", "--cloud")
        assert "up to date" in here.run("push")

        there = make_repository()
        for name in ("raw.dvc", "single.csv.dvc"):
            shutil.copy(here.folder / name, there.folder / name)
        assert "missing" in there.run("status", "--cloud") or "deleted" in there.run("status", "--cloud")
        there.run("fetch")
        assert "in sync" in there.run("status", "--cloud")
        there.run("pull")
        assert there.read("raw") == below("raw")
        assert (there.folder / "single.csv").read_bytes() == b"a,b\n" * 1000

        [version] = versions()
        assert (version["files"], version["origin"]["kind"]) == (len(TREE), "dvc")
        assert version["bytes"] == sum(map(len, TREE.values()))

    def test_each_pushed_state_of_a_directory_is_a_version(self, make_repository, api, dataset, versions):
        repository = make_repository()
        repository.write(TREE)
        repository.run("add", "raw")
        repository.run("push")
        first = (repository.folder / "raw.dvc").read_bytes()
        repository.write({"raw/new.csv": b"9\n", "raw/a.csv": b"changed\n"})
        (repository.folder / "raw/empty").unlink()
        repository.run("add", "raw")
        repository.run("push")
        assert [version["version"] for version in versions()] == [2, 1]
        found = api.get(f"/api/v1/datasets/{dataset}/versions/v2/diff", **{"from": "v1"})["differences"]
        assert [(each["path"], each["change"]) for each in found] == [("a.csv", "changed"), ("empty", "removed"), ("new.csv", "added")]
        content = requests.get(f"{api.url}/api/v1/datasets/{dataset}/versions/v1/files/a.csv", timeout=60)
        assert content.content == TREE["raw/a.csv"]
        # The state before is there for DVC too.
        elsewhere = make_repository()
        (elsewhere.folder / "raw.dvc").write_bytes(first)
        elsewhere.run("pull")
        assert elsewhere.read("raw") == below("raw")

    def test_credentials_are_sent_and_taken(self, make_repository):
        repository = make_repository()
        for option, value in (("auth", "custom"), ("custom_auth_header", "Authorization"), ("password", "Bearer secret")):
            repository.run("remote", "modify", "--local", "apus", option, value)
        repository.write({"one.csv": b"1\n"})
        repository.run("add", "one.csv")
        repository.run("push")
        for option, value in (("auth", "basic"), ("user", "me"), ("password", "secret")):
            repository.run("remote", "modify", "--local", "apus", option, value)
        assert "in sync" in repository.run("status", "--cloud")

    @pytest.mark.parametrize("count", [1000, pytest.param(10_000, marks=pytest.mark.slow)])
    def test_many_small_files(self, make_repository, count):
        files = {f"raw/{number % 7}/{number}.txt": str(number).encode() for number in range(count)}
        here = make_repository()
        here.write(files)
        here.run("add", "raw")
        here.run("push", "--jobs", 16)
        there = make_repository()
        shutil.copy(here.folder / "raw.dvc", there.folder / "raw.dvc")
        there.run("pull", "--jobs", 16)
        assert there.read("raw") == {path.removeprefix("raw/"): content for path, content in files.items()}

    def test_two_machines_push_the_same_at_once(self, make_repository, versions):
        repositories = [make_repository(), make_repository()]
        for repository in repositories:
            repository.write(TREE)
            repository.run("add", "raw")
        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(lambda repository: repository.run("push"), repositories))
        assert len(versions()) == 1


class TestObjects:
    def test_a_part_of_an_object(self, server, dataset):
        content = random.Random(1).randbytes(100_000)
        url = address(server, dataset, md5(content))
        assert requests.get(url, timeout=60).status_code == 404
        assert requests.head(url, timeout=60).status_code == 404
        assert requests.post(url, data=content, timeout=60).status_code == 200
        head = requests.head(url, headers={"Accept-Encoding": "identity"}, timeout=60)
        assert (head.headers["Content-Length"], head.headers.get("Content-Encoding")) == ("100000", None)
        part = requests.get(url, headers={"Range": "bytes=500-999"}, timeout=60)
        assert (part.status_code, part.content, part.headers["Content-Range"]) == (206, content[500:1000], "bytes 500-999/100000")
        whole = requests.get(url, headers={"Range": "bytes=0-99999"}, timeout=60)
        assert (whole.status_code, whole.content) == (206, content)

    @pytest.mark.parametrize("method", ["POST", "PUT"])
    def test_bytes_that_are_not_what_their_name_says_are_refused(self, server, dataset, method):
        url = address(server, dataset, md5(b"right"))
        answer = requests.request(method, url, data=b"wrong", timeout=60)
        assert answer.status_code == 422
        assert md5(b"wrong") in answer.json()["message"]
        assert requests.get(url, timeout=60).status_code == 404
        assert requests.request(method, url, data=b"right", timeout=60).status_code == 200
        assert requests.get(url, timeout=60).content == b"right"

    @pytest.mark.parametrize(
        "path", ["files/md5/zz/" + "0" * 30, "files/md5/aa/" + "0" * 29, "files/md5/AA/" + "0" * 30, "files/md5/aa/" + "0" * 30 + ".dirt",
                 "files/md5/a/" + "0" * 31, "files/md5/..%2f/" + "0" * 30],
    )
    def test_addresses_that_name_no_object(self, server, dataset, path):
        url = f"{server.url}/dvc/{dataset}/{path}"
        assert requests.get(url, timeout=60).status_code == 404
        assert requests.post(url, data=b"x", timeout=60).status_code in (400, 404, 422)

    @pytest.mark.parametrize("name", ["-x", "a b", "%00", "x" * 129])
    def test_names_that_no_dataset_has(self, server, name):
        answer = requests.post(f"{server.url}/dvc/{name}/files/md5/{md5(b'x')[:2]}/{md5(b'x')[2:]}", data=b"x", timeout=60)
        assert answer.status_code in (400, 404, 422)

    def test_an_object_is_known_to_its_dataset_only(self, server, dataset):
        assert requests.post(address(server, dataset, md5(b"secret")), data=b"secret", timeout=60).status_code == 200
        assert requests.get(address(server, dataset + "2", md5(b"secret")), timeout=60).status_code == 404
        content, name = manifest({"stolen": b"secret"})
        assert requests.post(address(server, dataset + "2", name), data=content, timeout=60).status_code == 422

    def test_callers_who_look_whether_it_is_there_and_leave(self, server, dataset):
        """DVC asks for the whole object, looks at the status, and drops the connection."""
        content = random.Random(2).randbytes(8 << 20)
        url = address(server, dataset, md5(content))
        assert requests.post(url, data=content, timeout=60).status_code == 200
        for _ in range(40):
            with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
                # Reset on close, as a client does that has not read all.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.sendall(f"GET {url.removeprefix(server.url)} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n".encode())
                assert connection.recv(12) == b"HTTP/1.1 200"
        assert requests.get(url, timeout=60).content == content

    def test_an_upload_that_is_cut_leaves_nothing(self, server, dataset):
        content = random.Random(3).randbytes(1 << 20)
        path = address(server, dataset, md5(content)).removeprefix(server.url)
        for count in (0, 1, 1000, len(content) - 1, len(content)):
            with socket.create_connection(("127.0.0.1", server.port), 20) as connection:
                connection.sendall(
                    f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nTransfer-Encoding: chunked\r\n\r\n"
                    f"{len(content):x}\r\n".encode() + content[:count])
            assert requests.get(server.url + path, timeout=60).status_code == 404, f"after {count} bytes"
        assert requests.post(server.url + path, data=iter([content]), timeout=60).status_code == 200

    def test_the_layout_of_dvc_2(self, server, dataset):
        """Texts were hashed with the ends of their lines made alike."""
        text, binary = b"a,b\r\n1,2\r\n", b"\0\r\n\r\n"
        # DVC judges each MiB by itself, and joins nothing over its edge.
        long = b"ab\r\n" * (1 << 18) + b"\0\r\n" + b"x\r\n" * (1 << 18)
        edge = b"x" * ((1 << 20) - 1) + b"\r\n" * 10
        cases = [(text, md5(text.replace(b"\r\n", b"\n"))), (binary, md5(binary))]
        cases += [(content, dvc_2(content)) for content in (text, binary, long, edge, b"")]
        for content, name in cases:
            url = address(server, dataset, name, layout="")
            assert requests.post(url, data=content, timeout=60).status_code == 200
            assert requests.get(url, timeout=60).content == content
        assert requests.post(address(server, dataset, md5(text), layout=""), data=text, timeout=60).status_code == 422


class TestManifests:
    def test_a_manifest_before_its_files_is_refused(self, server, dataset, versions):
        files = {"a": b"1", "b/c": b"2", "b/d": b"3"}
        content, name = manifest(files)
        url = address(server, dataset, name)
        assert requests.post(address(server, dataset, md5(b"1")), data=b"1", timeout=60).status_code == 200
        answer = requests.post(url, data=content, timeout=60)
        assert answer.status_code == 422
        assert "2 files" in answer.json()["message"] and "b/c" in answer.json()["message"]
        assert requests.get(url, timeout=60).status_code == 404
        assert versions() == []
        push(server, dataset, files)
        assert requests.get(url, timeout=60).content == content
        assert len(versions()) == 1

    @pytest.mark.parametrize(
        "content",
        [b"", b"nothing", b"{}", b"[1]", b'[{"md5": 1, "relpath": "a"}]', b'[{"md5": "xyz", "relpath": "a"}]', b'[{"relpath": "a"}]',
         b'[{"md5": "c4ca4238a0b923820dcc509a6f75849b", "relpath": "../a"}]', b'[{"md5": "c4ca4238a0b923820dcc509a6f75849b", "relpath": "/a"}]',
         b'[{"md5": "c4ca4238a0b923820dcc509a6f75849b", "relpath": "a"}, {"md5": "c4ca4238a0b923820dcc509a6f75849b", "relpath": "a"}]',
         b'[{"md5": "c4ca4238a0b923820dcc509a6f75849b", "relpath": "a"}, {"md5": "c4ca4238a0b923820dcc509a6f75849b", "relpath": "a/b"}]',
         b"[" * 5000],
    )
    def test_what_is_no_manifest(self, server, dataset, content):
        assert requests.post(address(server, dataset, md5(b"1")), data=b"1", timeout=60).status_code == 200
        answer = requests.post(address(server, dataset, md5(content) + ".dir"), data=content, timeout=60)
        assert answer.status_code == 422, answer.text
        assert requests.get(address(server, dataset, md5(content) + ".dir"), timeout=60).status_code == 404

    def test_an_empty_directory(self, server, dataset, versions):
        name = push(server, dataset, {})
        assert requests.get(address(server, dataset, name), timeout=60).content == b"[]"
        assert [version["files"] for version in versions()] == [0]


class TestBrowsing:
    def test_a_version_can_be_looked_through(self, server, api, dataset):
        push(server, dataset, below("raw"))
        base = f"/api/v1/datasets/{dataset}/versions/main"
        items = api.get(f"{base}/list")["items"]
        assert [item["path"] for item in items] == sorted({path.split("/")[0] for path in below("raw")}, key=str.encode)
        sub = next(item for item in items if item["path"] == "sub")
        assert (sub["is_directory"], sub["files"]) == (True, 2)
        assert [item["path"] for item in api.get(f"{base}/list", path="sub")["items"]] == ["sub/deep", "sub/same-as-a.csv"]
        first = api.get(f"{base}/list", limit=2)
        rest = api.get(f"{base}/list", limit=1000, page_token=first["next_page_token"])
        assert first["items"] + rest["items"] == items
        content = requests.get(f"{api.url}{base}/files/sub/deep/c.bin", headers={"Range": "bytes=1-3"}, timeout=60)
        assert (content.status_code, content.content) == (206, b"\1\2\3")
        assert api.failure("GET", f"{base}/files/nothing").status == 404

    def test_branches_and_tags(self, server, api, dataset):
        push(server, dataset, {"a": b"1"})
        push(server, dataset, {"a": b"2"})
        root = f"/api/v1/datasets/{dataset}"
        assert api.send("POST", f"{root}/refs", json={"name": "golden", "version": "v1"}).status_code == 201
        assert api.failure("POST", f"{root}/refs", json={"name": "golden", "version": "v1"}).code == "RESOURCE_ALREADY_EXISTS"
        assert {ref["name"]: (ref["kind"], ref["version"]) for ref in api.get(f"{root}/refs")["refs"]} == {
            "golden": ("tag", 1), "main": ("branch", 2)}
        assert requests.get(f"{api.url}{root}/versions/golden/files/a", timeout=60).content == b"1"
        assert api.failure("DELETE", f"{root}/refs/main").status == 409
        assert api.send("DELETE", f"{root}/refs/golden").status_code == 200
        assert api.failure("GET", f"{root}/versions/golden").status == 404
        assert dataset in [each["name"] for each in api.get("/api/v1/datasets", limit=1000)["datasets"]]
        assert api.send("DELETE", root).status_code == 200
        assert api.failure("GET", root).status == 404
        assert requests.get(address(server, dataset, md5(b"1")), timeout=60).status_code == 404
