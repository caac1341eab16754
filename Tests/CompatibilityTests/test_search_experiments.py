"""experiments/search: filter, order, pages, views. Names carry a prefix of the test, since the server is shared."""

import time

import pytest
from mlflow.entities import ViewType

from support.api import Api, unique


class Population:
    """Six experiments, two of them deleted, that begin with one prefix; called by position."""

    def __init__(self, api: Api):
        self.api = api
        self.prefix = unique("pop")
        self.ids = []
        for index, tags in enumerate([{"team": "a"}, {"team": "b"}, {"team": "A", "x y": "1"}, {}, {"team": "a"}, {}]):
            self.ids.append(api.experiment(f"{self.prefix}-{'eE'[index % 2]}{index}",
                                           tags=[{"key": k, "value": v} for k, v in tags.items()]))
            time.sleep(0.002)
        for position in (4, 5):
            api.post("experiments/delete", experiment_id=self.ids[position])

    def search(self, clause: str = "", **fields) -> list[int]:
        """Positions of the population's experiments found, in the order of the answer."""
        own = f"name LIKE '{self.prefix}%'" + (f" AND {clause}" if clause else "")
        answer = self.api.post("experiments/search", **({"max_results": 1000, "filter": own} | fields))
        return [self.ids.index(item["experiment_id"]) for item in answer.get("experiments", [])]


@pytest.fixture(scope="module")
def population(server) -> Population:
    return Population(Api(server.url))


@pytest.mark.parametrize("clause, expected", [
    ("", [0, 1, 2, 3]),
    ("name = '{prefix}-e0'", [0]),
    ("attribute.name = '{prefix}-e0'", [0]),
    ("attributes.name = '{prefix}-e0'", [0]),
    ("name != '{prefix}-e0'", [1, 2, 3]),
    ("name LIKE '%{prefix}-e%'", [0, 2]),
    ("name ILIKE '%-E%'", [0, 1, 2, 3]),
    ("tags.team = 'a'", [0]),
    ("tag.team = 'a'", [0]),
    ("tags.team != 'a'", [1, 2]),
    ("tags.team ILIKE 'A'", [0, 2]),
    ("tags.`x y` = '1'", [2]),
    ("tags.team IS NULL", [3]),
    ("tags.team IS NOT NULL", [0, 1, 2]),
    ("experiment_id = '{id1}'", [1]),
    ("experiment_id IN ('{id1}', '{id3}')", [1, 3]),
    ("experiment_id NOT IN ('{id1}', '{id3}')", [0, 2]),
    ("creation_time > 0", [0, 1, 2, 3]),
    ("creation_time < 1000", []),
    ("last_update_time >= 0 AND tags.team = 'b'", [1]),
])
def test_filters(population, clause, expected):
    clause = clause.replace("{prefix}", population.prefix)
    for position in range(6):
        clause = clause.replace(f"{{id{position}}}", population.ids[position])
    assert sorted(population.search(clause)) == expected


@pytest.mark.parametrize("filter_string", [
    "foo = 'x'", "name > 'x'", "name = 5", "tags.a = 5", "creation_time = 'x'", "bad.name = 'x'", "name", "name = x",
    "name = 'a'; name = 'b'",
])
def test_bad_filters(api, filter_string):
    failure = api.failure("POST", "experiments/search", {"max_results": 5, "filter": filter_string})
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize("order_by, expected", [
    ([], [3, 2, 1, 0]),
    (["creation_time ASC"], [0, 1, 2, 3]),
    (["creation_time DESC"], [3, 2, 1, 0]),
    (["experiment_id"], [0, 1, 2, 3]),
    (["experiment_id DESC"], [3, 2, 1, 0]),
    (["name DESC"], [2, 0, 3, 1]),
    (["name ASC"], [1, 3, 0, 2]),
    (["last_update_time ASC"], [0, 1, 2, 3]),
    (["attributes.creation_time asc"], [0, 1, 2, 3]),
])
def test_order(population, order_by, expected):
    assert population.search(order_by=order_by) == expected


@pytest.mark.parametrize("order_by", [["bogus"], ["name SIDEWAYS"], ["tags.team"]])
def test_bad_orders(api, order_by):
    failure = api.failure("POST", "experiments/search", {"max_results": 5, "order_by": order_by})
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")


@pytest.mark.parametrize("view, expected", [
    (None, [0, 1, 2, 3]), ("ACTIVE_ONLY", [0, 1, 2, 3]), ("DELETED_ONLY", [4, 5]), ("ALL", [0, 1, 2, 3, 4, 5]),
])
def test_views(population, view, expected):
    assert sorted(population.search(**({"view_type": view} if view else {}))) == expected


@pytest.mark.parametrize("size", [1, 3, 4, 5])
def test_pages(population, size):
    found, token = [], None
    for _ in range(10):
        answer = population.api.post("experiments/search", max_results=size,
                                     filter=f"name LIKE '{population.prefix}%'",
                                     **({"page_token": token} if token else {}))
        found += [population.ids.index(item["experiment_id"]) for item in answer["experiments"]]
        token = answer.get("next_page_token")
        if not token:
            break
    assert found == [3, 2, 1, 0]


@pytest.mark.parametrize("body", [{}, {"max_results": 0}, {"max_results": -1}, {"max_results": 50001}])
def test_max_results_is_mandatory_and_bounded(api, body):
    failure = api.failure("POST", "experiments/search", body)
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert "max_results" in failure.message


def test_a_bad_token_is_refused(api):
    failure = api.failure("POST", "experiments/search", {"max_results": 5, "page_token": "zzz"})
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")


def test_the_get_form(population):
    answer = population.api.get("experiments/search", max_results=10, filter=f"name = '{population.prefix}-e0'",
                                order_by=["name ASC"])
    assert [item["experiment_id"] for item in answer["experiments"]] == [population.ids[0]]
    deleted = population.api.get("experiments/search", max_results=10, view_type="DELETED_ONLY",
                                 filter=f"name LIKE '{population.prefix}%'")
    assert {item["experiment_id"] for item in deleted["experiments"]} == set(population.ids[4:])


def test_a_found_experiment_is_whole(population):
    answer = population.api.post("experiments/search", max_results=1, filter=f"name = '{population.prefix}-e2'")
    (found,) = answer["experiments"]
    read = population.api.get("experiments/get", experiment_id=population.ids[2])["experiment"]
    assert sorted(found.pop("tags"), key=str) == sorted(read.pop("tags"), key=str)
    assert found == read


def test_client_search(client, population):
    filter_string = f"name LIKE '{population.prefix}%'"
    page = client.search_experiments(filter_string=filter_string, max_results=3, order_by=["name ASC"])
    rest = client.search_experiments(filter_string=filter_string, max_results=3, order_by=["name ASC"],
                                     page_token=page.token)
    assert [population.ids.index(item.experiment_id) for item in [*page, *rest]] == [1, 3, 0, 2]
    deleted = client.search_experiments(ViewType.DELETED_ONLY, filter_string=filter_string)
    assert {item.experiment_id for item in deleted} == set(population.ids[4:])
