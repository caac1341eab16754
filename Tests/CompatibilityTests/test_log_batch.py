"""log-batch: limits, messages, atomicity."""

import pytest
from mlflow.entities import Metric, Param, RunTag

from support.api import pairs

FIELDS = {
    "metrics": lambda index: {"key": f"m{index}", "value": index, "timestamp": 1},
    "params": lambda index: {"key": f"p{index}", "value": str(index)},
    "tags": lambda index: {"key": f"t{index}", "value": str(index)},
}


def batch(run, **counts):
    return {"run_id": run} | {field: [FIELDS[field](i) for i in range(count)] for field, count in counts.items()}


def stored(api, run):
    """Keys by kind, without the run's name."""
    data = api.read_run(run)["data"]
    kinds = {kind: {item["key"] for item in data.get(kind, [])} for kind in FIELDS}
    kinds["tags"].discard("mlflow.runName")
    return kinds


NOTHING = {"metrics": set(), "params": set(), "tags": set()}


def test_all_kinds_at_once(api, run):
    assert api.ok("POST", "runs/log-batch", batch(run, metrics=3, params=2, tags=1)) == {}
    assert stored(api, run) == {"metrics": {"m0", "m1", "m2"}, "params": {"p0", "p1"}, "tags": {"t0"}}


def test_nothing_is_fine(api, run):
    assert api.post("runs/log-batch", run_id=run) == {}
    assert api.post("runs/log-batch", run_id=run, metrics=[], params=[], tags=[]) == {}
    assert stored(api, run) == NOTHING


@pytest.mark.parametrize("counts", [
    {"metrics": 1000}, {"params": 100}, {"tags": 100}, {"metrics": 800, "params": 100, "tags": 100},
])
def test_the_largest_batches(api, run, counts):
    api.ok("POST", "runs/log-batch", batch(run, **counts))
    assert {kind: len(keys) for kind, keys in stored(api, run).items() if keys} == counts


@pytest.mark.parametrize("kind, count, limit", [("metrics", 1001, 1000), ("params", 101, 100), ("tags", 101, 100)])
def test_too_many_of_one_kind(api, run, kind, count, limit):
    failure = api.failure("POST", "runs/log-batch", batch(run, **{kind: count}))
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert failure.message == (
        f"A batch logging request can contain at most {limit} {kind}. Got {count} {kind}. "
        f"Please split up {kind} across multiple requests and try again."
    )
    assert stored(api, run) == NOTHING


def test_too_many_together(api, run):
    failure = api.failure("POST", "runs/log-batch", batch(run, metrics=950, params=60))
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert failure.message == (
        "A batch logging request can contain at most 1000 metrics, params, and tags. Got 1010 metrics, params, and "
        "tags. Please split up metrics, params, and tags across multiple requests and try again."
    )
    assert stored(api, run) == NOTHING


@pytest.mark.parametrize("kind, item, name", [
    ("params", {"value": "1"}, "params[1].key"),
    ("metrics", {"key": "a", "timestamp": 1}, "metrics[1].value"),
    ("metrics", {"key": "a", "value": 1}, "metrics[1].timestamp"),
    ("metrics", {"value": 1, "timestamp": 1}, "metrics[1].key"),
    ("tags", {"value": "1"}, "tags[1].key"),
])
def test_missing_fields_are_named(api, run, kind, item, name):
    failure = api.failure("POST", "runs/log-batch", {"run_id": run, kind: [FIELDS[kind](0), item]})
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert failure.message == (
        f"Missing value for required parameter '{name}'. See the API docs for more information about request parameters."
    )
    assert stored(api, run) == NOTHING


@pytest.mark.parametrize("kind, key, name", [
    ("params", "a;b", "params[1].key"), ("metrics", "a;b", "metrics[1].name"), ("tags", "a;b", "tags[1].key"),
])
def test_bad_keys_are_named(api, run, kind, key, name):
    failure = api.failure("POST", "runs/log-batch", {"run_id": run, kind: [FIELDS[kind](0), FIELDS[kind](1) | {"key": key}]})
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert failure.message.startswith(f"Invalid value \"{key}\" for parameter '{name}' supplied: Names may only contain")
    assert stored(api, run) == NOTHING


@pytest.mark.parametrize("kind, label", [("metrics", "Metric name"), ("params", "Param key"), ("tags", "tags[0].key")])
def test_long_keys_are_refused(api, run, kind, label):
    failure = api.failure("POST", "runs/log-batch", {"run_id": run, kind: [FIELDS[kind](0) | {"key": "k" * 251}]})
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert failure.message == f"'{label}' exceeds the maximum length of 250 characters"


@pytest.mark.parametrize("values", [("1", "1"), ("1", "2")])
def test_duplicate_params_in_one_request(api, run, values):
    failure = api.failure("POST", "runs/log-batch",
                          {"run_id": run, "params": [{"key": "d", "value": value} for value in values]})
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert failure.message.startswith("Duplicate parameter keys have been submitted: ['d']. Please ensure ")
    assert stored(api, run) == NOTHING


def test_a_changed_param_spoils_the_whole_batch(api, run):
    api.post("runs/log-parameter", run_id=run, key="p", value="1")
    failure = api.failure("POST", "runs/log-batch", {
        "run_id": run,
        "params": [{"key": "fresh", "value": "x"}, {"key": "p", "value": "9"}],
        "metrics": [{"key": "m", "value": 1, "timestamp": 1}],
        "tags": [{"key": "t", "value": "1"}],
    })
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert failure.message == (
        "Changing param values is not allowed. Params were already logged="
        f"'[{{'key': 'p', 'old_value': '1', 'new_value': '9'}}]' for run ID='{run}'."
    )
    assert stored(api, run) == {"metrics": set(), "params": {"p"}, "tags": set()}


def test_equal_params_again_are_fine(api, run):
    for _ in range(2):
        api.ok("POST", "runs/log-batch", batch(run, params=3))
    assert len(stored(api, run)["params"]) == 3


def test_the_last_of_repeated_tags_wins(api, run):
    api.post("runs/log-batch", run_id=run, tags=[{"key": "t", "value": value} for value in "abc"])
    assert pairs(api.read_run(run)["data"]["tags"])["t"] == "c"


def test_a_tag_in_a_batch_renames_the_run(api, run):
    api.post("runs/log-batch", run_id=run, tags=[{"key": "mlflow.runName", "value": "renamed"}])
    assert api.read_run(run)["info"]["run_name"] == "renamed"


def test_values_in_a_batch_are_cut(api, run):
    api.post("runs/log-batch", run_id=run, params=[{"key": "p", "value": "v" * 6001}],
             tags=[{"key": "t", "value": "v" * 8001}])
    data = api.read_run(run)["data"]
    assert pairs(data["params"]) == {"p": "v" * 6000} and pairs(data["tags"])["t"] == "v" * 8000


@pytest.mark.parametrize("run_id", ["a/b", "-a", "../x", "a" * 257])
def test_a_run_id_has_a_syntax(api, run_id):
    failure = api.failure("POST", "runs/log-batch", {"run_id": run_id})
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert failure.message.startswith(f"Invalid value \"{run_id}\" for parameter 'run_id' supplied")


def test_a_run_id_is_required(api):
    failure = api.failure("POST", "runs/log-batch", {})
    assert failure.message.startswith("Missing value for required parameter 'run_id'.")


@pytest.mark.parametrize("kind", ["metrics", "params", "tags"])
def test_a_list_is_a_list(api, run, kind):
    failure = api.failure("POST", "runs/log-batch", {"run_id": run, kind: {"key": "a"}})
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert failure.message.startswith(f"Invalid value {{\"key\":\"a\"}} for parameter '{kind}' supplied:  Hint: ")


@pytest.mark.parametrize("timestamp", [-1])
def test_a_bad_point_spoils_the_whole_batch(api, run, timestamp):
    failure = api.failure("POST", "runs/log-batch", batch(run, params=1, tags=1) | {
        "metrics": [FIELDS["metrics"](0), FIELDS["metrics"](1) | {"timestamp": timestamp}],
    })
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert stored(api, run) == NOTHING


def test_metrics_of_a_batch_reach_their_model(api, experiment, run):
    model_id = api.post("logged-models", experiment_id=experiment)["model"]["info"]["model_id"]
    api.post("runs/log-batch", run_id=run, metrics=[
        {"key": "a", "value": 1, "timestamp": 1, "model_id": model_id},
        {"key": "b", "value": 2, "timestamp": 1},
    ])
    metrics = api.get(f"logged-models/{model_id}")["model"]["data"]["metrics"]
    assert [point["key"] for point in metrics] == ["a"]


def test_client_splits_what_is_too_large(client, run):
    import mlflow

    with mlflow.start_run(run_id=run):
        mlflow.log_params({f"p{index}": index for index in range(250)})
        mlflow.log_metrics({f"m{index}": index for index in range(1200)})
    data = client.get_run(run).data
    assert (len(data.params), len(data.metrics)) == (250, 1200)


def test_client_logs_a_batch(client, run):
    client.log_batch(run, [Metric("m", 1.5, 3, 4)], [Param("p", "q")], [RunTag("t", "u")])
    data = client.get_run(run).data
    assert (data.metrics, data.params, data.tags["t"]) == ({"m": 1.5}, {"p": "q"}, "u")
