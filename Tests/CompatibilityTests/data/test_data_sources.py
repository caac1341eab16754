"""`apus data import` and records over HTTP: data comes in from where it is, whole, once, and again only what is new."""

import gzip
import http.server
import json
import sqlite3
import threading
from pathlib import Path

import pandas
import pytest
import requests

from data.test_data_commands import Command, fill, tree

pytestmark = [pytest.mark.apus_only, pytest.mark.any_database]


@pytest.fixture
def data(server, tmp_path) -> Command:
    command = Command(server.url)
    command.environment |= {"XDG_CACHE_HOME": str(tmp_path / "cache"), "HOME": str(tmp_path)}
    return command


def files(data: Command, dataset: str, folder: Path) -> dict[str, bytes]:
    """The newest version's files, without what imports remember."""
    data.run("checkout", dataset, folder, "--force")
    return {path: content for path, content in tree(folder).items() if not path.startswith(".apus-import")}


@pytest.fixture
def web(tmp_path):
    """A server of one folder, which counts what is asked and knows `If-None-Match`."""
    asked: list[tuple[str, int]] = []
    content: dict[str, bytes] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = content.get(self.path)
            tag = f'"{hash(body)}"'
            status = 404 if body is None else 304 if self.headers.get("If-None-Match") == tag else 200
            asked.append((self.path, status))
            self.send_response(status)
            if status == 200:
                self.send_header("ETag", tag)
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if status == 200:
                self.wfile.write(body)

        def log_message(self, *_):
            pass

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}", content, asked
    running.shutdown()


def test_files_by_a_pattern(data, dataset, tmp_path):
    fill(tmp_path / "in", {"raw/1.csv": b"a\n1\n", "raw/2.csv.gz": gzip.compress(b"a\n2\n"), "raw/notes.md": b"no data"})
    made = data.json("import", dataset, f"{tmp_path}/in/raw/*.csv*", "--to", "raw/")
    assert made["is_new"] and made["imported"]["files"] == 2
    assert files(data, dataset, tmp_path / "out") == {
        "raw/1.csv": b"a\n1\n", "raw/2.csv.gz": (tmp_path / "in/raw/2.csv.gz").read_bytes(),
    }


def test_the_web_is_asked_whether_it_has_changed(data, dataset, tmp_path, web):
    address, content, asked = web
    content["/wine.csv"] = b"a,b\n1,2\n"
    assert data.json("import", dataset, f"{address}/wine.csv")["is_new"]
    assert not data.json("import", dataset, f"{address}/wine.csv")["is_new"]
    assert [status for _, status in asked] == [200, 304]
    content["/wine.csv"] = b"a,b\n1,2\n3,4\n"
    assert data.json("import", dataset, f"{address}/wine.csv")["version"]["version"] == 2
    assert files(data, dataset, tmp_path / "out") == {"wine.csv": content["/wine.csv"]}
    assert "404" in data.run("import", dataset, f"{address}/nothing.csv", fails=True)


def test_a_table_comes_by_its_watermark(data, dataset, tmp_path):
    database = tmp_path / "shop.db"
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER, item TEXT, updated_at INTEGER)")
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?)", [(1, "a", 10), (2, 'b, "quoted"', 20), (3, None, 20)])
    arguments = ("import", dataset, f"sqlite:{database}", "--table", "orders", "--watermark", "updated_at")
    assert data.json(*arguments)["imported"]["rows"] == 3
    assert not data.json(*arguments)["is_new"]
    with sqlite3.connect(database) as connection:
        # One with the value of the last that came, and one above it: both, and none of the others again.
        connection.executemany("INSERT INTO orders VALUES (?, ?, ?)", [(4, "late", 20), (5, "new", 30)])
    assert data.json(*arguments)["is_new"]
    found = files(data, dataset, tmp_path / "out")
    frames = [pandas.read_csv(tmp_path / "out" / path) for path in sorted(found) if path.endswith(".csv")]
    rows = pandas.concat(frames)
    assert sorted(rows["id"]) == [1, 2, 3, 4, 5]
    assert rows.set_index("id")["item"].to_dict()[2] == 'b, "quoted"'


def test_a_table_of_postgres(data, dataset, tmp_path, postgres_cluster):
    import psycopg2

    url = postgres_cluster.create_database()
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE readings (at timestamptz, value double precision, note text)")
        cursor.execute("INSERT INTO readings SELECT now(), n / 7.0, 'note ' || n FROM generate_series(1, 5000) n")
    made = data.json("import", dataset, url.replace("postgresql://", "postgres://"), "--query", "SELECT value, note FROM readings")
    assert made["imported"]["rows"] == 5000
    found = files(data, dataset, tmp_path / "out")
    rows = pandas.concat(pandas.read_csv(tmp_path / "out" / path) for path in found)
    assert len(rows) == 5000 and rows["value"].sum() == pytest.approx(sum(n / 7 for n in range(1, 5001)), rel=1e-12)


def test_mistakes_are_told(data, dataset, tmp_path):
    assert "ftp" in data.run("import", dataset, "ftp://example.org/a.csv", fails=True)
    data.run("import", dataset, tmp_path / "nothing.csv", fails=True)
    data.run("import", dataset, f"sqlite:{tmp_path}/nothing.db", "--table", "orders", fails=True)
    assert "EXAMPLES" in data.run("import", "--help")


# Records


@pytest.fixture
def records(server, dataset):
    requests.post(f"{server.url}/api/v1/datasets", json={"name": dataset}, timeout=60)
    address = f"{server.url}/api/v1/datasets/{dataset}/records"

    def push(body: bytes, **headers: str) -> requests.Response:
        return requests.post(address, data=body, headers={"Content-Type": "application/jsonl"} | headers, timeout=60)

    push.address = address
    return push


def test_records_become_a_file_of_a_version(records, data, dataset, tmp_path):
    assert records(b'{"a": 1}\n{"a": 2}\n').json()["records"] == 2
    assert records(b'{"a": 3}').json()["first_record"] == 3
    assert requests.get(records.address, timeout=60).json()["pending"]["records"] == 3
    made = requests.post(f"{records.address}/commit", json={}, timeout=60)
    assert made.status_code in (200, 201), made.text
    found = files(data, dataset, tmp_path / "out")
    assert len(found) == 1 and [json.loads(line)["a"] for line in next(iter(found.values())).splitlines()] == [1, 2, 3]
    assert requests.get(records.address, timeout=60).json()["pending"]["records"] == 0


def test_a_batch_that_is_sent_again_counts_once(records):
    headers = {"Idempotency-Key": "batch-1"}
    first, again = records(b'{"a": 1}\n', **headers), records(b'{"a": 1}\n', **headers)
    assert (first.status_code, again.status_code) == (201, 200) and first.json()["batch"] == again.json()["batch"]
    assert records(b'{"a": 2}\n', **headers).status_code in (400, 409, 422)
    assert requests.get(records.address, timeout=60).json()["pending"]["records"] == 1


@pytest.mark.parametrize("body, says", [
    (b'{"a": 1}\n{"a": \n', "2"), (b"[1]\n", "1"), (b'{"a": 1}\n5\n', "2"), (b'{"a": "\xff"}\n', "1"), (b"", ""),
])
def test_what_are_no_records_is_refused_whole(records, body, says):
    answer = records(body)
    assert answer.status_code == 400 and says in answer.json()["message"], answer.text
    assert requests.get(records.address, timeout=60).json()["pending"]["records"] == 0
