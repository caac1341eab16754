"""Every system call that writes fails in its turn: the request that meets it is refused, and nothing is lost.

After a sync that failed, the kernel may have dropped what it could not write, and a later sync that succeeds proves
nothing. So the server must stop acknowledging, for good, until it is started again.
"""

import random

import pytest

from durability.ledger import ARTIFACTS, OPERATIONS, Client, check, is_polite, make_clients
from durability.strace import Fault, first_calls, injecting, named_files, was_hit
from support.api import Api
from support.server import Server

pytestmark = [pytest.mark.apus_only, pytest.mark.usefixtures("strace")]

SYNCS = ("fdatasync", "fsync")
# No request makes more calls of one kind on one thread.
MOST = 150


@pytest.fixture
def server(tmp_path):
    server = Server(directory=tmp_path)
    server.start()
    yield server
    server.stop()


def fail_each(server: Server, client: Client, dice: random.Random, kind: str, call: str, error: str) -> int:
    """Fails the first, second, third, ... `call` of a request until one passes untouched; returns how many were hit."""
    for n in range(1, MOST):
        api = Api(server.url)
        with Fault(server, call, error, n) as fault:
            response = client.attempt(api, kind, dice, faults=True)
        assert server.is_running(), f"{kind}, {call} {n}: {server.log_tail()}"
        assert response is not None, f"{kind}, {call} {n}: the connection was closed without an answer"
        assert response.status_code == 200 or fault.is_hit, f"{kind}: {response.text}"
        # What it says afterwards, with a disk that works again.
        again = client.attempt(api, kind, dice, faults=True)
        assert again is not None and api.read_run(client.run)["info"]["run_id"] == client.run
        if call in SYNCS:
            # A full disk is told apart from a failing one, where nothing was dropped but what is written again.
            if response.status_code != 200 and error == "EIO":
                assert again.status_code == 503, f"{kind}, {call} {n}: acknowledged after a failed sync: {again.text}"
            if fault.is_hit:
                server.kill()
                server.start()
                check(Api(server.url), client, atomic_batches=True)
        else:
            assert again.status_code == 200, f"{kind}, {call} {n}: writing did not come back: {again.text}"
        if not fault.is_hit:
            return n - 1
    raise AssertionError(f"{kind} makes {MOST} {call} calls")


FAULTS = [("fdatasync", "EIO"), ("fdatasync", "ENOSPC"), ("fsync", "EIO"), ("pwrite64", "ENOSPC"), ("pwrite64", "EIO"), ("openat", "EMFILE"),
          ("linkat", "EIO"), ("linkat", "ENOSPC"), ("mkdirat", "ENOSPC"), ("ftruncate", "EIO"),
          ("flock", "EIO")]


@pytest.mark.parametrize(("call", "error"), FAULTS, ids=lambda value: value)
def test_the_nth_call_fails(server, dice, verify, call, error):
    client, = make_clients(Api(server.url), 1)
    hits = {kind: fail_each(server, client, dice, kind, call, error) for kind in OPERATIONS}
    check(Api(server.url), client, atomic_batches=True)
    server.stop()
    verify(server)
    server.start()
    check(Api(server.url), client, atomic_batches=True)
    if call in ("fdatasync", "pwrite64"):
        assert all(hits.values()), f"a kind of request was acknowledged without {call}: {hits}"
    elif call in ("fsync", "openat", "linkat"):
        assert hits["artifact"], hits
    print(f"{call} {error}: {hits}")


@pytest.mark.parametrize("kind", ["metric", "artifact"])
def test_nothing_is_acknowledged_after_a_failed_sync(server, dice, verify, kind):
    """One sync fails, all later ones would succeed: they must not be believed."""
    api = Api(server.url)
    client, = make_clients(api, 1)
    assert client.attempt(api, kind, dice).status_code == 200
    with Fault(server, "fdatasync", "EIO") as fault:
        assert client.attempt(api, kind, dice, faults=True).status_code >= 500
    assert fault.is_hit
    for _ in range(20):
        assert client.attempt(api, kind, dice, faults=True).status_code == 503
    assert api.send("GET", "/health").status_code == 200
    server.kill()
    server.start()
    api = Api(server.url)
    check(api, client, atomic_batches=True)
    assert client.attempt(api, kind, dice).status_code == 200
    server.stop()
    verify(server)


@pytest.mark.parametrize(("call", "error"), [("pwrite64", "ENOSPC"), ("fdatasync", "EIO")], ids=lambda value: value)
def test_a_failing_checkpoint_loses_nothing(server, dice, verify, call, error):
    """The log is copied into the database file from time to time; only that file fails here, and nobody is told."""
    api = Api(server.url)
    client, = make_clients(api, 1)
    with Fault(server, call, error, path=server.data_directory / "apus.db") as fault:
        # Half a megabyte each, until the log is long enough to be copied, and a few more.
        number, rest = 0, 3
        while rest and number < 100:
            api.post("runs/log-batch", run_id=client.run,
                     tags=[{"key": f"{number}-{place}", "value": f"{number % 10}" * 5000} for place in range(100)])
            for kind in ("metric", "param"):
                assert client.attempt(api, kind, dice, faults=True).status_code == 200
            number += 1
            rest -= fault.is_hit
    assert fault.is_hit, "nothing was ever copied: the test proves nothing"
    check(api, client, atomic_batches=True)
    server.kill()
    server.start()
    api = Api(server.url)
    check(api, client, atomic_batches=True)
    assert len(api.read_run(client.run)["data"]["tags"]) >= number * 100
    assert client.attempt(api, "metric", dice).status_code == 200
    server.stop()
    verify(server)


@pytest.mark.parametrize(("call", "error"), [("renameat", "EIO"), ("renameat", "ENOSPC"), ("linkat", "EIO"), ("fsync", "EIO")],
                         ids=lambda value: value)
def test_mending_a_damaged_artifact_may_fail(server, verify, call, error):
    """Damaged bytes are replaced by the same content that is sent again; until that is done they are never served."""
    api = Api(server.url)
    experiment = api.experiment()
    run = api.run(experiment)
    path = f"{ARTIFACTS}/{experiment}/{run}/artifacts/f.bin"
    content = b"content" * 1000
    assert api.send("PUT", path, data=content).status_code == 200
    blob, = [file for file in (server.data_directory / "vault" / "sha256").rglob("*") if file.is_file()]
    blob.chmod(0o600)
    blob.write_bytes(content[:100])
    for n in range(1, 20):
        with Fault(server, call, error, n) as fault:
            response = api.send("PUT", path, data=content)
        assert (response.status_code == 200) or (fault.is_hit and is_polite(response)), response.text
        answer = api.send("GET", path)
        assert answer.status_code >= 500 or answer.content == content
        if response.status_code == 200 and not fault.is_hit:
            break
        if call in SYNCS:
            server.kill()
            server.start()
            api = Api(server.url)
    assert api.send("GET", path).content == content
    assert n > 1, f"{call} was never called: the test proves nothing"
    server.stop()
    verify(server)


STARTS = [("fdatasync", "EIO"), ("fsync", "EIO"), ("pwrite64", "ENOSPC"), ("pwrite64", "EIO"), ("ftruncate", "ENOSPC"),
          ("mkdir", "ENOSPC"), ("mkdirat", "ENOSPC"), ("linkat", "EIO"), ("flock", "EIO"),
          ("openat", "EMFILE"), ("write", "ENOSPC")]


@pytest.mark.parametrize(("call", "error"), STARTS, ids=lambda value: value)
def test_a_start_that_fails_says_so_and_the_next_one_works(tmp_path, verify, call, error):
    failures = 0
    for n in first_calls():
        directory = tmp_path / str(n)
        log = tmp_path / f"{n}.log"
        server = Server(directory=directory)
        server.wrapper = injecting(call, f"error={error}:when={n}", log, named_files(server, call))
        try:
            server.start(timeout=30)
            server.stop()
        except RuntimeError as failure:
            failures += 1
            assert 0 < server.process.returncode < 126, failure
            message = server.log_tail().strip()
            assert message and "Fatal error" not in message and "Stack dump" not in message, message
        server.wrapper = []
        with server:
            api = Api(server.url)
            run = api.run(api.experiment())
            api.metric(run, "m", 1)
            assert api.send("PUT", f"{ARTIFACTS}/1/{run}/artifacts/f", data=b"x").status_code == 200
        verify(server)
        if not was_hit(log):
            break
    print(f"{call} {error}: {failures} starts failed, {n} tried")
