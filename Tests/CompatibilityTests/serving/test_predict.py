"""`apus predict`: every form of input, rows that fail, and runs that are killed."""

import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import mlflow
import numpy as np
import onnx
import pandas as pd
import pytest

from serving import models
from serving.test_serve_command import run
from support.server import binary, quiet_environment

COLUMNS = ["sepal length", "sepal, width", "petal \"length\"", "petal width"]


@pytest.fixture(scope="module")
def flowers(tmp_path_factory):
    """A classifier with named columns as an MLflow model, and what it must answer."""
    made = models.iris()
    folder = tmp_path_factory.mktemp("model") / "iris"
    frame = pd.DataFrame(made.rows, columns=COLUMNS)
    signature = mlflow.models.infer_signature(frame, pd.DataFrame({"label": made.labels}))
    mlflow.onnx.save_model(made.model, str(folder), signature=signature, pip_requirements=["onnx"])
    return made, folder, frame


@pytest.fixture(scope="module")
def lookup(tmp_path_factory) -> Path:
    """value is 10, 20 or 30 for index 0, 1, 2; other indices fail."""
    path = tmp_path_factory.mktemp("lookup") / "lookup.onnx"
    onnx.save(models.lookup(), path)
    return path


def predict(*arguments, environment=None, timeout=120):
    ended = run("predict", *arguments, environment=environment, timeout=timeout)
    return ended


def good(*arguments, **options):
    ended = predict(*arguments, **options)
    assert ended.returncode == 0, ended.stderr
    return ended


class TestForms:
    def test_csv(self, flowers, tmp_path):
        made, folder, frame = flowers
        frame.to_csv(tmp_path / "in.csv", index=False)
        ended = good("--model", folder, "--in", tmp_path / "in.csv", "--out", tmp_path / "out.csv", "--batch-size", 7)
        scored = pd.read_csv(tmp_path / "out.csv")
        assert scored.iloc[:, 0].tolist() == made.labels.tolist()
        assert np.allclose(scored.iloc[:, 1:4].to_numpy(), made.probabilities, atol=1e-5)
        assert "150 rows scored" in ended.stderr and "rows/s" in ended.stderr
        assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv"]

    def test_csv_with_its_inputs(self, flowers, tmp_path):
        made, folder, frame = flowers
        frame.to_csv(tmp_path / "in.csv", index=False)
        good("--model", folder, "--in", tmp_path / "in.csv", "--out", tmp_path / "out.csv", "--include-inputs")
        scored = pd.read_csv(tmp_path / "out.csv")
        assert scored.columns[:4].tolist() == COLUMNS
        assert np.allclose(scored[COLUMNS].to_numpy(), made.rows)
        assert scored.iloc[:, 4].tolist() == made.labels.tolist()

    def test_json_lines(self, flowers, tmp_path):
        made, folder, frame = flowers
        frame.to_json(tmp_path / "in.jsonl", orient="records", lines=True)
        good("--model", folder, "--in", tmp_path / "in.jsonl", "--out", tmp_path / "out.jsonl")
        scored = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
        label, probabilities = scored[0].keys()
        assert [row[label] for row in scored] == made.labels.tolist()
        assert np.allclose([row[probabilities] for row in scored], made.probabilities, atol=1e-5)

    def test_json_lines_with_their_inputs(self, flowers, tmp_path):
        made, folder, frame = flowers
        frame.to_json(tmp_path / "in.jsonl", orient="records", lines=True)
        good("--model", folder, "--in", tmp_path / "in.jsonl", "--out", tmp_path / "out.jsonl", "--include-inputs")
        scored = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
        assert scored[0].keys() == {*COLUMNS, "prediction"}

    def test_parquet(self, flowers, tmp_path):
        pytest.importorskip("pyarrow")
        made, folder, frame = flowers
        frame.to_parquet(tmp_path / "in.parquet")
        good("--model", folder, "--in", tmp_path / "in.parquet", "--out", tmp_path / "out.parquet",
             environment={"APUS_PYTHON": sys.executable})
        scored = pd.read_parquet(tmp_path / "out.parquet")
        assert scored.iloc[:, 0].tolist() == made.labels.tolist()
        assert sorted(path.name for path in tmp_path.iterdir()) == ["in.parquet", "out.parquet"]

    def test_parquet_without_python(self, flowers, tmp_path):
        (tmp_path / "in.parquet").write_bytes(b"PAR1")
        ended = predict("--model", flowers[1], "--in", tmp_path / "in.parquet", "--out", tmp_path / "out.csv",
                        environment={"APUS_PYTHON": "/nowhere/python"})
        assert ended.returncode == 1 and "pyarrow" in ended.stderr
        assert not (tmp_path / "out.csv").exists()

    def test_summary_as_json(self, flowers, tmp_path):
        flowers[2].to_csv(tmp_path / "in.csv", index=False)
        ended = good("--model", flowers[1], "--in", tmp_path / "in.csv", "--out", tmp_path / "out.csv", "--json")
        summary = json.loads(ended.stdout)
        assert summary["rows"] == 150 and summary["errors"] == 0 and summary["rows_per_second"] > 0


class TestFailures:
    ROWS = [0, 1, 9, 2, "x", 0, -7, 1]
    BAD_LINES = [4, 6, 8]

    def write(self, tmp_path, count=1):
        (tmp_path / "in.csv").write_text("index\n" + "".join(f"{value}\n" for value in self.ROWS * count))

    def test_fail(self, lookup, tmp_path):
        self.write(tmp_path)
        ended = predict("--model", lookup, "--in", tmp_path / "in.csv", "--out", tmp_path / "out.csv")
        assert ended.returncode == 1
        assert "line 4" in ended.stderr
        assert not (tmp_path / "out.csv").exists()

    def test_skip(self, lookup, tmp_path):
        self.write(tmp_path)
        ended = good("--model", lookup, "--in", tmp_path / "in.csv", "--out", tmp_path / "out.csv", "--on-error", "skip")
        assert pd.read_csv(tmp_path / "out.csv")["value"].tolist() == [10, 20, 30, 10, 20]
        errors = [json.loads(line) for line in (tmp_path / "out.csv.errors.jsonl").read_text().splitlines()]
        assert [error["line"] for error in errors] == self.BAD_LINES
        assert all(error["error"] for error in errors)
        assert "3 rows could not be scored" in ended.stderr

    def test_null(self, lookup, tmp_path):
        self.write(tmp_path, count=500)
        good("--model", lookup, "--in", tmp_path / "in.csv", "--out", tmp_path / "out.csv", "--on-error", "null")
        values = pd.read_csv(tmp_path / "out.csv")["value"]
        wanted = pd.Series([10, 20, None, 30, None, 10, None, 20] * 500, name="value")
        pd.testing.assert_series_equal(values, wanted)

    def test_null_in_json_lines(self, lookup, tmp_path):
        (tmp_path / "in.jsonl").write_text('{"index": 0}\n{"index": 5}\nno json\n\n{"index": 2}\n')
        good("--model", lookup, "--in", tmp_path / "in.jsonl", "--out", tmp_path / "out.jsonl", "--on-error", "null")
        assert [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()] == [
            {"value": 10.0}, None, None, {"value": 30.0}
        ]
        errors = [json.loads(line) for line in (tmp_path / "out.jsonl.errors.jsonl").read_text().splitlines()]
        assert [error["line"] for error in errors] == [2, 3]

    @pytest.mark.parametrize(
        ("text", "line"), [("index\n0\n\"1\n2\n", "line 3"), ("index\n0,1\n", "line 2"), ("", "empty")]
    )
    def test_what_is_no_table(self, lookup, tmp_path, text, line):
        (tmp_path / "in.csv").write_text(text)
        ended = predict("--model", lookup, "--in", tmp_path / "in.csv", "--out", tmp_path / "out.csv")
        assert ended.returncode == 1 and line in ended.stderr, ended.stderr

    def test_an_output_that_is_there(self, lookup, tmp_path):
        (tmp_path / "in.csv").write_text("index\n1\n")
        (tmp_path / "out.csv").write_text("precious")
        arguments = ["--model", lookup, "--in", tmp_path / "in.csv", "--out", tmp_path / "out.csv"]
        ended = predict(*arguments)
        assert ended.returncode == 1 and "--force" in ended.stderr
        assert (tmp_path / "out.csv").read_text() == "precious"
        good(*arguments, "--force")
        assert pd.read_csv(tmp_path / "out.csv")["value"].tolist() == [20]

    @pytest.mark.parametrize(
        "arguments",
        [["--in", "a.txt", "--out", "b.csv"], ["--in", "a.csv", "--out", "b.xlsx"],
         ["--in", "a.csv", "--out", "b.jsonl", "--include-inputs"], ["--in", "a.csv"],
         ["--in", "a.csv", "--out", "b.csv", "--on-error", "hope"], ["--in", "a.csv", "--out", "b.csv", "--batch-size", "0"]],
    )
    def test_usage(self, arguments):
        assert run("predict", "--model", "x.onnx", *arguments).returncode == 2


class TestInterruption:
    ROWS = 400_000

    @pytest.fixture(scope="class")
    def table(self, tmp_path_factory) -> Path:
        path = tmp_path_factory.mktemp("large") / "in.csv"
        with open(path, "w") as file:
            file.write("index,note\n")
            for row in range(self.ROWS):
                # Some records reach over several lines, and some fail.
                note = '"two\nlines, ""quoted"""' if row % 1000 == 7 else f"row {row}"
                file.write(f"{99 if row % 5000 == 3 else row % 3},{note}\n")
        return path

    @pytest.mark.slow
    def test_killed_again_and_again(self, tmp_path, table, tmp_path_factory):
        model = models.model(
            [onnx.helper.make_node("Gather", ["table", "index"], ["value"])],
            [("index", "INT64", ["batch", 1]), ("note", "BYTES", ["batch", 1])],
            [("value", "FP32", ["batch", 1])],
            [onnx.numpy_helper.from_array(np.array([10, 20, 30], np.float32), "table")],
        )
        onnx.save(model, tmp_path / "model.onnx")
        arguments = [
            str(binary()), "predict", "--model", str(tmp_path / "model.onnx"), "--in", str(table), "--out",
            str(tmp_path / "out.csv"), "--on-error", "null", "--batch-size", "256", "--include-inputs",
        ]
        random.seed(4)
        kills = resumed = 0
        while True:
            process = subprocess.Popen(
                arguments, env=quiet_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
            )
            try:
                code = process.wait(random.uniform(0.7, 1.4) if kills < 6 else 300)
            except subprocess.TimeoutExpired:
                process.kill()
                kills += 1
                code = None
            resumed += "Going on after" in process.communicate()[1]
            if code is not None:
                assert code == 0
                break
            assert not (tmp_path / "out.csv").exists()
        assert kills > 0 and resumed > 0
        scored = pd.read_csv(tmp_path / "out.csv")
        given = pd.read_csv(table)
        pd.testing.assert_frame_equal(scored[["index", "note"]], given)
        wanted = given["index"].map({0: 10.0, 1: 20.0, 2: 30.0})
        pd.testing.assert_series_equal(scored["value"], wanted, check_names=False)
        errors = [json.loads(line)["line"] for line in (tmp_path / "out.csv.errors.jsonl").read_text().splitlines()]
        assert len(errors) == self.ROWS // 5000 and errors == sorted(set(errors))

    def test_memory_does_not_grow_with_the_file(self, lookup, table, tmp_path):
        peaks = []
        for rows in (20_000, self.ROWS):
            with open(table) as source, open(tmp_path / f"{rows}.csv", "w") as target:
                target.write("index\n")
                for row in range(rows):
                    target.write(f"{row % 3}\n")
            process = subprocess.Popen(
                [str(binary()), "predict", "--model", str(lookup), "--in", str(tmp_path / f"{rows}.csv"), "--out",
                 str(tmp_path / f"{rows}-out.csv")],
                env=quiet_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )
            _, status, usage = os.wait4(process.pid, 0)
            assert status == 0
            peaks.append(usage.ru_maxrss / 1024)
        assert peaks[1] < peaks[0] + 60, peaks
