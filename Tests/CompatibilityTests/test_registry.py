"""The model registry: models, versions, stages, aliases, tags, and where a version may come from."""

import time

import mlflow
import pytest
from mlflow.exceptions import MlflowException

from support.api import pairs, unique


@pytest.fixture
def model(api) -> str:
    """The name of a fresh registered model."""
    return api.model()


def read(api, name):
    return api.get("registered-models/get", name=name)["registered_model"]


def read_version(api, name, version):
    return api.get("model-versions/get", name=name, version=version)["model_version"]


# Registered models.


def test_a_new_model_has_every_field(api):
    name = unique("model")
    made = api.post("registered-models/create", name=name, description="d", tags=[{"key": "a", "value": "b"}])
    assert made["registered_model"] == {
        "name": name,
        "creation_timestamp": made["registered_model"]["creation_timestamp"],
        "last_updated_timestamp": made["registered_model"]["creation_timestamp"],
        "description": "d",
        "tags": [{"key": "a", "value": "b"}],
    }
    assert read(api, name) == made["registered_model"]


def test_a_plain_model_has_no_other_fields(api, model):
    assert set(read(api, model)) == {"name", "creation_timestamp", "last_updated_timestamp"}


def test_a_name_is_unique(api, model):
    failure = api.failure("POST", "registered-models/create", {"name": model})
    assert (failure.status, failure.code) == (400, "RESOURCE_ALREADY_EXISTS")
    assert failure.message == f"Registered Model (name={model}) already exists."


@pytest.mark.parametrize("name, message", [
    ("", "Missing value for required parameter 'name'."),
    (" ", "Missing value for required parameter 'name'."),
    ("a/b", "Invalid model name 'a/b'. Names cannot contain '/' or ':'."),
    ("a:b", "Invalid model name 'a:b'. Names cannot contain '/' or ':'."),
    ("..", "Invalid value \"..\" for parameter 'name' supplied: Names may be treated as files in certain cases"),
])
def test_bad_names(api, name, message):
    failure = api.failure("POST", "registered-models/create", {"name": name})
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert failure.message.startswith(message)


@pytest.mark.parametrize("method, path, fields", [
    ("PATCH", "registered-models/update", {"description": "d"}),
    ("DELETE", "registered-models/delete", {}),
    ("POST", "registered-models/rename", {"new_name": "other-name"}),
    ("POST", "registered-models/set-tag", {"key": "k", "value": "v"}),
    ("DELETE", "registered-models/delete-tag", {"key": "k"}),
    ("DELETE", "registered-models/alias", {"alias": "a"}),
    ("POST", "registered-models/get-latest-versions", {}),
    ("POST", "model-versions/create", {"source": "s3://bucket/key"}),
])
def test_verbs_on_an_unknown_model_are_not_found(api, method, path, fields):
    name = unique("nobody")
    failure = api.failure(method, path, {"name": name, **fields})
    assert (failure.status, failure.code) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert failure.message == f"Registered Model with name={name} not found"


def test_an_unknown_model_is_not_found(api):
    failure = api.failure("GET", "registered-models/get", params={"name": "nobody"})
    assert (failure.status, failure.code) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert failure.message == "Registered Model with name=nobody not found"


def test_a_description_is_updated(api, model):
    before = read(api, model)["last_updated_timestamp"]
    time.sleep(0.005)
    answer = api.patch("registered-models/update", name=model, description="new")["registered_model"]
    assert answer["description"] == "new" and answer["last_updated_timestamp"] > before
    assert read(api, model) == answer


def test_rename_takes_everything_along(api, model):
    api.version(model)
    api.post("registered-models/set-tag", name=model, key="k", value="v")
    api.post("registered-models/alias", name=model, alias="champion", version="1")
    name = unique("renamed")
    answer = api.post("registered-models/rename", name=model, new_name=name)["registered_model"]
    assert answer["name"] == name and answer["latest_versions"][0]["name"] == name
    assert api.failure("GET", "registered-models/get", params={"name": model}).status == 404
    assert pairs(read(api, name)["tags"]) == {"k": "v"}
    assert api.get("registered-models/alias", name=name, alias="champion")["model_version"]["version"] == "1"
    assert read_version(api, name, 1)["name"] == name


def test_a_rename_to_a_taken_or_bad_name_is_refused(api, model):
    failure = api.failure("POST", "registered-models/rename", {"name": model, "new_name": api.model()})
    assert (failure.status, failure.code) == (400, "RESOURCE_ALREADY_EXISTS")
    assert "already exists." in failure.message
    assert api.failure("POST", "registered-models/rename", {"name": model, "new_name": "a/b"}).status == 400
    failure = api.failure("POST", "registered-models/rename", {"name": model})
    assert failure.message.startswith("Missing value for required parameter 'new_name'.")


def test_delete_is_hard_and_numbers_restart(api, model):
    api.version(model)
    api.version(model)
    assert api.delete("registered-models/delete", name=model) == {}
    assert api.failure("GET", "registered-models/get", params={"name": model}).status == 404
    assert api.failure("GET", "model-versions/get", params={"name": model, "version": 1}).status == 404
    api.model(model)
    assert api.version(model)["version"] == "1"


def test_tags_of_a_model(api, model):
    for value in ["1", "2"]:
        assert api.post("registered-models/set-tag", name=model, key="k", value=value) == {}
    assert pairs(read(api, model)["tags"]) == {"k": "2"}
    assert api.delete("registered-models/delete-tag", name=model, key="k") == {}
    assert "tags" not in read(api, model)
    # Unlike a run's, a missing tag is no error.
    assert api.delete("registered-models/delete-tag", name=model, key="k") == {}


@pytest.mark.parametrize("key, value, accepted", [
    ("k" * 250, "v", True), ("k" * 251, "v", False), ("k", "v" * 100_000, True), ("k", "v" * 100_001, False),
    ("a#b", "v", False),
])
def test_limits_of_registry_tags(api, model, key, value, accepted):
    response = api.send("POST", "registered-models/set-tag", json={"name": model, "key": key, "value": value})
    assert response.status_code == (200 if accepted else 400)


# Versions.


def test_a_new_version_has_every_field(api, experiment, model):
    run = api.read_run(api.run(experiment))["info"]
    source = run["artifact_uri"] + "/model"
    version = api.version(model, source=source, run_id=run["run_id"], description="d", run_link="http://x/y",
                          tags=[{"key": "a", "value": "b"}])
    assert version == {
        "name": model,
        "version": "1",
        "creation_timestamp": version["creation_timestamp"],
        "last_updated_timestamp": version["creation_timestamp"],
        "current_stage": "None",
        "description": "d",
        "source": source,
        "run_id": run["run_id"],
        "status": "READY",
        "run_link": "http://x/y",
        "tags": [{"key": "a", "value": "b"}],
    }
    assert read_version(api, model, 1) == version


def test_unset_texts_of_a_version_are_empty(api, model):
    version = api.version(model, source="s3://bucket/key")
    assert (version["description"], version["run_link"], version["run_id"]) == ("", "", "")


def test_numbers_are_not_reused(api, model):
    assert [api.version(model)["version"] for _ in range(3)] == ["1", "2", "3"]
    assert api.delete("model-versions/delete", name=model, version="3") == {}
    assert api.version(model)["version"] == "4"


def test_a_deleted_version_is_gone(api, model):
    api.version(model)
    api.post("registered-models/alias", name=model, alias="champion", version="1")
    api.delete("model-versions/delete", name=model, version="1")
    message = f"Model Version (name={model}, version=1) not found"
    for method, path, fields in [
        ("DELETE", "model-versions/delete", {}),
        ("PATCH", "model-versions/update", {"description": "d"}),
        ("POST", "model-versions/transition-stage", {"stage": "Staging"}),
        ("POST", "model-versions/set-tag", {"key": "k", "value": "v"}),
        ("POST", "registered-models/alias", {"alias": "a"}),
    ]:
        failure = api.failure(method, path, {"name": model, "version": "1", **fields})
        assert (failure.status, failure.code, failure.message) == (404, "RESOURCE_DOES_NOT_EXIST", message)
    for path in ["model-versions/get", "model-versions/get-download-uri"]:
        failure = api.failure("GET", path, params={"name": model, "version": "1"})
        assert (failure.status, failure.message) == (404, message)
    assert "aliases" not in read(api, model) and "latest_versions" not in read(api, model)


@pytest.mark.parametrize("version", ["abc", "1.5", "-", "1a"])
def test_a_version_is_an_integer(api, model, version):
    failure = api.failure("GET", "model-versions/get", params={"name": model, "version": version})
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert failure.message == f"Parameter 'version' must be an integer, got '{version}'."


def test_a_version_description(api, model):
    api.version(model)
    answer = api.patch("model-versions/update", name=model, version="1", description="new")["model_version"]
    assert answer["description"] == "new" and read_version(api, model, 1) == answer


def test_tags_of_a_version(api, model):
    api.version(model)
    api.post("model-versions/set-tag", name=model, version="1", key="k", value="v")
    assert pairs(read_version(api, model, 1)["tags"]) == {"k": "v"}
    for _ in range(2):
        assert api.delete("model-versions/delete-tag", name=model, version="1", key="k") == {}
    assert "tags" not in read_version(api, model, 1)


def test_making_and_deleting_versions_touch_the_model_but_tags_and_aliases_do_not(api, model):
    def touched(act):
        before = read(api, model)["last_updated_timestamp"]
        time.sleep(0.005)
        act()
        return read(api, model)["last_updated_timestamp"] > before

    assert touched(lambda: api.version(model))
    assert not touched(lambda: api.post("registered-models/set-tag", name=model, key="k", value="v"))
    assert not touched(lambda: api.post("registered-models/alias", name=model, alias="a", version="1"))
    assert touched(lambda: api.post("model-versions/transition-stage", name=model, version="1", stage="Staging"))
    assert touched(lambda: api.delete("model-versions/delete", name=model, version="1"))


# Where a version may come from.


@pytest.fixture
def origin(api, experiment):
    """Names for the placeholders below: two runs, a logged model, a registered model with one version."""
    first, second = api.run(experiment), api.run(experiment)
    logged = api.post("logged-models", experiment_id=experiment, source_run_id=first)["model"]["info"]["model_id"]
    registered = api.model()
    api.version(registered, source=f"runs:/{first}/model", run_id=first)
    return {"E": experiment, "R": first, "S": second, "L": logged, "M": registered}


def fill(text, origin):
    return text.format(**origin) if text else text


@pytest.mark.parametrize("source, run_id, model_id, download", [
    ("mlflow-artifacts:/{E}/{R}/artifacts/model", "{R}", None, "mlflow-artifacts:/{E}/{R}/artifacts/model"),
    ("runs:/{R}/model", "{R}", None, "runs:/{R}/model"),
    ("models:/{L}", None, "{L}", "mlflow-artifacts:/{E}/models/{L}/artifacts"),
    ("models:/{M}/1", None, None, None),
    ("s3://bucket/key", None, None, "s3://bucket/key"),
])
def test_sources_that_are_fine(api, model, origin, source, run_id, model_id, download):
    fields = {key: fill(value, origin) for key, value in [("run_id", run_id), ("model_id", model_id)] if value}
    version = api.version(model, source=fill(source, origin), **fields)
    assert (version["source"], version["version"], version["status"]) == (fill(source, origin), "1", "READY")
    uri = api.get("model-versions/get-download-uri", name=model, version="1")["artifact_uri"]
    assert uri and uri == (fill(download, origin) or uri)


def test_a_copied_version_points_to_the_same_files(api, model, origin):
    version = api.version(model, source=f"models:/{origin['M']}/1")
    assert version["run_id"] == origin["R"]
    uris = [api.get("model-versions/get-download-uri", name=name, version="1")["artifact_uri"]
            for name in (origin["M"], model)]
    assert uris[0] == uris[1]


@pytest.mark.parametrize("source, run_id", [
    ("mlflow-artifacts:/{E}/{R}/artifacts/model", None),
    ("mlflow-artifacts:/{E}/{R}/artifacts/model", "{S}"),
    ("runs:/{R}/model", None),
    ("runs:/{R}/model", "{S}"),
])
def test_the_run_must_hold_the_source(api, model, origin, source, run_id):
    source = fill(source, origin)
    failure = api.failure("POST", "model-versions/create", {
        "name": model, "source": source, **({"run_id": fill(run_id, origin)} if run_id else {}),
    })
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert failure.message == (
        f"Invalid model version source: '{source}'. "
        "The run_id request parameter must identify the resource that contains the source."
    )


def test_the_logged_model_must_be_named(api, model, origin):
    failure = api.failure("POST", "model-versions/create", {"name": model, "source": f"models:/{origin['L']}"})
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert failure.message == (
        f"Invalid model version source: 'models:/{origin['L']}'. "
        "The model_id request parameter must identify the resource that contains the source."
    )


def test_a_copy_must_agree_with_its_original(api, model, origin):
    failure = api.failure("POST", "model-versions/create", {
        "name": model, "source": f"models:/{origin['M']}/1", "run_id": origin["S"],
    })
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert failure.message.endswith(
        "The run_id and model_id request parameters must match the referenced model version."
    )


@pytest.mark.parametrize("source", ["models:/{M}/99", "models:/nobody-here/1"])
def test_a_copy_of_nothing_is_not_found(api, model, origin, source):
    failure = api.failure("POST", "model-versions/create", {"name": model, "source": fill(source, origin)})
    assert (failure.status, failure.code) == (404, "RESOURCE_DOES_NOT_EXIST")


@pytest.mark.parametrize("source", [
    "mlflow-artifacts:/{E}/{R}/artifacts/../model", "mlflow-artifacts:/{E}/{R}/artifacts/%2e%2e/model",
    "mlflow-artifacts:/{E}/{R}/artifacts/%25252e%25252e/model", "mlflow-artifacts:/x?/../../etc",
    "mlflow-artifacts:/x#/../../etc", "mlflow-artifacts:/{E}/{R}/artifacts/..%2f..%2fx", "s3://bucket/../key",
    "/etc", "file:///etc", "file://LOCALHOST/etc", "file:\\..\\..\\etc", "//proc/self/root/etc", "./local", "\\\\..\\etc",
    "http://example.com/x", "https://example.com/a/%2e%2e/b", "mlflow-artifacts://other.example/1/x", "dummy-source",
    "file:///etc/../etc", "://etc",
])
@pytest.mark.parametrize("with_run", [False, True])
def test_hostile_sources_are_refused(api, model, origin, source, with_run):
    body = {"name": model, "source": fill(source, origin)} | ({"run_id": origin["R"]} if with_run else {})
    failure = api.failure("POST", "model-versions/create", body)
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert "latest_versions" not in read(api, model)


def test_the_prompt_tag_opens_no_door(api, model):
    failure = api.failure("POST", "model-versions/create", {
        "name": model, "source": "/etc", "tags": [{"key": "mlflow.prompt.is_prompt", "value": "true"}],
    })
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")


def test_a_source_is_required(api, model):
    failure = api.failure("POST", "model-versions/create", {"name": model})
    assert failure.message.startswith("Missing value for required parameter 'source'.")


def test_files_of_a_version_are_downloaded(api, experiment, model):
    run = api.run(experiment)
    api.send("PUT", f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/{run}/artifacts/model/MLmodel", data=b"flavors")
    api.version(model, source=f"mlflow-artifacts:/{experiment}/{run}/artifacts/model", run_id=run)
    response = api.send("GET", "/model-versions/get-artifact", params={"name": model, "version": 1, "path": "MLmodel"})
    assert (response.status_code, response.content) == (200, b"flavors")
    for path, status in [("../x", 400), ("/etc/passwd", 400), ("none", 404)]:
        assert api.failure("GET", "/model-versions/get-artifact",
                           params={"name": model, "version": 1, "path": path}).status == status


# Stages.


def latest(api, model, **fields):
    answer = api.post("registered-models/get-latest-versions", name=model, **fields)
    return {(item["current_stage"], item["version"]) for item in answer.get("model_versions", [])}


@pytest.mark.parametrize("stage, canonical", [
    ("Staging", "Staging"), ("production", "Production"), ("ARCHIVED", "Archived"), ("none", "None"),
])
def test_a_stage_in_any_case(api, model, stage, canonical):
    api.version(model)
    answer = api.post("model-versions/transition-stage", name=model, version="1", stage=stage)["model_version"]
    assert answer["current_stage"] == canonical == read_version(api, model, 1)["current_stage"]


def test_an_unknown_stage_is_refused(api, model):
    api.version(model)
    failure = api.failure("POST", "model-versions/transition-stage", {"name": model, "version": "1", "stage": "nope"})
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert failure.message == (
        "Invalid Model Version stage: nope. Value must be one of None, Staging, Production, Archived."
    )


def test_archiving_the_others(api, model):
    for _ in range(3):
        api.version(model)
    for version in "123":
        api.post("model-versions/transition-stage", name=model, version=version, stage="Production",
                 archive_existing_versions=version == "3")
    assert [read_version(api, model, v)["current_stage"] for v in "123"] == ["Archived", "Archived", "Production"]


def test_archiving_needs_an_active_stage(api, model):
    api.version(model)
    failure = api.failure("POST", "model-versions/transition-stage", {
        "name": model, "version": "1", "stage": "None", "archive_existing_versions": True,
    })
    # MLflow answers 500 here; the message is what counts.
    assert failure.status in (400, 500)
    assert failure.message == (
        "Model version transition cannot archive existing model versions because 'None' is not an Active stage. "
        "Valid stages are ['Staging', 'Production']"
    )


def test_the_latest_version_of_each_stage(api, model):
    for _ in range(5):
        api.version(model)
    for version, stage in [("1", "Production"), ("2", "Staging"), ("3", "Staging")]:
        api.post("model-versions/transition-stage", name=model, version=version, stage=stage)
    assert latest(api, model) == {("Production", "1"), ("Staging", "3"), ("None", "5")}
    assert latest(api, model, stages=["staging"]) == {("Staging", "3")}
    assert latest(api, model, stages=["Archived"]) == set()
    answer = api.get("registered-models/get-latest-versions", name=model, stages=["Production", "None"])
    assert {item["version"] for item in answer["model_versions"]} == {"1", "5"}
    assert {item["version"] for item in read(api, model)["latest_versions"]} == {"1", "3", "5"}
    assert api.failure("POST", "registered-models/get-latest-versions", {"name": model, "stages": ["x"]}).status == 400


# Aliases.


def alias(api, model, name, version="1"):
    return api.post("registered-models/alias", name=model, alias=name, version=version)


def test_an_alias_is_set_moved_and_deleted(api, model):
    api.version(model)
    api.version(model)
    for version in "12":
        assert alias(api, model, "champion", version) == {}
        found = api.get("registered-models/alias", name=model, alias="champion")["model_version"]
        assert (found["version"], found["aliases"]) == (version, ["champion"])
        assert read(api, model)["aliases"] == [{"alias": "champion", "version": version}]
    for _ in range(2):
        assert api.delete("registered-models/alias", name=model, alias="champion") == {}
    assert "aliases" not in read(api, model)


def test_a_version_may_have_several_aliases(api, model):
    api.version(model)
    for name in ["a", "b", "c-1_2"]:
        alias(api, model, name)
    assert sorted(read_version(api, model, 1)["aliases"]) == ["a", "b", "c-1_2"]


def test_an_unknown_alias_is_a_bad_request(api, model):
    failure = api.failure("GET", "registered-models/alias", params={"name": model, "alias": "nope"})
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert failure.message == "Registered model alias nope not found."


@pytest.mark.parametrize("name", ["latest", "LATEST", "Latest"])
def test_latest_is_the_highest_version(api, model, name):
    api.version(model)
    api.version(model)
    assert api.get("registered-models/alias", name=model, alias=name)["model_version"]["version"] == "2"


@pytest.mark.parametrize("name, message", [
    ("latest", "'latest' alias name (case insensitive) is reserved."),
    ("Latest", "'latest' alias name (case insensitive) is reserved."),
    ("v1", "Version alias name 'v1' is reserved."),
    ("V12", "Version alias name 'V12' is reserved."),
    ("a b", "Invalid alias name: 'a b'. Names may only contain alphanumerics, underscores (_), and dashes (-)."),
    ("a.b", "Invalid alias name: 'a.b'. Names may only contain alphanumerics, underscores (_), and dashes (-)."),
    ("@x", "Invalid alias name: '@x'. Names may only contain alphanumerics, underscores (_), and dashes (-)."),
    ("", "Missing value for required parameter 'alias'."),
    ("a" * 256, "Registered model alias name exceeds the maximum length"),
])
def test_bad_aliases(api, model, name, message):
    api.version(model)
    failure = api.failure("POST", "registered-models/alias", {"name": model, "alias": name, "version": "1"})
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    if len(name) < 256:
        assert failure.message.startswith(message)


def test_an_alias_needs_a_version(api, model):
    failure = api.failure("POST", "registered-models/alias", {"name": model, "alias": "a", "version": "9"})
    assert (failure.status, failure.code) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert failure.message == f"Model Version (name={model}, version=9) not found"


# The official client.


def test_client_life_of_a_version(client, experiment):
    name = unique("model")
    client.create_registered_model(name, {"a": "b"}, "description")
    with mlflow.start_run(experiment_id=experiment) as run:
        mlflow.log_text("flavors", "model/MLmodel")
    version = client.create_model_version(name, f"runs:/{run.info.run_id}/model", run.info.run_id, {"t": "u"}, description="d")
    assert (int(version.version), version.status, version.run_id) == (1, "READY", run.info.run_id)
    client.set_registered_model_alias(name, "champion", 1)
    assert int(client.get_model_version_by_alias(name, "champion").version) == 1
    assert client.get_registered_model(name).aliases == {"champion": "1"} or (
        client.get_registered_model(name).aliases == {"champion": 1})
    client.set_model_version_tag(name, 1, "k", "v")
    client.update_model_version(name, 1, "other")
    found = client.get_model_version(name, 1)
    assert (found.description, found.tags, found.aliases) == ("other", {"t": "u", "k": "v"}, ["champion"])
    assert [int(v.version) for v in client.search_model_versions(f"name = '{name}'")] == [1]
    assert [m.name for m in client.search_registered_models(f"name = '{name}'")] == [name]
    client.delete_registered_model_alias(name, "champion")
    client.delete_model_version(name, 1)
    client.delete_registered_model(name)
    with pytest.raises(MlflowException):
        client.get_registered_model(name)


def test_client_rename_and_copy(client, api):
    name, other = unique("model"), unique("copy")
    client.create_registered_model(name)
    api.version(name)
    client.rename_registered_model(name, name + "-2")
    copy = client.copy_model_version(f"models:/{name}-2/1", other)
    assert (copy.name, int(copy.version)) == (other, 1)
    assert client.get_model_version_download_uri(other, 1) == client.get_model_version_download_uri(name + "-2", 1)


def test_client_stages(client, api):
    name = api.model()
    api.version(name)
    client.transition_model_version_stage(name, 1, "Production")
    assert [int(v.version) for v in client.get_latest_versions(name, ["Production"])] == [1]
