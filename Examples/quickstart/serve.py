"""Serves the champion of quickstart.py, and changes it under traffic: a good version comes in, a bad one goes out.

Set MLFLOW_TRACKING_URI and APUS_GRPC to the server's two addresses, and APUS_BINARY if `apus` is not on the PATH.
Whatever it says with a tick was checked; it ends with an error where a check fails.
"""

import contextlib
import io
import json
import os
import random
import shlex
import statistics
import subprocess
import sys
import threading
import time
from collections import defaultdict
from dataclasses import dataclass

print("\n… loading the clients of MLflow and Triton", flush=True)

# First, because it tells the libraries to be quiet before they are loaded.
from quickstart import BOLD, DIM, GREEN, PLAIN, TASKS, parts, say, wait_for_server

import mlflow
import numpy as np
import onnx
import requests
import tritonclient.grpc
import tritonclient.http
import urllib3
from mlflow import MlflowClient
from mlflow.models import infer_signature
from skl2onnx import to_onnx
from skl2onnx.common.data_types import DoubleTensorType
from skl2onnx.helpers.onnx_helper import select_model_inputs_outputs

URL = os.environ.get("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000").rstrip("/")
GRPC = os.environ.get("APUS_GRPC", "127.0.0.1:8001")
MODEL, ALIAS, ENDPOINT = "digits-model", "champion", "digits"
API = f"{URL}/api/v1/endpoints/{ENDPOINT}"
# What MLflow calls tensors without names.
INPUT, OUTPUT = "input-0", "output-1"
CALLERS = 4


def claim(truth: bool, text: str) -> None:
    """Says what is true, or ends."""
    if not truth:
        sys.exit(f"  ✗ not true: {text}")
    say(f"  {GREEN}✓{PLAIN} {text}")


def apus(*arguments: str) -> None:
    """Runs a command of the binary and shows it."""
    say(f"  {DIM}$ apus {shlex.join(arguments)}{PLAIN}")
    done = subprocess.run([os.environ.get("APUS_BINARY", "apus"), *arguments], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)


def call(method: str, address: str, **options) -> dict:
    answer = requests.request(method, address, timeout=30, **options)
    answer.raise_for_status()
    return answer.json()


# Three protocols


def by_mlflow(images: np.ndarray) -> list:
    return call("POST", f"{URL}/endpoints/{ENDPOINT}/invocations", json={"inputs": images.tolist()})["predictions"]


def by_triton(library, address: str):
    """Asks with one of Triton's clients; both have the same classes."""
    client = library.InferenceServerClient(address)

    def ask(images: np.ndarray) -> np.ndarray:
        given = library.InferInput(INPUT, images.shape, "FP64")
        given.set_data_from_numpy(images)
        return client.infer(ENDPOINT, [given]).as_numpy(OUTPUT)

    return ask


def compare_protocols(images: np.ndarray, expected: np.ndarray) -> None:
    protocols = [
        ("MLflow scoring", "JSON with requests", by_mlflow),
        ("Open Inference, HTTP", "bytes with tritonclient.http", by_triton(tritonclient.http, URL.split("://")[1])),
        ("Open Inference, gRPC", "protobuf with tritonclient.grpc", by_triton(tritonclient.grpc, GRPC)),
    ]
    for name, client, ask in protocols:
        begin = time.perf_counter()
        answer = ask(images)
        milliseconds = (time.perf_counter() - begin) * 1000
        claim(np.array_equal(answer, expected), f"{name:22} {client:33} {len(images)} digits {milliseconds:6.1f} ms")
    say("    each equal to what the model says that is loaded in this process")


# Traffic


@dataclass(frozen=True)
class Answer:
    """What came back for one image; no version if nothing useful did."""

    version: str | None
    is_right: bool
    error: str
    prediction: str
    seconds: float


class Traffic:
    """Callers who ask for one image after the other, and note down what they get."""

    def __init__(self, images: np.ndarray, expected: np.ndarray):
        self.answers: list[Answer] = []
        tensor = {"name": INPUT, "datatype": "FP64", "shape": [1, 64]}
        self._questions = [
            (json.dumps({"inputs": [tensor | {"data": image.tolist()}]}), digit)
            for image, digit in zip(images, expected.tolist())
        ]
        self._has_ended = threading.Event()
        self._callers = [threading.Thread(target=self._ask, daemon=True) for _ in range(CALLERS)]

    def __enter__(self) -> "Traffic":
        for caller in self._callers:
            caller.start()
        return self

    def __exit__(self, *_) -> None:
        self._has_ended.set()
        for caller in self._callers:
            caller.join()

    def _ask(self) -> None:
        # Nothing is repeated, so that nothing that is lost can hide.
        pool = urllib3.connection_from_url(URL, retries=False, timeout=30)
        path = f"/v2/models/{ENDPOINT}/infer"
        while not self._has_ended.wait(0.002):
            body, digit = random.choice(self._questions)
            begin = time.perf_counter()
            try:
                response = pool.request("POST", path, body=body)
                found = response.json()
                version, prediction = found.get("model_version"), response.headers.get("X-Apus-Prediction-Id", "")
                is_right = response.status == 200 and found["outputs"][0]["data"] == [digit]
                error = found.get("error", "")
            except (urllib3.exceptions.HTTPError, ValueError) as lost:
                version, is_right, error, prediction = None, False, f"lost: {lost}", ""
            self.answers.append(Answer(version, is_right, error, prediction, time.perf_counter() - begin))


def milliseconds(answers: list[Answer]) -> float:
    return statistics.median(answer.seconds for answer in answers) * 1000


def say_shares(share: float, answers: list[Answer], versions: tuple[str, str]) -> None:
    """One line of a rollout: who answered how many requests, and how fast."""
    bar = f"{GREEN}{'█' * round(share / 10)}{PLAIN}{DIM}{'░' * (10 - round(share / 10))}{PLAIN}"
    columns = []
    for version in versions:
        own = [answer for answer in answers if answer.version == version]
        columns.append(f"{len(own):6,} in {milliseconds(own):4.1f} ms" if own else f"{'–':>6}{'':11}")
    failed = sum(answer.version is None for answer in answers)
    say(f"    {bar} {share:3.0f} %   {columns[0]}   {columns[1]}   {failed:6}")


def roll(client: MlflowClient, old: str, new: str, traffic: Traffic) -> dict:
    """Moves the alias, which the endpoint follows, and tells how the canary goes until it is in or out."""
    client.set_registered_model_alias(MODEL, ALIAS, new)
    say(f"    {DIM}{'gets':>16}   {'version ' + old:17}   {'version ' + new:17}   failed{PLAIN}")
    share, mark, deadline = 0.0, len(traffic.answers), time.monotonic() + 40
    while time.monotonic() < deadline:
        endpoint = call("GET", API)
        present, last = endpoint.get("rollout"), endpoint["last_rollout"]
        has_ended = not present and last["candidates"][0]["deployment"]["version"] == new
        now = present["candidates"][0]["percent"] if present else share
        if now != share or has_ended:
            end = len(traffic.answers)
            if share == 0:
                # We see a little late that the first step has begun.
                end = next((place for place in range(mark, end) if traffic.answers[place].version == new), end)
            say_shares(share, traffic.answers[mark:end], (old, new))
            share, mark = now, end
        if has_ended:
            return last
        time.sleep(0.02)
    sys.exit(f"The rollout to version {new} did not end.")


# Versions


@contextlib.contextmanager
def version_in_the_making():
    """A run to log a model in, without what the client tells on standard error."""
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()), mlflow.start_run():
        yield


def exported(model) -> onnx.ModelProto:
    """The model in ONNX, which says the digit only, by the same names of tensors: callers need not know."""
    graph = to_onnx(model, initial_types=[("x", DoubleTensorType([None, 64]))], options={"zipmap": False})
    graph = select_model_inputs_outputs(graph, "label")
    names = {"x": INPUT, "label": OUTPUT}
    for node in graph.graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    for tensor in (*graph.graph.input, *graph.graph.output):
        tensor.name = names[tensor.name]
    return graph


def fragile(model, most_ink: float) -> mlflow.pyfunc.PythonModel:
    """A model that is right about thin digits, and fails on bold ones, which nobody tried."""

    class Fragile(mlflow.pyfunc.PythonModel):
        def predict(self, context, model_input, params=None):
            if model_input.sum(axis=1).max() > most_ink:
                raise ValueError("too much ink")
            return model.predict(model_input)

    return Fragile()


def add_version(client: MlflowClient, made_from: str) -> str:
    """The version that was logged last, with a note by which a second run of this script finds where to begin."""
    version = max(client.search_model_versions(f"name = '{MODEL}'"), key=lambda found: int(found.version)).version
    client.set_model_version_tag(MODEL, version, "made_from", made_from)
    return version


# The story


def deploy(client: MlflowClient) -> str:
    """Makes the endpoint, and returns the version that it serves."""
    say(f"\n{BOLD}{ENDPOINT}: an endpoint for the champion{PLAIN}")
    if requests.get(API, timeout=30).ok:
        apus("endpoints", "delete", ENDPOINT, "--yes")
    champion = client.get_model_version_by_alias(MODEL, ALIAS)
    first = champion.tags.get("made_from", champion.version)
    client.set_registered_model_alias(MODEL, ALIAS, first)
    begin = time.monotonic()
    apus("endpoints", "create", ENDPOINT, f"models:/{MODEL}@{ALIAS}", "--instances", "1",
         "--strategy", "canary", "--steps", "10,50", "--hold", "2")
    endpoint = call("GET", API)
    claim(endpoint["state"] == "READY" and endpoint["stable"]["version"] == first,
          f"serves version {first}, a model of scikit-learn, after {time.monotonic() - begin:.1f} s")
    claim(endpoint["follow"] == f"models:/{MODEL}@{ALIAS}" and endpoint["strategy"]["kind"] == "canary",
          f"follows @{ALIAS}: where it is moved, the new version comes in as a canary")
    return first


def improve(client: MlflowClient, model, images: np.ndarray, traffic: Traffic, first: str) -> str:
    """Brings the model in as ONNX, and returns its version."""
    with version_in_the_making():
        mlflow.onnx.log_model(
            exported(model), name="model", registered_model_name=MODEL, pip_requirements=["onnxruntime"],
            signature=infer_signature(images, model.predict(images)),
        )
    second = add_version(client, first)
    say(f"\n{BOLD}A better version comes in{PLAIN}: {second}, the same model in ONNX, while {CALLERS} callers "
        "ask on and on")
    begin = len(traffic.answers)
    rollout = roll(client, first, second, traffic)
    time.sleep(1)
    answers = traffic.answers[begin:]
    tail = answers[-200:]
    say_shares(100, tail, (first, second))
    claim(rollout["phase"] == "promoted" and call("GET", API)["stable"]["version"] == second,
          f"promoted by itself: {rollout['outcome']}")
    claim(all(answer.version == second for answer in tail) and all(answer.is_right for answer in answers),
          f"{len(answers):,} requests: none dropped, none failed, no digit changed")
    before, after = ([answer for answer in answers if answer.version == version] for version in (first, second))
    ratio = milliseconds(before) / milliseconds(after)
    claim(ratio > 1, f"answers come {ratio:.1f} times faster")
    return second


def spoil(client: MlflowClient, model, images: np.ndarray, traffic: Traffic, first: str, second: str) -> list[dict]:
    """Brings a version in that fails on three of ten images, sees it go, and returns its failures."""
    most_ink = float(np.quantile(images.sum(axis=1), 0.7))
    with version_in_the_making():
        mlflow.pyfunc.log_model(
            python_model=fragile(model, most_ink), name="model", registered_model_name=MODEL,
            pip_requirements=["scikit-learn"], signature=infer_signature(images, model.predict(images)),
        )
    third = add_version(client, first)
    share = float(np.mean(images.sum(axis=1) > most_ink))
    say(f"\n{BOLD}A bad version comes in{PLAIN}: {third}, which fails on {share:.0%} of the images")
    begin = len(traffic.answers)
    rollout = roll(client, second, third, traffic)
    time.sleep(0.5)
    answers = traffic.answers[begin:]
    claim(rollout["phase"] == "aborted" and call("GET", API)["stable"]["version"] == second, "rolled back by itself:")
    say(f"    {rollout['outcome']}")
    failures = [answer for answer in answers if answer.error.startswith("The model failed")]
    others = [answer for answer in answers if answer not in failures]
    logged = logged_errors(third)
    answered = sum(answer.version == third for answer in others)
    claim(0 < len(failures) == len(logged) and all(answer.is_right for answer in others),
          f"it got {answered + len(failures)} of {len(answers):,} requests and failed {len(failures)} of them; "
          "the others were answered right, none was dropped")
    claim(all(entry["inputs"][0]["shape"] == [1, 64] for entry in logged), "the log has each failure, with its image")
    client.set_registered_model_alias(MODEL, ALIAS, second)
    return logged


def logged_errors(version: str) -> list[dict]:
    """What the endpoint's log has about failures of a version."""
    found, query = [], {"status": "error", "version": version}
    while True:
        page = call("GET", f"{API}/predictions", params=query)
        found += page["predictions"]
        if not page.get("next_page_token"):
            return found
        query["page_token"] = page["next_page_token"]


def tell_rewards(answers: list[Answer], failures: list[dict]) -> None:
    """Says afterwards which predictions were right, and compares what the server makes of it."""
    say(f"\n{BOLD}Feedback{PLAIN}: which predictions turned out to be right")
    bad = failures[0]["model_version"]
    told = random.sample(answers, min(2_000, len(answers))) + [answer for answer in answers if answer.version == bad]
    rewards = {answer.prediction: int(answer.is_right) for answer in told if answer.version}
    # An answer that failed names no prediction; the log does.
    rewards |= {entry["prediction_id"]: 0 for entry in failures}
    feedback = [{"prediction_id": prediction, "reward": reward} for prediction, reward in rewards.items()]
    call("POST", f"{API}/feedback", json={"feedback": feedback})

    own = defaultdict(list)
    for prediction, reward in rewards.items():
        own[deployment_of(prediction)].append(reward)
    summary = call("GET", f"{API}/feedback/summary", params={"metric": "reward"})["deployments"]
    # A run before this one may have left feedback for deployments of its own.
    found = {entry["deployment"]: entry for entry in summary if entry["deployment"] in own}
    versions = {deployment_of(answer.prediction): answer.version for answer in told if answer.version}
    versions[failures[0]["deployment"]] = bad
    shares = [f"version {versions[number]} {it['mean']:.0%} of {it['count']:,}" for number, it in found.items()]
    claim(
        all(len(it) == found[number]["count"] and np.isclose(np.mean(it), found[number]["mean"])
            for number, it in own.items()),
        f"the server counts as right: {', '.join(shares)}",
    )


def deployment_of(prediction: str) -> int:
    """Which deployment answered: the identifier tells."""
    return int(prediction[12:16], 16)


def main() -> None:
    begin = time.monotonic()
    wait_for_server(URL, 5)
    mlflow.set_tracking_uri(URL)
    mlflow.set_experiment("quickstart-digits")
    client = MlflowClient(URL, URL)
    _, (images, _) = parts(TASKS[0])
    first = deploy(client)
    model = mlflow.sklearn.load_model(f"models:/{MODEL}/{first}")
    expected = mlflow.pyfunc.load_model(f"models:/{MODEL}/{first}").predict(images)
    say()
    compare_protocols(images, expected)
    with Traffic(images, expected) as traffic:
        second = improve(client, model, images, traffic, first)
        failures = spoil(client, model, images, traffic, first, second)
        time.sleep(0.5)
    endpoint = call("GET", API)
    claim("rollout" not in endpoint and endpoint["stable"]["version"] == second,
          f"@{ALIAS} is moved back, and version {second} goes on")
    tell_rewards(traffic.answers, failures)
    requests.get(f"{URL}/console/endpoints/{ENDPOINT}", timeout=30).raise_for_status()
    say(f"\n{BOLD}Done in {time.monotonic() - begin:.0f} s{PLAIN}: {len(traffic.answers):,} requests, two rollouts. "
        "Look at them at")
    say(f"  {URL}/console/endpoints/{ENDPOINT}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
