"""A flipped byte and a lost file of the Vault: the scrub names what they take, and all else can be read."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import requests

from support.server import Server, binary

pytestmark = pytest.mark.apus_only


def doctor(server: Server, fails: bool) -> str:
    command = [str(binary()), "doctor", "--deep", "--data-dir", str(server.data_directory)]
    command += ["--database", server.database] if server.database else []
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
    assert (done.returncode == 1) == fails, done.stdout + done.stderr
    return done.stdout


def flip(path: Path, offset: int) -> None:
    path.chmod(0o600)
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)
        file.seek(offset)
        file.write(bytes([byte[0] ^ 1]))


def test_the_scrub_names_what_damage_takes(database, request, tmp_path):
    url = request.getfixturevalue("postgres_cluster").create_database() if database == "postgres" else None
    server = Server(directory=tmp_path / "server", database=url)
    server.start()
    folder = tmp_path / "in"
    small = {f"small/{number:03}.txt": b"content of %d " % number * 40 for number in range(200)}
    large = {f"large/{number}.bin": os.urandom(700_000) for number in range(3)}
    for path, content in (small | large).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    subprocess.run([binary(), "data", "commit", folder, "--dataset", "wine"], check=True, capture_output=True, timeout=60,
                   env=os.environ | {"MLFLOW_TRACKING_URI": server.url, "NO_PROXY": "*"})
    doctor(server, fails=False)

    blobs = {path: path.read_bytes() for path in server.data_directory.rglob("sha256/*/*/*") if path.is_file()}
    pack, offset = next((path, bytes_.find(small["small/123.txt"])) for path, bytes_ in blobs.items() if small["small/123.txt"] in bytes_)
    flip(pack, offset + 5)
    flip(next(path for path, bytes_ in blobs.items() if bytes_ == large["large/1.bin"]), 500_000)
    next(path for path, bytes_ in blobs.items() if bytes_ == large["large/2.bin"]).unlink()
    # And a whole pack, of another dataset.
    lost_folder = tmp_path / "lost"
    lost_folder.mkdir()
    for number in range(30):
        (lost_folder / f"{number:02}").write_bytes(b"lost %d" % number)
    known = set(server.data_directory.rglob("sha256/*/*/*"))
    subprocess.run([binary(), "data", "commit", lost_folder, "--dataset", "lost"], check=True, capture_output=True, timeout=60,
                   env=os.environ | {"MLFLOW_TRACKING_URI": server.url, "NO_PROXY": "*"})
    fresh = (path for path in server.data_directory.rglob("sha256/*/*/*") if path not in known and path.is_file())
    next(path for path in fresh if all(content in path.read_bytes() for content in (b"lost 7", b"lost 12"))).unlink()
    server.stop()
    server.start()

    said = doctor(server, fails=True)
    lost = {"small/123.txt", "large/1.bin", "large/2.bin"}
    named = {path for path in small | large if f"wine@v1: {path}" in said}
    assert named == lost, said
    assert all(f"lost@v1: {number:02}" in said for number in range(30)), said
    for path, content in (small | large).items():
        try:
            answer = requests.get(f"{server.url}/api/v1/datasets/wine/versions/v1/files/{path}", timeout=60)
            whole = answer.status_code == 200 and answer.content == content
        except requests.RequestException:
            whole = False
        assert whole == (path not in lost), path
    # The same files heal it.
    copy = shutil.copytree(folder, tmp_path / "copy", ignore=shutil.ignore_patterns(".apus"))
    subprocess.run([binary(), "data", "commit", copy, "--dataset", "again"], check=True, capture_output=True, timeout=60,
                   env=os.environ | {"MLFLOW_TRACKING_URI": server.url, "NO_PROXY": "*"})
    for path, content in (small | large).items():
        answer = requests.get(f"{server.url}/api/v1/datasets/wine/versions/v1/files/{path}", timeout=60)
        assert (answer.status_code, answer.content) == (200, content), path
    server.stop()
