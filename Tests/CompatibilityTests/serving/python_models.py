"""Models of MLflow that only Python can run, made where the tests run."""

import sys
import warnings
from pathlib import Path

import cloudpickle
import mlflow
import numpy as np
import pandas as pd
from mlflow.models import infer_signature
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

# Workers have no such module: models take its classes along.
cloudpickle.register_pickle_by_value(sys.modules[__name__])


FEATURES = ["a", "b", "c", "d"]
# Finding out what a model needs takes longer than everything else.
PLAIN = {"pip_requirements": ["mlflow"]}


class Odd(mlflow.pyfunc.PythonModel):
    """Does what its input says."""

    def predict(self, context, model_input, params=None):
        import os
        import sys
        import time

        word = str(model_input["word"].iloc[0])
        if word == "die":
            os._exit(3)
        if word == "hang":
            time.sleep(600)
        if word == "nap":
            time.sleep(0.5)
        if word == "hog":
            return [len(bytearray(8 << 30))]
        if word == "talk":
            print("a word to standard output", flush=True)
            print("a word to standard error", file=sys.stderr, flush=True)
        factor = (params or {}).get("factor", 1)
        return [f"{word} {factor} {os.getpid()}" if word == "who" else f"{word} {factor}"]


class Chat(mlflow.pyfunc.PythonModel):
    """Takes a conversation and answers an object."""

    def predict(self, context, model_input, params=None):
        if isinstance(model_input, pd.DataFrame):
            model_input = model_input.to_dict("records")[0]
        last = model_input["messages"][-1]["content"]
        return {"choices": [{"message": {"role": "assistant", "content": last.upper()}}]}


class Table(mlflow.pyfunc.PythonModel):
    """Answers a data frame."""

    def predict(self, context, model_input, params=None):
        return pd.DataFrame({"double": model_input["x"] * 2, "text": [str(value) for value in model_input["x"]]})


def rows(count: int, seed: int = 7) -> pd.DataFrame:
    """Numbers and texts, as the pipeline takes them."""
    random = np.random.default_rng(seed)
    table = pd.DataFrame(random.normal(size=(count, 4)), columns=FEATURES)
    table["colour"] = random.choice(["red", "green", "blue"], count)
    table["count"] = random.integers(0, 100, count)
    return table


def fill(folder: Path) -> None:
    """Makes all models below a folder, each in its own."""
    import lightgbm
    import xgboost

    warnings.filterwarnings("ignore")
    table = rows(300)
    numbers = table[FEATURES]
    target = (numbers["a"] + numbers["b"] + (table["colour"] == "red") > 0.5).astype(int)
    pipeline = make_pipeline(
        make_column_transformer(
            (StandardScaler(), [*FEATURES, "count"]), (OneHotEncoder(handle_unknown="ignore"), ["colour"])
        ),
        LogisticRegression(),
    ).fit(table, target)
    signature = infer_signature(table, pipeline.predict(table))
    mlflow.sklearn.save_model(pipeline, folder / "pipeline", signature=signature, **PLAIN)
    mlflow.sklearn.save_model(
        pipeline, folder / "probabilities", signature=signature, pyfunc_predict_fn="predict_proba", **PLAIN
    )
    trees = xgboost.XGBRegressor(n_estimators=30).fit(numbers, table["count"])
    mlflow.xgboost.save_model(
        trees, folder / "xgboost", signature=infer_signature(numbers, trees.predict(numbers)), **PLAIN
    )
    leaves = lightgbm.LGBMClassifier(n_estimators=30, verbose=-1).fit(numbers, target)
    mlflow.lightgbm.save_model(
        leaves, folder / "lightgbm", signature=infer_signature(numbers, leaves.predict(numbers)), **PLAIN
    )
    matrix = LogisticRegression().fit(numbers.to_numpy(), target)
    mlflow.sklearn.save_model(
        matrix,
        folder / "matrix",
        signature=infer_signature(numbers.to_numpy(), matrix.predict(numbers.to_numpy())),
        **PLAIN,
    )
    mlflow.sklearn.save_model(matrix, folder / "unsigned", **PLAIN)
    word = pd.DataFrame({"word": ["x"]})
    mlflow.pyfunc.save_model(
        folder / "odd", python_model=Odd(), signature=infer_signature(word, ["x"], params={"factor": 1}), **PLAIN
    )
    mlflow.pyfunc.save_model(folder / "chat", python_model=Chat(), **PLAIN)
    mlflow.pyfunc.save_model(
        folder / "table",
        python_model=Table(),
        signature=infer_signature(pd.DataFrame({"x": [1.0]}), pd.DataFrame({"double": [1.0], "text": ["x"]})),
        **PLAIN,
    )
