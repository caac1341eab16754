"""Params are written once; tags are replaced; both share the syntax and the limits of keys."""

import pytest
from mlflow.entities import Param, RunTag
from mlflow.exceptions import MlflowException

from support.api import pairs

SYNTAX = (
    "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.), spaces ( ), colon(:) "
    "and slashes (/)."
)


def params(api, run):
    return pairs(api.read_run(run)["data"].get("params", []))


def tags(api, run):
    return {key: value for key, value in pairs(api.read_run(run)["data"]["tags"]).items() if key != "mlflow.runName"}


def test_a_param_is_stored(api, run):
    assert api.post("runs/log-parameter", run_id=run, key="p", value="1") == {}
    assert params(api, run) == {"p": "1"}


def test_run_uuid_names_the_run_too(api, run):
    api.post("runs/log-parameter", run_uuid=run, key="p", value="1")
    api.post("runs/set-tag", run_uuid=run, key="t", value="2")
    assert params(api, run) == {"p": "1"} and tags(api, run) == {"t": "2"}


def test_the_same_value_again_is_no_error(api, run):
    for _ in range(2):
        api.post("runs/log-parameter", run_id=run, key="p", value="1")
    assert params(api, run) == {"p": "1"}


def test_another_value_is_refused(api, run):
    api.post("runs/log-parameter", run_id=run, key="p", value="1")
    failure = api.failure("POST", "runs/log-parameter", {"run_id": run, "key": "p", "value": "2"})
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert failure.message == (
        "Changing param values is not allowed. Param with key='p' was already logged with value='1' "
        f"for run ID='{run}'. Attempted logging new value '2'."
    )
    assert params(api, run) == {"p": "1"}


def test_empty_values_are_kept(api, run):
    api.post("runs/log-parameter", run_id=run, key="p", value="")
    api.post("runs/set-tag", run_id=run, key="t", value="")
    assert params(api, run) == {"p": ""} and tags(api, run) == {"t": ""}


def test_a_tag_is_replaced(api, run):
    for value in ["one", "two"]:
        assert api.post("runs/set-tag", run_id=run, key="t", value=value) == {}
    assert tags(api, run) == {"t": "two"}


def test_a_tag_is_deleted_once(api, run):
    api.post("runs/set-tag", run_id=run, key="t", value="v")
    assert api.post("runs/delete-tag", run_id=run, key="t") == {}
    assert tags(api, run) == {}
    failure = api.failure("POST", "runs/delete-tag", {"run_id": run, "key": "t"})
    assert (failure.status, failure.code) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert failure.message == f"No tag with name: t in run with id {run}"


@pytest.mark.parametrize("key", ["a.b", "a/b", "a:b", "a b", "a-b_c", "größe", "日本", "A1", "a.b/c.d", "_"])
def test_keys_that_are_fine(api, run, key):
    api.post("runs/log-parameter", run_id=run, key=key, value="1")
    api.post("runs/set-tag", run_id=run, key=key, value="1")
    api.metric(run, key, 1)
    data = api.read_run(run)["data"]
    assert params(api, run) == {key: "1"} and tags(api, run) == {key: "1"} and data["metrics"][0]["key"] == key


@pytest.mark.parametrize("key", ["a#b", "a\\b", "a'b", "a\"b", "a\nb\tc", "a*", "a;b", "a=b", "🚀", "a,b", "a(b)"])
@pytest.mark.parametrize("path, fields", [
    ("runs/log-parameter", {"value": "1"}),
    ("runs/set-tag", {"value": "1"}),
    ("runs/log-metric", {"value": 1, "timestamp": 1}),
])
def test_keys_with_other_characters_are_refused(api, run, path, fields, key):
    failure = api.failure("POST", path, {"run_id": run, "key": key, **fields})
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert SYNTAX in failure.message


@pytest.mark.parametrize("key, resolved", [
    ("../a", "../a"), ("a//b", "a/b"), ("./a", "a"), ("a/", "a"), ("/a", "/a"), (".", "."), ("a/../b", "b"), ("..", ".."),
])
@pytest.mark.parametrize("path, fields", [
    ("runs/log-parameter", {"value": "1"}),
    ("runs/set-tag", {"value": "1"}),
    ("runs/log-metric", {"value": 1, "timestamp": 1}),
])
def test_keys_that_would_be_other_files_are_refused(api, run, path, fields, key, resolved):
    failure = api.failure("POST", path, {"run_id": run, "key": key, **fields})
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert failure.message.endswith(
        "Names may be treated as files in certain cases, and must not resolve to other names when treated as such. "
        f"This name would resolve to '{resolved}'"
    )


@pytest.mark.parametrize("path, fields, label", [
    ("runs/log-parameter", {"value": "1"}, "Param key"),
    ("runs/set-tag", {"value": "1"}, "key"),
    ("runs/log-metric", {"value": 1, "timestamp": 1}, "Metric name"),
])
def test_a_key_has_at_most_250_characters(api, run, path, fields, label):
    api.post(path, run_id=run, key="k" * 250, **fields)
    failure = api.failure("POST", path, {"run_id": run, "key": "k" * 251, **fields})
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert f"'{label}' exceeds the maximum length of 250 characters" in failure.message


@pytest.mark.parametrize("path, fields", [
    ("runs/log-parameter", {"value": "1"}),
    ("runs/set-tag", {"value": "1"}),
    ("runs/log-metric", {"value": 1, "timestamp": 1}),
    ("runs/delete-tag", {}),
])
def test_a_key_is_required(api, run, path, fields):
    failure = api.failure("POST", path, {"run_id": run, **fields})
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert failure.message.startswith("Missing value for required parameter 'key'.")


@pytest.mark.parametrize("path", ["runs/log-parameter", "runs/set-tag", "runs/log-metric"])
def test_a_run_id_is_required(api, path):
    failure = api.failure("POST", path, {"key": "k", "value": "1", "timestamp": 1})
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert failure.message.startswith("Missing value for required parameter 'run_id'.")


def test_a_long_param_value_is_cut(api, run):
    api.post("runs/log-parameter", run_id=run, key="p", value="v" * 6001)
    assert params(api, run) == {"p": "v" * 6000}


def test_values_are_compared_after_the_cut(api, run):
    api.post("runs/log-parameter", run_id=run, key="p", value="v" * 6001)
    api.post("runs/log-parameter", run_id=run, key="p", value="v" * 6000 + "other tail")
    assert params(api, run) == {"p": "v" * 6000}


def test_a_long_tag_value_is_cut(api, run):
    api.post("runs/set-tag", run_id=run, key="t", value="v" * 8001)
    assert tags(api, run) == {"t": "v" * 8000}


def test_the_cut_counts_characters_and_not_bytes(api, run):
    api.post("runs/log-parameter", run_id=run, key="p", value="ü" * 6001)
    assert params(api, run) == {"p": "ü" * 6000}


@pytest.mark.parametrize("value", ["Größe 日本語 🚀", "line\nbreak\ttab", "'single' \"double\" \\ back", "<b>&amp;</b>", " "])
def test_values_may_hold_any_text(api, run, value):
    api.post("runs/log-parameter", run_id=run, key="p", value=value)
    api.post("runs/set-tag", run_id=run, key="t", value=value)
    assert params(api, run) == {"p": value} and tags(api, run) == {"t": value}


def test_client_params_and_tags(client, run):
    client.log_param(run, "p", 12)
    client.set_tag(run, "t", "v")
    client.log_batch(run, params=[Param("q", "r")], tags=[RunTag("u", "w")])
    read = client.get_run(run)
    assert read.data.params == {"p": "12", "q": "r"}
    assert read.data.tags["t"] == "v" and read.data.tags["u"] == "w"
    client.delete_tag(run, "t")
    assert "t" not in client.get_run(run).data.tags


def test_client_explains_a_changed_param(client, run):
    client.log_param(run, "p", 1)
    with pytest.raises(MlflowException, match="Changing param values is not allowed"):
        client.log_param(run, "p", 2)


def test_an_empty_name_leaves_the_run_as_it_is(api, run):
    before = api.read_run(run)
    api.post("runs/set-tag", run_id=run, key="mlflow.runName", value="")
    assert api.read_run(run) == before
