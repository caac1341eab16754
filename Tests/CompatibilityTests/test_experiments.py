"""Experiments: creation, names, life cycle, tags. Search has a file of its own."""

import time

import pytest
from mlflow.exceptions import MlflowException, RestException

from support.api import pairs, unique
from support.server import target


def test_the_default_experiment_is_there(api):
    experiment = api.get("experiments/get", experiment_id="0")["experiment"]
    assert experiment["name"] == "Default"
    assert experiment["experiment_id"] == "0"
    assert experiment["lifecycle_stage"] == "active"


def test_a_new_experiment_has_every_field(api):
    before = int(time.time() * 1000)
    name = unique()
    experiment_id = api.experiment(name)
    experiment = api.get("experiments/get", experiment_id=experiment_id)["experiment"]
    assert experiment["name"] == name
    assert experiment["experiment_id"] == experiment_id
    assert experiment["artifact_location"] == f"mlflow-artifacts:/{experiment_id}"
    assert experiment["lifecycle_stage"] == "active"
    assert before <= experiment["creation_time"] <= int(time.time() * 1000)
    assert experiment["last_update_time"] == experiment["creation_time"]
    assert experiment["workspace"] == "default"
    assert "tags" not in experiment


def test_ids_are_increasing_integers_as_strings(api):
    first, second = api.experiment(), api.experiment()
    assert isinstance(first, str)
    assert int(second) > int(first) > 0


def test_a_name_is_unique(api):
    name = unique()
    api.experiment(name)
    failure = api.failure("POST", "experiments/create", {"name": name})
    assert (failure.status, failure.code) == (400, "RESOURCE_ALREADY_EXISTS")
    assert failure.message.startswith(f"Experiment(name={name}) already exists.")


def test_a_deleted_experiment_keeps_its_name(api):
    name = unique()
    api.post("experiments/delete", experiment_id=api.experiment(name))
    failure = api.failure("POST", "experiments/create", {"name": name})
    assert (failure.status, failure.code) == (400, "RESOURCE_ALREADY_EXISTS")


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"artifact_location": "mlflow-artifacts:/x"}])
def test_a_name_is_required(api, body):
    failure = api.failure("POST", "experiments/create", body)
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert failure.message == (
        "Missing value for required parameter 'name'. "
        "See the API docs for more information about request parameters."
    )


@pytest.mark.parametrize("value, type_name", [(5, "int"), (["a"], "list"), ({"a": 1}, "dict"), (True, "bool")])
def test_a_name_is_a_string(api, value, type_name):
    failure = api.failure("POST", "experiments/create", {"name": value})
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert failure.message.startswith("Invalid value ")
    assert f" for parameter 'name' supplied:  Hint: Value was of type '{type_name}'." in failure.message


def test_a_blank_name_is_refused(api):
    assert api.failure("POST", "experiments/create", {"name": "   "}).status == 400


@pytest.mark.parametrize("length, accepted", [(500, True), (501, False)])
def test_a_name_has_at_most_500_characters(api, length, accepted):
    name = unique().ljust(length, "n")
    if accepted:
        assert api.get("experiments/get-by-name", experiment_name=name if api.experiment(name) else "")
    else:
        failure = api.failure("POST", "experiments/create", {"name": name})
        assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize("name", ["Größe 日本語 🚀", "a/b:c.d e", "'quoted' \"twice\"", "new\nline", "%20 & ? #"])
def test_a_name_may_hold_any_text(api, name):
    name = unique() + name
    experiment_id = api.experiment(name)
    assert api.get("experiments/get-by-name", experiment_name=name)["experiment"]["experiment_id"] == experiment_id


def test_tags_are_stored_at_creation(api):
    experiment_id = api.experiment(tags=[{"key": "team", "value": "vision"}, {"key": "empty", "value": ""}])
    tags = pairs(api.get("experiments/get", experiment_id=experiment_id)["experiment"]["tags"])
    assert tags == {"team": "vision", "empty": ""}


def test_an_artifact_location_of_the_proxy_is_kept(api):
    location = f"mlflow-artifacts:/{unique()}/deep"
    experiment_id = api.experiment(artifact_location=location)
    assert api.get("experiments/get", experiment_id=experiment_id)["experiment"]["artifact_location"] == location
    run_id = api.run(experiment_id)
    assert api.read_run(run_id)["info"]["artifact_uri"] == f"{location}/{run_id}/artifacts"


@pytest.mark.parametrize("tail", ["?/../../../etc", "#/../../etc", "?x=%2e%2e/%2e%2e/etc"])
def test_an_artifact_location_that_climbs_in_query_or_fragment_is_refused(api, tail):
    failure = api.failure(
        "POST", "experiments/create", {"name": unique(), "artifact_location": f"mlflow-artifacts:/{tail}"}
    )
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")


def test_get_needs_an_id(api):
    failure = api.failure("GET", "experiments/get")
    assert failure.status == 400
    assert failure.message.startswith("Missing value for required parameter 'experiment_id'.")


def test_an_id_that_is_no_integer_is_refused(api):
    failure = api.failure("GET", "experiments/get", params={"experiment_id": "abc"})
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert failure.message == "Invalid experiment ID 'abc'. Experiment ID must be a valid integer."


@pytest.mark.parametrize("experiment_id", ["999999", "-1"])
def test_an_unknown_id_is_not_found(api, experiment_id):
    failure = api.failure("GET", "experiments/get", params={"experiment_id": experiment_id})
    assert (failure.status, failure.code) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert failure.message == f"No Experiment with id={experiment_id} exists"


def test_an_unknown_name_is_not_found(api):
    failure = api.failure("GET", "experiments/get-by-name", params={"experiment_name": unique("nobody")})
    assert (failure.status, failure.code) == (404, "RESOURCE_DOES_NOT_EXIST")


def test_get_and_get_by_name_answer_deleted_experiments(api):
    name = unique()
    experiment_id = api.experiment(name)
    assert api.post("experiments/delete", experiment_id=experiment_id) == {}
    assert api.get("experiments/get", experiment_id=experiment_id)["experiment"]["lifecycle_stage"] == "deleted"
    assert api.get("experiments/get-by-name", experiment_name=name)["experiment"]["lifecycle_stage"] == "deleted"


def test_delete_marks_the_runs_and_restore_revives_them_all(api, experiment):
    active, deleted_before = api.run(experiment), api.run(experiment)
    api.post("runs/delete", run_id=deleted_before)
    api.post("experiments/delete", experiment_id=experiment)
    assert api.read_run(active)["info"]["lifecycle_stage"] == "deleted"
    api.post("experiments/restore", experiment_id=experiment)
    assert api.read_run(active)["info"]["lifecycle_stage"] == "active"
    # MLflow revives even the runs that had been deleted one by one.
    assert api.read_run(deleted_before)["info"]["lifecycle_stage"] == "active"


def test_only_an_active_experiment_is_deleted_and_only_a_deleted_one_restored(api, experiment):
    assert api.failure("POST", "experiments/restore", {"experiment_id": experiment}).status == 404
    api.post("experiments/delete", experiment_id=experiment)
    failure = api.failure("POST", "experiments/delete", {"experiment_id": experiment})
    assert (failure.status, failure.code) == (404, "RESOURCE_DOES_NOT_EXIST")


@pytest.mark.parametrize("verb", ["delete", "restore", "update", "set-experiment-tag"])
def test_verbs_on_an_unknown_experiment_are_not_found(api, verb):
    body = {"experiment_id": "987654", "new_name": unique(), "key": "k", "value": "v"}
    failure = api.failure("POST", f"experiments/{verb}", body)
    assert (failure.status, failure.code) == (404, "RESOURCE_DOES_NOT_EXIST")


def test_a_deleted_experiment_takes_no_runs_and_no_tags(api, experiment):
    api.post("experiments/delete", experiment_id=experiment)
    message = f"The experiment {experiment} must be in the 'active' state. Current state is deleted."
    for path, body in [
        ("runs/create", {"experiment_id": experiment}),
        ("experiments/set-experiment-tag", {"experiment_id": experiment, "key": "k", "value": "v"}),
    ]:
        failure = api.failure("POST", path, body)
        assert (failure.status, failure.code, failure.message) == (400, "INVALID_PARAMETER_VALUE", message)


def test_rename(api, experiment):
    before = api.get("experiments/get", experiment_id=experiment)["experiment"]
    name = unique("renamed")
    time.sleep(0.005)
    assert api.post("experiments/update", experiment_id=experiment, new_name=name) == {}
    after = api.get("experiments/get", experiment_id=experiment)["experiment"]
    assert after["name"] == name
    assert after["last_update_time"] > before["last_update_time"]
    assert after["creation_time"] == before["creation_time"]


def test_a_rename_to_a_taken_name_is_refused(api, experiment):
    name = unique()
    api.experiment(name)
    failure = api.failure("POST", "experiments/update", {"experiment_id": experiment, "new_name": name})
    # MLflow lets the database's text through, as BAD_REQUEST.
    assert failure.status == 400 and failure.code in ("RESOURCE_ALREADY_EXISTS", "BAD_REQUEST")
    assert target() == "mlflow" or "UPDATE" not in failure.message
    assert api.get("experiments/get", experiment_id=experiment)["experiment"]["name"] != name


def test_a_deleted_experiment_cannot_be_renamed(api, experiment):
    api.post("experiments/delete", experiment_id=experiment)
    failure = api.failure("POST", "experiments/update", {"experiment_id": experiment, "new_name": unique()})
    assert (failure.status, failure.code) == (500, "INVALID_STATE")
    assert failure.message == "Cannot rename a non-active experiment."


def test_a_tag_is_set_replaced_and_deleted(api, experiment):
    for value in ["one", "two"]:
        assert api.post("experiments/set-experiment-tag", experiment_id=experiment, key="k", value=value) == {}
        assert pairs(api.get("experiments/get", experiment_id=experiment)["experiment"]["tags"]) == {"k": value}
    assert api.post("experiments/delete-experiment-tag", experiment_id=experiment, key="k") == {}
    assert "tags" not in api.get("experiments/get", experiment_id=experiment)["experiment"]
    failure = api.failure("POST", "experiments/delete-experiment-tag", {"experiment_id": experiment, "key": "k"})
    assert (failure.status, failure.code) == (404, "RESOURCE_DOES_NOT_EXIST")


def test_tags_do_not_touch_the_update_time(api, experiment):
    before = api.get("experiments/get", experiment_id=experiment)["experiment"]["last_update_time"]
    time.sleep(0.005)
    api.post("experiments/set-experiment-tag", experiment_id=experiment, key="k", value="v")
    assert api.get("experiments/get", experiment_id=experiment)["experiment"]["last_update_time"] == before


@pytest.mark.parametrize("key, value, accepted", [
    ("k" * 250, "v", True), ("k" * 251, "v", False), ("k", "v" * 20000, True), ("k", "v" * 20001, False),
])
def test_limits_of_experiment_tags(api, experiment, key, value, accepted):
    body = {"experiment_id": experiment, "key": key, "value": value}
    response = api.send("POST", "experiments/set-experiment-tag", json=body)
    assert response.status_code == (200 if accepted else 400)
    if not accepted:
        assert response.json()["error_code"] == "INVALID_PARAMETER_VALUE"


# The official client.


def test_client_creates_reads_and_deletes(client):
    name = unique()
    experiment_id = client.create_experiment(name, tags={"a": "b"})
    experiment = client.get_experiment(experiment_id)
    assert (experiment.name, experiment.tags, experiment.lifecycle_stage) == (name, {"a": "b"}, "active")
    client.rename_experiment(experiment_id, name + "-2")
    assert client.get_experiment_by_name(name) is None
    assert client.get_experiment_by_name(name + "-2").experiment_id == experiment_id
    client.delete_experiment(experiment_id)
    assert client.get_experiment(experiment_id).lifecycle_stage == "deleted"
    client.restore_experiment(experiment_id)
    assert client.get_experiment(experiment_id).lifecycle_stage == "active"


def test_client_sets_and_deletes_tags(client, experiment):
    client.set_experiment_tag(experiment, "k", "v")
    assert client.get_experiment(experiment).tags == {"k": "v"}
    client.delete_experiment_tag(experiment, "k")
    assert client.get_experiment(experiment).tags == {}


def test_set_experiment_makes_it_once(client):
    import mlflow

    name = unique()
    first = mlflow.set_experiment(name)
    assert mlflow.set_experiment(name).experiment_id == first.experiment_id


def test_set_experiment_refuses_a_deleted_one(client):
    import mlflow

    name = unique()
    client.delete_experiment(client.create_experiment(name))
    with pytest.raises(MlflowException, match="deleted experiment"):
        mlflow.set_experiment(name)


def test_client_sees_the_error_code(client):
    name = unique()
    client.create_experiment(name)
    with pytest.raises(RestException) as caught:
        client.create_experiment(name)
    assert caught.value.error_code == "RESOURCE_ALREADY_EXISTS"
