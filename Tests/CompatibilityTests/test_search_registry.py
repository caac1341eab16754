"""Search of registered models and their versions: filter, order, pages, and prompts that stay hidden."""

import time

import pytest

from support.api import Api, unique


class Population:
    """Four models and their versions under one prefix."""

    def __init__(self, api: Api):
        self.api = api
        self.prefix = unique("Pop")
        self.run = api.run(api.experiment())
        self.names = [f"{self.prefix}-{suffix}" for suffix in ["a", "B", "c_1", "prompt"]]
        for index, name in enumerate(self.names):
            tags = [{"key": "team", "value": "xy"[index % 2]}]
            if index == 3:
                tags.append({"key": "mlflow.prompt.is_prompt", "value": "true"})
            api.model(name, tags=tags)
            time.sleep(0.003)
        api.version(self.names[0], source=f"runs:/{self.run}/m", run_id=self.run, tags=[{"key": "q", "value": "good"}])
        time.sleep(0.003)
        api.version(self.names[0], source="s3://bucket/second")
        time.sleep(0.003)
        api.version(self.names[1], source="s3://bucket/third")

    def models(self, clause="", **parameters):
        own = f"name LIKE '{self.prefix}%'" + (f" AND {clause}" if clause else "")
        answer = self.api.get("registered-models/search", **({"filter": own} | parameters))
        return [self.names.index(item["name"]) for item in answer.get("registered_models", [])]

    def versions(self, clause="", **parameters):
        own = f"name LIKE '{self.prefix}%'" + (f" AND {clause}" if clause else "")
        answer = self.api.get("model-versions/search", **({"filter": own} | parameters))
        return [(self.names.index(item["name"]), int(item["version"])) for item in answer.get("model_versions", [])]


@pytest.fixture(scope="module")
def population(server) -> Population:
    return Population(Api(server.url))


@pytest.mark.parametrize("clause, expected", [
    ("", [0, 1, 2]),
    ("name = '{names[1]}'", [1]),
    ("name != '{names[1]}'", [0, 2]),
    ("name ILIKE '%-b'", [1]),
    ("name LIKE '%-b'", []),
    ("name LIKE '%-c__'", [2]),
    ("name IN ('{names[0]}', '{names[2]}')", [0, 2]),
    ("name NOT IN ('{names[0]}', '{names[2]}')", [1]),
    ("tags.team = 'x'", [0, 2]),
    ("tag.team = 'x'", [0, 2]),
    ("tags.team != 'x'", [1]),
    ("tags.team ILIKE 'X'", [0, 2]),
    ("tags.`mlflow.prompt.is_prompt` != 'true'", [0, 1, 2]),
    ("tag.`mlflow.prompt.is_prompt` != 'true'", [0, 1, 2]),
    ("tags.`mlflow.prompt.is_prompt` = 'false'", [0, 1, 2]),
    ("tags.`mlflow.prompt.is_prompt` = 'true'", [3]),
    ("tags.`mlflow.prompt.is_prompt` = 'true' AND tags.team = 'x'", []),
])
def test_model_filters(population, clause, expected):
    assert sorted(population.models(clause.format(names=population.names))) == expected


@pytest.mark.parametrize("clause, message", [
    ("foo = 'x'", "Invalid attribute key 'foo' specified. Valid keys are '{'name'}'"),
    ("name > 'x'", "Invalid comparator for attribute: >"),
    ("name = 5", "Expected a quoted string value or a list of quoted string values for attributes. Got value 5"),
])
def test_bad_model_filters(api, clause, message):
    failure = api.failure("GET", "registered-models/search", params={"filter": clause})
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert failure.message == message


@pytest.mark.parametrize("order_by, expected", [
    ([], [1, 0, 2]), (["name ASC"], [1, 0, 2]), (["name DESC"], [2, 0, 1]),
    (["timestamp ASC"], [2, 0, 1]), (["last_updated_timestamp DESC"], [1, 0, 2]),
])
def test_model_order(population, order_by, expected):
    assert population.models(order_by=order_by) == expected


@pytest.mark.parametrize("order_by, status", [("foo", 400), (["name", "name DESC"], 500)])
def test_bad_model_orders(api, order_by, status):
    failure = api.failure("GET", "registered-models/search", params={"order_by": order_by})
    assert failure.status in (400, status)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_model_pages(population, size):
    found, token = [], None
    for _ in range(6):
        answer = population.api.get("registered-models/search", filter=f"name LIKE '{population.prefix}%'",
                                    max_results=size, **({"page_token": token} if token else {}))
        found += [population.names.index(item["name"]) for item in answer["registered_models"]]
        token = answer.get("next_page_token")
        if not token:
            break
    assert found == [1, 0, 2]


def test_bounds_of_pages(api):
    assert api.failure("GET", "registered-models/search", params={"max_results": 1001}).status == 400
    assert api.failure("GET", "model-versions/search", params={"max_results": 200001}).status == 400
    failure = api.failure("GET", "model-versions/search", params={"max_results": 0})
    assert failure.message.startswith("Invalid value for max_results. It must be a positive integer, but got 0")


@pytest.mark.parametrize("clause, expected", [
    ("", [(0, 1), (0, 2), (1, 1)]),
    ("name = '{names[0]}'", [(0, 1), (0, 2)]),
    ("name IN ('{names[1]}')", [(1, 1)]),
    ("run_id = '{run}'", [(0, 1)]),
    ("run_id IN ('{run}', 'x')", [(0, 1)]),
    ("source_path LIKE 's3%'", [(0, 2), (1, 1)]),
    ("source_path = 's3://bucket/third'", [(1, 1)]),
    ("version_number = 1", [(0, 1), (1, 1)]),
    ("version_number > 1", [(0, 2)]),
    ("version_number != 1", [(0, 2)]),
    ("version_number <= 1 AND name = '{names[0]}'", [(0, 1)]),
    ("tags.q = 'good'", [(0, 1)]),
    ("tags.q ILIKE 'GO%'", [(0, 1)]),
])
def test_version_filters(population, clause, expected):
    assert sorted(population.versions(clause.format(names=population.names, run=population.run))) == expected


@pytest.mark.parametrize("clause, message", [
    ("foo = 'x'", "Invalid attribute key 'foo' specified. Valid keys are '{"),
    ("name > 'x'", "Invalid comparator for attribute: >"),
    ("version_number = 'x'", "Invalid value for numeric attribute 'version_number': 'x'"),
    ("source_path IN ('x')", "Only ['name', 'run_id'] attributes support comparison with a list of quoted string values."),
])
def test_bad_version_filters(api, clause, message):
    failure = api.failure("GET", "model-versions/search", params={"filter": clause})
    assert (failure.status, failure.code) == (400, "INVALID_PARAMETER_VALUE")
    assert failure.message.startswith(message)


@pytest.mark.parametrize("order_by, expected", [
    ([], [(1, 1), (0, 2), (0, 1)]),
    (["name ASC", "version_number ASC"], [(1, 1), (0, 1), (0, 2)]),
    (["version_number DESC", "name ASC"], [(0, 2), (1, 1), (0, 1)]),
    (["creation_timestamp ASC"], [(0, 1), (0, 2), (1, 1)]),
    (["last_updated_timestamp DESC"], [(1, 1), (0, 2), (0, 1)]),
])
def test_version_order(population, order_by, expected):
    assert population.versions(order_by=order_by) == expected


def test_client_plain_listing_hides_prompts(client, population):
    names = [model.name for model in client.search_registered_models(f"name LIKE '{population.prefix}%'")]
    assert names == [population.names[i] for i in (1, 0, 2)]
