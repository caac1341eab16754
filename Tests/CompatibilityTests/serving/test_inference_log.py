"""Predictions in the log, and what became of them: by every protocol, across crashes, with the real clients."""

import random
import threading
import time

import pytest
import requests

from support.api import Api, unique
from support.endpoints import Endpoint
from support.server import Server

pytestmark = pytest.mark.apus_only

HEADER = "X-Apus-Prediction-Id"


@pytest.fixture(scope="module")
def endpoint(server) -> Endpoint:
    return Endpoint(server.url)


def test_every_answer_carries_an_id_by_which_it_is_found(endpoint):
    before = int(time.time() * 1000) - 1
    answer = endpoint.ask([1, 2, 3, 4])
    assert answer.status_code == 200, answer.text
    scored = requests.post(f"{endpoint.url}/endpoints/{endpoint.name}/invocations", json={"inputs": [[1, 2, 3, 5]]}, timeout=60)
    assert scored.status_code == 200, scored.text
    ids = [answer.headers[HEADER], scored.headers[HEADER]]
    assert len(set(ids)) == 2
    assert {record["prediction_id"] for record in endpoint.logged(2)} >= set(ids)
    for id, data in zip(ids, ([1, 2, 3, 4], [1, 2, 3, 5])):
        found = endpoint.api.get(endpoint.path(f"/predictions/{id}"))["prediction"]
        assert found["inputs"] == [{"name": found["inputs"][0]["name"], "datatype": "FP32", "shape": [1, 4], "data": data}]
        assert found["outputs"][0]["data"] == [2 * value for value in data]
        assert found["model_name"] == endpoint.model and found["model_version"] == "1" and found["status"] == "ok"
        assert before <= found["time_ms"] <= int(time.time() * 1000) + 1
        assert 0 < found["latency_ms"] < 60_000


def test_tritonclient_gets_the_id_too(endpoint):
    import numpy
    import tritonclient.http as triton

    client = triton.InferenceServerClient(endpoint.url.removeprefix("http://"))
    given = triton.InferInput("x", [1, 4], "FP32")
    given.set_data_from_numpy(numpy.array([[4, 3, 2, 1]], dtype=numpy.float32))
    response = client.infer(endpoint.name, [given]).get_response()
    id = response["parameters"]["prediction_id"]
    assert len(id) == 32
    deadline = time.monotonic() + 10
    while endpoint.api.send("GET", endpoint.path(f"/predictions/{id}")).status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_errors_are_logged_with_their_reason(endpoint):
    answer = endpoint.ask([1.0, 2.0])
    assert answer.status_code == 400
    deadline = time.monotonic() + 10
    while not (found := endpoint.predictions(status="error")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert found[0]["error_code"] == "INVALID_PARAMETER_VALUE" and "shape" in found[0]["message"]
    assert found[0]["prediction_id"] == answer.headers[HEADER]
    scored = requests.post(f"{endpoint.url}/endpoints/{endpoint.name}/invocations", json={"inputs": [[1, 2]]}, timeout=60)
    assert scored.status_code == 400 and len(scored.headers[HEADER]) == 32
    assert all(record["status"] == "ok" for record in endpoint.predictions(status="ok"))


def test_pages_and_ranges_give_each_prediction_once(server):
    endpoint = Endpoint(server.url)
    for number in range(60):
        assert endpoint.ask([number, 0, 0, 0]).status_code == 200
    records = endpoint.logged(60)
    assert [record["inputs"][0]["data"][0] for record in records] == list(range(59, -1, -1))
    assert [record["prediction_id"] for record in endpoint.predictions(limit=7)] == [record["prediction_id"] for record in records]
    low, high = records[40]["time_ms"], records[20]["time_ms"]
    assert [record["prediction_id"] for record in endpoint.predictions(**{"from": low, "to": high})] == \
        [record["prediction_id"] for record in records if low <= record["time_ms"] < high]


def test_what_is_logged_is_changed_and_stays_so(server):
    endpoint = Endpoint(server.url)
    answer = endpoint.api.send("PUT", endpoint.path("/logging"), json={"rate": 0, "reason": "too much"})
    assert answer.status_code == 200, answer.text
    assert endpoint.api.get(endpoint.path("/logging"))["rate"] == 0
    for _ in range(5):
        endpoint.ask()
    endpoint.ask([1.0])
    # What came before would be logged before.
    assert [record["status"] for record in endpoint.logged(1)] == ["error"]


@pytest.mark.parametrize("path, code", [
    ("/predictions?limit=0", 400), ("/predictions?limit=100000", 400), ("/predictions?page_token=x", 400),
    ("/predictions?page_token=0000000000000000-00000000.-1", 400), ("/predictions?from=yesterday", 400),
    ("/predictions/x", 400), ("/predictions/" + "0" * 32, 404), ("/predictions/..%2f..%2fetc", 400),
])
def test_mistakes_are_told(endpoint, path, code):
    answer = endpoint.api.send("GET", endpoint.path(path))
    assert answer.status_code == code, answer.text
    assert answer.json()["message"]


def test_feedback_joins_late_out_of_order_and_once(endpoint):
    id = endpoint.ask().headers[HEADER]
    path = endpoint.path("/feedback")
    first = {"prediction_id": id, "reward": 1, "ground_truth": "red", "metrics": {"revenue": 9.5}, "timestamp_ms": 2_000}
    assert endpoint.api.post(path, **first) == {"added": 3, "replaced": 0, "unchanged": 0}
    assert endpoint.api.post(path, **first) == {"added": 0, "replaced": 0, "unchanged": 3}
    assert endpoint.api.post(path, prediction_id=id, ground_truth="old", timestamp_ms=1_000)["unchanged"] == 1
    assert endpoint.api.post(path, prediction_id=id, ground_truth="new", timestamp_ms=3_000)["replaced"] == 1
    found = {entry["metric"]: entry["value"] for entry in endpoint.api.get(path, prediction_id=id)["feedback"]}
    assert found == {"reward": 1.0, "ground_truth": "new", "revenue": 9.5}


def test_feedback_of_an_a_b_test_is_summed_up_by_version(server):
    endpoint = Endpoint(server.url)
    endpoint.deploy(2, {"kind": "a-b", "percent": 50})
    endpoint.wait(lambda found: found.get("rollout", {}).get("phase") == "running")
    sent = {"1": [], "2": []}
    batch = []
    for number in range(120):
        answer = endpoint.ask()
        version = answer.json()["model_version"]
        reward = random.random() + (1 if version == "2" else 0)
        sent[version].append(reward)
        batch.append({"prediction_id": answer.headers[HEADER], "reward": reward})
    assert all(len(rewards) > 20 for rewards in sent.values())
    random.shuffle(batch)
    for start in range(0, len(batch), 50):
        answer = endpoint.api.send("POST", endpoint.path("/feedback"), json={"feedback": batch[start:start + 50]})
        assert answer.status_code == 200, answer.text
    summary = endpoint.api.get(endpoint.path("/feedback/summary"))["deployments"]
    assert [entry["count"] for entry in summary] == [len(sent["1"]), len(sent["2"])]
    for entry, rewards in zip(summary, sent.values()):
        mean = sum(rewards) / len(rewards)
        assert entry["mean"] == pytest.approx(mean)
        assert entry["variance"] == pytest.approx(sum((reward - mean) ** 2 for reward in rewards) / (len(rewards) - 1))
    arms = {arm["version"]: arm.get("reward", {}).get("count") for arm in endpoint.get()["rollout"]["arms"]}
    assert arms == {version: len(rewards) for version, rewards in sent.items()}


@pytest.mark.parametrize("body", [
    {}, [], {"prediction_id": 5, "reward": 1}, {"prediction_id": "zz", "reward": 1}, {"prediction_id": "0" * 32},
    {"prediction_id": "0" * 32, "reward": "much"}, {"prediction_id": "0" * 32, "metrics": {"a": {}}},
    {"feedback": [{"prediction_id": "0" * 32, "reward": 1}, {}]},
])
def test_feedback_with_a_mistake_is_refused_whole(endpoint, body):
    answer = endpoint.api.send("POST", endpoint.path("/feedback"), json=body)
    assert answer.status_code == 400, answer.text
    assert endpoint.api.get(endpoint.path("/feedback"), prediction_id="0" * 32)["feedback"] == []


def test_no_such_endpoint(server):
    api = Api(server.url)
    name = unique("none")
    for method, path in [("GET", "/predictions"), ("GET", "/predictions/" + "0" * 32), ("POST", "/feedback"), ("GET", "/logging")]:
        body = {"prediction_id": "0" * 32, "reward": 1} if method == "POST" else None
        assert api.failure(method, f"/api/v1/endpoints/{name}{path}", json=body).status == 404


def test_a_crash_loses_nothing_that_was_read_and_no_feedback_that_was_acknowledged(tmp_path):
    with Server(directory=tmp_path) as server:
        endpoint = Endpoint(server.url)
        endpoint.api.send("PUT", endpoint.path("/logging"), json={"per_second": 100_000})
        acknowledged, seen = [], set()
        for round in range(3):
            over = threading.Event()

            def ask():
                while not over.is_set():
                    try:
                        id = endpoint.ask().headers[HEADER]
                        if Api(server.url).send("POST", endpoint.path("/feedback"), json={"prediction_id": id, "reward": 1}).status_code == 200:
                            acknowledged.append(id)
                    except (requests.RequestException, KeyError):
                        pass

            threads = [threading.Thread(target=ask) for _ in range(4)]
            for thread in threads:
                thread.start()
            time.sleep(1 + random.random())
            seen |= {record["prediction_id"] for record in endpoint.predictions(limit=1_000)}
            server.kill()
            over.set()
            for thread in threads:
                thread.join()
            server.start()
            endpoint.api = Api(server.url)
            endpoint.wait(lambda found: found.get("state") == "READY")
            after = [record["prediction_id"] for record in endpoint.predictions(limit=1_000)]
            assert seen and seen <= set(after)
            assert len(after) == len(set(after))
        count = endpoint.api.get(endpoint.path("/feedback/summary"))["deployments"][0]["count"]
        assert count >= len(set(acknowledged)) > 0
