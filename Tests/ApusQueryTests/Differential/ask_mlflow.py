"""Asks a real MLflow what it makes of filters and orders, and writes the answers down.

Run by hand when the corpus grows or another release of MLflow is followed:

    python ask_mlflow.py > answers.tsv        # needs `pip install mlflow`

Each line of corpus.txt is `<search>TAB<text>`; a backslash stands in front of `n`, `t`, `r` and backslashes. The
search is runs, experiments, registered_models, model_versions or logged_models, with the suffix `_order` for orders.
Each line of answers.tsv is `<search>TAB<text>TAB<status>TAB<answer>`: status 200 with the clauses as MLflow understood
them, 400 with the message, or 500 with nothing when MLflow failed. Sets, which Python prints in random order, are
sorted. The searches run on an empty SQLite store, so everything the server would check is checked.
"""

import os
import re
import tempfile

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

from mlflow.exceptions import MlflowException
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as Registry
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore as Tracking
from mlflow.utils import search_utils as su
from mlflow.utils.search_logged_model_utils import parse_filter_string

FOLDER = os.path.dirname(os.path.abspath(__file__))


def escape(text):
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t").replace("\r", "\\r")


def unescape(text):
    return re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t", "r": "\r"}.get(m[1], m[1]), text)


def sort_sets(message):
    def ordered(match):
        return "{" + ", ".join(sorted(match[1].split(", "))) + "}"

    return re.sub(r"\{('[^{}]*')\}", ordered, message)


def value_text(value):
    if value is None:
        return "-"
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(map(repr, value)) + "]"
    if isinstance(value, (int, float)):
        return repr(float(value))
    return repr(value)


def clause(kind, entity, key, comparator, value):
    if entity == "attribute":
        key = su.SearchUtils.translate_key_alias(key)
    if entity == "metric":
        value = float(value)
    if key == "version_number" or (kind == "experiments" and key.endswith("_time") and entity == "attribute"):
        value = int(value)
    if kind == "experiments" and key == "experiment_id" and entity == "attribute":
        value = [str(int(v)) for v in value] if isinstance(value, tuple) else str(int(value))
    return f"{entity} {key!r} {comparator.upper()} {value_text(value)}"


def understood(kind, text):
    if kind == "logged_models":
        entities = {"attributes": "attribute", "metrics": "metric", "params": "parameter", "tags": "tag"}
        return [
            clause(kind, entities[c.entity.type.value], c.entity.key.removesuffix("_ms"), c.op, c.value)
            for c in parse_filter_string(text)
        ]
    utils = {
        "runs": su.SearchUtils,
        "experiments": su.SearchExperimentsUtils,
        "registered_models": su.SearchModelUtils,
        "model_versions": su.SearchModelVersionUtils,
    }[kind]
    return [
        clause(kind, c["type"], c["key"], c["comparator"], c["value"]) for c in utils.parse_search_filter(text)
    ]


def ordered(kind, text):
    if kind == "runs":
        entity, key, ascending = su.SearchUtils.parse_order_by_for_search_runs(text)
        key = su.SearchUtils.translate_key_alias(key)
    elif kind == "experiments":
        entity, key, ascending = su.SearchExperimentsUtils.parse_order_by_for_search_experiments(text)
    elif kind == "registered_models":
        key, ascending = su.SearchUtils.parse_order_by_for_search_registered_models(text)
        entity, key = "attribute", "last_updated_timestamp" if "timestamp" in key else key
    else:
        _, key, ascending = su.SearchModelVersionUtils.parse_order_by_for_search_model_versions(text)
        entity = "attribute"
    return f"{entity} {key!r} {'ASC' if ascending else 'DESC'}"


def main():
    with tempfile.TemporaryDirectory() as folder:
        uri = f"sqlite:///{folder}/mlflow.db"
        tracking, registry = Tracking(uri, folder), Registry(uri)
        searches = {
            "runs": lambda f, o: tracking.search_runs(["0"], f, 3, order_by=o),
            "experiments": lambda f, o: tracking.search_experiments(filter_string=f, order_by=o),
            "registered_models": lambda f, o: registry.search_registered_models(f, 10, o),
            "model_versions": lambda f, o: registry.search_model_versions(f, 10, o),
            "logged_models": lambda f, o: tracking.search_logged_models(["0"], f),
        }
        for line in open(os.path.join(FOLDER, "corpus.txt"), encoding="utf-8"):
            line = line.rstrip("\n")
            if not line or line.startswith("#"):
                continue
            kind, text = line.split("\t", 1)
            text = unescape(text)
            search = kind.removesuffix("_order")
            is_order = kind != search
            try:
                searches[search](*((None, [text]) if is_order else (text, None)))
                answer = [ordered(search, text)] if is_order else understood(search, text)
                status, answer = 200, " AND ".join(answer)
            except MlflowException as error:
                # An error of the database is none of MLflow's own refusals.
                status = 500 if "sqlite3." in error.message else error.get_http_status_code()
                answer = sort_sets(error.message) if status == 400 else ""
            except Exception:
                status, answer = 500, ""
            print(kind, escape(text), status, escape(answer), sep="\t")


if __name__ == "__main__":
    main()
