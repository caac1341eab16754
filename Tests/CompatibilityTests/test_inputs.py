"""Datasets and models as inputs of runs, models as outputs."""

import mlflow
import numpy
import pandas
import pytest
from mlflow.entities import Dataset, DatasetInput, InputTag

from support.api import pairs


def dataset(name="d", digest="1", **fields):
    return {"name": name, "digest": digest, "source_type": "local", "source": '{"uri": "s"}'} | fields


def logged(api, run):
    return api.read_run(run)["inputs"].get("dataset_inputs", [])


def test_a_run_without_inputs(api, run):
    assert api.read_run(run)["inputs"] == {}


def test_a_dataset_is_stored_whole(api, run):
    item = dataset(schema='{"x": "long"}', profile='{"rows": 3}')
    tags = [{"key": "mlflow.data.context", "value": "train"}]
    assert api.post("runs/log-inputs", run_id=run, datasets=[{"dataset": item, "tags": tags}]) == {}
    assert logged(api, run) == [{"dataset": item, "tags": tags}]


def test_absent_fields_stay_absent(api, run):
    api.post("runs/log-inputs", run_id=run, datasets=[{"dataset": dataset()}])
    assert logged(api, run) == [{"dataset": dataset()}]


def test_the_same_dataset_is_stored_once_with_its_first_tags(api, run):
    for context in ["train", "test"]:
        api.post("runs/log-inputs", run_id=run, datasets=[
            {"dataset": dataset(), "tags": [{"key": "mlflow.data.context", "value": context}]},
        ])
    (item,) = logged(api, run)
    assert pairs(item["tags"]) == {"mlflow.data.context": "train"}


def test_a_dataset_is_shared_by_the_runs_of_an_experiment(api, experiment):
    first, second = api.run(experiment), api.run(experiment)
    api.post("runs/log-inputs", run_id=first, datasets=[{"dataset": dataset(schema="one")}])
    api.post("runs/log-inputs", run_id=second, datasets=[{"dataset": dataset(schema="two")}])
    assert logged(api, second)[0]["dataset"]["schema"] == "one"


def test_name_and_digest_are_the_identity(api, run):
    api.post("runs/log-inputs", run_id=run, datasets=[
        {"dataset": dataset("a", "1")}, {"dataset": dataset("a", "2")}, {"dataset": dataset("b", "1")},
    ])
    assert {(item["dataset"]["name"], item["dataset"]["digest"]) for item in logged(api, run)} == {
        ("a", "1"), ("a", "2"), ("b", "1"),
    }


@pytest.mark.parametrize("field, limit", [("name", 500), ("digest", 36), ("source", 65535)])
def test_limits_of_dataset_fields(api, run, field, limit):
    api.post("runs/log-inputs", run_id=run, datasets=[{"dataset": dataset(**{field: "x" * limit})}])
    failure = api.failure("POST", "runs/log-inputs",
                          {"run_id": run, "datasets": [{"dataset": dataset(**{field: "x" * (limit + 1)})}]})
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize("key, value", [("k" * 256, "v"), ("k", "v" * 501)])
def test_limits_of_input_tags(api, run, key, value):
    failure = api.failure("POST", "runs/log-inputs", {
        "run_id": run, "datasets": [{"dataset": dataset(), "tags": [{"key": key, "value": value}]}],
    })
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")


def test_a_run_id_is_required(api):
    failure = api.failure("POST", "runs/log-inputs", {"datasets": [{"dataset": dataset()}]})
    assert failure.message.startswith("Missing value for required parameter 'run_id'.")


def test_models_as_inputs_and_outputs(api, experiment, run):
    made = [api.post("logged-models", experiment_id=experiment)["model"]["info"]["model_id"] for _ in range(2)]
    api.post("runs/log-inputs", run_id=run, models=[{"model_id": made[0]}])
    api.post("runs/outputs", run_id=run, models=[{"model_id": made[1], "step": 3}])
    read = api.read_run(run)
    assert read["inputs"]["model_inputs"] == [{"model_id": made[0]}]
    assert read["outputs"]["model_outputs"] == [{"model_id": made[1], "step": 3}]


def test_search_answers_the_inputs_too(api, experiment, run):
    api.post("runs/log-inputs", run_id=run, datasets=[{"dataset": dataset()}])
    (found,) = api.post("runs/search", experiment_ids=[experiment])["runs"]
    assert found["inputs"]["dataset_inputs"] == [{"dataset": dataset()}]


def test_dataset_summaries_for_the_browser(api, experiment, run):
    api.post("runs/log-inputs", run_id=run, datasets=[
        {"dataset": dataset(), "tags": [{"key": "mlflow.data.context", "value": "train"}]},
    ])
    answer = api.ok("POST", "/ajax-api/2.0/mlflow/experiments/search-datasets", {"experiment_ids": [experiment]})
    assert answer["dataset_summaries"] == [
        {"experiment_id": experiment, "name": "d", "digest": "1", "context": "train"},
    ]


def test_client_log_inputs(client, run):
    client.log_inputs(run, [DatasetInput(Dataset("n", "9", "local", "s", "sc", "pr"), [InputTag("k", "v")])])
    (item,) = client.get_run(run).inputs.dataset_inputs
    assert (item.dataset.name, item.dataset.digest, item.dataset.schema) == ("n", "9", "sc")
    assert [(tag.key, tag.value) for tag in item.tags] == [("k", "v")]


@pytest.mark.parametrize("make", [
    lambda: mlflow.data.from_pandas(pandas.DataFrame({"x": [1, 2], "y": ["a", "b"]}), name="frame"),
    lambda: mlflow.data.from_numpy(numpy.eye(3), name="array"),
], ids=["pandas", "numpy"])
def test_fluent_log_input(client, experiment, make):
    data = make()
    with mlflow.start_run(experiment_id=experiment) as run:
        mlflow.log_input(data, context="training", tags={"k": "v"})
    (item,) = client.get_run(run.info.run_id).inputs.dataset_inputs
    assert (item.dataset.name, item.dataset.digest) == (data.name, data.digest)
    assert {tag.key: tag.value for tag in item.tags} == {"mlflow.data.context": "training", "k": "v"}
