"""Runs: creation, names, updates, life cycle, and what the client does with them."""

import re
import time

import mlflow
import pytest
from mlflow.entities import ViewType

from support.api import pairs, unique


def test_a_new_run_has_every_field(api, experiment):
    run = api.post("runs/create", experiment_id=experiment, user_id="ada", start_time=1234, run_name="first",
                   tags=[{"key": "k", "value": "v"}])["run"]
    info = run["info"]
    assert re.fullmatch("[0-9a-f]{32}", info["run_id"])
    assert info == {
        "run_id": info["run_id"],
        "run_uuid": info["run_id"],
        "run_name": "first",
        "experiment_id": experiment,
        "user_id": "ada",
        "status": "RUNNING",
        "start_time": 1234,
        "artifact_uri": f"mlflow-artifacts:/{experiment}/{info['run_id']}/artifacts",
        "lifecycle_stage": "active",
    }
    assert pairs(run["data"]["tags"]) == {"k": "v", "mlflow.runName": "first"}
    assert "metrics" not in run["data"] and "params" not in run["data"]
    assert run["inputs"] == {}
    assert "outputs" not in run


def test_a_run_reads_back_as_it_was_made(api, experiment):
    made = api.post("runs/create", experiment_id=experiment, start_time=7, tags=[{"key": "k", "value": "v"}])["run"]
    read = api.read_run(made["info"]["run_id"])
    assert read["info"] == made["info"]
    assert pairs(read["data"]["tags"]) == pairs(made["data"]["tags"])


def test_absent_fields_get_their_defaults(api, experiment):
    info = api.post("runs/create", experiment_id=experiment)["run"]["info"]
    assert info["start_time"] == 0
    assert info["user_id"] == ""
    assert "end_time" not in info


def test_a_name_is_made_up(api, experiment):
    run = api.post("runs/create", experiment_id=experiment)["run"]
    assert re.fullmatch("[a-z]+-[a-z]+-[0-9]{1,4}", run["info"]["run_name"])
    assert len(run["info"]["run_name"]) <= 20
    assert pairs(run["data"]["tags"])["mlflow.runName"] == run["info"]["run_name"]


def test_the_tag_names_the_run(api, experiment):
    run = api.post("runs/create", experiment_id=experiment, tags=[{"key": "mlflow.runName", "value": "by tag"}])["run"]
    assert run["info"]["run_name"] == "by tag"


def test_name_and_tag_may_agree(api, experiment):
    run = api.post("runs/create", experiment_id=experiment, run_name="same",
                   tags=[{"key": "mlflow.runName", "value": "same"}])["run"]
    assert run["info"]["run_name"] == "same"
    assert len(run["data"]["tags"]) == 1


def test_name_and_tag_that_differ_are_refused(api, experiment):
    failure = api.failure("POST", "runs/create", {
        "experiment_id": experiment, "run_name": "a", "tags": [{"key": "mlflow.runName", "value": "b"}],
    })
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert failure.message == (
        "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values "
        "(run_name='a', mlflow.runName='b')."
    )


def test_there_is_no_default_experiment_over_rest(api):
    assert api.failure("POST", "runs/create", {}).status in (400, 404)


def test_an_unknown_experiment_is_not_found(api):
    failure = api.failure("POST", "runs/create", {"experiment_id": "987654"})
    assert (failure.status, failure.code) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert failure.message == "No Experiment with id=987654 exists"


@pytest.mark.parametrize("key", ["run_id", "run_uuid"])
def test_get_takes_both_spellings_of_the_id(api, run, key):
    assert api.get("runs/get", **{key: run})["run"]["info"]["run_id"] == run


def test_get_needs_an_id(api):
    failure = api.failure("GET", "runs/get")
    assert failure.status == 400
    assert failure.message.startswith("Missing value for required parameter 'run_id'.")


def test_an_unknown_run_is_not_found(api):
    failure = api.failure("GET", "runs/get", params={"run_id": "f" * 32})
    assert (failure.status, failure.code) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert failure.message == f"Run with id={'f' * 32} not found"


@pytest.mark.parametrize("path, fields", [
    ("runs/update", {"status": "FINISHED"}),
    ("runs/delete", {}),
    ("runs/restore", {}),
    ("runs/log-metric", {"key": "m", "value": 1, "timestamp": 1}),
    ("runs/log-parameter", {"key": "p", "value": "1"}),
    ("runs/set-tag", {"key": "t", "value": "1"}),
    ("runs/delete-tag", {"key": "t"}),
    ("runs/log-batch", {"metrics": [{"key": "m", "value": 1, "timestamp": 1}]}),
])
def test_verbs_on_an_unknown_run_are_not_found(api, path, fields):
    failure = api.failure("POST", path, {"run_id": "e" * 32, **fields})
    assert (failure.status, failure.code) == (404, "RESOURCE_DOES_NOT_EXIST")
    assert failure.message == f"Run with id={'e' * 32} not found"


@pytest.mark.parametrize("status, number", [
    ("RUNNING", 1), ("SCHEDULED", 2), ("FINISHED", 3), ("FAILED", 4), ("KILLED", 5),
])
def test_a_status_is_set_by_name_or_number(api, run, status, number):
    for value in (status, number):
        assert api.post("runs/update", run_id=run, status=value)["run_info"]["status"] == status
    assert api.read_run(run)["info"]["status"] == status


def test_update_answers_the_whole_info(api, run):
    info = api.post("runs/update", run_id=run, status="FINISHED", end_time=99, run_name="renamed")["run_info"]
    assert info == api.read_run(run)["info"]
    assert (info["status"], info["end_time"], info["run_name"]) == ("FINISHED", 99, "renamed")
    assert pairs(api.read_run(run)["data"]["tags"])["mlflow.runName"] == "renamed"


def test_update_leaves_alone_what_it_does_not_name(api, run):
    api.post("runs/update", run_id=run, status="FAILED", end_time=5)
    info = api.post("runs/update", run_id=run, run_name="other")["run_info"]
    assert (info["status"], info["end_time"]) == ("FAILED", 5)


def test_an_empty_name_is_ignored(api, run):
    name = api.read_run(run)["info"]["run_name"]
    assert api.post("runs/update", run_id=run, run_name="", status="FINISHED")["run_info"]["run_name"] == name


def test_a_finished_run_may_run_again(api, run):
    api.post("runs/update", run_id=run, status="FINISHED", end_time=5)
    assert api.post("runs/update", run_id=run, status="RUNNING")["run_info"]["status"] == "RUNNING"


def test_an_unknown_status_changes_nothing(api, run):
    response = api.send("POST", "runs/update", json={"run_id": run, "status": "NOPE"})
    # MLflow answers 200; saying 400 is better, changing the run would be wrong.
    assert response.status_code in (200, 400)
    assert api.read_run(run)["info"]["status"] == "RUNNING"


def test_set_tag_renames_the_run(api, run):
    api.post("runs/set-tag", run_id=run, key="mlflow.runName", value="by set-tag")
    assert api.read_run(run)["info"]["run_name"] == "by set-tag"


def test_delete_and_restore_are_idempotent(api, run):
    for _ in range(2):
        assert api.post("runs/delete", run_id=run) == {}
        assert api.read_run(run)["info"]["lifecycle_stage"] == "deleted"
    for _ in range(2):
        assert api.post("runs/restore", run_id=run) == {}
        assert api.read_run(run)["info"]["lifecycle_stage"] == "active"


@pytest.mark.parametrize("path, fields", [
    ("runs/update", {"status": "FINISHED"}),
    ("runs/log-metric", {"key": "m", "value": 1, "timestamp": 1}),
    ("runs/log-parameter", {"key": "p", "value": "1"}),
    ("runs/set-tag", {"key": "t", "value": "1"}),
    ("runs/delete-tag", {"key": "t"}),
    ("runs/log-batch", {"params": [{"key": "p", "value": "1"}]}),
    ("runs/log-inputs", {"datasets": [{"dataset": {"name": "d", "digest": "1", "source_type": "local", "source": "s"}}]}),
])
def test_a_deleted_run_takes_no_writes(api, run, path, fields):
    api.post("runs/set-tag", run_id=run, key="t", value="before")
    api.post("runs/delete", run_id=run)
    failure = api.failure("POST", path, {"run_id": run, **fields})
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert failure.message == f"The run {run} must be in the 'active' state. Current state is deleted."
    data = api.read_run(run)["data"]
    assert "metrics" not in data and "params" not in data and pairs(data["tags"])["t"] == "before"


def test_times_may_be_strings_of_digits(api, experiment):
    info = api.post("runs/create", experiment_id=experiment, start_time="1700000000000")["run"]["info"]
    assert info["start_time"] == 1700000000000
    assert api.post("runs/update", run_id=info["run_id"], end_time="1700000000001")["run_info"]["end_time"] == (
        1700000000001
    )


@pytest.mark.parametrize("name", ["Größe 日本語 🚀", "with / slash", "'quoted' \"twice\"", "%"])
def test_a_run_name_may_hold_any_text(api, experiment, name):
    assert api.read_run(api.run(experiment, run_name=name))["info"]["run_name"] == name


# The official client.


def test_client_life_of_a_run(client, experiment):
    run = client.create_run(experiment, start_time=10, tags={"k": "v"}, run_name="n")
    assert (run.info.status, run.info.start_time, run.info.run_name) == ("RUNNING", 10, "n")
    client.set_terminated(run.info.run_id, "FAILED", 20)
    read = client.get_run(run.info.run_id)
    assert (read.info.status, read.info.end_time, read.data.tags["k"]) == ("FAILED", 20, "v")
    client.update_run(run.info.run_id, status="FINISHED", name="m")
    assert client.get_run(run.info.run_id).info.run_name == "m"
    client.delete_run(run.info.run_id)
    assert client.get_run(run.info.run_id).info.lifecycle_stage == "deleted"
    assert [r.info.run_id for r in client.search_runs([experiment], run_view_type=ViewType.DELETED_ONLY)] == [
        run.info.run_id
    ]
    client.restore_run(run.info.run_id)
    assert client.get_run(run.info.run_id).info.lifecycle_stage == "active"


def test_fluent_run(client, experiment):
    before = int(time.time() * 1000)
    with mlflow.start_run(experiment_id=experiment, run_name="fluent", description="words") as run:
        mlflow.log_param("p", 1)
        mlflow.log_params({"q": 0.5, "r": None})
        mlflow.log_metric("m", 0.25, step=3)
        mlflow.log_metrics({"n": 1.0, "o": -1})
        mlflow.set_tag("t", "u")
        mlflow.set_tags({"v": 1, "w": True})
    read = client.get_run(run.info.run_id)
    assert read.info.status == "FINISHED"
    assert before <= read.info.start_time <= read.info.end_time
    assert read.data.params == {"p": "1", "q": "0.5", "r": "None"}
    assert read.data.metrics == {"m": 0.25, "n": 1.0, "o": -1.0}
    assert {key: read.data.tags[key] for key in "tvw"} == {"t": "u", "v": "1", "w": "True"}
    assert read.data.tags["mlflow.note.content"] == "words"


def test_an_exception_fails_the_run(client, experiment):
    with pytest.raises(ZeroDivisionError):
        with mlflow.start_run(experiment_id=experiment) as run:
            1 / 0
    assert client.get_run(run.info.run_id).info.status == "FAILED"


def test_nested_runs(client, experiment):
    with mlflow.start_run(experiment_id=experiment) as parent:
        children = []
        for index in range(3):
            with mlflow.start_run(experiment_id=experiment, nested=True) as child:
                mlflow.log_metric("score", index)
                children.append(child.info.run_id)
    found = client.search_runs(
        [experiment], f"tags.mlflow.parentRunId = '{parent.info.run_id}'", order_by=["metrics.score DESC"]
    )
    assert [run.info.run_id for run in found] == children[::-1]
    assert client.get_parent_run(children[0]).info.run_id == parent.info.run_id


def test_a_run_is_resumed(client, experiment):
    with mlflow.start_run(experiment_id=experiment) as run:
        mlflow.log_metric("m", 1)
    with mlflow.start_run(run_id=run.info.run_id):
        mlflow.log_metric("m", 2, step=1)
    read = client.get_run(run.info.run_id)
    assert (read.info.status, read.data.metrics) == ("FINISHED", {"m": 2.0})


def test_a_frame_of_runs(client, experiment):
    name = unique()
    with mlflow.start_run(experiment_id=experiment, run_name=name):
        mlflow.log_param("p", "x")
        mlflow.log_metric("m", 3)
    frame = mlflow.search_runs(experiment_ids=[experiment])
    assert len(frame) == 1
    assert frame.loc[0, ["params.p", "metrics.m", "tags.mlflow.runName"]].tolist() == ["x", 3.0, name]
