"""Metrics: the identity of a point, the latest value, histories and their order."""

import math

import pytest
from mlflow.entities import Metric

from support.api import Api

LARGEST = 1.7976931348623157e308


def history(api: Api, run: str, key: str = "m", **parameters) -> list[tuple]:
    """Points as (timestamp, step, value), in the order of the answer."""
    answer = api.get("metrics/get-history", run_id=run, metric_key=key, **parameters)
    return [(point["timestamp"], point["step"], point["value"]) for point in answer.get("metrics", [])]


def latest(api: Api, run: str, key: str = "m") -> tuple:
    """The latest point as (timestamp, step, value)."""
    (point,) = [point for point in api.read_run(run)["data"]["metrics"] if point["key"] == key]
    return point["timestamp"], point["step"], point["value"]


def log(api: Api, run: str, points: list[tuple], key: str = "m", batch: bool = False) -> None:
    """Logs (timestamp, step, value) points, one request each or in one batch."""
    messages = [{"key": key, "timestamp": t, "step": s, "value": v} for t, s, v in points]
    if batch:
        api.post("runs/log-batch", run_id=run, metrics=messages)
    else:
        for message in messages:
            api.post("runs/log-metric", run_id=run, **message)


both_ways = pytest.mark.parametrize("batch", [False, True], ids=["one-by-one", "batch"])


def test_a_point_is_stored(api, run):
    assert api.post("runs/log-metric", run_id=run, key="m", value=0.5, timestamp=12, step=3) == {}
    assert api.read_run(run)["data"]["metrics"] == [{"key": "m", "value": 0.5, "timestamp": 12, "step": 3}]
    assert history(api, run) == [(12, 3, 0.5)]


def test_run_uuid_names_the_run_too(api, run):
    api.post("runs/log-metric", run_uuid=run, key="m", value=1, timestamp=1)
    assert [p["value"] for p in api.get("metrics/get-history", run_uuid=run, metric_key="m")["metrics"]] == [1.0]


def test_the_step_is_zero_by_default(api, run):
    api.post("runs/log-metric", run_id=run, key="m", value=1, timestamp=1)
    assert latest(api, run) == (1, 0, 1.0)


@both_ways
def test_the_same_point_twice_is_one_point(api, run, batch):
    log(api, run, [(1, 1, 0.5), (1, 1, 0.5)], batch=batch)
    log(api, run, [(1, 1, 0.5)], batch=batch)
    assert history(api, run) == [(1, 1, 0.5)]


@both_ways
def test_two_values_at_one_step_are_both_kept(api, run, batch):
    log(api, run, [(1, 1, 0.5), (1, 1, 0.25)], batch=batch)
    assert history(api, run) == [(1, 1, 0.25), (1, 1, 0.5)]
    assert latest(api, run) == (1, 1, 0.5)


@both_ways
@pytest.mark.parametrize("points, winner", [
    ([(5, 1, 1.0), (1, 2, 2.0)], (1, 2, 2.0)),
    ([(1, 2, 2.0), (5, 1, 1.0)], (1, 2, 2.0)),
    ([(2, 1, 1.0), (1, 1, 9.0)], (2, 1, 1.0)),
    ([(1, 1, 9.0), (2, 1, 1.0)], (2, 1, 1.0)),
    ([(1, 1, 9.0), (1, 1, 1.0)], (1, 1, 9.0)),
    ([(1, -5, 1.0), (1, -6, 2.0)], (1, -5, 1.0)),
    ([(1, 1, "NaN"), (1, 1, -1.0)], (1, 1, "NaN")),
    ([(1, 1, "NaN"), (1, 1, 1.0)], (1, 1, 1.0)),
    ([(1, 1, 1.0), (1, 1, "NaN")], (1, 1, 1.0)),
    ([(1, 1, 1.0), (1, 2, "NaN")], (1, 2, "NaN")),
], ids=["later-step", "out-of-order-step", "later-time", "out-of-order-time", "larger-value", "negative-steps",
        "nan-above-negative", "positive-above-nan", "nan-below-positive", "nan-at-later-step"])
def test_the_latest_point_is_the_largest_by_step_time_and_value(api, run, points, winner, batch):
    log(api, run, points, batch=batch)
    assert latest(api, run) == winner


def test_latest_points_of_many_keys_in_one_batch(api, run):
    api.post("runs/log-batch", run_id=run, metrics=[
        {"key": f"k{index % 7}", "value": index, "timestamp": 1, "step": index} for index in range(100)
    ])
    data = {point["key"]: point["step"] for point in api.read_run(run)["data"]["metrics"]}
    assert data == {f"k{key}": max(step for step in range(100) if step % 7 == key) for key in range(7)}


@both_ways
def test_history_is_ordered_by_time_step_value(api, run, batch):
    points = [(2, 1, 1.0), (1, 3, 5.0), (1, 2, 9.0), (1, 2, 8.0), (3, -1, 0.0)]
    log(api, run, points, batch=batch)
    assert history(api, run) == sorted(points)


def test_history_of_an_unknown_key_is_empty(api, run):
    assert api.get("metrics/get-history", run_id=run, metric_key="nope") == {}


def test_history_needs_a_key(api, run):
    failure = api.failure("GET", "metrics/get-history", params={"run_id": run})
    assert failure.status == 400
    assert failure.message.startswith("Missing value for required parameter 'metric_key'.")


def test_history_without_a_limit_is_whole(api, run):
    for start in range(0, 3000, 1000):
        log(api, run, [(step, step, step) for step in range(start, start + 1000)], batch=True)
    answer = api.get("metrics/get-history", run_id=run, metric_key="m")
    assert len(answer["metrics"]) == 3000
    assert "next_page_token" not in answer


@pytest.mark.parametrize("size, pages", [(1, 7), (2, 4), (3, 3), (7, 1), (100, 1)])
def test_history_in_pages(api, run, size, pages):
    points = [(step, step, float(step)) for step in range(7)]
    log(api, run, points, batch=True)
    found, token, count = [], None, 0
    while True:
        answer = api.get("metrics/get-history", run_id=run, metric_key="m", max_results=size,
                         **({"page_token": token} if token else {}))
        found += [(p["timestamp"], p["step"], p["value"]) for p in answer["metrics"]]
        count += 1
        token = answer.get("next_page_token")
        if not token:
            break
    assert (found, count) == (points, pages)


@pytest.mark.parametrize("size", [0, -1])
def test_a_page_has_at_least_one_point(api, run, size):
    failure = api.failure("GET", "metrics/get-history",
                          params={"run_id": run, "metric_key": "m", "max_results": size})
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert f"Invalid value {size} for parameter 'max_results' supplied. It must be a positive integer" in failure.message


def test_a_bad_history_token_is_refused(api, run):
    failure = api.failure("GET", "metrics/get-history",
                          params={"run_id": run, "metric_key": "m", "max_results": 2, "page_token": "zzz"})
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert failure.message == "Invalid page token, could not base64-decode"


@both_ways
@pytest.mark.parametrize("sent, stored", [
    (0, 0.0), (1, 1.0), (-0.5, -0.5), (1e-300, 1e-300), (0.1 + 0.2, 0.1 + 0.2), (1e308, 1e308), (5e-324, 5e-324),
    (123456789012345678, 1.2345678901234568e17), ("NaN", "NaN"), ("Infinity", LARGEST), ("-Infinity", -LARGEST),
    ("1.5", 1.5), (True, 1.0),
])
def test_values_come_back_to_the_last_bit(api, run, sent, stored, batch):
    if sent is True and batch:
        pytest.skip("a boolean value in a batch is not promised")
    log(api, run, [(1, 0, sent)], batch=batch)
    assert latest(api, run) == (1, 0, stored)
    assert history(api, run) == [(1, 0, stored)]


@pytest.mark.parametrize("value, hint", [
    ("abc", "str"),
    # MLflow answers these with an HTML page and the status 500.
    pytest.param([1], "list", marks=pytest.mark.apus_only),
    pytest.param({"a": 1}, "dict", marks=pytest.mark.apus_only),
])
def test_a_value_is_a_number(api, run, value, hint):
    failure = api.failure("POST", "runs/log-metric", {"run_id": run, "key": "m", "value": value, "timestamp": 1})
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert failure.message.startswith("Invalid value ")
    assert failure.message.endswith(
        f" for parameter 'value' supplied:  Hint: Value was of type '{hint}'. "
        "See the API docs for more information about request parameters."
    )
    assert history(api, run) == []


@pytest.mark.parametrize("missing", ["value", "timestamp"])
def test_value_and_timestamp_are_required(api, run, missing):
    body = {"run_id": run, "key": "m", "value": 1, "timestamp": 1}
    del body[missing]
    failure = api.failure("POST", "runs/log-metric", body)
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert failure.message.startswith(f"Missing value for required parameter '{missing}'.")


def test_a_timestamp_is_not_negative(api, run):
    failure = api.failure("POST", "runs/log-metric", {"run_id": run, "key": "m", "value": 1, "timestamp": -1})
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert "Timestamp must be a nonnegative long (64-bit integer) " in failure.message


def test_the_ends_of_the_64_bit_range(api, run):
    end = 2**63 - 1
    log(api, run, [(end, end, 1.0), (0, -(2**63), 2.0)])
    assert history(api, run) == [(0, -(2**63), 2.0), (end, end, 1.0)]
    assert latest(api, run) == (end, end, 1.0)


@pytest.mark.parametrize("field", ["timestamp", "step"])
def test_numbers_beyond_64_bits_never_become_other_numbers(api, run, field):
    response = api.send("POST", "runs/log-metric",
                        json={"run_id": run, "key": "m", "value": 1, "timestamp": 1, "step": 1, field: 2**63})
    assert response.status_code in (200, 400)
    assert all(abs(t) <= 1 and abs(s) <= 1 for t, s, _ in history(api, run))


def test_integers_may_be_strings(api, run):
    api.post("runs/log-metric", run_id=run, key="m", value=1, timestamp="5", step="-3")
    assert history(api, run) == [(5, -3, 1.0)]


@pytest.mark.parametrize("field", ["timestamp", "step"])
def test_text_is_no_integer(api, run, field):
    body = {"run_id": run, "key": "m", "value": 1, "timestamp": 1, field: "abc"}
    failure = api.failure("POST", "runs/log-metric", body)
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert failure.message.startswith(f"Invalid value \"abc\" for parameter '{field}' supplied:")


def test_the_bare_nan_token_does_not_crash(api, run):
    body = f'{{"run_id": "{run}", "key": "m", "value": NaN, "timestamp": 1}}'
    response = api.send("POST", "runs/log-metric", data=body, headers={"Content-Type": "application/json"})
    assert response.status_code in (200, 400)
    assert api.send("GET", "/health").text == "OK"


def test_model_and_dataset_of_a_point_are_accepted(api, experiment, run):
    model_id = api.post("logged-models", experiment_id=experiment)["model"]["info"]["model_id"]
    api.post("runs/log-metric", run_id=run, key="acc", value=0.75, timestamp=4, step=2, model_id=model_id,
             dataset_name="digits", dataset_digest="d1")
    (point,) = api.get(f"logged-models/{model_id}")["model"]["data"]["metrics"]
    assert (point["key"], point["value"], point["timestamp"], point["step"]) == ("acc", 0.75, 4, 2)
    assert (point["dataset_name"], point["dataset_digest"], point["run_id"]) == ("digits", "d1", run)
    assert latest(api, run, "acc") == (4, 2, 0.75)


# Histories of several runs, for charts.


def test_bulk_history_is_ordered_by_run_then_time(api, experiment):
    runs = sorted(api.run(experiment) for _ in range(3))
    for offset, run in enumerate(runs):
        log(api, run, [(2, 2, offset), (1, 1, offset)])
    points = api.ok("GET", "/ajax-api/2.0/mlflow/metrics/get-history-bulk",
                    params={"run_id": runs, "metric_key": "m"})["metrics"]
    assert [(p["run_id"], p["timestamp"]) for p in points] == [(run, time) for run in runs for time in (1, 2)]


def test_bulk_history_is_for_the_browser_only(api, run):
    assert api.send("GET", "metrics/get-history-bulk", params={"run_id": run, "metric_key": "m"}).status_code == 404


def test_bulk_history_needs_runs(api):
    failure = api.failure("GET", "/ajax-api/2.0/mlflow/metrics/get-history-bulk", params={"metric_key": "m"})
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert failure.message == "GetMetricHistoryBulk request must specify at least one run_id."


@pytest.mark.parametrize("path", ["/ajax-api/2.0/mlflow/metrics/get-history-bulk",
                                  "metrics/get-history-bulk-interval"])
def test_bulk_histories_take_at_most_100_runs(api, path):
    key = "run_id" if path.endswith("bulk") else "run_ids"
    runs = [f"{number:032x}" for number in range(101)]
    failure = api.failure("GET", path, params={key: runs, "metric_key": "m", "max_results": 5})
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")


def sampled(api, runs, **parameters):
    answer = api.get("metrics/get-history-bulk-interval", run_ids=runs, metric_key="m", **parameters)
    return [(p["run_id"], p["step"]) for p in answer.get("metrics", [])]


def test_a_short_history_is_not_sampled(api, run):
    log(api, run, [(step, step, step) for step in range(5)], batch=True)
    assert sampled(api, [run], max_results=10) == [(run, step) for step in range(5)]


def test_a_long_history_is_sampled_by_row_and_keeps_its_ends(api, run):
    log(api, run, [(step, step, step) for step in range(1000)], batch=True)
    found = [step for _, step in sampled(api, [run], max_results=10)]
    # The first row of each of ten buckets of a hundred rows; the very last row takes the place of the tenth.
    assert found == [*range(0, 900, 100), 999]


def test_an_interval_of_steps(api, run):
    log(api, run, [(step, step, step) for step in range(100)], batch=True)
    assert sampled(api, [run], max_results=50, start_step=10, end_step=19) == [(run, s) for s in range(10, 20)]


@pytest.mark.parametrize("parameters, message", [
    ({"start_step": 1}, "If either start step or end step are specified, both must be specified."),
    ({"start_step": 3, "end_step": 1}, "end_step must be greater than start_step. Found start_step=3 and end_step=1."),
    ({"max_results": 0}, "max_results must be between 1 and 2500."),
    ({"max_results": 2501}, "max_results must be between 1 and 2500."),
])
def test_bad_intervals_are_refused(api, run, parameters, message):
    parameters = {"run_ids": run, "metric_key": "m", "max_results": 5} | parameters
    failure = api.failure("GET", "metrics/get-history-bulk-interval", params=parameters)
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert failure.message.startswith(message)


# The official client.


def test_client_logs_and_reads_a_history(client, run):
    for step in range(5):
        client.log_metric(run, "loss", 1 / (step + 1), timestamp=100 + step, step=step)
    points = client.get_metric_history(run, "loss")
    assert [(p.step, p.timestamp, p.value) for p in points] == [(s, 100 + s, 1 / (s + 1)) for s in range(5)]
    assert client.get_run(run).data.metrics == {"loss": 0.2}


def test_client_reads_a_long_history(client, run):
    for start in range(0, 26000, 1000):
        client.log_batch(run, metrics=[Metric("m", i, i, i) for i in range(start, start + 1000)])
    # The client asks for pages of 25,000 points.
    assert [p.step for p in client.get_metric_history(run, "m")] == list(range(26000))


def test_client_nan_and_infinity(client, run):
    client.log_metric(run, "nan", math.nan)
    client.log_metric(run, "inf", math.inf)
    client.log_metric(run, "minus", -math.inf)
    metrics = client.get_run(run).data.metrics
    assert math.isnan(metrics["nan"]) and metrics["inf"] == LARGEST and metrics["minus"] == -LARGEST


def test_client_asynchronous_logging(client, experiment):
    import mlflow

    with mlflow.start_run(experiment_id=experiment) as run:
        operations = [mlflow.log_metric("m", step, step=step, synchronous=False) for step in range(50)]
        for operation in operations:
            operation.wait()
    assert sorted(p.step for p in client.get_metric_history(run.info.run_id, "m")) == list(range(50))


def test_a_run_that_there_is_not_has_no_history(api, client):
    assert api.get("metrics/get-history", run_id="0" * 32, metric_key="m") == {}
    assert client.get_metric_history("0" * 32, "m") == []
    assert api.get("metrics/get-history-bulk-interval", run_ids=["0" * 32], metric_key="m") == {}


def test_a_page_token_is_read_without_max_results_too(api, run):
    api.metric(run, "m", 1)
    answer = api.send("GET", "metrics/get-history", params={"run_id": run, "metric_key": "m", "page_token": "invalid_token"})
    assert answer.status_code == 400
    assert "page token" in answer.json()["message"]


@pytest.mark.parametrize("half", ["dataset_name", "dataset_digest"])
def test_a_dataset_is_named_whole_or_not_at_all(api, run, half):
    answer = api.send("POST", "runs/log-metric", json={"run_id": run, "key": "m", "value": 1, "timestamp": 1, half: "x"})
    assert answer.status_code == 400
    assert answer.json()["message"].startswith("Both dataset_name and dataset_digest must be provided if one is provided")
