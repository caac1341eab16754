"""Logged models (MLflow 3): life cycle, params and tags, metrics, search."""

import re

import mlflow
import pytest
from mlflow.entities import LoggedModelStatus

from support.api import Api, pairs, unique


def create(api, experiment, **fields):
    return api.post("logged-models", experiment_id=experiment, **fields)["model"]["info"]["model_id"]


def read(api, model_id):
    return api.get(f"logged-models/{model_id}")["model"]


def finalize(api, model_id, status):
    return api.patch(f"logged-models/{model_id}", model_id=model_id, status=status)["model"]["info"]["status"]


def test_a_new_model_has_every_field(api, experiment, run):
    model = api.post("logged-models", experiment_id=experiment, name="net", model_type="Agent", source_run_id=run,
                     params=[{"key": "p", "value": "1"}], tags=[{"key": "t", "value": "v"}])["model"]
    info = model["info"]
    assert re.fullmatch("m-[0-9a-f]{32}", info["model_id"])
    assert info == {
        "model_id": info["model_id"],
        "experiment_id": experiment,
        "name": "net",
        "creation_timestamp_ms": info["creation_timestamp_ms"],
        "last_updated_timestamp_ms": info["creation_timestamp_ms"],
        "artifact_uri": f"mlflow-artifacts:/{experiment}/models/{info['model_id']}/artifacts",
        "status": "LOGGED_MODEL_PENDING",
        "model_type": "Agent",
        "source_run_id": run,
        "tags": [{"key": "t", "value": "v"}],
    }
    assert model["data"] == {"params": [{"key": "p", "value": "1"}]}
    assert read(api, info["model_id"]) == model


def test_absent_fields_get_their_defaults(api, experiment):
    model = read(api, create(api, experiment))
    assert (model["info"]["model_type"], model["info"]["source_run_id"], model["data"]) == ("", "", {})
    assert re.fullmatch("[a-z]+-[a-z]+-[0-9]+", model["info"]["name"])


@pytest.mark.parametrize("name", ["a/b", "a:b", "a.b", "a%b", 'a"b', "a'b"])
def test_some_characters_are_not_for_names(api, experiment, name):
    failure = api.failure("POST", "logged-models", {"experiment_id": experiment, "name": name})
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert failure.message.startswith("Invalid model name (")
    assert "Model name must be a non-empty string and cannot contain the following characters: (" in failure.message


def test_an_experiment_is_required_and_must_be_active(api, experiment):
    failure = api.failure("POST", "logged-models", {})
    assert failure.message.startswith("Missing value for required parameter 'experiment_id'.")
    assert api.failure("POST", "logged-models", {"experiment_id": "987654"}).status == 404
    api.post("experiments/delete", experiment_id=experiment)
    assert api.failure("POST", "logged-models", {"experiment_id": experiment}).status == 400


@pytest.mark.parametrize("status, name", [
    ("LOGGED_MODEL_READY", "LOGGED_MODEL_READY"), (2, "LOGGED_MODEL_READY"),
    ("LOGGED_MODEL_UPLOAD_FAILED", "LOGGED_MODEL_UPLOAD_FAILED"), (3, "LOGGED_MODEL_UPLOAD_FAILED"),
])
def test_finalize(api, experiment, status, name):
    model_id = create(api, experiment)
    assert finalize(api, model_id, status) == name
    assert read(api, model_id)["info"]["status"] == name


def test_an_unknown_model_is_not_found(api):
    failure = api.failure("GET", "logged-models/m-none")
    assert (failure.status, failure.code) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert failure.message == "Logged model with ID 'm-none' not found."


@pytest.mark.parametrize("method, path, body", [
    ("PATCH", "", {"model_id": "m-none", "status": 2}),
    ("DELETE", "", {"model_id": "m-none"}),
    ("PATCH", "/tags", {"model_id": "m-none", "tags": [{"key": "a", "value": "b"}]}),
    ("DELETE", "/tags/a", {"model_id": "m-none"}),
    ("POST", "/params", {"model_id": "m-none", "params": [{"key": "a", "value": "b"}]}),
    ("GET", "/artifacts/directories", None),
])
def test_verbs_on_an_unknown_model_are_not_found(api, method, path, body):
    failure = api.failure(method, f"logged-models/m-none{path}", body)
    assert (failure.status, failure.code) == (404, "RESOURCE_DOES_NOT_EXIST")


def test_tags_are_merged(api, experiment):
    model_id = create(api, experiment, tags=[{"key": "a", "value": "1"}])
    api.patch(f"logged-models/{model_id}/tags", model_id=model_id,
              tags=[{"key": "a", "value": "2"}, {"key": "b", "value": "3"}])
    assert pairs(read(api, model_id)["info"]["tags"]) == {"a": "2", "b": "3"}
    assert api.delete(f"logged-models/{model_id}/tags/a") == {}
    assert pairs(read(api, model_id)["info"]["tags"]) == {"b": "3"}
    failure = api.failure("DELETE", f"logged-models/{model_id}/tags/a")
    assert (failure.status, failure.code) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert failure.message == f"No tag with key 'a' found for model with ID '{model_id}'."


def test_params_are_added(api, experiment):
    model_id = create(api, experiment, params=[{"key": "a", "value": "1"}])
    api.post(f"logged-models/{model_id}/params", model_id=model_id, params=[{"key": "b", "value": "2"}])
    assert pairs(read(api, model_id)["data"]["params"]) == {"a": "1", "b": "2"}


def test_delete_is_soft_and_idempotent(api, experiment):
    model_id = create(api, experiment)
    for _ in range(2):
        assert api.delete(f"logged-models/{model_id}") == {}
    assert api.failure("GET", f"logged-models/{model_id}").status == 404
    assert api.post("logged-models/search", experiment_ids=[experiment]) == {}


def test_a_version_is_written_on_its_model_by_the_client(client, experiment):
    model = client.create_logged_model(experiment, name="net")
    client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
    name = unique("model")
    version = mlflow.register_model(f"models:/{model.model_id}", name)
    tags = client.get_logged_model(model.model_id).tags
    assert tags["mlflow.modelVersions"] == f'[{{"name": "{name}", "version": 1}}]' or name in tags["mlflow.modelVersions"]
    assert version.version == "1" or version.version == 1


def test_files_of_a_model_are_listed(api, experiment):
    model_id = create(api, experiment)
    base = f"/api/2.0/mlflow-artifacts/artifacts/{experiment}/models/{model_id}/artifacts"
    for path in ["MLmodel", "data/weights.bin"]:
        assert api.send("PUT", f"{base}/{path}", data=b"12345").status_code == 200
    answer = api.get(f"logged-models/{model_id}/artifacts/directories")
    assert answer["root_uri"] == f"mlflow-artifacts:/{experiment}/models/{model_id}/artifacts"
    assert answer["files"] == [
        {"path": "MLmodel", "is_dir": False, "file_size": 5}, {"path": "data", "is_dir": True},
    ]
    inner = api.get(f"logged-models/{model_id}/artifacts/directories", artifact_directory_path="data")
    assert [item["path"] for item in inner["files"]] == ["data/weights.bin"]
    file = api.send("GET", f"/ajax-api/2.0/mlflow/logged-models/{model_id}/artifacts/files",
                    params={"artifact_file_path": "MLmodel"})
    assert (file.status_code, file.content) == (200, b"12345")


class Population:
    """Five logged models of one experiment, called by position."""

    def __init__(self, api: Api):
        self.api = api
        self.experiment = api.experiment()
        run = api.run(self.experiment)
        self.run = run
        self.ids = []
        for index, (acc, digest) in enumerate([(0.1, "d1"), (0.9, "d1"), (0.5, "d2"), (None, None), (None, None)]):
            model_id = create(api, self.experiment, name=f"net{index}", model_type="sklearn" if index % 2 else "torch",
                              source_run_id=run, params=[{"key": "depth", "value": str(index)}],
                              tags=[{"key": "team", "value": "ab"[index % 2]}])
            if acc is not None:
                api.post("runs/log-metric", run_id=run, key="acc", value=acc, timestamp=1, step=0, model_id=model_id,
                         dataset_name="digits", dataset_digest=digest)
            self.ids.append(model_id)
        finalize(api, self.ids[0], "LOGGED_MODEL_READY")
        finalize(api, self.ids[1], "LOGGED_MODEL_READY")
        finalize(api, self.ids[2], "LOGGED_MODEL_UPLOAD_FAILED")

    def search(self, **fields):
        answer = self.api.post("logged-models/search", experiment_ids=[self.experiment], **fields)
        return [self.ids.index(model["info"]["model_id"]) for model in answer.get("models", [])]


@pytest.fixture(scope="module")
def population(server) -> Population:
    return Population(Api(server.url))


@pytest.mark.parametrize("filter_string, expected", [
    ("", [0, 1, 2, 3, 4]),
    ("name = 'net1'", [1]),
    ("attributes.name = 'net1'", [1]),
    ("name != 'net1'", [0, 2, 3, 4]),
    ("name LIKE 'net%'", [0, 1, 2, 3, 4]),
    ("name ILIKE 'NET2'", [2]),
    ("name IN ('net0', 'net3')", [0, 3]),
    ("name NOT IN ('net0', 'net3')", [1, 2, 4]),
    ("model_type = 'torch'", [0, 2, 4]),
    ("status = 'READY'", [0, 1]),
    ("status != 'READY'", [2, 3, 4]),
    ("status IN ('READY', 'FAILED')", [0, 1, 2]),
    ("status = 'PENDING'", [3, 4]),
    ("creation_timestamp > 0", [0, 1, 2, 3, 4]),
    ("creation_time < 5", []),
    ("params.depth = '3'", [3]),
    ("params.depth != '3'", [0, 1, 2, 4]),
    ("tags.team = 'b'", [1, 3]),
    ("metrics.acc > 0.2", [1, 2]),
    ("metrics.acc <= 0.5", [0, 2]),
    ("metrics.acc > 0.2 AND tags.team = 'b'", [1]),
])
def test_filters(population, filter_string, expected):
    assert sorted(population.search(filter=filter_string)) == expected


def test_a_metric_filter_restricted_to_a_dataset(population):
    assert population.search(filter="metrics.acc > 0.2", datasets=[{"dataset_name": "digits", "dataset_digest": "d1"}]) == [1]
    assert population.search(filter="metrics.acc > 0.2", datasets=[{"dataset_name": "no", "dataset_digest": "d1"}]) == []


@pytest.mark.parametrize("filter_string, message", [
    ("param.p = '1'", "Invalid entity type: 'param'. Expected one of ['attributes', 'metrics', 'params', 'tags']."),
    ("status = 'X'", "Unknown model status in filter: 'X'"),
    ("status LIKE 'R%'", "Invalid comparison operator for status: LIKE"),
    pytest.param("foo = 'x'", "", marks=pytest.mark.apus_only),
    pytest.param("metrics.a > 'x'", "", marks=pytest.mark.apus_only),
])
def test_bad_filters(population, filter_string, message):
    failure = population.api.failure("POST", "logged-models/search", {
        "experiment_ids": [population.experiment], "filter": filter_string,
    })
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert failure.message.startswith(message)


@pytest.mark.parametrize("order_by, expected", [
    ([], None),
    ([{"field_name": "name"}], [0, 1, 2, 3, 4]),
    ([{"field_name": "name", "ascending": False}], [4, 3, 2, 1, 0]),
    ([{"field_name": "metrics.acc", "ascending": False}], [1, 2, 0]),
    ([{"field_name": "metrics.acc"}], [0, 2, 1]),
])
def test_order(population, order_by, expected):
    found = population.search(order_by=order_by)
    assert sorted(found) == [0, 1, 2, 3, 4]
    if expected is not None:
        assert found[:len(expected)] == expected


def test_an_unknown_order_is_refused(population):
    failure = population.api.failure("POST", "logged-models/search", {
        "experiment_ids": [population.experiment], "order_by": [{"field_name": "foo"}],
    })
    assert (failure.status, failure.message) == (400, "Invalid order by field name: foo")


@pytest.mark.parametrize("size", [1, 2, 4, 5])
def test_pages(population, size):
    found, token = [], None
    for _ in range(10):
        answer = population.api.post("logged-models/search", experiment_ids=[population.experiment], max_results=size,
                                     order_by=[{"field_name": "name"}], **({"page_token": token} if token else {}))
        found += [population.ids.index(model["info"]["model_id"]) for model in answer["models"]]
        token = answer.get("next_page_token")
        if not token:
            break
    assert found == [0, 1, 2, 3, 4]


def test_a_token_belongs_to_its_search(population):
    token = population.api.post("logged-models/search", experiment_ids=[population.experiment],
                                max_results=1)["next_page_token"]
    failure = population.api.failure("POST", "logged-models/search", {
        "experiment_ids": [population.experiment], "max_results": 1, "page_token": token, "filter": "name = 'net1'",
    })
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")


def test_search_needs_experiments(api):
    failure = api.failure("POST", "logged-models/search", {})
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert failure.message.startswith("Missing value for required parameter 'experiment_ids'.")


def test_client_life_of_a_model(client, experiment):
    model = client.create_logged_model(experiment, name="net", params={"p": "1"}, tags={"t": "v"}, model_type="x")
    assert model.status == LoggedModelStatus.PENDING
    assert client.finalize_logged_model(model.model_id, "READY").status == LoggedModelStatus.READY
    client.set_logged_model_tags(model.model_id, {"u": "w"})
    client.delete_logged_model_tag(model.model_id, "t")
    assert client.get_logged_model(model.model_id).tags == {"u": "w"}
    (found,) = client.search_logged_models([experiment], filter_string="params.p = '1'")
    assert found.model_id == model.model_id
    client.delete_logged_model(model.model_id)
    assert list(client.search_logged_models([experiment])) == []


def test_fluent_model_with_metrics(client, experiment):
    with mlflow.start_run(experiment_id=experiment):
        model = mlflow.initialize_logged_model(name="net")
        mlflow.log_metric("acc", 0.5, model_id=model.model_id)
        mlflow.log_model_params({"depth": "4"}, model_id=model.model_id)
        mlflow.finalize_logged_model(model.model_id, "READY")
    found = mlflow.get_logged_model(model.model_id)
    assert {metric.key: metric.value for metric in found.metrics} == {"acc": 0.5}
    assert found.params == {"depth": "4"}
