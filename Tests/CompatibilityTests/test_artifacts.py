"""Artifacts through the server: bytes, listings, headers, ranges, hostile paths."""

import hashlib
import http.client
import io
import os
from pathlib import Path
from urllib.parse import quote, urlsplit

import mlflow
import pytest

PROXY = "/api/2.0/mlflow-artifacts/artifacts"


@pytest.fixture
def root(experiment, run) -> str:
    """The proxy path of a fresh run's artifacts."""
    return f"{PROXY}/{experiment}/{run}/artifacts"


def put(api, path, data=b"hello world\n"):
    response = api.send("PUT", path, data=data)
    assert (response.status_code, response.content) == (200, b""), response.text


def listing(api, run, path=None):
    answer = api.get("artifacts/list", run_id=run, **({"path": path} if path else {}))
    return answer.get("files", [])


def raw(api, method, path, body=None, headers=None):
    """A request whose path reaches the server exactly as written; returns (status, body)."""
    address = urlsplit(api.url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
    connection.putrequest(method, path, skip_accept_encoding=True)
    for key, value in ({"Content-Length": str(len(body or b""))} | (headers or {})).items():
        connection.putheader(key, value)
    connection.endheaders(body)
    response = connection.getresponse()
    data = response.read()
    connection.close()
    return response.status, data


@pytest.mark.parametrize("prefix", ["/api", "/ajax-api"])
def test_bytes_come_back(api, root, prefix):
    path = root.replace("/api", prefix, 1) + "/dir/f.bin"
    data = bytes(range(256)) * 100
    put(api, path, data)
    assert api.send("GET", path).content == data


def test_an_empty_file(api, root, run):
    put(api, f"{root}/empty", b"")
    response = api.send("GET", f"{root}/empty")
    assert (response.status_code, response.content) == (200, b"")
    (item,) = listing(api, run)
    # MLflow leaves a size of zero out.
    assert (item["path"], item["is_dir"], item.get("file_size", 0)) == ("empty", False, 0)


def test_a_file_is_replaced(api, root):
    put(api, f"{root}/f", b"one")
    put(api, f"{root}/f", b"a longer two")
    assert api.send("GET", f"{root}/f").content == b"a longer two"


def test_chunked_uploads(api, root):
    response = api.send("PUT", f"{root}/f", data=(bytes([index]) * 1000 for index in range(50)))
    assert response.status_code == 200
    assert api.send("GET", f"{root}/f").content == b"".join(bytes([index]) * 1000 for index in range(50))


@pytest.mark.parametrize("name", ["with space.txt", "größe 日本.txt", "a+b&c=d.txt", "100%.txt", "quote'\".txt", "🚀", "-", "~"])
def test_names_may_hold_any_text(api, root, run, name):
    # The server decodes until nothing is left to decode, so a literal percent sign is sent as itself, encoded once.
    put(api, f"{root}/{quote(name)}", b"x")
    assert api.send("GET", f"{root}/{quote(name)}").content == b"x"
    assert [item["path"] for item in listing(api, run)] == [name]


@pytest.mark.parametrize("name, content_type", [
    ("f.txt", "text/plain"), ("f.log", "text/plain"), ("f.py", "text/plain"), ("f.yaml", "text/plain"),
    ("MLmodel", "text/plain"), ("conda.yaml", "text/plain"), ("f.json", "text/plain"), ("f.png", "image/png"),
    ("f.pkl", "application/octet-stream"), ("f", "application/octet-stream"),
])
def test_headers_of_a_download(api, root, name, content_type):
    put(api, f"{root}/{name}")
    headers = api.send("GET", f"{root}/{name}").headers
    assert headers["Content-Type"].split(";")[0] == content_type
    assert headers["Content-Disposition"] == f"attachment; filename={name}"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Length"] == "12"
    assert headers["ETag"] and headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize("name", ["page.html", "image.svg", "script.js"])
def test_nothing_is_shown_as_a_page(api, root, name):
    put(api, f"{root}/{name}", b"<script>alert(1)</script>")
    headers = api.send("GET", f"{root}/{name}").headers
    assert headers["Content-Disposition"].startswith("attachment")
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("spec, status, body, content_range", [
    ("bytes=2-4", 206, b"llo", "bytes 2-4/12"),
    ("bytes=0-0", 206, b"h", "bytes 0-0/12"),
    ("bytes=6-", 206, b"world\n", "bytes 6-11/12"),
    ("bytes=-3", 206, b"ld\n", "bytes 9-11/12"),
    ("bytes=-100", 206, b"hello world\n", "bytes 0-11/12"),
    ("bytes=0-9223372036854775807", 206, b"hello world\n", "bytes 0-11/12"),
    ("bytes=100-", 416, b"", "bytes */12"),
])
def test_ranges(api, root, spec, status, body, content_range):
    put(api, f"{root}/f.txt")
    response = api.send("GET", f"{root}/f.txt", headers={"Range": spec})
    assert (response.status_code, response.headers["Content-Range"]) == (status, content_range)
    assert response.content == body or status == 416


@pytest.mark.parametrize("spec", ["bytes=5-2", "bytes=a-b", "lines=1-2", "bytes=", "bytes=-", "bytes=99999999999999999999-"])
def test_odd_ranges_do_no_harm(api, root, spec):
    put(api, f"{root}/f.txt")
    response = api.send("GET", f"{root}/f.txt", headers={"Range": spec})
    assert response.status_code in (200, 400, 416)
    assert response.status_code != 200 or response.content == b"hello world\n"


def test_a_missing_file_is_not_found(api, root):
    failure = api.failure("GET", f"{root}/none")
    assert (failure.status, failure.code) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert failure.message == f"No such artifact: '{root.removeprefix(PROXY + '/')}/none'"


def test_a_directory_is_no_file(api, root):
    put(api, f"{root}/dir/f")
    assert api.send("GET", f"{root}/dir").status_code == 400


def test_the_proxy_lists_base_names_in_order(api, root):
    for path in ["b.txt", "a/deep/f", "c"]:
        put(api, f"{root}/{path}")
    where = root.removeprefix(PROXY + "/")
    assert api.get(PROXY, path=where)["files"] == [
        {"path": "a", "is_dir": True},
        {"path": "b.txt", "is_dir": False, "file_size": 12},
        {"path": "c", "is_dir": False, "file_size": 12},
    ]
    assert api.get(PROXY, path=f"{where}/a")["files"] == [{"path": "deep", "is_dir": True}]
    assert api.get(PROXY, path=f"{where}/b.txt") == {}
    assert api.get(PROXY, path=f"{where}/none") == {}


def test_a_run_lists_paths_below_its_root(api, root, experiment, run):
    put(api, f"{root}/a/f.txt")
    put(api, f"{root}/b")
    answer = api.get("artifacts/list", run_id=run)
    assert answer["root_uri"] == f"mlflow-artifacts:/{experiment}/{run}/artifacts"
    assert answer["files"] == [{"path": "a", "is_dir": True}, {"path": "b", "is_dir": False, "file_size": 12}]
    assert listing(api, run, "a") == [{"path": "a/f.txt", "is_dir": False, "file_size": 12}]
    assert listing(api, run, "a/") == listing(api, run, "a")


@pytest.mark.parametrize("path", ["none", "f"])
def test_a_file_or_nothing_lists_as_empty(api, root, run, path):
    put(api, f"{root}/f")
    assert listing(api, run, path) == []


def test_a_run_without_artifacts_lists_as_empty(api, experiment, run):
    assert api.get("artifacts/list", run_id=run) == {"root_uri": f"mlflow-artifacts:/{experiment}/{run}/artifacts"}


@pytest.mark.parametrize("path", ["../", "a/../..", "..", "/etc"])
def test_listings_do_not_climb(api, run, path):
    failure = api.failure("GET", "artifacts/list", params={"run_id": run, "path": path})
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")


def test_a_listing_needs_a_run(api):
    failure = api.failure("GET", "artifacts/list")
    assert failure.message.startswith("Missing value for required parameter 'run_id'.")
    assert api.failure("GET", "artifacts/list", params={"run_id": "f" * 32}).status == 404


def test_delete(api, root, run):
    put(api, f"{root}/dir/f")
    put(api, f"{root}/g")
    assert api.delete(f"{root}/dir/f") == {}
    assert api.send("GET", f"{root}/dir/f").status_code == 404
    assert api.delete(f"{root}/none") == {}
    assert api.send("GET", f"{root}/g").status_code == 200


def test_delete_of_a_directory_takes_all_below(api, root, run):
    for path in ["dir/a", "dir/deep/b", "directory"]:
        put(api, f"{root}/{path}")
    api.delete(f"{root}/dir")
    assert [item["path"] for item in listing(api, run)] == ["directory"]


HOSTILE = [
    "%2e%2e/x", "..%2fx", "%252e%252e%252fx", "%25252e%25252e%25252fx", "a/../../b", "a%2f..%2f..%2f..%2fx", "a%23b",
    "a/%2e%2e/b", "..", "%2e%2e",
]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("path", HOSTILE)
def test_hostile_paths_are_refused(api, root, path, method):
    status, body = raw(api, method, f"{root}/{path}", b"evil" if method == "PUT" else None)
    assert status == 400 and b"Invalid path" in body


@pytest.mark.apus_only
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("path", ["a%5cb", "..%5cx", "C:%5cx", "C:/x", "a%00b", "%2fetc/passwd", "a//b", "./x", "x/.", "a%0ab", "a%7fb"])
def test_more_hostile_paths_are_refused(api, root, path, method):
    assert raw(api, method, f"{root}/{path}", b"evil" if method == "PUT" else None)[0] in (400, 404)


@pytest.mark.apus_only
@pytest.mark.parametrize("path", ["", "/", "/.", "/%2e", "/..", "/%2e%2e", "/./."])
def test_the_root_is_never_deleted(api, root, path):
    put(api, f"{root}/f")
    assert raw(api, "DELETE", PROXY + path)[0] in (400, 404, 405)
    assert api.send("GET", f"{root}/f").status_code == 200


@pytest.mark.parametrize("path", [
    "../../../../etc/passwd", "/etc/passwd", "..", "a/../../../b", "%2e%2e/x", "%252e%252e/x",
])
def test_get_artifact_does_not_climb(api, run, path):
    failure = api.failure("GET", "/get-artifact", params={"run_id": run, "path": path})
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize("key", ["run_id", "run_uuid"])
def test_get_artifact(api, root, run, key):
    put(api, f"{root}/a/f.txt")
    response = api.send("GET", "/get-artifact", params={key: run, "path": "a/f.txt"})
    assert (response.status_code, response.content) == (200, b"hello world\n")
    assert response.headers["Content-Disposition"] == "attachment; filename=f.txt"
    assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["a/f", "./a/f", "a//f", "a/./f", "a%2Ff"])
def test_one_file_has_many_spellings(api, root, run, path):
    api.send("PUT", f"{root}/a/f", data=b"x")
    assert api.send("GET", f"/get-artifact?run_id={run}&path={path}").content == b"x"


def test_a_dot_is_the_root(api, root, run):
    api.send("PUT", f"{root}/f", data=b"x")
    # MLflow says "./f", which is the same.
    assert [file["path"].removeprefix("./") for file in api.get("artifacts/list", run_id=run, path=".")["files"]] == ["f"]


def test_delete_takes_a_directory_with_a_slash(api, root, run):
    api.send("PUT", f"{root}/d/f", data=b"x")
    assert api.send("DELETE", f"{root}/d/").status_code == 200
    assert not api.get("artifacts/list", run_id=run).get("files")


def test_get_artifact_of_nothing(api, root, run):
    put(api, f"{root}/a/f.txt")
    assert api.failure("GET", "/get-artifact", params={"run_id": run, "path": "none"}).status == 404
    assert api.failure("GET", "/get-artifact", params={"run_id": run, "path": "a"}).status == 400
    assert api.failure("GET", "/get-artifact", params={"run_id": "f" * 32, "path": "a"}).status == 404


def test_upload_artifact_for_the_browser(api, run):
    response = api.send("POST", "/ajax-api/2.0/mlflow/upload-artifact", params={"run_uuid": run, "path": "up/f.txt"},
                        data=b"small")
    assert response.status_code == 200
    assert api.send("GET", "/get-artifact", params={"run_id": run, "path": "up/f.txt"}).content == b"small"


@pytest.mark.parametrize("parameters, data, message", [
    ({"path": "f"}, b"x", "Request must specify run_id or run_uuid."),
    ({"run_uuid": "{run}"}, b"x", "Request must specify path."),
    ({"run_uuid": "{run}", "path": "f"}, b"", "Request must specify data."),
    ({"run_uuid": "{run}", "path": "../x"}, b"x", "Invalid path"),
    ({"run_uuid": "{run}", "path": "f"}, b"x" * (10 * 1024 * 1024 + 1), "Artifact size is too large. Max size is 10MB."),
])
def test_upload_artifact_refuses(api, run, parameters, data, message):
    parameters = {key: value.replace("{run}", run) for key, value in parameters.items()}
    failure = api.failure("POST", "/ajax-api/2.0/mlflow/upload-artifact", params=parameters, data=data)
    assert (failure.status, failure.code, failure.message) == (400, "INVALID_PARAMETER_VALUE", message)


@pytest.mark.parametrize("path", ["mpu/create", "mpu/abort"])
def test_multipart_uploads_are_not_for_local_storage(api, root, path):
    where = root.removeprefix(PROXY + "/")
    failure = api.failure("POST", f"/api/2.0/mlflow-artifacts/{path}/{where}/f",
                          {"path": "f", "num_parts": 2, "upload_id": "u"})
    assert (failure.status, failure.code) == (501, "NOT_IMPLEMENTED")


def test_presigned_downloads_are_not_for_local_storage(api, root):
    where = root.removeprefix(PROXY + "/")
    failure = api.failure("GET", f"/api/2.0/mlflow-artifacts/presigned/{where}/f")
    assert (failure.status, failure.code) == (501, "NOT_IMPLEMENTED")


class Noise(io.RawIOBase):
    """A readable stream of `size` reproducible bytes that never lie in memory together."""

    BLOCK = hashlib.shake_256(b"noise").digest(1 << 20)

    def __init__(self, size: int):
        self.left = size
        self.sha256 = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        count = min(len(buffer), self.left, len(self.BLOCK))
        buffer[:count] = self.BLOCK[:count]
        self.left -= count
        self.sha256.update(self.BLOCK[:count])
        return count


def send_large(api, path: str, size: int) -> str:
    """Uploads noise and returns its digest."""
    noise = Noise(size)
    address = urlsplit(api.url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=600)
    connection.request("PUT", path, io.BufferedReader(noise, 1 << 20), {"Content-Length": str(size)})
    response = connection.getresponse()
    assert response.status == 200, response.read()
    connection.close()
    return noise.sha256.hexdigest()


@pytest.mark.parametrize("size", [64 << 20, pytest.param(1 << 30, marks=pytest.mark.slow)], ids=["64MB", "1GB"])
def test_large_files(api, root, run, size):
    digest = send_large(api, f"{root}/large.bin", size)
    assert listing(api, run) == [{"path": "large.bin", "is_dir": False, "file_size": size}]
    received = hashlib.sha256()
    with api.session.get(api.address(f"{root}/large.bin"), stream=True, timeout=600) as response:
        assert response.headers["Content-Length"] == str(size)
        for chunk in response.iter_content(1 << 20):
            received.update(chunk)
    assert received.hexdigest() == digest
    tail = api.send("GET", f"{root}/large.bin", headers={"Range": "bytes=-16"})
    assert tail.content == Noise.BLOCK[-16:]


# The official client.


def test_client_logs_lists_and_downloads(client, run, tmp_path):
    (tmp_path / "up/deep").mkdir(parents=True)
    (tmp_path / "up/a.txt").write_text("one")
    (tmp_path / "up/deep/b.bin").write_bytes(os.urandom(5000))
    client.log_artifact(run, tmp_path / "up/a.txt")
    client.log_artifact(run, tmp_path / "up/a.txt", "sub")
    client.log_artifacts(run, tmp_path / "up", "tree")
    assert [(item.path, item.is_dir) for item in client.list_artifacts(run)] == [
        ("a.txt", False), ("sub", True), ("tree", True),
    ]
    assert [(item.path, item.file_size) for item in client.list_artifacts(run, "tree/deep")] == [("tree/deep/b.bin", 5000)]
    assert client.list_artifacts(run, "a.txt") == []
    target = client.download_artifacts(run, "tree", str(tmp_path))
    assert (tmp_path / "tree/a.txt").read_text() == "one"
    assert (tmp_path / "tree/deep/b.bin").read_bytes() == (tmp_path / "up/deep/b.bin").read_bytes()
    assert target.endswith("tree")


def test_fluent_artifacts(client, experiment, tmp_path):
    with mlflow.start_run(experiment_id=experiment) as run:
        mlflow.log_text("words", "notes/words.txt")
        mlflow.log_dict({"a": [1, 2]}, "config.json")
        mlflow.log_table({"x": [1, 2], "y": ["a", "b"]}, "table.json")
    assert mlflow.artifacts.load_text(run.info.artifact_uri + "/notes/words.txt") == "words"
    assert mlflow.artifacts.load_dict(run.info.artifact_uri + "/config.json") == {"a": [1, 2]}
    local = mlflow.artifacts.download_artifacts(f"runs:/{run.info.run_id}/notes/words.txt", dst_path=str(tmp_path))
    assert Path(local).read_text() == "words"
    assert len(client.load_table(experiment, "table.json", [run.info.run_id])) == 2


def test_a_figure_and_an_image(client, experiment):
    import matplotlib.pyplot as plot
    import numpy

    figure, axes = plot.subplots()
    axes.plot([1, 2, 3])
    with mlflow.start_run(experiment_id=experiment) as run:
        mlflow.log_figure(figure, "plot.png")
        mlflow.log_image(numpy.zeros((4, 4, 3), dtype=numpy.uint8), "image.png")
    plot.close(figure)
    assert {item.path for item in client.list_artifacts(run.info.run_id)} == {"plot.png", "image.png"}


def test_client_deletes_artifacts(client, run, tmp_path):
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    client.log_text(run, "words", "a/b.txt")
    repository = get_artifact_repository(client.get_run(run).info.artifact_uri)
    repository.delete_artifacts("a/b.txt")
    assert client.list_artifacts(run, "a") == []
