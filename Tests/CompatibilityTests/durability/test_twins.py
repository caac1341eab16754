"""The same random operations against SQLite and PostgreSQL: the same answers, ids and times aside."""

import json
import random
import re

import pytest

from support.api import Api, unique
from support.server import Server, target

CLOCKS = {"creation_time", "last_update_time", "creation_timestamp", "last_updated_timestamp", "creation_timestamp_ms",
          "last_updated_timestamp_ms", "request_id"}
KEYS = ["a", "b", "c d", "e/f", "größe", "", "a#b", "../x"]
VALUES = ["1", "2", "", "x" * 6001, "it's", "ü", "%", "_", "A", "a"]
NUMBERS = [0, 1, -1, 0.5, "NaN", "Infinity", 1e308, -1e-300, True, "2.5", "abc"]
FILTERS = [
    "metrics.a > 0", "metrics.a != 0", "metrics.b <= 0.5", "params.a = '1'", "params.a != '1'", "params.a LIKE '%'",
    "params.a LIKE '_'", "params.`c d` ILIKE 'A'", "tags.a IS NULL", "tags.b IS NOT NULL", "status = 'FINISHED'",
    "run_name LIKE 'r%'", "run_name ILIKE 'R1%'", "start_time > 3", "end_time <= 5", "foo = 1", "metrics.a > 'x'",
    "params.größe = 'ü'", "metrics.a > 0 AND params.a = '1'", "user_id = ''", "",
]
ORDERS = ["metrics.a", "metrics.a DESC", "metrics.b ASC", "params.a", "params.a DESC", "tags.b", "start_time",
          "end_time", "status", "bogus"]


class Side:
    """One server, and the ids it gave to what both made."""

    def __init__(self, server: Server):
        self.api = Api(server.url)
        self.names: dict[str, str] = {}

    def learn(self, token: str, answer: dict) -> None:
        """Remembers the id that an answer gives to the thing called `token`."""
        real = (answer.get("experiment_id") or answer.get("run", {}).get("info", {}).get("run_id")
                or answer.get("model", {}).get("info", {}).get("model_id"))
        if real:
            self.names[token] = real

    def send(self, method: str, path: str, body: dict) -> tuple[int, object]:
        text = json.dumps(body)
        for token, real in self.names.items():
            text = text.replace(token, real)
            path = path.replace(token, real)
        body = json.loads(text)
        response = self.api.send(method, path, **({"params": body} if method == "GET" else {"json": body}))
        try:
            answer = response.json()
        except ValueError:
            answer = response.text
        return response.status_code, answer

    def normal(self, answer: object) -> object:
        """The answer with our names in place of its ids, without times, and with lists of pairs in order."""
        text = json.dumps(answer, sort_keys=True, ensure_ascii=False)
        # Experiment ids are short numbers, and PostgreSQL leaves gaps: they are replaced where messages name them.
        experiments = {real: token for token, real in self.names.items() if real.isdigit()}
        text = re.sub(r"(Experiment with id=|The experiment )(\d+)", lambda m: m[1] + experiments.get(m[2], m[2]), text)
        for token, real in sorted(self.names.items(), key=lambda item: -len(item[1])):
            if len(real) > 20:
                text = text.replace(real, token)
        return self._clean(json.loads(text))

    def _clean(self, value: object) -> object:
        if isinstance(value, dict):
            return {key: self._clean(item) for key, item in value.items()
                    if key not in CLOCKS and key not in ("experiment_id", "artifact_uri", "artifact_location", "source")}
        if isinstance(value, list):
            items = [self._clean(item) for item in value]
            if items and isinstance(items[0], dict) and set(items[0]) & {"key", "alias"} and "timestamp" not in items[0]:
                return sorted(items, key=str)
            if items and isinstance(items[0], dict) and {"key", "timestamp"} <= set(items[0]) and len({i["key"] for i in items}) == len(items):
                return sorted(items, key=str)
            return items
        return value


class Deck:
    """Deals random operations as (method, path, body, token of what is made)."""

    def __init__(self, dice: random.Random):
        self.dice = dice
        self.experiments: list[str] = []
        self.runs: list[str] = []
        self.models: list[str] = []
        self.logged: list[str] = []
        self.made = 0
        self.salt = unique("t")

    def pick(self, pool: list[str], unknown: str) -> str:
        return self.dice.choice(pool) if pool and self.dice.random() > 0.02 else unknown

    def token(self, pool: list[str], kind: str) -> str:
        self.made += 1
        pool.append(f"{kind}-{self.made:08d}-token")
        return pool[-1]

    def deal(self) -> tuple[str, str, dict, str | None]:
        dice = self.dice
        run = self.pick(self.runs, "f" * 32)
        experiment = self.pick(self.experiments, "987654")
        model = self.pick(self.models, "nobody")
        logged = self.pick(self.logged, "m-none")
        key, value = dice.choice(KEYS), dice.choice(VALUES)
        number = {"key": dice.choice(KEYS[:4]), "value": dice.choice(NUMBERS), "timestamp": dice.randint(-1, 5),
                  "step": dice.randint(-2, 5)}
        version = str(dice.randint(0, 4))
        name = f"{self.salt}-{dice.randint(0, 30)}"
        weights = {
            "metric": 14, "batch": 8, "param": 8, "tag": 8, "untag": 2, "update": 6, "search": 14, "get": 6, "history": 6,
            "run": 6, "experiment": 2, "drop": 2, "undrop": 2, "rename": 1, "experiment tag": 2, "model": 3, "version": 4,
            "alias": 4, "unalias": 1, "stage": 3, "model tag": 2, "model search": 3, "version search": 3, "drop version": 1,
            "latest": 2, "logged": 2, "logged status": 1, "logged search": 2, "inputs": 2,
        }
        if len(self.runs) < 3:
            weights = {"experiment": 1, "run": 3, "model": 1}
        kind = dice.choices(list(weights), weights.values())[0]
        match kind:
            case "metric":
                return "POST", "runs/log-metric", {"run_id": run, **number}, None
            case "batch":
                return "POST", "runs/log-batch", {
                    "run_id": run,
                    "metrics": [{"key": dice.choice("abc"), "value": dice.choice(NUMBERS[:8]), "timestamp": dice.randint(0, 3),
                                 "step": dice.randint(0, 3)} for _ in range(dice.randint(0, 6))],
                    "params": [{"key": dice.choice("abcdef"), "value": dice.choice(VALUES[:3])} for _ in range(dice.randint(0, 2))],
                    "tags": [{"key": dice.choice("abc"), "value": dice.choice(VALUES)} for _ in range(dice.randint(0, 2))],
                }, None
            case "param":
                return "POST", "runs/log-parameter", {"run_id": run, "key": key, "value": value}, None
            case "tag":
                return "POST", "runs/set-tag", {"run_id": run, "key": key, "value": value}, None
            case "untag":
                return "POST", "runs/delete-tag", {"run_id": run, "key": dice.choice("abc")}, None
            case "update":
                return "POST", "runs/update", {"run_id": run, "status": dice.choice(["FINISHED", "FAILED", 1]),
                                               "end_time": dice.randint(1, 9)}, None
            case "search":
                return "POST", "runs/search", {
                    "experiment_ids": [experiment], "filter": dice.choice(FILTERS), "max_results": dice.choice([1, 3, 100]),
                    "order_by": [*dice.sample(ORDERS, dice.randint(0, 2)), "attributes.run_name"],
                    "run_view_type": dice.choice(["ACTIVE_ONLY", "ALL", "DELETED_ONLY"]),
                }, None
            case "get":
                return "GET", "runs/get", {"run_id": run}, None
            case "history":
                return "GET", "metrics/get-history", {"run_id": run, "metric_key": dice.choice("abc")}, None
            case "run":
                token = self.token(self.runs, "run")
                return "POST", "runs/create", {"experiment_id": experiment, "run_name": f"{dice.choice('rR')}{self.made}",
                                               "start_time": dice.randint(0, 9)}, token
            case "experiment":
                token = self.token(self.experiments, "exp")
                return "POST", "experiments/create", {"name": name}, token
            case "drop":
                return "POST", dice.choice(["runs/delete", "runs/restore"]), {"run_id": run}, None
            case "undrop":
                return "POST", dice.choice(["experiments/delete", "experiments/restore"]), {"experiment_id": experiment}, None
            case "rename":
                return "POST", "experiments/update", {"experiment_id": experiment, "new_name": name}, None
            case "experiment tag":
                return "POST", "experiments/set-experiment-tag", {"experiment_id": experiment, "key": key, "value": value}, None
            case "model":
                if name not in self.models:
                    self.models.append(name)
                return "POST", "registered-models/create", {"name": name, "description": value}, None
            case "version":
                return "POST", "model-versions/create", {"name": model, "source": f"runs:/{run}/m", "run_id": run}, None
            case "alias":
                return "POST", "registered-models/alias", {"name": model, "alias": dice.choice(["x", "y", "latest"]),
                                                           "version": version}, None
            case "unalias":
                return "DELETE", "registered-models/alias", {"name": model, "alias": "x"}, None
            case "stage":
                stage = dice.choice(["Staging", "production", "Archived", "nope"])
                return "POST", "model-versions/transition-stage", {"name": model, "version": version, "stage": stage}, None
            case "model tag":
                return "POST", "registered-models/set-tag", {"name": model, "key": key, "value": value}, None
            case "model search":
                return "GET", "registered-models/search", {
                    "filter": f"name LIKE '{self.salt}%' AND name ILIKE '%{dice.randint(0, 9)}%'",
                    "order_by": dice.choice(["name", "name DESC"]),
                }, None
            case "version search":
                return "GET", "model-versions/search", {"filter": f"name = '{model}' AND version_number > {version}",
                                                        "order_by": ["version_number DESC"]}, None
            case "drop version":
                return "DELETE", "model-versions/delete", {"name": model, "version": version}, None
            case "latest":
                return "GET", "registered-models/get", {"name": model}, None
            case "logged":
                token = self.token(self.logged, "log")
                return "POST", "logged-models", {"experiment_id": experiment, "name": f"n{self.made}"}, token
            case "logged status":
                return "PATCH", f"logged-models/{logged}", {"model_id": logged, "status": dice.choice([2, 3])}, None
            case "logged search":
                return "POST", "logged-models/search", {"experiment_ids": [experiment], "order_by": [{"field_name": "name"}]}, None
            case _:
                return "POST", "runs/log-inputs", {"run_id": run, "datasets": [{"dataset": {
                    "name": dice.choice("de"), "digest": "1", "source_type": "local", "source": "s"}}]}, None


@pytest.mark.skipif(target() == "mlflow", reason="MLflow's two databases differ in known ways")
def test_both_databases_answer_alike(postgres_cluster, tmp_path, dice, operations, verify):
    servers = [Server(directory=tmp_path / "lite"), Server(directory=tmp_path / "pg", database=postgres_cluster.create_database())]
    try:
        sides = [Side(server.start()) for server in servers]
        deck = Deck(dice)
        for number in range(operations):
            method, path, body, token = deck.deal()
            answers = []
            for side in sides:
                status, answer = side.send(method, path, body)
                if token and status == 200:
                    side.learn(token, answer)
                answers.append((status, side.normal(answer)))
            assert answers[0] == answers[1], f"operation {number}: {method} {path} {json.dumps(body, ensure_ascii=False)}"
            assert answers[0][0] < 500 or path == "experiments/update", f"operation {number}: {answers[0]}"
    finally:
        for server in servers:
            server.stop()
    for server in servers:
        verify(server)
