"""runs/search: the filter grammar and its messages, order, pages, views."""

import json
from base64 import b64encode

import pytest
from mlflow.entities import ViewType

from support.api import Api, unique

# One experiment of eight runs serves all the read-only tests; a run is called by its position.
RUNS = [
    {"name": "alpha", "start": 100, "end": 900, "status": "FINISHED", "user": "ada",
     "metrics": {"acc": 0.1, "loss": 3.0}, "params": {"model": "Forest", "depth": "3"}, "tags": {"team": "vision"}},
    {"name": "beta", "start": 200, "end": 800, "status": "FAILED", "user": "bob",
     "metrics": {"acc": 0.5, "loss": 2.0}, "params": {"model": "forest", "a.b": "dotted"}, "tags": {"team": "speech"}},
    {"name": "gamma", "start": 300, "status": "RUNNING", "user": "ada",
     "metrics": {"acc": 0.9, "my metric": 7.0}, "params": {"model": "linear_1"}, "tags": {"a b": "odd key"}},
    {"name": "delta", "start": 400, "status": "RUNNING", "user": "eve",
     "metrics": {"acc": "NaN", "neg": -5.0}, "params": {"model": "linear%2"}, "tags": {"team": "Vision"}},
    {"name": "epsilon", "start": 500, "status": "SCHEDULED", "user": "eve",
     "metrics": {"loss": 1.0}, "params": {"path": "a/b"}, "tags": {"empty": ""}},
    {"name": "zeta", "start": 600, "end": 700, "status": "KILLED", "user": "",
     "metrics": {"acc": 0.5, "loss/val": 1e6}, "params": {"model": "it's"}, "tags": {"team": "größe"}},
    {"name": "Alpha 2", "start": 600, "end": 700, "status": "FINISHED", "user": "ada",
     "metrics": {"acc": -0.25}, "params": {"empty": ""}, "tags": {}},
    {"name": "theta", "start": 700, "status": "FINISHED", "user": "zoe", "metrics": {}, "params": {}, "tags": {}},
]


class Population:
    """The experiment of `RUNS` on one server."""

    def __init__(self, api: Api):
        self.api = api
        self.experiment = api.experiment()
        self.ids = []
        for item in RUNS:
            run = api.run(self.experiment, run_name=item["name"], start_time=item["start"], user_id=item["user"],
                          tags=[{"key": k, "value": v} for k, v in item["tags"].items()])
            api.post("runs/log-batch", run_id=run,
                     metrics=[{"key": k, "value": v, "timestamp": 1, "step": 0} for k, v in item["metrics"].items()],
                     params=[{"key": k, "value": v} for k, v in item["params"].items()])
            api.post("runs/update", run_id=run, status=item["status"], **({"end_time": item["end"]} if "end" in item else {}))
            self.ids.append(run)
        api.post("runs/log-inputs", run_id=self.ids[0], datasets=[
            {"dataset": {"name": "digits", "digest": "d1", "source_type": "local", "source": "s"},
             "tags": [{"key": "mlflow.data.context", "value": "train"}]},
        ])
        api.post("runs/log-inputs", run_id=self.ids[1], datasets=[
            {"dataset": {"name": "wine", "digest": "w1", "source_type": "local", "source": "s"},
             "tags": [{"key": "mlflow.data.context", "value": "test"}]},
        ])

    def search(self, filter_string: str | None = None, **fields) -> list[int]:
        """Positions of the runs found, in the order of the answer."""
        if filter_string is not None:
            fields["filter"] = filter_string
        return [self.ids.index(run) for run in self.api.run_ids(self.experiment, **fields)]


@pytest.fixture(scope="module")
def population(server) -> Population:
    return Population(Api(server.url))


@pytest.mark.parametrize("filter_string, expected", [
    ("", range(8)),
    # Metrics: missing ones are never found, NaN only by !=.
    ("metrics.acc > 0.1", [1, 2, 5]),
    ("metrics.acc >= 0.1", [0, 1, 2, 5]),
    ("metrics.acc < 0.5", [0, 6]),
    ("metrics.acc <= 0.5", [0, 1, 5, 6]),
    ("metrics.acc = 0.5", [1, 5]),
    ("metrics.acc != 0.5", [0, 2, 3, 6]),
    ("metric.acc = 0.5", [1, 5]),
    ("metrics.neg < -4.5", [3]),
    ("metrics.neg > -5.5", [3]),
    ("metrics.`loss/val` > 1e5", [5]),
    ("metrics.`my metric` = 7", [2]),
    ("metrics.\"my metric\" = 7", [2]),
    ("metrics.unknown != 1", []),
    # Params and tags: missing ones are not found even by !=.
    ("params.model = 'Forest'", [0]),
    ("params.model != 'Forest'", [1, 2, 3, 5]),
    ("params.model = \"it's\"", [5]),
    ("param.depth = '3'", [0]),
    ("parameters.depth = '3'", [0]),
    ("params.a.b = 'dotted'", [1]),
    ("params.`a.b` = 'dotted'", [1]),
    ("params.\"a.b\" = 'dotted'", [1]),
    ("params.empty = ''", [6]),
    ("params.model LIKE 'F%'", [0]),
    ("params.model LIKE '%orest'", [0, 1]),
    ("params.model ILIKE 'f%'", [0, 1]),
    ("params.model LIKE 'linear__'", [2, 3]),
    ("params.model LIKE 'linear%'", [2, 3]),
    ("params.model like '%near_1'", [2]),
    ("params.model IS NULL", [4, 6, 7]),
    ("params.model IS NOT NULL", [0, 1, 2, 3, 5]),
    ("params.depth is null and params.model is not null", [1, 2, 3, 5]),
    ("tags.team = 'vision'", [0]),
    ("tag.team = 'vision'", [0]),
    ("tags.team != 'vision'", [1, 3, 5]),
    ("tags.team ILIKE 'VISION'", [0, 3]),
    ("tags.team LIKE 'Vision'", [3]),
    ("tags.team = 'größe'", [5]),
    ("tags.`a b` = 'odd key'", [2]),
    ("tags.empty = ''", [4]),
    ("tags.team IS NULL", [2, 4, 6, 7]),
    ("tags.mlflow.runName = 'gamma'", [2]),
    ("tags.`mlflow.runName` = 'gamma'", [2]),
    # Attributes, by all their prefixes and spellings.
    ("status = 'FINISHED'", [0, 6, 7]),
    ("status != 'FINISHED'", [1, 2, 3, 4, 5]),
    ("attribute.status = 'RUNNING'", [2, 3]),
    ("attributes.status = 'RUNNING'", [2, 3]),
    ("attr.status = 'RUNNING'", [2, 3]),
    ("run.status = 'RUNNING'", [2, 3]),
    ("status LIKE 'F%'", [0, 1, 6, 7]),
    ("run_name = 'alpha'", [0]),
    ("run_name LIKE '%pha%'", [0, 6]),
    ("run_name ILIKE 'ALPHA%'", [0, 6]),
    ("attributes.`run name` = 'beta'", [1]),
    ("attributes.`Run name` = 'beta'", [1]),
    ("attributes.`Run Name` = 'beta'", [1]),
    ("user_id = 'ada'", [0, 2, 6]),
    ("user_id != 'ada'", [1, 3, 4, 5, 7]),
    ("start_time > 300", [3, 4, 5, 6, 7]),
    ("start_time <= 300", [0, 1, 2]),
    ("start_time = 600", [5, 6]),
    ("start_time != 600", [0, 1, 2, 3, 4, 7]),
    ("attributes.created < 200", [0]),
    ("end_time >= 800", [0, 1]),
    ("end_time < 750", [5, 6]),
    ("artifact_uri LIKE 'mlflow-artifacts:/%'", range(8)),
    # Datasets.
    ("dataset.name = 'digits'", [0]),
    ("datasets.name = 'digits'", [0]),
    ("dataset.name IN ('digits', 'wine')", [0, 1]),
    ("dataset.digest = 'w1'", [1]),
    ("dataset.digest != 'w1'", [0]),
    ("dataset.context = 'train'", [0]),
    ("dataset.context IN ('train', 'test')", [0, 1]),
    ("dataset.name LIKE 'dig%'", [0]),
    ("dataset.name NOT IN ('digits')", [1]),
    # Several clauses.
    ("metrics.acc > 0.1 AND params.model = 'forest'", [1]),
    ("metrics.acc > 0.1 and metrics.acc < 0.9", [1, 5]),
    ("metrics.acc > 0.1 aNd status = 'KILLED' AND start_time > 1", [5]),
    ("metrics.acc > 0.1\n  AND metrics.loss < 2.5", [1]),
    ("metrics.acc>0.1 AND params.model='forest'", [1]),
    ("run_name = 'alpha' AND run_name = 'beta'", []),
    ("dataset.name = 'digits' AND metrics.acc < 1", [0]),
    ("tags.team = 'vision' AND params.depth = '3' AND metrics.acc = 0.1 AND user_id = 'ada'", [0]),
])
def test_filters(population, filter_string, expected):
    assert sorted(population.search(filter_string)) == list(expected)


def test_run_ids_in_lists(population):
    one, two = population.ids[1], population.ids[4]
    assert sorted(population.search(f"run_id IN ('{one}', '{two}')")) == [1, 4]
    assert sorted(population.search(f"attributes.run_id IN (\"{one}\")")) == [1]
    assert sorted(population.search(f"run_id NOT IN ('{one}', '{two}')")) == [0, 2, 3, 5, 6, 7]
    assert population.search(f"run_id = '{two}'") == [4]
    assert population.search(f"attributes.run_id LIKE '{two[:12]}%'") == [4]
    assert population.search("run_id IN ('nobody')") == []


@pytest.mark.parametrize("filter_string, message", [
    ("foo = 1", "Invalid attribute key 'foo' specified. Valid keys are '{"),
    ("attribute.foo = 'x'", "Invalid attribute key 'foo' specified. Valid keys are '{"),
    ("m.x > 1", "Invalid entity type 'm'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']"),
    ("dataset.foo = 'x'", "Invalid dataset key 'foo' specified. Valid keys are '{"),
    ("metrics.a > '1'", "Expected numeric value type for metric. Found '1'"),
    ("metrics.a > abc", "Expected numeric value type for metric. Found abc"),
    ("params.a = 1", "Expected a quoted string value for parameter (e.g. 'my-value'). Got value 1"),
    ("tags.a = 1", "Expected a quoted string value for tag (e.g. 'my-value'). Got value 1"),
    ("params.a = x", "Parameter value is either not quoted or unidentified quote types used for string value x. "
                     "Use either single or double quotes."),
    ("tags.a > 'b'", "Invalid comparator '>' not one of '{"),
    ("status > 'R'", "Invalid comparator '>' not one of '{"),
    ("params.a == 'x'", "Invalid comparator '==' not one of '{"),
    ("params.a RLIKE 'x'", "Invalid comparator 'RLIKE' not one of '{"),
    ("status IN ('RUNNING')", "Only ['run_id'] attributes support comparison with a list of quoted string values."),
    ("run_id IN ()", "While parsing a list in the query, expected a non-empty list of string values, "
                     "but got empty list"),
    ("run_id IN ('a', 1)", "While parsing a list in the query, expected string value, punctuation, or whitespace, "
                           "but got different type in list: ('a', 1)"),
    ("params.a IN ('d')", "Expected a quoted string value for parameter (e.g. 'my-value'). Got value ('d')"),
    ("start_time > 'x'", "Expected numeric value type for numeric attribute: start_time. Found 'x'"),
    ("metrics.a IS NULL", "IS NULL / IS NOT NULL is only supported for tags and params, not for 'metric' 'a'"),
    ("end_time IS NULL", "IS NULL / IS NOT NULL is only supported for tags and params, not for 'attribute' 'end_time'"),
    ("metrics.a", "Invalid clause(s) in filter string: 'metrics.a'"),
    ("metrics.a >", "Invalid clause(s) in filter string: 'metrics.a', '>'"),
    ("metric.a between 1 and 2", "Invalid clause(s) in filter string: 'metric.a', 'between', '1', '2'"),
    ("params.a = 'x';params.b='y'", "Search filter contained multiple expression \"params.a = 'x';params.b='y'\". "
                                    "Provide AND-ed expression list."),
])
def test_bad_filters(population, filter_string, message):
    failure = population.api.failure("POST", "runs/search", {
        "experiment_ids": [population.experiment], "filter": filter_string,
    })
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert failure.message.startswith(message)


@pytest.mark.parametrize("filter_string", [
    "params.a = 'unclosed", "params.`a = 'x'", "params.a = 'x' AND AND params.b = 'y'", "= 'x'", "params. = 'x'",
    ".a = 'x'", "metrics.acc > 1 2", "\x00", "'" * 5000, "🚀 = 'x'", "params.a = 'x' -- comment'", "/*", "run_id IN (",
    "run_id IN 'a'", "metrics.acc > > 1",
])
def test_hostile_filters_are_a_clients_error_or_found_nothing(population, filter_string):
    response = population.api.send("POST", "runs/search", json={
        "experiment_ids": [population.experiment], "filter": filter_string,
    })
    # MLflow answers a few of these with 500; a client then retries for minutes.
    assert response.status_code in (200, 400, 500)
    assert population.api.send("GET", "/health").text == "OK"


@pytest.mark.apus_only
@pytest.mark.parametrize("filter_string", [
    "params.a = 'unclosed", "params.`a = 'x'", "= 'x'", "metrics.acc > 1 2", "run_id IN (", "run_id IN 'a'",
    "metrics.acc > > 1", "metrics.acc > 1" + " AND metrics.acc > 1" * 20000,
])
def test_hostile_filters_never_look_like_a_servers_error(population, filter_string):
    response = population.api.send("POST", "runs/search", json={
        "experiment_ids": [population.experiment], "filter": filter_string,
    })
    assert response.status_code == 400


@pytest.mark.parametrize("order_by, expected", [
    ([], [7, None, None, 4, 3, 2, 1, 0]),
    (["start_time ASC"], [0, 1, 2, 3, 4, None, None, 7]),
    (["start_time"], [0, 1, 2, 3, 4, None, None, 7]),
    (["attributes.start_time DESC"], [7, None, None, 4, 3, 2, 1, 0]),
    (["attribute.start_time desc"], [7, None, None, 4, 3, 2, 1, 0]),
    (["run_name ASC"], [6, 0, 1, 3, 4, 2, 7, 5]),
    (["attributes.run_name DESC"], [5, 7, 2, 4, 3, 1, 0, 6]),
    # Values, then NaN, then missing, in both directions; ties by start_time DESC.
    (["metrics.acc ASC"], [6, 0, 5, 1, 2, 3, 7, 4]),
    (["metrics.acc DESC"], [2, 5, 1, 0, 6, 3, 7, 4]),
    (["metric.acc DESC"], [2, 5, 1, 0, 6, 3, 7, 4]),
    (["metrics.`my metric` DESC"], [2, 7, None, None, 4, 3, 1, 0]),
    (["metrics.\"my metric\""], [2, 7, None, None, 4, 3, 1, 0]),
    (["params.depth"], [0, 7, None, None, 4, 3, 2, 1]),
    (["tags.empty DESC"], [4, 7, None, None, 3, 2, 1, 0]),
    (["user_id ASC", "metrics.acc DESC"], [5, 2, 0, 6, 1, 3, 4, 7]),
    (["user_id DESC", "start_time ASC"], [7, 3, 4, 1, 0, 2, 6, 5]),
    (["end_time ASC", "run_name"], [6, 5, 1, 0, 7, 4, 3, 2]),
    (["end_time DESC", "run_name"], [0, 1, 6, 5, 7, 4, 3, 2]),
])
def test_order(population, order_by, expected):
    # Runs 5 and 6 started together: where nothing else decides, the smaller run id comes first.
    ties = iter(sorted([5, 6], key=lambda position: population.ids[position]))
    if order_by and order_by[0].startswith("end_time"):
        # Runs without an end come last; among themselves by the second key.
        expected = [*expected[:4], *sorted([2, 3, 4, 7], key=lambda position: RUNS[position]["name"])]
    resolved = [next(ties) if position is None else position for position in expected]
    assert population.search(order_by=order_by) == resolved


def test_params_are_ordered_as_text(api, experiment):
    runs = {value: api.run(experiment) for value in ["10", "9", "a", "B"]}
    for value, run in runs.items():
        api.post("runs/log-parameter", run_id=run, key="p", value=value)
    assert api.run_ids(experiment, order_by=["params.p"]) == [runs[value] for value in ["10", "9", "B", "a"]]


@pytest.mark.parametrize("order_by", [["foo.bar"], ["metrics"], ["metrics.a SIDEWAYS"], ["bogus"], ["start_time ASC DESC"]])
def test_bad_orders(population, order_by):
    failure = population.api.failure("POST", "runs/search", {
        "experiment_ids": [population.experiment], "order_by": order_by,
    })
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9])
@pytest.mark.parametrize("order_by", [[], ["metrics.acc DESC"], ["params.model"]])
def test_pages_hold_every_run_once(population, size, order_by):
    whole = population.search(order_by=order_by)
    found, token, pages = [], None, 0
    while pages < 20:
        answer = population.api.post("runs/search", experiment_ids=[population.experiment], order_by=order_by,
                                     max_results=size, **({"page_token": token} if token else {}))
        found += [population.ids.index(run["info"]["run_id"]) for run in answer["runs"]]
        pages += 1
        token = answer.get("next_page_token")
        if not token:
            break
    assert found == whole
    assert pages == -(-8 // size)


def test_an_empty_token_is_the_first_page(population):
    assert population.search(page_token="", max_results=2) == population.search(max_results=2)


@pytest.mark.parametrize("token, message", [
    ("zzz", "Invalid page token, could not base64-decode"),
    (b64encode(b"not json").decode(), "Invalid page token, decoded value="),
    # MLflow answers this one with 500.
    pytest.param(b64encode(json.dumps([1]).encode()).decode(), "Invalid page token, parsed value=",
                 marks=pytest.mark.apus_only),
    (b64encode(json.dumps({"other": 1}).encode()).decode(), "Invalid page token, parsed value="),
])
def test_bad_tokens(population, token, message):
    failure = population.api.failure("POST", "runs/search", {
        "experiment_ids": [population.experiment], "max_results": 2, "page_token": token,
    })
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert failure.message.startswith(message)


@pytest.mark.parametrize("count, message", [
    (0, "Invalid value 0 for parameter 'max_results' supplied. It must be a positive integer"),
    (-5, "Invalid value -5 for parameter 'max_results' supplied. It must be a positive integer"),
    (50001, "Invalid value 50001 for parameter 'max_results' supplied:"),
])
def test_bounds_of_max_results(population, count, message):
    failure = population.api.failure("POST", "runs/search", {
        "experiment_ids": [population.experiment], "max_results": count,
    })
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert failure.message.startswith(message)


def test_the_largest_page(population):
    assert len(population.search(max_results=50000)) == 8


@pytest.mark.parametrize("body", [{}, {"experiment_ids": []}])
def test_no_experiments_means_no_runs(population, body):
    assert population.api.post("runs/search", **body) == {}


def test_unknown_experiments_have_no_runs(api):
    assert api.post("runs/search", experiment_ids=["987654"]) == {}


def test_several_experiments(api):
    first, second, third = (api.experiment() for _ in range(3))
    runs = [api.run(experiment, start_time=index) for index, experiment in enumerate([first, second, third])]
    answer = api.post("runs/search", experiment_ids=[first, second])
    assert [run["info"]["run_id"] for run in answer["runs"]] == [runs[1], runs[0]]


@pytest.mark.parametrize("view, expected", [
    (None, {"active"}), ("ACTIVE_ONLY", {"active"}), (1, {"active"}), ("DELETED_ONLY", {"deleted"}), (2, {"deleted"}),
    ("ALL", {"active", "deleted"}), (3, {"active", "deleted"}),
])
def test_views(api, experiment, view, expected):
    runs = {"active": api.run(experiment), "deleted": api.run(experiment)}
    api.post("runs/delete", run_id=runs["deleted"])
    found = api.run_ids(experiment, **({} if view is None else {"run_view_type": view}))
    assert set(found) == {runs[name] for name in expected}


def test_a_found_run_is_whole(population):
    (found,) = population.api.post("runs/search", experiment_ids=[population.experiment],
                                   filter="run_name = 'alpha'")["runs"]
    read = population.api.read_run(population.ids[0])

    def sort(run):
        return {kind: sorted(items, key=lambda item: item["key"]) for kind, items in run["data"].items()}

    assert found["info"] == read["info"] and sort(found) == sort(read) and found["inputs"] == read["inputs"]


def test_a_filter_sees_the_latest_value_only(api, experiment, run):
    api.metric(run, "m", 1, timestamp=1, step=1)
    api.metric(run, "m", 5, timestamp=2, step=2)
    assert api.run_ids(experiment, filter="metrics.m = 5") == [run]
    assert api.run_ids(experiment, filter="metrics.m = 1") == []


def test_a_renamed_run_is_found_by_its_new_name(api, experiment, run):
    api.post("runs/update", run_id=run, run_name="fresh")
    assert api.run_ids(experiment, filter="run_name = 'fresh'") == [run]


def test_client_search(client, experiment):
    for index in range(5):
        run = client.create_run(experiment, start_time=index)
        client.log_metric(run.info.run_id, "m", index)
    page = client.search_runs([experiment], "metrics.m >= 1", order_by=["metrics.m DESC"], max_results=3)
    assert [run.data.metrics["m"] for run in page] == [4.0, 3.0, 2.0]
    rest = client.search_runs([experiment], "metrics.m >= 1", order_by=["metrics.m DESC"], max_results=3,
                              page_token=page.token)
    assert [run.data.metrics["m"] for run in rest] == [1.0]
    assert not rest.token


def test_client_view_types(client, experiment, run):
    client.delete_run(run)
    for view, count in [(ViewType.ACTIVE_ONLY, 0), (ViewType.DELETED_ONLY, 1), (ViewType.ALL, 1)]:
        assert len(client.search_runs([experiment], run_view_type=view)) == count


def test_frames_by_experiment_name(client):
    import mlflow

    name = unique()
    mlflow.set_experiment(name)
    for index in range(3):
        with mlflow.start_run():
            mlflow.log_metric("m", index)
    frame = mlflow.search_runs(experiment_names=[name], filter_string="metrics.m > 0", order_by=["metrics.m ASC"])
    assert frame["metrics.m"].tolist() == [1.0, 2.0]
