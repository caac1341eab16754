"""The models that every server answers from, made anew for each run, and the rows they are asked about.

Each is kept in the forms that the servers load: an MLflow model, ONNX, and what a framework writes itself.
"""

import pickle
import sys
from dataclasses import dataclass
from pathlib import Path

import joblib
import mlflow
import numpy as np
import onnx
from mlflow.models import infer_signature
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

BATCH = 512
# Named here, since MLflow would load each model once more to find out.
NEEDS = ["mlflow", "scikit-learn", "lightgbm", "pandas"]


@dataclass
class Model:
    """One model: its folder, and rows of its data set, repeated until they are a batch."""

    name: str
    folder: Path
    rows: np.ndarray
    # What the input and the outputs of the ONNX form are called, none if it has no such form.
    input: str = "X"
    outputs: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()

    @property
    def onnx(self) -> Path:
        return self.folder / "model.onnx"

    @property
    def mlflow(self) -> Path:
        return self.folder / "mlflow"


def batch(values: np.ndarray) -> np.ndarray:
    return np.resize(values, (BATCH, values.shape[1])).astype(np.float32)


def keep_onnx(model: onnx.ModelProto, folder: Path) -> tuple[str, tuple[str, ...]]:
    """Writes the ONNX form; returns what its input and outputs are called."""
    for port in [*model.graph.input, *model.graph.output]:
        # A free first dimension, so that any number of rows fits.
        port.type.tensor_type.shape.dim[0].Clear()
    onnx.save(model, folder / "model.onnx")
    return model.graph.input[0].name, tuple(port.name for port in model.graph.output)


def iris(folder: Path) -> Model:
    """A logistic regression of four features: as small as a model gets."""
    from skl2onnx import to_onnx

    values, target = load_iris(return_X_y=True)
    values = values.astype(np.float32)
    fitted = LogisticRegression(max_iter=500).fit(values, target)
    joblib.dump(fitted, folder / "model.joblib")
    mlflow.sklearn.save_model(fitted, folder / "mlflow", signature=infer_signature(values, fitted.predict(values)),
                              serialization_format="cloudpickle", pip_requirements=NEEDS)
    names = keep_onnx(to_onnx(fitted, values[:1], options={"zipmap": False}), folder)
    return Model("iris", folder, batch(values), *names)


def boosted(folder: Path) -> Model:
    """A hundred trees over thirty features."""
    import lightgbm
    from onnxmltools import convert_lightgbm
    from onnxmltools.convert.common.data_types import FloatTensorType

    values, target = load_breast_cancer(return_X_y=True)
    values = values.astype(np.float32)
    fitted = lightgbm.LGBMClassifier(n_estimators=100, num_leaves=31, min_child_samples=5, verbose=-1, n_jobs=1).fit(values, target)
    fitted.booster_.save_model(folder / "model.txt")
    mlflow.lightgbm.save_model(fitted, folder / "mlflow", signature=infer_signature(values, fitted.predict(values)), pip_requirements=NEEDS)
    names = keep_onnx(convert_lightgbm(fitted, initial_types=[("X", FloatTensorType([None, 30]))], zipmap=False, target_opset=15), folder)
    return Model("boosted", folder, batch(values), *names)


def pipeline(folder: Path) -> Model:
    """A scikit-learn pipeline over a data frame, which only Python can run."""
    frame, target = load_wine(return_X_y=True, as_frame=True)
    frame.columns = [name.replace("/", "_") for name in frame.columns]
    fitted = make_pipeline(StandardScaler(), PolynomialFeatures(2), LogisticRegression(max_iter=2000)).fit(frame, target)
    joblib.dump(fitted, folder / "model.joblib")
    mlflow.sklearn.save_model(fitted, folder / "mlflow", signature=infer_signature(frame, fitted.predict(frame)),
                              serialization_format="cloudpickle", pip_requirements=NEEDS)
    return Model("pipeline", folder, np.resize(frame.to_numpy(), (BATCH, len(frame.columns))), columns=tuple(frame.columns))


def mlp(folder: Path) -> Model:
    """A perceptron with two hidden layers of 256 on images of 64 points."""
    import torch  # Only the peers' environment has it.

    torch.manual_seed(1)
    values, target = load_digits(return_X_y=True)
    values = values.astype(np.float32)
    network = torch.nn.Sequential(torch.nn.Linear(64, 256), torch.nn.ReLU(), torch.nn.Linear(256, 256), torch.nn.ReLU(), torch.nn.Linear(256, 10))
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    inputs, labels = torch.from_numpy(values), torch.from_numpy(target)
    for _ in range(60):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(inputs), labels).backward()
        optimizer.step()
    network.eval()
    answers = network(inputs).detach().numpy()
    mlflow.pytorch.save_model(network, folder / "mlflow", signature=infer_signature(values, answers), serialization_format="pickle", pip_requirements=[*NEEDS, "torch"])
    keep_onnx(perceptron(network), folder)
    return Model("mlp", folder, batch(values), "X", ("Y",))


def perceptron(network) -> onnx.ModelProto:
    """The ONNX form of a sequence of linear layers and ReLUs; PyTorch's own export asks for one more package."""
    from onnx import TensorProto, helper, numpy_helper

    nodes, weights, last = [], [], "X"
    for index, layer in enumerate(network):
        result = "Y" if index == len(network) - 1 else f"h{index}"
        if parameters := [value.detach().numpy() for value in layer.parameters()]:
            names = [f"w{index}", f"b{index}"]
            weights += [numpy_helper.from_array(value, name) for value, name in zip(parameters, names)]
            nodes.append(helper.make_node("Gemm", [last, *names], [result], transB=1))
        else:
            nodes.append(helper.make_node("Relu", [last], [result]))
        last = result
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", width]) for name, width in (("X", 64), ("Y", 10))]
    graph = helper.make_graph(nodes, "perceptron", ports[:1], ports[1:], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


MAKERS = {"iris": iris, "boosted": boosted, "pipeline": pipeline, "mlp": mlp}


def make(name: str, folder: Path) -> Model:
    """Trains a model into `folder`, and keeps there what it is asked."""
    folder.mkdir(parents=True, exist_ok=True)
    return MAKERS[name](folder)


def main() -> None:
    """Makes one model in this process: `models.py NAME FOLDER`; the result is pickled beside it."""
    model = make(sys.argv[1], Path(sys.argv[2]))
    (model.folder / "model.pickle").write_bytes(pickle.dumps(model.__dict__))


if __name__ == "__main__":
    main()
