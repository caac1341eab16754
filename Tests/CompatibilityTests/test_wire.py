"""The JSON conventions of the wire: presence, spellings, numbers, bodies, content types."""

import json

import pytest

from support.api import unique


def post_raw(api, path, body, content_type="application/json"):
    headers = {"Content-Type": content_type} if content_type else {}
    return api.send("POST", path, data=body, headers=headers)


@pytest.mark.parametrize("prefix", ["/api/2.0/mlflow", "/ajax-api/2.0/mlflow"])
def test_both_prefixes_are_served(api, prefix):
    name = unique()
    made = api.ok("POST", f"{prefix}/experiments/create", {"name": name})
    assert api.ok("GET", f"{prefix}/experiments/get", params=made)["experiment"]["name"] == name


def test_a_server_address_may_end_with_a_slash(api):
    assert api.send("GET", "//health").text == "OK"
    assert api.send("GET", "//api/2.0/mlflow/experiments/get", params={"experiment_id": "0"}).status_code == 200


def test_a_get_without_a_query_may_have_a_body(api):
    answer = api.ok("GET", "experiments/get", {"experiment_id": "0"})
    assert answer["experiment"]["experiment_id"] == "0"
    # A query counts alone.
    failure = api.failure("GET", "experiments/get", {"experiment_id": "0"}, params={"x": "1"})
    assert failure.message.startswith("Missing value for required parameter 'experiment_id'.")


def test_answers_are_json(api):
    response = api.send("GET", "experiments/get", params={"experiment_id": "0"})
    assert response.headers["Content-Type"].split(";")[0] == "application/json"


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
def test_json_content_types(api, content_type):
    if content_type == "Application/JSON":
        # Whether media types compare by case is not promised; being served or refused politely is.
        assert post_raw(api, "experiments/create", json.dumps({"name": unique()}), content_type).status_code in (200, 400)
        return
    assert post_raw(api, "experiments/create", json.dumps({"name": unique()}), content_type).status_code == 200


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "text/html"])
def test_other_content_types_are_refused(api, content_type):
    response = post_raw(api, "experiments/create", json.dumps({"name": unique()}), content_type)
    assert (response.status_code, response.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert response.json()["message"] == "Bad Request. Content-Type must be one of ['application/json']."


def test_a_content_type_is_required(api):
    response = post_raw(api, "experiments/create", json.dumps({"name": unique()}), None)
    assert (response.status_code, response.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert response.json()["message"] == "Bad Request. Content-Type header is missing."


@pytest.mark.parametrize("body", [
    "", "{}", "{", "not json", "null", "{\"name\":", "\x00\x01", "{'name': 'x'}",
    # MLflow answers JSON that is no object with 500.
    *[pytest.param(body, marks=pytest.mark.apus_only) for body in ("[]", "5", "\"text\"")],
])
def test_a_body_that_does_not_parse_counts_as_empty(api, body):
    response = post_raw(api, "experiments/create", body)
    assert (response.status_code, response.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    if body in ("", "{}", "{", "not json", "{\"name\":"):
        assert response.json()["message"].startswith("Missing value for required parameter 'name'.")


def test_a_body_in_a_string_is_decoded_again(api):
    name = unique()
    response = post_raw(api, "experiments/create", json.dumps(json.dumps({"name": name})))
    assert response.status_code == 200
    assert api.get("experiments/get-by-name", experiment_name=name)


def test_unknown_fields_are_ignored(api):
    assert api.post("experiments/create", name=unique(), colour="red", nested={"a": [1]})["experiment_id"]


def test_camel_case_is_understood(api):
    name = unique()
    made = api.post("experiments/create", name=name, artifactLocation=f"mlflow-artifacts:/{name}")
    experiment = api.get("experiments/get", experiment_id=made["experiment_id"])["experiment"]
    assert experiment["artifact_location"] == f"mlflow-artifacts:/{name}"
    run = api.post("runs/create", experimentId=made["experiment_id"], runName="camel", startTime=5)["run"]["info"]
    assert (run["run_name"], run["start_time"]) == ("camel", 5)
    info = api.post("runs/update", run_id=run["run_id"], runName="hump", endTime=9)["run_info"]
    assert (info["run_name"], info["end_time"]) == ("hump", 9)


def test_two_spellings_of_one_field_are_refused(api):
    response = api.send("POST", "experiments/create", json={
        "name": unique(), "artifact_location": "mlflow-artifacts:/a", "artifactLocation": "mlflow-artifacts:/b",
    })
    assert response.status_code == 400


@pytest.mark.parametrize("value", [None])
def test_null_counts_as_absent(api, experiment, value):
    run = api.post("runs/create", experiment_id=experiment, run_name=value, start_time=value, tags=value)["run"]["info"]
    assert run["start_time"] == 0 and run["run_name"]


def test_integers_are_numbers_and_ids_are_strings(api, experiment):
    run = api.post("runs/create", experiment_id=experiment, start_time=1_700_000_000_000)["run"]["info"]
    assert run["start_time"] == 1_700_000_000_000 and isinstance(run["start_time"], int)
    assert isinstance(run["experiment_id"], str)
    version = api.version(api.model(), source="s3://bucket/key")
    assert isinstance(version["version"], str) and isinstance(version["creation_timestamp"], int)


@pytest.mark.parametrize("value", ["12", 12])
def test_an_experiment_id_may_be_a_number_in_the_query(api, value):
    assert api.failure("GET", "experiments/get", params={"experiment_id": "999999999"}).status == 404


def test_empty_lists_are_absent(api, run):
    data = api.read_run(run)["data"]
    assert set(data) == {"tags"}


def test_set_defaults_are_present(api, run):
    api.metric(run, "m", 0, timestamp=0, step=0)
    assert api.read_run(run)["data"]["metrics"] == [{"key": "m", "value": 0.0, "timestamp": 0, "step": 0}]


def test_values_of_metrics_are_written_as_floats(api, run):
    api.metric(run, "m", 1)
    text = api.send("GET", "runs/get", params={"run_id": run}).text
    assert '"value": 1.0' in text or '"value":1.0' in text


def test_nan_is_a_string(api, run):
    api.metric(run, "m", "NaN")
    text = api.send("GET", "runs/get", params={"run_id": run}).text
    assert '"NaN"' in text
    json.loads(text, parse_constant=lambda name: pytest.fail(f"bare {name} in the answer"))


@pytest.mark.parametrize("text", ["\u0000", "🚀", "\\", "\"", "\u2028", "é", "\x7f", "\t"])
def test_any_text_survives(api, experiment, text):
    if text == "\u0000":
        # PostgreSQL cannot store it; refusing is fine, losing what follows is not.
        response = api.send("POST", "runs/create", json={"experiment_id": experiment, "run_name": "a\u0000b"})
        assert response.status_code in (200, 400, 500)
        return
    name = f"a{text}b"
    assert api.read_run(api.run(experiment, run_name=name))["info"]["run_name"] == name


def test_repeated_keys_take_the_last(api):
    name = unique()
    response = post_raw(api, "experiments/create", f'{{"name": "{unique()}", "name": "{name}"}}')
    assert response.status_code in (200, 400)
    if response.status_code == 200:
        assert api.get("experiments/get-by-name", experiment_name=name)


def test_deep_nesting_is_refused_and_survived(api):
    body = '{"name": ' + "[" * 100_000 + "]" * 100_000 + "}"
    assert post_raw(api, "experiments/create", body).status_code in (400, 500)
    assert api.send("GET", "/health").text == "OK"


@pytest.mark.apus_only
@pytest.mark.parametrize("body", [
    '{"name": ' + "[" * 100_000 + "]" * 100_000 + "}",
    '{"name": ' + '{"a":' * 100_000 + "1" + "}" * 100_000 + "}",
    '{"name": 1' + "0" * 100_000 + "}",
    '{"name": "\\ud800"}',
    b'{"name": "\xff\xfe"}',
])
def test_hostile_bodies_are_the_clients_error(api, body):
    assert post_raw(api, "experiments/create", body).status_code == 400


@pytest.mark.parametrize("path, method", [
    ("registered-models/delete-tag", "DELETE"), ("registered-models/alias", "DELETE"),
])
def test_delete_carries_its_arguments_in_the_body(api, path, method):
    name = api.model()
    api.version(name, source="s3://bucket/key")
    api.post("registered-models/set-tag", name=name, key="k", value="v")
    api.post("registered-models/alias", name=name, alias="a", version="1")
    assert api.ok(method, path, {"name": name, "key": "k", "alias": "a"}) == {}


def test_enums_by_name_and_number(api, experiment):
    run = api.run(experiment)
    api.post("runs/delete", run_id=run)
    for view in ("DELETED_ONLY", 2):
        assert api.run_ids(experiment, run_view_type=view) == [run]


def test_repeated_fields_in_the_query(api):
    names = [api.model(), api.model()]
    answer = api.get("registered-models/search", filter=f"name IN ('{names[0]}', '{names[1]}')",
                     order_by=["name DESC", "timestamp"])
    assert [item["name"] for item in answer["registered_models"]] == sorted(names, reverse=True)


@pytest.mark.parametrize("parameters", [{"run_id": "{run}", "run_uuid": "{run}"}])
def test_the_run_may_be_named_twice(api, run, parameters):
    parameters = {key: value.format(run=run) for key, value in parameters.items()}
    assert api.ok("GET", "metrics/get-history", params=parameters | {"metric_key": "m"}) == {}


def test_many_requests_on_one_connection(api, run):
    for step in range(200):
        api.metric(run, "m", step, step=step)
    assert len(api.get("metrics/get-history", run_id=run, metric_key="m")["metrics"]) == 200


def test_errors_have_a_code_and_a_message(api):
    body = api.send("GET", "runs/get", params={"run_id": "0" * 32}).json()
    assert body["error_code"] == "RESOURCE_DOES_NOT_EXIST" and body["message"]


@pytest.mark.parametrize("method, path, body, status, code", [
    ("POST", "experiments/create", {}, 400, "INVALID_PARAMETER_VALUE"),
    ("POST", "experiments/create", {"name": "Default"}, 400, "RESOURCE_ALREADY_EXISTS"),
    ("GET", "experiments/get?experiment_id=999999", None, 404, "RESOURCE_DOES_NOT_EXIST"),
    ("GET", "runs/get?run_id=nobody", None, 404, "RESOURCE_DOES_NOT_EXIST"),
    ("GET", "registered-models/get?name=nobody", None, 404, "RESOURCE_DOES_NOT_EXIST"),
    ("GET", "model-versions/get?name=nobody&version=1", None, 404, "RESOURCE_DOES_NOT_EXIST"),
    ("GET", "logged-models/m-none", None, 404, "RESOURCE_DOES_NOT_EXIST"),
    ("POST", "runs/search", {"experiment_ids": ["0"], "max_results": 0}, 400, "INVALID_PARAMETER_VALUE"),
    ("POST", "/api/2.0/mlflow-artifacts/mpu/create/1/x", {"path": "x", "num_parts": 1}, 501, "NOT_IMPLEMENTED"),
])
def test_table_of_errors(api, method, path, body, status, code):
    failure = api.failure(method, path, body)
    assert (failure.status, failure.code) == (status, code)
