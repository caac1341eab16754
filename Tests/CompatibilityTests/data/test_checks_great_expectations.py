"""Checks against the real Great Expectations: the same suite on the same file, judgement by judgement.

Great Expectations needs an environment of its own: `APUS_GX_ENV`, else `.venv-checks` of this checkout.
"""

import json
import math
import os
import subprocess
from pathlib import Path

import pytest

from data import check_cases
from support.server import binary

pytestmark = pytest.mark.apus_only

HERE = Path(__file__).resolve().parent
PYTHON = Path(os.environ.get("APUS_GX_ENV", HERE.parents[2] / ".venv-checks")) / "bin/python"
COUNTS = ("element_count", "missing_count", "unexpected_count", "unexpected_percent", "missing_percent",
          "unexpected_percent_total", "unexpected_percent_nonmissing")


def apus(*arguments: object, status: int = 0) -> str:
    done = subprocess.run([binary(), *map(str, arguments)], capture_output=True, text=True, timeout=300)
    assert done.returncode == status, f"apus {arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def converted(suite: Path, folder: Path, keys: list[str]) -> Path:
    """Our own form of a suite of Great Expectations."""
    target = folder / "suite.yaml"
    text = apus("data", "checks", "import", suite)
    target.write_text((f"keys: {json.dumps(keys)}\n" if keys else "") + text)
    return target


def close(ours: object, theirs: object) -> bool:
    if isinstance(ours, bool) or isinstance(theirs, bool) or not (
        isinstance(ours, (int, float)) and isinstance(theirs, (int, float))
    ):
        return ours == theirs or str(ours) == str(theirs)
    return math.isclose(ours, theirs, rel_tol=1e-9, abs_tol=1e-9)


def differences(expectations: list[dict], ours: list[dict], theirs: list[dict]) -> list[str]:
    """What is not the same, a line each."""
    assert len(ours) == len(theirs) == len(expectations)
    found = []
    for expectation, our, their in zip(expectations, ours, theirs):
        about = f"{expectation['type']} {expectation['kwargs']}"
        if our["success"] != their["success"]:
            found.append(f"{about}: success {our['success']}, not {their['success']}; {their.get('refused', '')}")
            continue
        if their["raised"] or our["exception_info"]["raised_exception"]:
            if not (their["raised"] and our["exception_info"]["raised_exception"]):
                found.append(f"{about}: raised {our['exception_info']}, not {their['raised']}")
            continue
        for name in COUNTS:
            if name in their["result"] and not close(our["result"].get(name), their["result"][name]):
                found.append(f"{about}: {name} {our['result'].get(name)}, not {their['result'][name]}")
        observed, expected = our["result"].get("observed_value"), their["result"].get("observed_value")
        if isinstance(expected, (int, float)) and not close(observed, expected):
            found.append(f"{about}: observed {observed}, not {expected}")
        if isinstance(expected, dict) and not all(map(close, observed["values"], expected["values"])):
            found.append(f"{about}: observed {observed}, not {expected}")
        if our["success"]:
            continue
        listed, wanted = (result["result"].get("partial_unexpected_list") for result in (our, their))
        if wanted and not (listed and all(map(same_row, listed, wanted))):
            found.append(f"{about}: rows {(listed or [])[:3]}, not {wanted[:3]}")
        # Theirs are of the first twenty rows, ours of all.
        counts = dict(counted(our["result"].get("partial_unexpected_counts")))
        total = their["result"].get("unexpected_count")
        if counts and "element_count" in their["result"] and len(counts) < 20 and sum(counts.values()) != total:
            found.append(f"{about}: counts {counts}, not {total} in all")
        for value, count in counted(their["result"].get("partial_unexpected_counts")):
            if counts.get(value, count) < count:
                found.append(f"{about}: {value} came {counts[value]} times, not {count}")
        indices = their["result"].get("partial_unexpected_index_list")
        if indices and isinstance(indices[0], dict) and "id" in indices[0]:
            if [row["id"] for row in our["result"]["partial_unexpected_index_list"]] != [row["id"] for row in indices]:
                found.append(f"{about}: rows named otherwise")
    return found


def counted(counts: list | None) -> list[tuple[object, int]]:
    """Values and how often they came; none where Great Expectations could not count them."""
    return [
        (tuple(one["value"]) if isinstance(one["value"], list) else one["value"], one["count"])
        for one in counts or [] if "value" in one
    ]


def same_row(ours: object, theirs: object) -> bool:
    if isinstance(theirs, dict) and isinstance(ours, dict):
        return all(same_row(ours[name], value) for name, value in theirs.items())
    if theirs is None or isinstance(theirs, float) and math.isnan(theirs):
        return ours is None
    return close(ours, theirs)


def compare(path: Path, expectations: list[dict], folder: Path, keys: list[str]) -> list[str]:
    suite = folder / "suite.json"
    check_cases.write_suite(suite, expectations)
    judged = subprocess.run(
        [PYTHON, HERE / "great_expectations_judge.py", path, suite, *keys], capture_output=True, text=True, timeout=900
    )
    assert judged.returncode == 0, judged.stderr[-2000:]
    theirs = json.loads(judged.stdout)
    answer = subprocess.run(
        [binary(), "data", "check", path, "--suite", converted(suite, folder, keys), "--json", "--great-expectations"],
        capture_output=True, text=True, timeout=300,
    )
    assert answer.returncode in (0, 1), answer.stderr
    return differences(expectations, json.loads(answer.stdout)["results"], theirs)


@pytest.fixture(scope="module", autouse=True)
def great_expectations():
    if not PYTHON.exists():
        pytest.skip(f"{PYTHON} is not there: run `scripts/setup-checks`")


def test_a_dirty_file_is_judged_alike(tmp_path):
    path = tmp_path / "dirty.csv"
    check_cases.write_dirty(path)
    assert compare(path, check_cases.for_dirty(), tmp_path, ["id"]) == []


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "diabetes"])
def test_real_data_is_judged_alike(name, tmp_path):
    path = check_cases.write_sklearn(tmp_path)[name]
    assert compare(path, check_cases.for_numbers(path), tmp_path, []) == []


def test_a_suite_comes_back_as_it_was(tmp_path):
    """What we export is what we imported: Great Expectations' own reading of both is the same."""
    suite = tmp_path / "suite.json"
    check_cases.write_suite(suite, check_cases.for_dirty())
    exported = json.loads(apus("data", "checks", "export", converted(suite, tmp_path, [])))
    before = json.loads(suite.read_text())["expectations"]
    again = tmp_path / "again.json"
    again.write_text(json.dumps(exported))
    second = json.loads(apus("data", "checks", "export", converted(again, tmp_path, [])))
    assert second == exported
    assert len(exported["expectations"]) == len(before)
    # A length between two and two is a length of two.
    same = {"expect_column_value_lengths_to_be_between": "expect_column_value_lengths_to_equal"}
    for one, other in zip(exported["expectations"], before):
        assert one["type"] in (other["type"], same.get(other["type"]))


def test_the_exit_code_tells_a_gate(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("age\n1\n200\n")
    suite = tmp_path / "suite.yaml"
    suite.write_text("checks:\n  - { column: age, between: [0, 120] }\n")
    answer = json.loads(apus("data", "check", path, "--suite", suite, "--json", status=1))
    assert answer["blocks"] and answer["results"][0]["failing_rows"] == [{"row": 1, "values": {"age": 200}}]
    suite.write_text("checks:\n  - { column: age, between: [0, 120], severity: warn }\n")
    answer = json.loads(apus("data", "check", path, "--suite", suite, "--json"))
    assert not answer["success"] and not answer["blocks"]
