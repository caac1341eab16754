"""What clients tried, and what the server acknowledged: the judge of the experiments that break something.

The clients outlive the server that is killed, so their record is kept in memory. Each operation ends in one of three
ways: acknowledged, and then it must be there for ever; refused with 503, "nothing was changed", and then it must not be
there; or unknown, since the connection broke or the server said so, and then it must be there wholly or not at all.
"""

import hashlib
import json
import random
import threading
from dataclasses import dataclass, field
from urllib.parse import quote

import requests

from support.api import Api

BATCH = 40
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"


def is_polite(response: requests.Response) -> bool:
    """Whether an answer is a 5xx as it should be: MLflow's JSON, and with 503 a word on when to come again."""
    try:
        body = response.json()
    except ValueError:
        return False
    if response.status_code == 503 and not response.headers.get("Retry-After", "").isdigit():
        return False
    return response.status_code >= 500 and bool(body.get("error_code") and body.get("message"))


@dataclass
class Client:
    """One client with a run and a registered model of its own; numbers are unique within the client."""

    name: str
    experiment: str
    run: str
    model: str
    artifacts: str
    number: int = 0
    doomed: set[int] = field(default_factory=set)
    acknowledged: dict[str, dict] = field(default_factory=lambda: {kind: {} for kind in OPERATIONS})
    unknown: dict[str, dict] = field(default_factory=lambda: {kind: {} for kind in OPERATIONS})
    refused: list[str] = field(default_factory=list)

    def work(self, url: str, dice: random.Random, stop: threading.Event, faults: bool = False) -> None:
        """Sends operations over one connection until the server is gone; with `faults`, until told to stop."""
        api = Api(url)
        while not stop.is_set():
            response = self.attempt(api, dice.choice(list(OPERATIONS)), dice, faults)
            if response is not None and response.status_code == 200:
                continue
            if not faults:
                return
            stop.wait(0.05)

    def attempt(self, api: Api, kind: str, dice: random.Random, faults: bool = False) -> requests.Response | None:
        """Sends one operation and notes how it ended; None when the connection broke.

        With `faults`, refusals are expected: 503 promises that nothing was changed, and any other 5xx promises nothing.
        """
        self.number += 1
        number = self.number
        method, path, options, evidence = OPERATIONS[kind](self, number, dice)
        self.unknown[kind][number] = evidence
        try:
            response = api.send(method, path, timeout=90 if faults else 20, **options)
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError):
            return None
        if response.status_code == 200:
            del self.unknown[kind][number]
            self.acknowledged[kind][number] = evidence | {"answer": response.content}
        elif faults and is_polite(response):
            if response.status_code == 503:
                del self.unknown[kind][number]
        else:
            self.refused.append(f"{method} {path}: {response.status_code} {response.text[:200]}")
        return response

    @property
    def done(self) -> int:
        """The number of acknowledged operations."""
        return sum(len(entries) for entries in self.acknowledged.values())


def run(client: Client, number: int, dice: random.Random):
    return "POST", "runs/create", {"json": {
        "experiment_id": client.experiment, "run_name": f"{client.name}/{number}",
        "tags": [{"key": "number", "value": str(number)}],
    }}, {}


def deletion(client: Client, number: int, dice: random.Random):
    """Deletes a run that exists for sure, each at most once; the client's own run, again, while there is none."""
    made = [run for run in client.acknowledged["run"] if run not in client.doomed]
    if not made:
        return "POST", "runs/restore", {"json": {"run_id": client.run}}, {"target": None}
    client.doomed.add(made[0])
    evidence = client.acknowledged["run"][made[0]]
    run_id = evidence.get("run_id") or json.loads(evidence["answer"])["run"]["info"]["run_id"]
    return "POST", "runs/delete", {"json": {"run_id": run_id}}, {"target": made[0]}


def metric(client: Client, number: int, dice: random.Random):
    return "POST", "runs/log-metric", {"json": {
        "run_id": client.run, "key": "single", "value": number / 7, "timestamp": number, "step": number,
    }}, {}


def batch(client: Client, number: int, dice: random.Random):
    return "POST", "runs/log-batch", {"json": {
        "run_id": client.run,
        "metrics": [{"key": "batch", "value": item, "timestamp": number, "step": number * BATCH + item} for item in range(BATCH)],
        "params": [{"key": f"batch-{number}", "value": str(number)}],
        "tags": [{"key": f"batch-{number}", "value": str(number)}],
    }}, {}


def param(client: Client, number: int, dice: random.Random):
    return "POST", "runs/log-parameter", {"json": {"run_id": client.run, "key": f"p-{number}", "value": str(number)}}, {}


def tag(client: Client, number: int, dice: random.Random):
    return "POST", "runs/set-tag", {"json": {"run_id": client.run, "key": "last", "value": str(number)}}, {}


def version(client: Client, number: int, dice: random.Random):
    return "POST", "model-versions/create", {"json": {
        "name": client.model, "source": f"runs:/{client.run}/model", "run_id": client.run,
        "tags": [{"key": "number", "value": str(number)}],
    }}, {}


def artifact(client: Client, number: int, dice: random.Random):
    size = dice.choice([0, 1, 1000, 100_000, 4_000_000])
    data = hashlib.shake_256(f"{client.name}-{number}".encode()).digest(min(size, 5000)) * max(1, size // 5000)
    return "PUT", f"{client.artifacts}/{number}.bin", {"data": data}, {"digest": hashlib.sha256(data).hexdigest()}


OPERATIONS = {"run": run, "metric": metric, "batch": batch, "param": param, "tag": tag, "version": version,
              "artifact": artifact, "deletion": deletion}


def make_clients(api: Api, count: int) -> list[Client]:
    experiment = api.experiment()
    clients = []
    for index in range(count):
        run = api.run(experiment, run_name=f"client-{index}")
        clients.append(Client(f"client-{index}", experiment, run, api.model(), f"{ARTIFACTS}/{experiment}/{run}/artifacts"))
    return clients


def runs_of(api: Api, client: Client) -> dict[int, dict]:
    """The runs that the client made, deleted ones too, by its numbers; each has its tag."""
    found: dict[int, dict] = {}
    token = ""
    while True:
        page = api.post("runs/search", experiment_ids=[client.experiment], run_view_type="ALL", max_results=1000,
                        filter=f"attributes.run_name LIKE '{client.name}/%'", page_token=token)
        for item in page.get("runs", []):
            number = int(item["info"]["run_name"].split("/")[1])
            assert number not in found, f"{client.name}: twin runs"
            assert {"key": "number", "value": str(number)} in item["data"]["tags"], f"{client.name}: torn run"
            found[number] = item["info"]
        token = page.get("next_page_token", "")
        if not token:
            return found


def check(api: Api, client: Client, atomic_batches: bool) -> None:
    """Compares the server with the record; what is found settles the unknown operations for good."""
    assert not client.refused, client.refused
    run = api.read_run(client.run)
    params = {item["key"]: item["value"] for item in run["data"].get("params", [])}
    tags = {item["key"]: item["value"] for item in run["data"]["tags"]}

    def history(key):
        points = api.get("metrics/get-history", run_id=client.run, metric_key=key).get("metrics", [])
        return [(point["step"], point["timestamp"], point["value"]) for point in points]

    def settle(kind, present):
        """Acknowledged operations are there; what is there was tried."""
        missing = set(client.acknowledged[kind]) - present
        assert not missing, f"{client.name}: acknowledged {kind} lost: {sorted(missing)[:10]}"
        invented = present - set(client.acknowledged[kind]) - set(client.unknown[kind])
        assert not invented, f"{client.name}: {kind} that nobody sent: {sorted(invented)[:10]}"
        for number in list(client.unknown[kind]):
            evidence = client.unknown[kind].pop(number)
            if number in present:
                client.acknowledged[kind][number] = evidence

    points = history("single")
    assert len(points) == len(set(points)) and all(p == (p[0], p[0], p[0] / 7) for p in points)
    settle("metric", {step for step, _, _ in points})
    settle("param", {int(key[2:]) for key in params if key.startswith("p-")})

    found: dict[int, int] = {}
    for step, timestamp, value in history("batch"):
        assert step == timestamp * BATCH + value
        found[timestamp] = found.get(timestamp, 0) + 1
    by_param = {int(key[6:]) for key in params if key.startswith("batch-")}
    by_tag = {int(key[6:]) for key in tags if key.startswith("batch-")}
    if atomic_batches:
        assert set(found) == by_param == by_tag, f"{client.name}: torn batch"
        assert all(count == BATCH for count in found.values()), f"{client.name}: torn batch"
    whole = {number for number, count in found.items() if count == BATCH}
    settle("batch", whole | (set(found) - set(client.acknowledged["batch"]) if not atomic_batches else set()))

    # A tag has one value: the last acknowledged one, or that of a later attempt.
    last = max(client.acknowledged["tag"], default=0)
    value = int(tags.get("last", 0))
    assert value == last or (value > last and value in client.unknown["tag"]), f"{client.name}: tag {value}, last {last}"
    client.unknown["tag"].clear()
    if value:
        client.acknowledged["tag"].setdefault(value, {})

    versions = api.get("model-versions/search", filter=f"name = '{client.model}'").get("model_versions", [])
    numbers = sorted(int(item["version"]) for item in versions)
    assert numbers == list(range(1, len(numbers) + 1)), f"{client.name}: holes in {numbers}"
    tried = [int({t["key"]: t["value"] for t in item["tags"]}["number"]) for item in versions]
    assert len(tried) == len(set(tried)), f"{client.name}: twin versions"
    settle("version", set(tried))

    made = runs_of(api, client)
    settle("run", set(made))
    for number, evidence in client.acknowledged["run"].items():
        evidence["run_id"] = made[number]["run_id"]
    deleted = {number for number, info in made.items() if info["lifecycle_stage"] == "deleted"}
    attempts = [*client.acknowledged["deletion"].items(), *client.unknown["deletion"].items()]
    targets = {number: evidence["target"] for number, evidence in attempts}
    assert deleted <= set(targets.values()), f"{client.name}: deleted by nobody: {deleted - set(targets.values())}"
    settle("deletion", {number for number, target in targets.items() if target is None or target in deleted})

    present = set()
    for number, evidence in [*client.acknowledged["artifact"].items(), *client.unknown["artifact"].items()]:
        if evidence.get("checked"):
            present.add(number)
            continue
        response = api.send("GET", quote(f"{client.artifacts}/{number}.bin"))
        if response.status_code == 200:
            assert hashlib.sha256(response.content).hexdigest() == evidence["digest"], f"{client.name}: torn artifact"
            present.add(number)
            # Its bytes are read once more only at the very end.
            evidence["checked"] = True
        else:
            assert response.status_code == 404, response.text
    settle("artifact", present)
    listed = {item["path"] for item in api.get("artifacts/list", run_id=client.run).get("files", [])}
    assert listed == {f"{number}.bin" for number in present}, f"{client.name}: listing and files differ"
