"""Servers whose operator keeps artifacts elsewhere: which hosts and paths clients may name then."""

import pytest

from support.api import Api, unique

POLICY = "addresses a host other than the tracking server's configured artifact storage"


@pytest.fixture(scope="module", params=[
    "sftp://files.example/models", "hdfs://cluster/models", "ftp://files.example:2121/models", "abfss://c@a.example/models",
    "http://files.example/api/2.0/mlflow-artifacts/artifacts", "s3://bucket/models",
])
def remote(request, start_server):
    """A server with that root, and the root."""
    return Api(start_server(["--default-artifact-root", request.param]).url), request.param


def test_locations_follow_the_root(remote):
    api, root = remote
    experiment = api.experiment()
    location = api.get("experiments/get", experiment_id=experiment)["experiment"]["artifact_location"]
    assert location == f"{root}/{experiment}"
    run = api.run(experiment)
    assert api.read_run(run)["info"]["artifact_uri"] == f"{location}/{run}/artifacts"


def test_versions_come_from_below_the_root(remote):
    api, root = remote
    run = api.post("runs/create", experiment_id=api.experiment())["run"]["info"]
    version = api.version(api.model(), source=f"{run['artifact_uri']}/model", run_id=run["run_id"])
    assert version["source"] == f"{run['artifact_uri']}/model"
    api.experiment(artifact_location=f"{root}/elsewhere")


@pytest.mark.parametrize("location", [
    "sftp://evil.example/x", "hdfs://evil/x", "ftp://files.example/x", "abfss://files.example@evil.example/x",
    "http://files.example:81/x", "http://evil.example\\@files.example/x", "mlflow-artifacts://evil.example/x",
])
def test_other_hosts_are_refused(remote, location):
    api, _ = remote
    failure = api.failure("POST", "experiments/create", {"name": unique(), "artifact_location": location})
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert POLICY in failure.message and failure.message.startswith("'artifact_location' cannot use the '")
    failure = api.failure("POST", "model-versions/create", {"name": api.model(), "source": location})
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")


def test_schemes_that_the_operator_allows(start_server):
    server = start_server(environment={"MLFLOW_ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES": "abfss,sftp"})
    api = Api(server.url)
    for scheme in ("abfss", "sftp"):
        location = f"{scheme}://x@files.example/{unique()}"
        assert api.get("experiments/get", experiment_id=api.experiment(artifact_location=location))[
            "experiment"]["artifact_location"] == location
        api.version(api.model(), source=location)
    assert api.failure("POST", "experiments/create", {"name": unique(), "artifact_location": "ftp://f.example/x"}).status == 400


@pytest.fixture(scope="module")
def local(start_server, tmp_path_factory):
    """A server whose clients keep their artifacts on a disk that they share, and a run."""
    api = Api(start_server(["--default-artifact-root", tmp_path_factory.mktemp("shared").as_uri()]).url)
    return api, api.post("runs/create", experiment_id=api.experiment())["run"]["info"]


@pytest.mark.parametrize("tail", ["", "/model", "/.", "/model/..", "/./model", "/a/../b/./c", "//model", "/model/"])
def test_versions_come_from_a_runs_own_folder(local, tail):
    api, run = local
    source = run["artifact_uri"] + tail
    assert api.version(api.model(), source=source, run_id=run["run_id"])["source"] == source
    path = source.removeprefix("file://")
    assert api.version(api.model(), source=path, run_id=run["run_id"])["source"] == path


@pytest.mark.parametrize("tail", ["/..", "/../../x", "/model/../..", "x", "/%2e%2e/x", "/a/%2e%2e/%2e%2e/x", "/..%2fx"])
def test_versions_never_come_from_outside_of_it(local, tail):
    api, run = local
    body = {"name": api.model(), "source": run["artifact_uri"] + tail, "run_id": run["run_id"]}
    failure = api.failure("POST", "model-versions/create", body)
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")


def test_a_foreign_run_opens_no_folder(local):
    api, run = local
    other = api.run(api.experiment())
    body = {"name": api.model(), "source": run["artifact_uri"] + "/model", "run_id": other}
    assert api.failure("POST", "model-versions/create", body).status == 400


@pytest.mark.apus_only
def test_a_server_that_only_keeps_artifacts(start_server):
    api = Api(start_server(["--artifacts-only"]).url)
    path = f"/api/2.0/mlflow-artifacts/artifacts/{unique()}/f.txt"
    assert api.send("PUT", path, data=b"x").status_code == 200
    assert api.send("GET", path).content == b"x"
    # MLflow answers 503, which its client tries again for minutes; apus says at once that it is of no use.
    for method, path in [("POST", "experiments/search"), ("POST", "runs/create"), ("POST", "registered-models/create")]:
        response = api.send(method, path, json={"max_results": 1})
        assert response.status_code in (501, 503) and "--artifacts-only" in response.text
    assert api.send("GET", "/health").status_code == 200
