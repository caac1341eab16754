"""Webhooks: their own life cycle, and signed deliveries to a real receiver on loopback."""

import base64
import hashlib
import hmac
import json
import queue
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from support.api import Api, unique

SECRET = "a secret of some length"
EVERY_EVENT = [
    {"entity": "REGISTERED_MODEL", "action": "CREATED"},
    {"entity": "MODEL_VERSION", "action": "CREATED"},
    {"entity": "MODEL_VERSION_TAG", "action": "SET"},
    {"entity": "MODEL_VERSION_TAG", "action": "DELETED"},
    {"entity": "MODEL_VERSION_ALIAS", "action": "CREATED"},
    {"entity": "MODEL_VERSION_ALIAS", "action": "DELETED"},
]


class Receiver:
    """An HTTP server that keeps what it is sent and answers with the next of `answers`, or 200."""

    def __init__(self):
        self.deliveries: queue.Queue = queue.Queue()
        self.answers: queue.Queue = queue.Queue()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.deliveries.put((self.path, self.headers, body))
                status = receiver.answers.get() if not receiver.answers.empty() else 200
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "/redirected")
                self.end_headers()
                self.wfile.write(b"thanks")

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def next(self, timeout: float = 30):
        return self.deliveries.get(timeout=timeout)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def api(start_server) -> Api:
    """A server of its own that may call plain HTTP addresses on loopback."""
    return Api(start_server(environment={
        "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http,https", "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
        # MLflow looks for new webhooks once a minute unless told otherwise.
        "MLFLOW_WEBHOOK_CACHE_TTL": "0",
    }).url)


@pytest.fixture(scope="module")
def strict(start_server) -> Api:
    """A server with nothing allowed."""
    return Api(start_server().url)


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def hook(api, receiver):
    """Makes a webhook of the receiver; all are deleted at the end."""
    made = []

    def make(events, **fields):
        body = {"name": unique("hook"), "url": receiver.url + "/in", "events": events} | fields
        webhook = api.ok("POST", "webhooks", body)["webhook"]
        made.append(webhook["webhook_id"])
        return webhook

    yield make
    for webhook_id in made:
        api.send("DELETE", f"webhooks/{webhook_id}", json={})


def test_a_new_webhook_has_every_field_but_the_secret(api, hook, receiver):
    webhook = hook(EVERY_EVENT[:2], secret=SECRET, description="d")
    assert webhook.pop("webhook_id")
    assert webhook.pop("creation_timestamp") == webhook.pop("last_updated_timestamp") > 0
    assert webhook.pop("name").startswith("hook-")
    assert sorted(webhook.pop("events"), key=str) == sorted(EVERY_EVENT[:2], key=str)
    assert webhook == {"url": receiver.url + "/in", "description": "d", "status": "ACTIVE"}


def test_life_of_a_webhook(api, hook, receiver):
    webhook_id = hook(EVERY_EVENT[:1])["webhook_id"]
    changed = api.patch(f"webhooks/{webhook_id}", description="new", status="DISABLED", url=receiver.url + "/other")
    assert (changed["webhook"]["description"], changed["webhook"]["status"]) == ("new", "DISABLED")
    assert api.get(f"webhooks/{webhook_id}")["webhook"] == changed["webhook"]
    assert webhook_id in [item["webhook_id"] for item in api.get("webhooks")["webhooks"]]
    assert api.delete(f"webhooks/{webhook_id}") == {}
    failure = api.failure("GET", f"webhooks/{webhook_id}")
    assert (failure.status, failure.code) == (404, "RESOURCE_DOES_NOT_EXIST")


@pytest.mark.parametrize("change", [
    {"name": ""}, {"name": "-x"}, {"name": "x-"}, {"name": "a b"}, {"name": "n" * 64}, {"events": []},
    {"url": ""}, {"url": "ftp://127.0.0.1/x"}, {"url": "not a url"},
    {"events": [{"entity": "REGISTERED_MODEL", "action": "EXCEEDED"}]},
])
def test_bad_webhooks_are_refused(api, receiver, change):
    body = {"name": unique("hook"), "url": receiver.url, "events": EVERY_EVENT[:1]} | change
    failure = api.failure("POST", "webhooks", body)
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")


def test_a_bad_scheme_is_named(api):
    failure = api.failure("POST", "webhooks", {"name": unique("hook"), "url": "ftp://x.example/", "events": EVERY_EVENT[:1]})
    assert failure.message.startswith("Invalid webhook URL scheme: 'ftp'. Allowed schemes are: ")


def test_an_event_is_named_once(api, receiver):
    body = {"name": unique("hook"), "url": receiver.url, "events": [EVERY_EVENT[0], EVERY_EVENT[0]]}
    assert api.failure("POST", "webhooks", body).status == 400


@pytest.mark.parametrize("url", [
    "http://example.com/x", "https://127.0.0.1/x", "https://localhost/x", "https://10.0.0.1/x", "https://[::1]/x",
    "https://169.254.169.254/latest", "https://0.0.0.0/x", "https://[::ffff:127.0.0.1]/x",
    pytest.param("https://2130706433/x", marks=pytest.mark.apus_only),
    pytest.param("https://0x7f000001/x", marks=pytest.mark.apus_only),
])
def test_private_addresses_are_refused_by_default(strict, url):
    body = {"name": unique("hook"), "url": url, "events": EVERY_EVENT[:1]}
    failure = strict.failure("POST", "webhooks", body)
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")


def signature(headers, body: bytes) -> str:
    """What X-MLflow-Signature must be."""
    text = f"{headers['X-MLflow-Delivery-Id']}.{headers['X-MLflow-Timestamp']}.{body.decode()}"
    return "v1," + base64.b64encode(hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).digest()).decode()


def test_a_delivery_is_signed_and_whole(api, hook, receiver):
    hook(EVERY_EVENT[:1], secret=SECRET)
    name = api.model(description="d", tags=[{"key": "a", "value": "b"}])
    path, headers, body = receiver.next()
    message = json.loads(body)
    assert path == "/in"
    assert headers["Content-Type"].startswith("application/json")
    assert headers["X-MLflow-Signature"] == signature(headers, body)
    assert abs(int(headers["X-MLflow-Timestamp"]) - time.time()) < 120
    assert (message["entity"], message["action"]) == ("registered_model", "created")
    assert message["timestamp"].startswith("20")
    assert message["data"] == {"name": name, "tags": {"a": "b"}, "description": "d"}


def test_without_a_secret_there_is_no_signature(api, hook, receiver):
    hook(EVERY_EVENT[:1])
    api.model()
    _, headers, _ = receiver.next()
    assert "X-MLflow-Signature" not in headers


def test_every_registry_event_is_delivered(api, hook, receiver):
    hook(EVERY_EVENT)
    name = api.model()
    api.version(name, source="s3://bucket/key", description="vd", tags=[{"key": "t", "value": "u"}])
    api.post("model-versions/set-tag", name=name, version="1", key="k", value="v")
    api.delete("model-versions/delete-tag", name=name, version="1", key="k")
    api.post("registered-models/alias", name=name, alias="champion", version="1")
    api.delete("registered-models/alias", name=name, alias="champion")
    found = {}
    for _ in range(6):
        message = json.loads(receiver.next()[2])
        found[(message["entity"], message["action"])] = message["data"]
    assert set(found) == {
        ("registered_model", "created"), ("model_version", "created"), ("model_version_tag", "set"),
        ("model_version_tag", "deleted"), ("model_version_alias", "created"), ("model_version_alias", "deleted"),
    }
    version = found["model_version", "created"]
    assert (version["name"], version["version"], version["source"], version["description"], version["tags"]) == (
        name, "1", "s3://bucket/key", "vd", {"t": "u"},
    )
    assert found["model_version_tag", "set"] == {"name": name, "version": "1", "key": "k", "value": "v"}
    assert found["model_version_tag", "deleted"] == {"name": name, "version": "1", "key": "k"}
    assert found["model_version_alias", "created"] == {"name": name, "alias": "champion", "version": "1"}
    assert found["model_version_alias", "deleted"] == {"name": name, "alias": "champion"}


def test_a_disabled_webhook_is_silent(api, hook, receiver):
    silent = hook(EVERY_EVENT[:1], url=receiver.url + "/silent")
    api.patch(f"webhooks/{silent['webhook_id']}", status="DISABLED")
    hook(EVERY_EVENT[:1], url=receiver.url + "/loud")
    api.model()
    assert receiver.next()[0] == "/loud"
    assert receiver.deliveries.empty()


def test_only_the_events_asked_for(api, hook, receiver):
    hook(EVERY_EVENT[4:5])
    name = api.model()
    api.version(name, source="s3://bucket/key")
    api.post("registered-models/alias", name=name, alias="a", version="1")
    assert json.loads(receiver.next()[2])["entity"] == "model_version_alias"
    assert receiver.deliveries.empty()


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_failed_delivery_is_tried_again(api, hook, receiver, status):
    receiver.answers.put(status)
    hook(EVERY_EVENT[:1], secret=SECRET)
    api.model()
    first, second = receiver.next(), receiver.next(60)
    assert first[2] == second[2]
    assert second[1]["X-MLflow-Signature"] == signature(second[1], second[2])


def test_a_redirect_is_not_followed(api, hook, receiver):
    receiver.answers.put(302)
    hook(EVERY_EVENT[:1])
    api.model()
    assert receiver.next()[0] == "/in"
    with pytest.raises(queue.Empty):
        assert receiver.next(1.5)[0] != "/redirected"


def test_the_test_button(api, hook, receiver):
    webhook = hook(EVERY_EVENT[:1], secret=SECRET)
    result = api.post(f"webhooks/{webhook['webhook_id']}/test")["result"]
    assert (result["success"], result["response_status"]) == (True, 200)
    _, headers, body = receiver.next()
    assert json.loads(body)["entity"] == "registered_model"
    assert headers["X-MLflow-Signature"] == signature(headers, body)


def test_a_failing_test_says_so(api, hook, receiver):
    webhook = hook(EVERY_EVENT[:1])
    receiver.answers.put(400)
    result = api.post(f"webhooks/{webhook['webhook_id']}/test")["result"]
    assert (result.get("success", False), result["response_status"]) == (False, 400)


def test_a_prompt_has_events_of_its_own(api, hook, receiver):
    hook([{"entity": "PROMPT", "action": "CREATED"}, *EVERY_EVENT[:1]])
    name = api.model(tags=[{"key": "mlflow.prompt.is_prompt", "value": "true"}])
    message = json.loads(receiver.next()[2])
    assert (message["entity"], message["action"], message["data"]["name"]) == ("prompt", "created", name)
    assert receiver.deliveries.empty()


def test_client_life_of_a_webhook(api, receiver):
    from mlflow import MlflowClient

    client = MlflowClient(api.url, api.url)
    webhook = client.create_webhook(unique("hook"), receiver.url, ["registered_model.created"], "d", SECRET, "ACTIVE")
    assert client.get_webhook(webhook.webhook_id).url == receiver.url
    client.update_webhook(webhook.webhook_id, description="e")
    assert webhook.webhook_id in [item.webhook_id for item in client.list_webhooks()]
    assert client.test_webhook(webhook.webhook_id).success
    client.delete_webhook(webhook.webhook_id)
