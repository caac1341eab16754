"""Tables and expectations for the comparison with Great Expectations: real data of scikit-learn, and a dirty file."""

import csv
import json
import random
from pathlib import Path


def write_dirty(path: Path, rows: int = 3000) -> None:
    """A file as people have them: repeated keys, missing and impossible values, several date forms, broken JSON."""
    chance = random.Random(7)
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["id", "age", "name", "email", "score", "day", "any_day", "code", "facts", "low", "high", "part_a",
                      "part_b", "whole", "twin_a", "twin_b", "steps", "empty", "flag", "big", "Mixed Case \"x\""])
        step = 0
        for number in range(rows):
            step += chance.choice([0, 1, 1, 1, 2, -1 if number % 500 == 499 else 1])
            age = chance.choice(["", *[chance.randint(18, 90)] * 12, -1, 999])
            name = chance.choice(["Ada", "Björn", "李雷", "O'Neil", "  padded ", "x" * chance.randint(0, 40), "🙂ok", ""])
            email = chance.choice([f"user{number}@example.org", f"user{number}@example", "none", "", "A.B@C.de"])
            score = chance.choice(["", round(chance.gauss(50, 10), 3), round(chance.gauss(50, 10), 3), 1e6])
            day = chance.choice([f"2024-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"] * 9 + ["2024-13-01"])
            any_day = chance.choice([day, "31.12.2023", "Mar 5, 2024", "not a day", ""])
            facts = chance.choice(['{"a": 1}', "[1, 2]", '"text"', "{broken", "", "null"])
            low = chance.choice(["", chance.randint(0, 50), chance.randint(0, 50), chance.randint(0, 50)])
            high = chance.choice(["", chance.randint(20, 99), chance.randint(20, 99), chance.randint(20, 99)])
            a, b = chance.randint(0, 9), chance.choice(["", chance.randint(0, 9), chance.randint(0, 9)])
            whole = 10 if chance.random() < 0.3 else a + (b or 0)
            twin = chance.choice(["u", "v", ""])
            out.writerow([number if chance.random() < 0.98 else 5, age, name, email, score, day, any_day,
                          chance.choice("AABBBC") + chance.choice(["1", "2", "2", "X"]), facts, low, high, a, b, whole, twin,
                          twin if chance.random() < 0.9 else "w", step, "", chance.choice(["true", "false"]),
                          chance.choice([2**53 + 1, 2**53, 7]), chance.choice(["a", "b", ""])])


def write_sklearn(folder: Path) -> dict[str, Path]:
    from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine

    paths = {}
    for load in (load_iris, load_wine, load_breast_cancer, load_diabetes):
        name = load.__name__.removeprefix("load_")
        paths[name] = folder / f"{name}.csv"
        load(as_frame=True).frame.to_csv(paths[name], index=False)
    return paths


def expectation(kind: str, **arguments) -> dict:
    return {"type": kind, "kwargs": arguments, "meta": {}}


def column(kind: str, name: str, **arguments) -> dict:
    return expectation(f"expect_column_{kind}", column=name, **arguments)


def for_dirty() -> list[dict]:
    found = [
        *(column("values_to_not_be_null", name, mostly=mostly)
          for name in ("id", "age", "name", "empty", "score") for mostly in (1, 0.95, 0.5, 0)),
        *(column("values_to_be_null", name, mostly=mostly) for name in ("empty", "age") for mostly in (1, 0.05)),
        *(column("proportion_of_non_null_values_to_be_between", name, min_value=low)
          for name in ("age", "score", "empty") for low in (0, 0.7, 0.95)),
        *(column("values_to_be_unique", name, mostly=mostly)
          for name in ("id", "age", "name", "empty", "steps") for mostly in (1, 0.9)),
        *(column("values_to_be_between", name, **bounds)
          for name in ("id", "age", "score", "steps", "low", "empty")
          for bounds in ({"min_value": 0}, {"max_value": 120}, {"min_value": 18, "max_value": 90},
                         {"min_value": 18, "max_value": 90, "strict_min": True, "strict_max": True},
                         {"min_value": 0, "max_value": 1e5, "mostly": 0.9})),
        *(column("values_to_be_in_set", name, value_set=values, mostly=mostly)
          for name, values in (("code", ["A1", "A2", "B1", "B2"]), ("age", [20, 30, 40.0]), ("age", ["20"]),
                               ("name", ["Ada", "Björn", "O'Neil"]), ("flag", [True]), ("part_a", list(range(10))))
          for mostly in (1, 0.3)),
        *(column("values_to_not_be_in_set", name, value_set=values)
          for name, values in (("age", [-1, 999]), ("code", ["CX"]), ("name", ["nobody"]), ("age", ["x"]))),
        *(column("values_to_match_regex", "email", regex=regex, mostly=mostly)
          for regex in (r"^[^@]+@[^@]+\.[a-z]+$", "@", r"user\d+", "(?i)^a\\.b@") for mostly in (1, 0.2)),
        *(column("values_to_match_regex", name, regex=regex)
          for name, regex in (("age", r"^\d+"), ("score", r"\.\d"), ("flag", "^T"), ("name", "^O'"), ("name", "[^a-zA-Z]"))),
        *(column("values_to_not_match_regex", name, regex=regex)
          for name, regex in (("email", "none"), ("code", "X$"), ("name", "^ "))),
        *(column("values_to_match_regex_list", "code", regex_list=["^A", "2$"], match_on=on) for on in ("any", "all")),
        column("values_to_not_match_regex_list", "code", regex_list=["^C", "X$"]),
        *(column("value_lengths_to_be_between", name, **bounds)
          for name in ("name", "email", "code", "id")
          for bounds in ({"min_value": 2}, {"max_value": 8}, {"min_value": 2, "max_value": 2},
                         {"min_value": 1, "max_value": 9, "strict_max": True, "strict_min": True, "mostly": 0.5})),
        *(column("value_lengths_to_equal", name, value=value) for name, value in (("code", 2), ("name", 3))),
        *(column("values_to_match_strftime_format", "day", strftime_format=form, mostly=mostly)
          for form in ("%Y-%m-%d", "%d.%m.%Y") for mostly in (1, 0.5)),
        *(column("values_to_be_json_parseable", name, mostly=mostly)
          for name in ("facts", "code") for mostly in (1, 0.5)),
        *(column(f"values_to_be_{way}", name, strictly=strictly)
          for way in ("increasing", "decreasing") for name in ("steps", "id", "age") for strictly in (True, False)),
        *(column("value_z_scores_to_be_less_than", name, threshold=limit, double_sided=sides)
          for name in ("score", "age", "steps") for limit in (1, 2, 3) for sides in (True, False)),
        *(column("values_to_be_of_type", name, type_=kind)
          for name, kind in (("id", "int64"), ("score", "float64"), ("id", "float64"), ("flag", "bool"),
                             ("part_a", "int"), ("score", "int64"))),
        column("values_to_be_in_type_list", "id", type_list=["int64", "int32"]),
        *(column("distinct_values_to_be_in_set", "code", value_set=values)
          for values in (["A1", "A2"], [a + b for a in "ABC" for b in "12X"], [a + b for a in "ABCD" for b in "12X"])),
        *(column("distinct_values_to_contain_set", name, value_set=values)
          for name, values in (("code", ["A1", "A2"]), ("code", ["A1", "Z9"]), ("part_a", [1, 2.0]), ("part_a", ["1"]))),
        *(column("distinct_values_to_equal_set", name, value_set=values)
          for name, values in (("code", [a + b for a in "ABC" for b in "12X"]), ("code", ["A1"]), ("part_a", list(range(10))))),
        *(column("most_common_value_to_be_in_set", name, value_set=values, ties_okay=ties)
          for name, values in (("code", ["B2"]), ("code", ["A1"]), ("part_a", [1, 2, 3])) for ties in (True, False)),
        expectation("expect_compound_columns_to_be_unique", column_list=["id", "age"]),
        expectation("expect_compound_columns_to_be_unique", column_list=["code", "twin_a"], mostly=0.5),
        expectation("expect_compound_columns_to_be_unique", column_list=["id", "age", "name", "email"]),
        *(expectation("expect_column_pair_values_a_to_be_greater_than_b", column_A=first, column_B=second,
                      or_equal=equal, ignore_row_if=rule, mostly=mostly)
          for first, second in (("high", "low"), ("low", "high"), ("score", "age")) for equal in (True, False)
          for rule in ("both_values_are_missing", "either_value_is_missing", "neither") for mostly in (1, 0.6)),
        *(expectation("expect_column_pair_values_to_be_equal", column_A="twin_a", column_B="twin_b",
                      ignore_row_if=rule, mostly=mostly)
          for rule in ("both_values_are_missing", "either_value_is_missing", "neither") for mostly in (1, 0.8)),
        *(expectation("expect_column_pair_values_to_be_in_set", column_A="twin_a", column_B="twin_b",
                      value_pairs_set=[["u", "u"], ["v", "v"], ["v", "w"]], ignore_row_if=rule)
          for rule in ("both_values_are_missing", "either_value_is_missing", "neither")),
        *(expectation("expect_multicolumn_sum_to_equal", column_list=["part_a", "part_b"], sum_total=10,
                      ignore_row_if=rule, mostly=mostly)
          for rule in ("all_values_are_missing", "any_value_is_missing", "never") for mostly in (1, 0.05)),
        *(expectation("expect_multicolumn_values_to_be_equal", column_list=["part_a", "part_b", "whole"], ignore_row_if=rule)
          for rule in ("all_values_are_missing", "any_value_is_missing", "never")),
        *(expectation("expect_select_column_values_to_be_unique_within_record",
                      column_list=["part_a", "part_b", "whole"], ignore_row_if=rule)
          for rule in ("all_values_are_missing", "any_value_is_missing", "never")),
        *(expectation("expect_table_row_count_to_be_between", **bounds)
          for bounds in ({"min_value": 3000}, {"max_value": 2999}, {"min_value": 3000, "strict_min": True})),
        *(expectation("expect_table_row_count_to_equal", value=value) for value in (3000, 1)),
        *(expectation("expect_table_column_count_to_be_between", min_value=low, max_value=30) for low in (21, 22)),
        *(expectation("expect_table_column_count_to_equal", value=value) for value in (21, 20)),
        *(expectation("expect_table_columns_to_match_set", column_set=names, exact_match=exact)
          for names in (["id", "age"], ["id", "nothing"]) for exact in (True, False)),
        expectation("expect_table_columns_to_match_ordered_list", column_list=["id", "age"]),
        *(column("to_exist", name) for name in ("id", "Id", "nothing", 'Mixed Case "x"')),
        column("to_exist", "age", column_index=1),
        column("to_exist", "age", column_index=2),
        column("values_to_not_be_null", 'Mixed Case "x"'),
        column("values_to_be_in_set", 'Mixed Case "x"', value_set=["a", "b"]),
        # What cannot be judged is no success.
        column("values_to_not_be_null", "nothing"),
        column("values_to_be_between", "code", min_value=1),
        column("values_to_be_between", "age", min_value="a"),
        column("mean_to_be_between", "code", min_value=0),
        column("values_to_match_regex", "code", regex="("),
    ]
    return found + statistics("age", 0, 60) + statistics("score", 40, 60) + statistics("empty", 0, 1)


def statistics(name: str, low: float, high: float) -> list[dict]:
    """Everything that sums up a column, with bounds that are far, near, open and strict."""
    middle = (low + high) / 2
    ranges = ({"min_value": low}, {"max_value": high}, {"min_value": low, "max_value": high},
              {"min_value": middle, "strict_min": True}, {"min_value": -1e12, "max_value": 1e12})
    kinds = ("min", "max", "mean", "median", "stdev", "sum", "unique_value_count", "proportion_of_unique_values")
    found = [column(f"{kind}_to_be_between", name, **bounds) for kind in kinds for bounds in ranges]
    for way in ({}, {"allow_relative_error": "linear"}):
        for bounds in ([[low, high], [None, high], [low, None]], [[middle, middle], [middle, None], [None, low]]):
            quantiles = {"quantiles": [0.05, 0.5, 0.95], "value_ranges": bounds}
            found.append(column("quantile_values_to_be_between", name, quantile_ranges=quantiles, **way))
    return found


def for_numbers(path: Path) -> list[dict]:
    """Expectations of some columns of a file of numbers, with bounds that lie in the data."""
    with path.open() as file:
        rows = list(csv.DictReader(file))
    found = []
    for name in list(rows[0])[:4]:
        values = sorted(float(row[name]) for row in rows)
        low, high = values[len(values) // 10], values[-len(values) // 10]
        found += statistics(name, low, high)
        found += [
            *(column("values_to_be_between", name, min_value=low, max_value=high, mostly=mostly) for mostly in (1, 0.8, 0.75)),
            column("values_to_be_between", name, min_value=values[0], max_value=values[-1]),
            column("values_to_be_between", name, min_value=values[0], strict_min=True),
            column("values_to_be_unique", name), column("values_to_be_unique", name, mostly=0.2),
            column("values_to_be_in_set", name, value_set=values[:: max(1, len(values) // 30)]),
            *(column("value_z_scores_to_be_less_than", name, threshold=limit, double_sided=True) for limit in (1.5, 3)),
            column("values_to_be_increasing", name),
        ]
    return found


def write_suite(path: Path, expectations: list[dict]) -> None:
    path.write_text(json.dumps({"name": "compared", "expectations": expectations, "meta": {}}))
