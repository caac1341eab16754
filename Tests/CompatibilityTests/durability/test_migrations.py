"""A server that dies while it makes its tables: the next one finishes them, and nobody can tell the difference."""

import itertools
import sqlite3
import time
from contextlib import closing

import pytest

from durability.proxy import Proxy
from durability.strace import dies_at, first_calls
from support.api import Api
from support.server import Server

pytestmark = pytest.mark.apus_only

SQLITE_SCHEMA = """
SELECT type, name, tbl_name, sql FROM sqlite_master
UNION ALL SELECT 'step', id, '', '' FROM apus_migrations
ORDER BY 1, 2
"""
POSTGRES_SCHEMA = [
    """SELECT table_name, column_name, ordinal_position, data_type, is_nullable, column_default, collation_name, is_identity
       FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 3""",
    "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2",
    """SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint
       WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2""",
    """SELECT c.relname, a.attname, a.attstorage, c.reloptions FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
       WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' ORDER BY 1, 2""",
    "SELECT sequencename, start_value, increment_by FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1",
    "SELECT id FROM apus_migrations ORDER BY 1",
]


@pytest.fixture
def new_server(database, request, tmp_path):
    """Makes servers with nothing in their folder and database."""
    cluster = request.getfixturevalue("postgres_cluster") if database == "postgres" else None
    numbers = itertools.count(1)

    def make() -> Server:
        return Server(directory=tmp_path / str(next(numbers)), database=cluster.create_database() if cluster else None)

    return make


@pytest.fixture
def schema(database, request):
    """Reads everything that defines the tables of a stopped server."""

    def read(server: Server) -> object:
        if database == "sqlite":
            with closing(sqlite3.connect(server.data_directory / "apus.db")) as connection:
                return connection.execute(SQLITE_SCHEMA).fetchall()
        cluster = request.getfixturevalue("postgres_cluster")
        return [cluster.query(server.database, sql) for sql in POSTGRES_SCHEMA]

    return read


def check_next_start(server: Server, fresh: object, schema, verify) -> None:
    with server:
        api = Api(server.url)
        experiment = api.experiment()
        run = api.run(experiment)
        api.metric(run, "m", 1)
        path = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/f"
        assert api.send("PUT", path, data=b"x").status_code == 200
        api.version(api.model())
    assert schema(server) == fresh
    verify(server)


def test_a_first_start_killed_at_any_time(new_server, schema, dice, rounds, verify):
    untouched = new_server()
    begin = time.monotonic()
    untouched.start()
    length = time.monotonic() - begin
    untouched.stop()
    fresh = schema(untouched)
    assert len(str(fresh)) > 1000
    deaths = 0
    for _ in range(rounds * 3):
        server = new_server()
        # Some die before they begin, and some when they are ready.
        server.wrapper = ["timeout", "--signal=KILL", f"{dice.uniform(0.005, length * 1.1):.4f}"]
        try:
            server.start()
        except RuntimeError:
            deaths += 1
        server.kill()
        server.wrapper = []
        check_next_start(server, fresh, schema, verify)
    assert deaths, "none died at its start: the test proves nothing"


@pytest.mark.parametrize("call", ["openat", "link", "pwrite64", "fdatasync", "fsync", "ftruncate", "mkdir"])
def test_a_first_start_killed_at_the_nth_call(strace, database, new_server, schema, verify, call):
    if database == "postgres":
        pytest.skip("what it does to PostgreSQL is watched on the network; see the next test")
    untouched = new_server()
    with untouched:
        pass
    fresh = schema(untouched)
    deaths = 0
    for n in first_calls():
        server = new_server()
        has_died = dies_at(server, call, n)
        server.kill()
        check_next_start(server, fresh, schema, verify)
        if not has_died:
            break
        deaths += 1
    assert deaths, f"{call} was never called: the test proves nothing"


@pytest.mark.parametrize("direction", ["up", "down"])
def test_a_first_start_killed_at_any_byte_to_its_database(database, new_server, schema, dice, rounds, verify, direction):
    """Killed when so many bytes have gone to PostgreSQL, or have come from it."""
    if database == "sqlite":
        pytest.skip("SQLite is not on the network; see the test before")
    untouched = new_server()
    length, _ = start_watched(untouched, direction, None)
    untouched.stop()
    fresh = schema(untouched)
    deaths = 0
    for _ in range(rounds * 2):
        server = new_server()
        _, has_died = start_watched(server, direction, dice.randrange(length))
        server.kill()
        deaths += has_died
        check_next_start(server, fresh, schema, verify)
    assert deaths, "none died at its start: the test proves nothing"


def start_watched(server: Server, direction: str, limit: int | None) -> tuple[int, bool]:
    """Starts a server, and kills it after `limit` bytes; the bytes that passed, and whether it died at its start."""
    direct = server.database
    proxy = Proxy(direct)
    passed = 0

    def watch(way: str, data: bytes) -> int:
        nonlocal passed
        if way != direction:
            return len(data)
        allowed = len(data) if limit is None else min(len(data), max(0, limit - passed))
        passed += allowed
        if allowed < len(data):
            server.process.kill()
        return allowed

    proxy.watch = watch
    server.database = proxy.url
    try:
        server.start()
        return passed, False
    except RuntimeError:
        return passed, True
    finally:
        server.database = direct
        if limit is not None:
            proxy.close()


def test_a_start_that_is_killed_again_and_again(strace, database, new_server, schema, verify):
    """The same server dies in each of its starts, a little later each time."""
    if database == "postgres":
        pytest.skip("counts what SQLite does")
    untouched = new_server()
    with untouched:
        pass
    server = new_server()
    for n in first_calls():
        if not dies_at(server, "fdatasync", n):
            break
        server.kill()
    server.kill()
    assert n > 1
    check_next_start(server, schema(untouched), schema, verify)
