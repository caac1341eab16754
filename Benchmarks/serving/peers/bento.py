"""A BentoML service on the model that BENCH_MODEL and BENCH_KIND name."""

import os
from pathlib import Path

import bentoml
import numpy as np

KIND, FOLDER = os.environ["BENCH_KIND"], Path(os.environ["BENCH_MODEL"])


def predictor():
    if KIND in ("iris", "pipeline"):
        import joblib

        model = joblib.load(FOLDER / "model.joblib")
        if KIND == "iris":
            return model.predict
        import pandas

        return lambda rows: model.predict(pandas.DataFrame(rows, columns=model.feature_names_in_))
    if KIND == "boosted":
        import lightgbm

        return lightgbm.Booster(model_file=str(FOLDER / "model.txt")).predict
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(FOLDER / "model.onnx", options)
    return lambda rows: session.run(["Y"], {"X": rows.astype(np.float32)})[0]


@bentoml.service(workers=int(os.environ["BENCH_WORKERS"]), traffic={"timeout": 60})
class Bench:
    def __init__(self):
        self.predictor = predictor()

    @bentoml.api
    def predict(self, rows: np.ndarray) -> np.ndarray:
        return self.predictor(rows)
