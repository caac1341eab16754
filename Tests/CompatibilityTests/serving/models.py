"""Small models, made where the tests run: a repository in Triton's layout, `<name>/<version>/model.onnx`."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 10

# The protocol's names and ONNX's.
DATATYPES = {
    "BOOL": TensorProto.BOOL,
    "UINT8": TensorProto.UINT8,
    "UINT16": TensorProto.UINT16,
    "UINT32": TensorProto.UINT32,
    "UINT64": TensorProto.UINT64,
    "INT8": TensorProto.INT8,
    "INT16": TensorProto.INT16,
    "INT32": TensorProto.INT32,
    "INT64": TensorProto.INT64,
    "FP16": TensorProto.FLOAT16,
    "BF16": TensorProto.BFLOAT16,
    "FP32": TensorProto.FLOAT,
    "FP64": TensorProto.DOUBLE,
    "BYTES": TensorProto.STRING,
}


def model(nodes, inputs, outputs, constants=()) -> onnx.ModelProto:
    """A model of the nodes; inputs and outputs are (name, datatype, shape), with a text for a free dimension."""
    ports = [
        [helper.make_tensor_value_info(name, DATATYPES[datatype], shape) for name, datatype, shape in side]
        for side in (inputs, outputs)
    ]
    graph = helper.make_graph(list(nodes), "graph", *ports, initializer=list(constants))
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(made)
    return made


def identity(datatype: str) -> onnx.ModelProto:
    """OUTPUT is INPUT, [batch, width]."""
    shape = ["batch", "width"]
    return model(
        [helper.make_node("Identity", ["INPUT"], ["OUTPUT"])],
        [("INPUT", datatype, shape)],
        [("OUTPUT", datatype, shape)],
    )


def add_sub(datatype: str = "INT32", width: int = 16) -> onnx.ModelProto:
    """OUTPUT0 is INPUT0 + INPUT1, OUTPUT1 is INPUT0 - INPUT1: `simple` of Triton's examples."""
    shape = ["batch", width]
    return model(
        [
            helper.make_node("Add", ["INPUT0", "INPUT1"], ["OUTPUT0"]),
            helper.make_node("Sub", ["INPUT0", "INPUT1"], ["OUTPUT1"]),
        ],
        [("INPUT0", datatype, shape), ("INPUT1", datatype, shape)],
        [("OUTPUT0", datatype, shape), ("OUTPUT1", datatype, shape)],
    )


def scale(factor: float) -> onnx.ModelProto:
    """y is x times a factor, [batch, 4]: each version of a model has another one."""
    return model(
        [helper.make_node("Mul", ["x", "factor"], ["y"])],
        [("x", "FP32", ["batch", 4])],
        [("y", "FP32", ["batch", 4])],
        [numpy_helper.from_array(np.array([factor], np.float32), "factor")],
    )


def dynamic() -> onnx.ModelProto:
    """sum is the sum of each row, [batch], of x, [batch, any]."""
    return model(
        [helper.make_node("ReduceSum", ["x", "axes"], ["sum"], keepdims=0)],
        [("x", "FP32", ["batch", "any"])],
        [("sum", "FP32", ["batch"])],
        [numpy_helper.from_array(np.array([1], np.int64), "axes")],
    )


def fixed() -> onnx.ModelProto:
    """y is x + x, [2, 3]: a model whose requests cannot be put together."""
    return model(
        [helper.make_node("Add", ["x", "x"], ["y"])], [("x", "FP32", [2, 3])], [("y", "FP32", [2, 3])]
    )


def lookup() -> onnx.ModelProto:
    """value is table[index] of a table of three, [batch, 1]: other indices make the run fail."""
    return model(
        [helper.make_node("Gather", ["table", "index"], ["value"])],
        [("index", "INT64", ["batch", 1])],
        [("value", "FP32", ["batch", 1])],
        [numpy_helper.from_array(np.array([10, 20, 30], np.float32), "table")],
    )


@dataclass(frozen=True)
class Iris:
    """A classifier of scikit-learn's iris data, its form in ONNX, and what it answers."""

    model: onnx.ModelProto
    rows: np.ndarray
    labels: np.ndarray
    probabilities: np.ndarray


def iris() -> Iris:
    """Input X FP32 [batch, 4]; outputs label INT64 [batch] and probabilities FP32 [batch, 3]."""
    from skl2onnx import to_onnx
    from sklearn.datasets import load_iris
    from sklearn.linear_model import LogisticRegression

    rows, target = load_iris(return_X_y=True)
    rows = rows.astype(np.float32)
    classifier = LogisticRegression(max_iter=500).fit(rows, target)
    converted = to_onnx(classifier, rows[:1], options={"zipmap": False}, target_opset=OPSET)
    return Iris(converted, rows, classifier.predict(rows), classifier.predict_proba(rows).astype(np.float32))


def save(repository: Path, name: str, made: onnx.ModelProto, version: int = 1, config: str | None = None) -> None:
    """Puts a model where Triton would look for it."""
    folder = repository / name / str(version)
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(made, folder / "model.onnx")
    if config is not None:
        (repository / name / "config.pbtxt").write_text(config)


def fill(repository: Path) -> Iris:
    """Makes the repository that the tests share; returns what is needed to judge its classifier.

    identity_<datatype>, simple (INT32), simple_fp32, scale (versions 1 and 3), dynamic, fixed, lookup, iris.
    """
    for datatype in DATATYPES:
        save(repository, f"identity_{datatype.lower()}", identity(datatype))
    save(repository, "simple", add_sub())
    save(repository, "simple_fp32", add_sub("FP32"))
    every = 'version_policy: { all { } }\n'
    save(repository, "scale", scale(1), version=1, config=every)
    save(repository, "scale", scale(3), version=3)
    save(repository, "dynamic", dynamic())
    save(repository, "fixed", fixed())
    save(repository, "lookup", lookup())
    flowers = iris()
    save(repository, "iris", flowers.model)
    return flowers
