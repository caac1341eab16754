"""What surrounds the API: health, version, capabilities, unknown routes, prefixes, browsers' attacks."""

import http.client
from urllib.parse import urlsplit

import pytest

from support.api import Api, unique


def raw(url, method, path, headers, body=b""):
    """A request with exactly these headers; returns (status, headers, body)."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
    connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
    for key, value in headers:
        connection.putheader(key, value)
    if body or method == "POST":
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    response = connection.getresponse()
    data = response.read()
    connection.close()
    return response.status, {key.lower(): value for key, value in response.getheaders()}, data


SEARCH = b'{"max_results": 1}'
JSON = ("Content-Type", "application/json")


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_health(api, method):
    response = api.send(method, "/health")
    # MLflow's health route answers GET only.
    assert response.status_code == 200 or method == "HEAD"
    assert method == "HEAD" or response.text == "OK"


def test_version_allows_trace_export(api):
    response = api.send("GET", "/version")
    major, minor = response.text.split(".")[:2]
    assert response.status_code == 200 and (int(major), int(minor)) >= (3, 4)


@pytest.mark.parametrize("prefix", ["/api", "/ajax-api"])
def test_server_info(api, prefix):
    info = api.ok("GET", f"{prefix}/3.0/mlflow/server-info")
    assert info["store_type"] == "SqlStore"
    assert info["artifact_serving_enabled"] is True
    assert info["multipart_uploads_enabled"] is False
    assert info["multipart_downloads_enabled"] is False
    assert info["workspaces_enabled"] is False
    assert info["tracking_auth"] == ""


@pytest.mark.parametrize("path", ["/nope", "/api/2.0/mlflow/nope", "/api/9.0/mlflow/runs/get", "/api", "/api/2.0/mlflow/runs"])
def test_unknown_routes_are_404(api, path):
    assert api.send("GET", path).status_code == 404


@pytest.mark.parametrize("method, path, allowed", [
    ("DELETE", "runs/create", "POST"), ("GET", "runs/create", "POST"), ("POST", "runs/get", "GET"),
    ("PUT", "experiments/create", "POST"),
])
def test_a_wrong_method_is_405_and_says_which(api, method, path, allowed):
    response = api.send(method, path, json={} if method != "GET" else None)
    assert response.status_code == 405
    assert allowed in response.headers["Allow"]


def test_the_client_understands_an_unknown_route(server):
    from mlflow.exceptions import MlflowException
    from mlflow.utils.rest_utils import MlflowHostCreds, http_request, verify_rest_response

    response = http_request(MlflowHostCreds(server.url), "/api/2.0/mlflow/nope", "GET", max_retries=0)
    with pytest.raises(MlflowException) as caught:
        verify_rest_response(response, "/api/2.0/mlflow/nope")
    assert caught.value.error_code == "ENDPOINT_NOT_FOUND"


@pytest.mark.parametrize("path", ["/health", "/api/2.0/mlflow/experiments/get?experiment_id=0", "/nope"])
def test_security_headers_are_everywhere(api, path):
    headers = api.send("GET", path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "SAMEORIGIN" or "frame-ancestors" in headers.get("Content-Security-Policy", "")


@pytest.mark.parametrize("host", [
    "localhost", "localhost:5000", "127.0.0.1", "127.0.0.1:1234", "[::1]", "[::1]:5000", "0.0.0.0", "10.1.2.3:80",
    "192.168.0.7", "172.16.0.1", "172.31.255.255:5000",
])
def test_local_hosts_are_served(server, host):
    status, _, _ = raw(server.url, "POST", "/api/2.0/mlflow/experiments/search", [("Host", host), JSON], SEARCH)
    assert status == 200


@pytest.mark.parametrize("host", [
    "evil.example", "evil.example:5000", "localhost.evil.example", "127.0.0.1.evil.example", "8.8.8.8", "172.32.0.1",
    "evil.example#localhost", "evil",
])
@pytest.mark.parametrize("path", ["/api/2.0/mlflow/experiments/search", "/ajax-api/2.0/mlflow/experiments/search"])
def test_foreign_hosts_are_refused(server, host, path):
    status, _, body = raw(server.url, "POST", path, [("Host", host), JSON], SEARCH)
    assert status == 403
    assert body.startswith(b"Invalid Host header - possible DNS rebinding attack detected")


@pytest.mark.parametrize("path", ["/health", "/version"])
def test_probes_are_served_under_any_name(server, path):
    assert raw(server.url, "GET", path, [("Host", "evil.example")])[0] == 200


@pytest.mark.apus_only
@pytest.mark.parametrize("headers", [
    [], [("Host", "localhost"), ("Host", "evil.example")], [("Host", "evil.example"), ("Host", "localhost")], [("Host", "")],
], ids=["none", "second-foreign", "first-foreign", "empty"])
def test_exactly_one_host_is_required(server, headers):
    assert raw(server.url, "GET", "/api/2.0/mlflow/experiments/get?experiment_id=0", headers)[0] in (400, 403)


@pytest.mark.apus_only
def test_a_target_in_absolute_form_is_checked_too(server):
    status, _, _ = raw(server.url, "GET", "http://evil.example/api/2.0/mlflow/experiments/get?experiment_id=0",
                       [("Host", "localhost")])
    assert status in (400, 403)


@pytest.mark.apus_only
@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:5000"])
def test_a_target_in_absolute_form_that_names_the_same_host_is_served(server, host):
    """RFC 9112 lets proxies and some clients ask so."""
    path = "/api/2.0/mlflow/experiments/get?experiment_id=0"
    status, _, body = raw(server.url, "GET", f"http://{host.lower()}{path}", [("Host", host)])
    assert status == 200 and b'"experiment_id":"0"' in body
    assert raw(server.url, "GET", f"http://evil@{host}{path}", [("Host", host)])[0] in (400, 403)


@pytest.mark.parametrize("origin", ["https://evil.example", "http://evil.example:5000", "http://localhost.evil.example"])
@pytest.mark.parametrize("method, path", [
    ("POST", "/api/2.0/mlflow/experiments/create"), ("POST", "/ajax-api/2.0/mlflow/experiments/create"),
    ("DELETE", "/api/2.0/mlflow/registered-models/delete"), ("PATCH", "/api/2.0/mlflow/registered-models/update"),
])
def test_changes_from_foreign_pages_are_refused(server, origin, method, path):
    name = unique()
    body = f'{{"name": "{name}"}}'.encode()
    status, _, answer = raw(server.url, method, path, [("Host", "localhost"), ("Origin", origin), JSON], body)
    assert status == 403
    assert b"Cross-origin request blocked" in answer
    assert Api(server.url).failure("GET", "experiments/get-by-name", params={"experiment_name": name}).status == 404


@pytest.mark.parametrize("origin", ["http://localhost:3000", "http://127.0.0.1:5000"])
def test_changes_from_local_pages_are_served(server, origin):
    status, _, _ = raw(server.url, "POST", "/api/2.0/mlflow/experiments/search",
                       [("Host", "localhost"), ("Origin", origin), JSON], SEARCH)
    assert status == 200


def test_no_page_may_read_answers_by_wildcard(server):
    _, headers, _ = raw(server.url, "GET", "/api/2.0/mlflow/experiments/get?experiment_id=0",
                        [("Host", "localhost"), ("Origin", "https://evil.example")])
    assert headers.get("access-control-allow-origin") not in ("*", "https://evil.example")


# Servers with options of their own.


@pytest.fixture(scope="module")
def named(start_server):
    return start_server(["--allowed-hosts", "ml.example.com,*.wild.example", "--cors-allowed-origins", "https://app.example"])


@pytest.mark.parametrize("host, status", [
    ("ml.example.com", 200), ("a.wild.example", 200), ("other.example.com", 403), ("xml.example.com", 403),
])
def test_allowed_hosts(named, host, status):
    assert raw(named.url, "POST", "/api/2.0/mlflow/experiments/search", [("Host", host), JSON], SEARCH)[0] == status


def test_allowed_origins(named):
    for origin, status in [("https://app.example", 200), ("https://evil.example", 403)]:
        headers = [("Host", "ml.example.com"), ("Origin", origin), JSON]
        found, answer, _ = raw(named.url, "POST", "/api/2.0/mlflow/experiments/search", headers, SEARCH)
        assert found == status
        assert (answer.get("access-control-allow-origin") == origin) == (status == 200)


@pytest.fixture(scope="module")
def prefixed(start_server):
    return start_server(["--static-prefix", "/tracking"])


def test_a_static_prefix(prefixed):
    api = Api(prefixed.url)
    made = api.ok("POST", "/tracking/api/2.0/mlflow/experiments/create", {"name": unique()})
    assert api.ok("GET", "/tracking/ajax-api/2.0/mlflow/experiments/get", params=made)["experiment"]
    assert api.send("GET", "/tracking/version").status_code == 200
    assert api.send("GET", "/tracking/nope").status_code == 404


def test_a_client_behind_a_prefix(prefixed):
    from mlflow import MlflowClient

    client = MlflowClient(prefixed.url + "/tracking")
    run = client.create_run(client.create_experiment(unique()))
    client.log_metric(run.info.run_id, "m", 1)
    assert client.get_run(run.info.run_id).data.metrics == {"m": 1.0}


def test_data_survives_a_restart(tmp_path):
    from support.server import Server

    with Server(directory=tmp_path) as first:
        api = Api(first.url)
        run = api.run(api.experiment("kept"))
        api.metric(run, "m", 1)
        api.send("PUT", f"/api/2.0/mlflow-artifacts/artifacts/1/{run}/artifacts/f", data=b"bytes")
        name = api.model()
    with Server(directory=tmp_path) as second:
        api = Api(second.url)
        assert api.read_run(run)["data"]["metrics"][0]["value"] == 1.0
        assert api.get("registered-models/get", name=name)["registered_model"]["name"] == name
        assert api.send("GET", f"/api/2.0/mlflow-artifacts/artifacts/1/{run}/artifacts/f").content == b"bytes"
        assert api.get("experiments/get-by-name", experiment_name="kept")["experiment"]["experiment_id"] == "1"


def test_mlflows_own_options_start_the_server(start_server, tmp_path):
    running = start_server(["--backend-store-uri", f"sqlite:///{tmp_path}/own.db",
                            "--artifacts-destination", str(tmp_path / "artifacts")])
    api = Api(running.url)
    api.metric(api.run(api.experiment()), "m", 1)
    assert (tmp_path / "own.db").exists()


@pytest.mark.apus_only
def test_a_clean_stop(tmp_path):
    from support.server import Server

    running = Server(directory=tmp_path).start()
    assert running.stop() == 0


# Malformed HTTP: a refusal or a closed connection, and a server that lives on.


@pytest.mark.apus_only
@pytest.mark.parametrize("request_bytes", [
    b"POST /api/2.0/mlflow/runs/create HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + b"a: b\r\n" * 70_000 + b"\r\n",
    b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 1_000_000 + b"\r\n\r\n",
    b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    b"\x00" * 1000,
    b"GET /health HTTP/1.1\r\nHost: localhost\r\ntraceparent: 00-ABCDEF0123456789ABCDEF0123456789-ABCDEF0123456789-01\r\n\r\n",
    b"POST /api/2.0/mlflow/runs/create HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n",
    b"POST /api/2.0/mlflow/runs/create HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
], ids=["cl-te", "many-headers", "huge-header", "huge-target", "zeros", "traceparent", "huge-length", "negative-length"])
def test_malformed_requests_are_survived(server, api, request_bytes):
    import socket

    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        connection.settimeout(20)
        try:
            connection.sendall(request_bytes)
            answer = connection.recv(1000)
        except (ConnectionError, TimeoutError):
            answer = b""
    assert answer == b"" or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 200"))
    assert api.send("GET", "/health").text == "OK"
