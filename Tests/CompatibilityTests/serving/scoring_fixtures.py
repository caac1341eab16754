"""Fixtures of the tests of MLflow's, TensorFlow Serving's and SageMaker's protocols."""

import pytest

from serving import scoring


@pytest.fixture(scope="session")
def saved_models(tmp_path_factory):
    """The folder with all models of `scoring.save_all`."""
    folder = tmp_path_factory.mktemp("mlflow-models")
    scoring.save_all(folder)
    return folder


@pytest.fixture(scope="session")
def scoring_server(saved_models, tmp_path_factory):
    """Gives a server by its model's name; each is started once, when it is first asked for."""
    started = {}

    def get(name: str) -> scoring.ScoringServer:
        if name not in started:
            server = scoring.ScoringServer(saved_models / name, tmp_path_factory.mktemp(name))
            started[name] = server.start()
        return started[name]

    yield get
    for server in started.values():
        server.stop()
