"""Fixtures of the compatibility suite.

Environment:
  COMPAT_TARGET     apus (default) or mlflow: the same tests against the real server, which proves them right
  COMPAT_DATABASES  sqlite,postgres (default for apus) or one of them (default for mlflow: sqlite)
  APUS_BINARY       the executable, default .build/release/apus
  APUS_SLOW         1 runs the tests marked `slow` too
"""

import os
import sys

from support.server import Server, quiet_environment, target

# The client reads these when it is imported; a test that fails shall fail at once instead of retrying for minutes.
for key in [key for key in os.environ if key.startswith("MLFLOW_")]:
    del os.environ[key]
os.environ |= {key: value for key, value in quiet_environment().items() if key not in os.environ}
os.environ |= {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "60",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MPLBACKEND": "Agg",
}

import mlflow  # noqa: E402
import pytest  # noqa: E402
from mlflow import MlflowClient  # noqa: E402

from support.api import Api  # noqa: E402
from support.postgres import PostgresCluster  # noqa: E402


def chosen_databases() -> list[str]:
    default = "sqlite,postgres" if target() == "apus" else "sqlite"
    names = os.environ.get("COMPAT_DATABASES", default).split(",")
    unknown = set(names) - {"sqlite", "postgres"}
    if unknown:
        sys.exit(f"COMPAT_DATABASES: unknown {', '.join(sorted(unknown))}")
    return names


def pytest_collection_modifyitems(config, items):
    only_over_one_database(config, items)
    beyond = pytest.mark.skip(reason="a promise of apus that goes beyond MLflow")
    slow = pytest.mark.skip(reason="slow: set APUS_SLOW=1")
    for item in items:
        if item.get_closest_marker("apus_only") and target() != "apus":
            item.add_marker(beyond)
        if item.get_closest_marker("slow") and os.environ.get("APUS_SLOW") != "1":
            item.add_marker(slow)


def only_over_one_database(config, items):
    """What is marked `any_database` is the same over each of them, and runs over the first."""
    first = {}
    again = set()
    for item in items:
        if item.get_closest_marker("any_database") and hasattr(item, "callspec") and "database" in item.callspec.params:
            chosen = first.setdefault(item.path, item.callspec.params["database"])
            if item.callspec.params["database"] != chosen:
                again.add(item)
    if again:
        config.hook.pytest_deselected(items=list(again))
        items[:] = [item for item in items if item not in again]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    from support.parallel import FileScheduling

    return FileScheduling(config, log)


@pytest.fixture(scope="session")
def postgres_cluster():
    """A throwaway PostgreSQL cluster, started when the first test asks for it."""
    with PostgresCluster() as cluster:
        yield cluster


@pytest.fixture(scope="session", params=chosen_databases())
def database(request) -> str:
    """`sqlite` or `postgres`: every test that uses a server runs once for each."""
    return request.param


@pytest.fixture(scope="session")
def servers(request):
    """The shared server on each database, by its name; they start when first asked for, and stay to the end."""
    running = {}

    def on(database: str) -> Server:
        if database not in running:
            url = None
            if database == "postgres":
                # Where many processes test at once, PostgreSQL may take longer than the two seconds a server gives it.
                url = request.getfixturevalue("postgres_cluster").create_database() + "?connect_timeout=60"
            running[database] = Server(database=url).start()
        return running[database]

    yield on
    for server in running.values():
        server.discard()


@pytest.fixture(scope="session")
def server(database, servers):
    """The server that most tests share; they keep apart by names of their own."""
    return servers(database)


@pytest.fixture(scope="module")
def start_server():
    """Starts servers with options of their own, on SQLite; they end with the module."""
    started = []

    def start(arguments=None, environment=None) -> Server:
        running = Server(arguments=arguments, environment=environment)
        started.append(running)
        return running.start()

    yield start
    for running in started:
        running.discard()


@pytest.fixture
def api(server) -> Api:
    return Api(server.url)


@pytest.fixture(autouse=True)
def no_experiment_is_left():
    """set_experiment() lasts for the process, and for its children by a variable; the next test starts without one."""
    yield
    mlflow.tracking.fluent._active_experiment_id = None
    os.environ.pop("MLFLOW_EXPERIMENT_ID", None)


@pytest.fixture
def client(server) -> MlflowClient:
    """The official client, and the fluent interface set to the same server."""
    mlflow.set_tracking_uri(server.url)
    mlflow.set_registry_uri(server.url)
    yield MlflowClient(server.url, server.url)
    while mlflow.active_run():
        mlflow.end_run()
    mlflow.sklearn.autolog(disable=True)


@pytest.fixture
def experiment(api) -> str:
    """The id of a fresh experiment."""
    return api.experiment()


@pytest.fixture
def run(api, experiment) -> str:
    """The id of a fresh run in a fresh experiment."""
    return api.run(experiment)
