"""`apus data import`: files, the web and databases become versions, and the next import brings what is new."""

import http.server
import json
import random
import signal
import socket
import sqlite3
import subprocess
import threading
import time

import pytest

from data.test_data_commands import Command, fill, tree
from support.server import binary

# The Swift tests and those of durability look at both databases.
pytestmark = [pytest.mark.apus_only, pytest.mark.any_database]


@pytest.fixture
def data(server, tmp_path) -> Command:
    command = Command(server.url)
    command.environment |= {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    return command


class Web:
    """A file on a server that tells its version, sends parts, is slow, and hangs up now and then."""

    def __init__(self):
        self.content, self.tag, self.requests = b"", '"1"', []
        self.pause, self.cuts = 0.0, 0
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_): pass

            def do_GET(self):
                web.requests.append(self.headers)
                if self.headers.get("If-None-Match") == web.tag:
                    self.send_response(304)
                    return self.end_headers()
                start = 0
                if self.headers.get("Range") and self.headers.get("If-Range") == web.tag:
                    start = int(self.headers["Range"][len("bytes="):-1])
                    self.send_response(206)
                    self.send_header("Content-Range", f"bytes {start}-{len(web.content) - 1}/{len(web.content)}")
                else:
                    self.send_response(200)
                self.send_header("ETag", web.tag)
                self.send_header("Content-Length", str(len(web.content) - start))
                self.end_headers()
                for position in range(start, len(web.content), 100_000):
                    if web.cuts and position > start + 1_000_000:
                        web.cuts -= 1
                        self.close_connection = True
                        return self.connection.shutdown(socket.SHUT_RDWR)
                    try:
                        self.wfile.write(web.content[position:position + 100_000])
                    except OSError:
                        self.close_connection = True
                        return
                    time.sleep(web.pause)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/files/big.bin?token=geheim"


@pytest.fixture
def web():
    web = Web()
    yield web
    web.server.shutdown()
    web.server.server_close()


def test_files(data, dataset, tmp_path):
    files = {"a.csv": b"x\n1\n", "sub/b.csv": b"x\n2\n", "sub/größe #1.txt": b"t", "sub/c.parquet": b"no parquet"}
    folder = fill(tmp_path / "in", files)
    (folder / "out").symlink_to("/etc/passwd")
    answer = data.json("import", dataset, folder)
    assert answer["is_new"] and answer["imported"]["files"] == 4
    assert [word for text in answer["imported"]["warnings"] for word in ("out'", "c.parquet'") if word in text] in (
        ["out'", "c.parquet'"], ["c.parquet'", "out'"])
    assert data.json("import", dataset, folder)["is_new"] is False
    data.run("import", dataset, f"{folder}/**/*.csv", "--to", "raw/", "--branch", "dev", "-m", "more")
    data.run("checkout", f"{dataset}@dev", tmp_path / "dev")
    assert tree(tmp_path / "dev") == files | {"raw/a.csv": b"x\n1\n", "raw/sub/b.csv": b"x\n2\n"}
    data.run("import", dataset, f"{folder}/a.csv", "--to", "only.csv", "--replace")
    data.run("checkout", dataset, tmp_path / "main")
    assert tree(tmp_path / "main") == {"only.csv": b"x\n1\n"}
    assert "nothing" in data.run("import", dataset, tmp_path / "nothing", fails=True)
    assert "Two sources" in data.run("import", dataset, folder, folder, fails=True)


def test_a_download_that_is_killed_again_and_again(data, dataset, web, tmp_path):
    web.content, web.pause, web.cuts = random.Random(1).randbytes(20_000_000), 0.01, 2
    for how in (signal.SIGKILL, signal.SIGINT, signal.SIGKILL):
        seen = len(web.requests)
        process = subprocess.Popen([binary(), "data", "import", dataset, web.url], env=data.environment,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while len(web.requests) == seen:
            time.sleep(0.01)
        time.sleep(0.3)
        process.send_signal(how)
        assert process.wait(30) != 0
    web.pause = 0
    answer = data.json("import", dataset, web.url)
    assert "geheim" not in json.dumps(answer)
    assert web.requests[-1].get("Range") and not list((tmp_path / "cache/apus/import").iterdir())
    data.run("checkout", dataset, tmp_path / "out")
    assert (tmp_path / "out/big.bin").read_bytes() == web.content
    # It is the same, and then it is not.
    assert data.json("import", dataset, web.url) == {"is_new": False, "imported": {"files": 0, "bytes": 0, "unchanged": 1, "warnings": []}}
    web.content, web.tag = b"new", '"2"'
    assert data.json("import", dataset, web.url)["version"]["version"] == 2


def test_rows_of_sqlite(data, dataset, tmp_path):
    database = sqlite3.connect(tmp_path / "shop.db")
    database.execute("CREATE TABLE orders (id INTEGER, name TEXT, at INTEGER)")
    database.executemany("INSERT INTO orders VALUES (?, ?, ?)", [(n, [None, "", 'a,"b"\n'][n % 3], n // 4) for n in range(100)])
    database.commit()
    command = ["import", dataset, f"sqlite:{tmp_path}/shop.db", "--table", "orders", "--watermark", "at"]
    assert data.json(*command)["imported"]["rows"] == 100
    assert data.json(*command)["is_new"] is False
    database.execute("INSERT INTO orders VALUES (100, 'tie', 24), (101, 'new', 25), (102, 'none', NULL)")
    database.commit()
    answer = data.json(*command)
    assert answer["imported"]["rows"] == 2 and len(answer["imported"]["warnings"]) == 1
    assert data.json(*command, "--full")["imported"]["rows"] == 102
    data.run("checkout", dataset, tmp_path / "out")
    assert [path for path in tree(tmp_path / "out") if path.startswith("orders/")] == ["orders/000001-00001.csv"]
    # All rows, and in one file for each import.
    lines = data.json("import", dataset, f"{tmp_path}/shop.db", "--query", "SELECT id, name FROM orders", "--to", "all", "--format", "jsonl")
    assert lines["imported"]["rows"] == 103
    data.run("checkout", dataset, tmp_path / "out")
    rows = [json.loads(line) for line in (tmp_path / "out/all/part-00001.jsonl").read_text().splitlines()]
    assert [(row["id"], row["name"]) for row in rows] == database.execute("SELECT id, name FROM orders").fetchall()


def test_two_imports_from_one_state(data, dataset, postgres_cluster, tmp_path):
    """Of imports that go on from the same watermark one makes a version; the others change nothing."""
    url = postgres_cluster.create_database()
    postgres_cluster.query(url, "CREATE TABLE orders AS SELECT i AS id, now() AS at FROM generate_series(1, 1000) AS i")
    command = ["import", dataset, url, "--table", "orders", "--watermark", "at"]
    assert data.json(*command)["imported"]["rows"] == 1000
    postgres_cluster.query(url, "INSERT INTO orders SELECT i, now() FROM generate_series(1001, 1010) AS i")
    running = [
        subprocess.Popen([binary(), "data", *command, "--staging", tmp_path / str(number)], env=data.environment,
                         stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for number in range(4)
    ]
    ends = [(process.communicate(timeout=60)[1], process.returncode) for process in running]
    assert all(code == 0 or "has moved" in said for said, code in ends), ends
    data.run("checkout", dataset, tmp_path / "out")
    lines = [line for path in (tmp_path / "out/orders").iterdir() for line in path.read_text().splitlines()[1:]]
    assert sorted(int(line.split(",")[0]) for line in lines) == list(range(1, 1011))
