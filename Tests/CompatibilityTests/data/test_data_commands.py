"""`apus data`: folders become versions, and versions folders."""

import hashlib
import io
import json
import os
import subprocess
import tarfile
import threading
from pathlib import Path

import pytest
import requests

from support.server import binary

# The Swift tests and those of durability look at both databases.
pytestmark = [pytest.mark.apus_only, pytest.mark.any_database]


class Command:
    """Runs `apus data` in a folder, against a server."""

    def __init__(self, url: str):
        self.environment = os.environ | {"MLFLOW_TRACKING_URI": url, "USER": "ada", "NO_PROXY": "*"}

    def run(self, *arguments: object, cwd: Path | None = None, fails: bool = False, code: int | None = None):
        done = subprocess.run(
            [binary(), "data", *map(str, arguments)], cwd=cwd, env=self.environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=120,
        )
        said = f"apus data {arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert (done.returncode != 0) == (fails or bool(code)), said
        assert code is None or done.returncode == code, said
        return done.stderr if fails or code else done.stdout

    def json(self, *arguments: object, cwd: Path | None = None):
        return json.loads(self.run(*arguments, "--json", cwd=cwd))


@pytest.fixture
def data(server) -> Command:
    return Command(server.url)


def fill(folder: Path, files: dict[str, bytes]) -> Path:
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*") if path.is_file() and ".apus" not in path.parts
    }


FILES = {
    "train.csv": b"a,b\n1,2\n", "empty": b"", "images/1.bin": bytes(range(256)) * 40, "images/deep/er/2.bin": b"two",
    "gr\u00f6\u00dfe/\u0434\u0430\u043d\u043d\u044b\u0435 #1?.txt": b"names", "large.bin": os.urandom(3_000_000),
}


def test_a_folder_becomes_a_version_and_a_folder_again(data, dataset, tmp_path):
    folder = fill(tmp_path / "in", FILES)
    (folder / "images/1.bin").chmod(0o755)
    made = data.json("commit", folder, "--dataset", dataset, "-m", "First delivery")
    assert made["is_new"] and made["version"]["version"] == 1 and made["version"]["files"] == len(FILES)
    assert made["version"]["bytes"] == sum(map(len, FILES.values()))
    assert made["version"]["author"] == "ada" and made["version"]["message"] == "First delivery"
    data.run("checkout", dataset, tmp_path / "out")
    assert tree(tmp_path / "out") == FILES
    assert os.access(tmp_path / "out/images/1.bin", os.X_OK) and not os.access(tmp_path / "out/train.csv", os.X_OK)
    assert data.run("commit", folder) == ""


def test_only_changes_are_committed(data, dataset, tmp_path, api):
    folder = fill(tmp_path / "in", FILES)
    data.run("commit", folder, "--dataset", dataset)
    fill(folder, {"train.csv": b"a,b\n1,3\n", "new.txt": b"new"})
    (folder / "images/deep/er/2.bin").unlink()
    (folder / "large.bin").touch()
    states = {line["path"]: line["state"] for line in data.json("status", folder)["changes"]}
    # What was only touched is as it was.
    assert states == {"train.csv": "changed", "new.txt": "new", "images/deep/er/2.bin": "removed"}
    assert data.run("commit", "-m", "Second", cwd=folder / "images").strip() == f"{dataset}@v2"
    found = api.get(f"/api/v1/datasets/{dataset}/versions/v2/diff", **{"from": "v1"})["differences"]
    assert {(item["path"], item["change"]) for item in found} == {
        ("train.csv", "changed"), ("new.txt", "added"), ("images/deep/er/2.bin", "removed"),
    }
    assert data.json("status", folder)["changes"] == []


def test_a_change_within_a_tick_of_the_clock_is_noticed(data, dataset, tmp_path):
    folder = fill(tmp_path / "in", {"a": b"one"})
    data.run("commit", folder, "--dataset", dataset)
    for number in range(5):
        before = (folder / "a").stat()
        (folder / "a").write_bytes(b"%03d" % number)
        os.utime(folder / "a", ns=(before.st_atime_ns, before.st_mtime_ns))
        assert data.json("commit", folder)["is_new"], number
    data.run("checkout", dataset, tmp_path / "out")
    assert (tmp_path / "out/a").read_bytes() == b"004"


def test_staged_files_are_committed_alone(data, dataset, tmp_path):
    folder = fill(tmp_path / "in", FILES)
    data.run("commit", folder, "--dataset", dataset)
    fill(folder, {"train.csv": b"changed", "images/1.bin": b"changed too", "images/3.bin": b"three"})
    (folder / "empty").unlink()
    assert data.json("add", "images", "empty", cwd=folder) == {"staged": 2, "removed": 1}
    data.run("commit", "-m", "Images", cwd=folder)
    data.run("checkout", f"{dataset}@v2", tmp_path / "out")
    expected = FILES | {"images/1.bin": b"changed too", "images/3.bin": b"three"}
    del expected["empty"]
    assert tree(tmp_path / "out") == expected
    assert [line["path"] for line in data.json("status", folder)["changes"]] == ["train.csv"]
    assert "there is no" in data.run("add", "nothing", cwd=folder, fails=True)
    assert "is not in the working copy" in data.run("add", tmp_path / "out/train.csv", cwd=folder, fails=True)


def test_a_working_copy_moves_between_versions_and_loses_nothing(data, dataset, tmp_path):
    folder = fill(tmp_path / "in", FILES)
    data.run("commit", folder, "--dataset", dataset)
    fill(folder, {"train.csv": b"second", "more/1": b"1"})
    data.run("commit", folder)
    out = tmp_path / "out"
    data.run("checkout", f"{dataset}@v2", out)
    fill(out, {"mine.txt": b"not in any version"})
    report = data.json("checkout", f"{dataset}@v1", out)
    assert (report["written"], report["removed"]) == (1, 1) and not (out / "more").exists()
    assert tree(out) == FILES | {"mine.txt": b"not in any version"}
    # What was changed by hand stays, and nothing else is changed either.
    fill(out, {"train.csv": b"by hand"})
    assert "would be overwritten" in data.run("checkout", f"{dataset}@v2", out, fails=True)
    assert (out / "train.csv").read_bytes() == b"by hand" and not (out / "more").exists()
    fill(out, {"more/1": b"in the way"})
    (out / "train.csv").write_bytes(FILES["train.csv"])
    assert "'more/1' would be overwritten" in data.run("checkout", f"{dataset}@v2", out, fails=True)
    data.run("checkout", f"{dataset}@v2", out, "--force")
    assert tree(out)["more/1"] == b"1" and tree(out)["mine.txt"] == b"not in any version"


def test_two_working_copies_do_not_overwrite_each_other(data, dataset, tmp_path):
    first = fill(tmp_path / "first", {"a": b"a", "b": b"b"})
    data.run("commit", first, "--dataset", dataset)
    second = tmp_path / "second"
    data.run("checkout", dataset, second)
    fill(first, {"a": b"changed by the first"})
    fill(second, {"b": b"changed by the second"})
    data.run("commit", first)
    assert "has moved to v2" in data.run("commit", second, fails=True)
    data.run("commit", second, "--force")
    data.run("checkout", dataset, tmp_path / "out")
    assert tree(tmp_path / "out") == {"a": b"changed by the first", "b": b"changed by the second"}


def test_a_folder_is_not_committed_over_a_dataset_by_mistake(data, dataset, tmp_path):
    data.run("commit", fill(tmp_path / "first", {"a": b"a"}), "--dataset", dataset)
    assert "has moved to v1" in data.run("commit", fill(tmp_path / "other", {"b": b"b"}), "--dataset", dataset, fails=True)


def test_branches_and_tags(data, dataset, tmp_path):
    folder = fill(tmp_path / "in", {"a": b"1"})
    data.run("commit", folder, "--dataset", dataset)
    fill(folder, {"a": b"2"})
    data.run("commit", folder, "--branch", "cleaned")
    fill(folder, {"a": b"3"})
    data.run("commit", folder)
    data.run("tag", f"{dataset}@cleaned", "blessed")
    log = data.json("log", f"{dataset}@blessed")["versions"]
    assert [version["version"] for version in log] == [3, 2, 1]
    assert [version["version"] for version in data.json("log", dataset)["versions"]] == [1]
    data.run("branch", f"{dataset}@v2", "again")
    data.run("checkout", f"{dataset}@again", tmp_path / "out")
    fill(tmp_path / "out", {"a": b"4"})
    made = data.json("commit", tmp_path / "out")["version"]
    assert (made["version"], made["parent"]) == (4, 2)
    assert "already has a branch or tag" in data.run("tag", dataset, "blessed", fails=True)
    data.run("tag", dataset, "blessed", "--delete")
    assert "blessed" in data.run("checkout", f"{dataset}@blessed", tmp_path / "never", fails=True)


def test_listings_are_for_people_and_for_machines(data, dataset, tmp_path):
    data.run("commit", fill(tmp_path / "in", FILES), "--dataset", dataset, "-m", "First delivery")
    assert dataset in data.run("ls", "--all") and "First delivery" in data.run("log", dataset)
    items = data.json("ls", dataset)["items"]
    assert [item["path"] for item in items] == ["empty", "gr\u00f6\u00dfe", "images", "large.bin", "train.csv"]
    assert data.run("ls", dataset, "images", "--recursive", "--quiet").split() == ["images/1.bin", "images/deep/er/2.bin"]
    assert "has no directory 'nothing'" in data.run("ls", dataset, "nothing", fails=True)
    assert "does not exist" in data.run("ls", f"{dataset}-not", fails=True)


def test_files_and_datasets_are_removed(data, dataset, tmp_path):
    data.run("commit", fill(tmp_path / "in", FILES), "--dataset", dataset)
    data.run("rm", dataset, "images/", "empty", "-m", "Out of date")
    data.run("checkout", dataset, tmp_path / "out")
    assert set(tree(tmp_path / "out")) == {path for path in FILES if not path.startswith(("images/", "empty"))}
    assert "is a directory" in data.run("rm", f"{dataset}@main", "gr\u00f6\u00dfe", fails=True)
    assert "has no 'empty'" in data.run("rm", dataset, "empty", fails=True)
    data.run("rm", dataset, "--yes")
    assert "does not exist" in data.run("log", dataset, fails=True)


def test_what_is_no_file_is_told_and_left_out(data, dataset, tmp_path):
    folder = fill(tmp_path / "in", {"a": b"a", ".git/config": b"not data"})
    (folder / "link").symlink_to("/etc/passwd")
    os.mkfifo(folder / "pipe")
    done = subprocess.run(
        [binary(), "data", "commit", folder, "--dataset", dataset], env=data.environment, capture_output=True, text=True,
        timeout=60,
    )
    assert done.returncode == 0 and "left out: 'link'" in done.stderr and "left out: 'pipe'" in done.stderr
    assert [item["path"] for item in data.json("ls", dataset)["items"]] == ["a"]
    (folder / "back\\slash").write_bytes(b"x")
    assert "is no name for a file of a dataset" in data.run("commit", folder, fails=True)


def test_ten_thousand_small_files(data, dataset, tmp_path):
    folder = fill(tmp_path / "in", {f"{number % 97}/{number}.txt": b"%d" % (number % 9000) for number in range(10_000)})
    made = data.json("commit", folder, "--dataset", dataset)["version"]
    assert made["files"] == 10_000
    assert data.json("checkout", dataset, tmp_path / "out")["written"] == 10_000
    assert tree(tmp_path / "out") == tree(folder)
    fill(folder, {"5/5.txt": b"changed"})
    assert data.json("commit", folder)["version"]["files"] == 10_000


def test_help_and_mistakes(data, dataset, tmp_path):
    assert "EXAMPLES" in data.run("commit", "--help") and "checkout" in data.run("--help")
    assert "is no working copy" in data.run("commit", tmp_path, fails=True)
    assert "is not a folder" in data.run("commit", tmp_path / "nothing", "--dataset", dataset, fails=True)
    data.run("commit", tmp_path, "--dataset", "no/name", fails=True)
    data.run("checkout", code=2)


# The API beneath


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def archive(*contents: bytes, names: list[str] | None = None) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as file:
        for index, content in enumerate(contents):
            info = tarfile.TarInfo(names[index] if names else sha256(content))
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
    return out.getvalue()


@pytest.fixture
def base(server, dataset) -> str:
    return f"{server.url}/api/v1/datasets/{dataset}"


def commit(base: str, head: dict, *lines: dict, **changes) -> requests.Response:
    body = "\n".join(json.dumps(line) for line in (head, *lines))
    return requests.post(f"{base}/versions", data=body, headers={"Content-Type": "application/jsonl"} | changes, timeout=60)


def put(base: str, content: bytes, digest: str | None = None) -> requests.Response:
    return requests.put(f"{base}/contents/{digest or sha256(content)}", data=content, timeout=60)


def test_contents_and_a_commit_by_hand(base):
    assert requests.post(f"{base}/contents/missing", json={"sha256": [sha256(b"a")]}, timeout=60).json() == {"missing": [sha256(b"a")]}
    assert put(base, b"a").status_code == 200
    sent = requests.post(f"{base}/contents", data=archive(b"b", b"c"), headers={"Content-Type": "application/x-tar"}, timeout=60)
    assert sent.json() == {"contents": 2, "bytes": 2}
    files = [{"path": name, "sha256": sha256(name.encode()), "bytes": 1} for name in "abc"]
    made = commit(base, {"message": "By hand", "base": 0}, *files)
    assert made.status_code == 201 and made.json()["version"]["files"] == 3
    assert requests.get(f"{base}/versions/main/files/b", timeout=60).content == b"b"
    got = requests.get(f"{base}/versions/main/archive", timeout=60)
    with tarfile.open(fileobj=io.BytesIO(got.content)) as file:
        assert {member.name: file.extractfile(member).read() for member in file} == {"a": b"a", "b": b"b", "c": b"c"}
    again = commit(base, {}, {"path": "b", "removed": True})
    assert again.status_code == 201 and again.json()["version"]["files"] == 2


def test_a_version_names_only_what_the_dataset_has(base, server, dataset):
    secret = b"of another dataset"
    put(f"{server.url}/api/v1/datasets/{dataset}-other", secret)
    refused = commit(base, {}, {"path": "a", "sha256": sha256(secret), "bytes": len(secret)})
    assert refused.status_code == 400 and "not in the dataset" in refused.json()["message"]
    assert sha256(secret) in requests.post(f"{base}/contents/missing", json={"sha256": [sha256(secret)]}, timeout=60).json()["missing"]


@pytest.mark.parametrize("head, lines, says", [
    ({}, [{"path": "a", "sha256": "x", "bytes": 1}], "Line 2: 'sha256' is 64"),
    ({}, [{"path": "../a", "sha256": sha256(b"a"), "bytes": 1}], "Line 2: Invalid path"),
    ({}, [{"path": "/a", "sha256": sha256(b"a"), "bytes": 1}], "Line 2: Invalid path"),
    ({}, [{"path": "a", "sha256": sha256(b"a"), "bytes": -1}], "Line 2: 'bytes' is not negative"),
    ({}, [{"path": "a", "sha256": sha256(b"a"), "bytes": 2}], "The content of 'a' has 1 bytes"),
    ({}, [{"path": "a"}], "Line 2: Missing value for required parameter 'sha256'"),
    ({}, [{"path": "a", "sha256": sha256(b"a"), "bytes": 1}] * 2, "'a' is named twice"),
    ({}, [{"path": "a", "sha256": sha256(b"a"), "bytes": 1}, {"path": "a/b", "sha256": sha256(b"a"), "bytes": 1}], "a"),
    ({"message": 5}, [], "Line 1: Invalid value 5"),
    ({"message": "x" * 20_000}, [], "Line 1"),
    ({"branch": "no/name"}, [], "is no name of a branch"),
    ({"base": 7}, [], "has moved to nothing"),
])
def test_bad_commits_are_refused_and_say_why(base, head, lines, says):
    put(base, b"a")
    refused = commit(base, head, *lines)
    assert refused.status_code in (400, 409), refused.text
    assert says in refused.json()["message"], refused.text
    assert requests.get(f"{base}/versions", timeout=60).json()["versions"] == []


def test_bodies_that_are_no_commit(base):
    post = lambda data, kind="application/jsonl": requests.post(f"{base}/versions", data=data, headers={"Content-Type": kind}, timeout=60)
    assert post(b"").status_code == 400 and post(b"[]").status_code == 400 and post(b"{").status_code == 400
    assert "Content-Type" in post(b"{}", "text/plain").json()["message"]
    assert "more than" in post(b'{"message": "' + b"x" * 100_000).json()["message"]
    assert post(b"\xff\xfe{}").status_code == 400


def test_contents_that_are_not_what_they_say(base):
    assert put(base, b"a", sha256(b"b")).status_code == 400
    assert put(base, b"a", "nothing").status_code == 400
    post = lambda data, kind="application/x-tar": requests.post(f"{base}/contents", data=data, headers={"Content-Type": kind}, timeout=60)
    assert "has the hash" in post(archive(b"a", names=[sha256(b"b")])).json()["message"]
    assert post(archive(b"a", names=["name"])).status_code == 400
    assert post(b"no archive" * 100).status_code == 400
    assert post(archive(b"a" * 5_000_000)).status_code == 400
    assert post(archive(b"a")[:600]).status_code == 400
    assert "Content-Type" in post(archive(b"a"), "text/plain").json()["message"]


def test_a_content_that_is_cut_leaves_nothing(server, base, dataset):
    import socket

    host, port = server.url.removeprefix("http://").split(":")
    content = os.urandom(2_000_000)
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(
            f"PUT /api/v1/datasets/{dataset}/contents/{sha256(content)} HTTP/1.1\r\nHost: {host}:{port}\r\n"
            f"Content-Length: {len(content)}\r\n\r\n".encode() + content[:1_500_000]
        )
    missing = requests.post(f"{base}/contents/missing", json={"sha256": [sha256(content)]}, timeout=60).json()["missing"]
    assert missing == [sha256(content)]
    assert put(base, content).status_code == 200


def test_commits_at_once_all_come_through(base):
    contents = [b"%d" % number for number in range(8)]
    for content in contents:
        put(base, content)
    answers = []

    def one(number: int) -> None:
        line = {"path": f"{number}.txt", "sha256": sha256(contents[number]), "bytes": 1}
        answers.append(commit(base, {"message": f"{number}"}, line).status_code)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [201] * 8
    assert requests.get(f"{base}/versions/main", timeout=60).json()["files"] == 8


# Lineage


def test_what_mlflow_logs_is_lineage(server, base, dataset, client, experiment):
    import mlflow
    import pandas

    content = b"a,b\n1,2\n3,4\n"
    put(base, content)
    line = {"path": "train.csv", "sha256": sha256(content), "bytes": len(content)}
    commit(base, {}, line)
    identifier = requests.get(f"{base}/versions/v1", timeout=60).json()["identifier"]
    url = f"{base}/versions/v1/files/train.csv"
    mlflow.set_tracking_uri(server.url)
    with mlflow.start_run(experiment_id=experiment) as by_address:
        mlflow.log_input(mlflow.data.from_pandas(pandas.read_csv(url), source=url, name=dataset), context="training")
    with mlflow.start_run(experiment_id=experiment) as by_digest:
        frame = pandas.DataFrame({"a": [1]})
        mlflow.log_input(mlflow.data.from_pandas(frame, source="/elsewhere.csv", name="x", digest=identifier[:12]))
    with mlflow.start_run(experiment_id=experiment):
        mlflow.log_input(mlflow.data.from_pandas(frame, source=f"{base}/versions/v9/files/a.csv", name="other"))
    lineage = requests.get(f"{base}/versions/v1/lineage", timeout=60).json()
    assert {run["run_id"] for run in lineage["read_by"]} == {by_address.info.run_id, by_digest.info.run_id}
    assert lineage["written_by"] == [] and lineage["children"] == []
    found = requests.get(f"{server.url}/api/v1/lineage/runs/{by_address.info.run_id}", timeout=60).json()["versions"]
    assert found == [{"dataset": dataset, "version": 1, "use": "read"}]


def test_a_run_that_checks_out_and_commits_is_lineage(server, data, dataset, tmp_path, run):
    data.run("commit", fill(tmp_path / "in", {"a": b"1"}), "--dataset", dataset)
    data.environment["MLFLOW_RUN_ID"] = run
    data.run("checkout", dataset, tmp_path / "out")
    fill(tmp_path / "out", {"a": b"2"})
    data.run("commit", tmp_path / "out")
    found = requests.get(f"{server.url}/api/v1/lineage/runs/{run}", timeout=60).json()["versions"]
    assert found == [
        {"dataset": dataset, "version": 1, "use": "read"}, {"dataset": dataset, "version": 2, "use": "wrote"},
    ]
    lineage = requests.get(f"{server.url}/api/v1/datasets/{dataset}/versions/v1/lineage", timeout=60).json()
    assert lineage["children"] == [2] and [item["run_id"] for item in lineage["read_by"]] == [run]
    data.environment["MLFLOW_RUN_ID"] = "0" * 32
    data.run("checkout", dataset, tmp_path / "other")
    assert tree(tmp_path / "other") == {"a": b"2"}
