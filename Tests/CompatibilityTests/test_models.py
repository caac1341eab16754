"""Real training on the data that scikit-learn ships: autolog, signatures, round trips through the registry."""

import mlflow
import numpy
import pandas
import pytest
from mlflow.models import infer_signature
from sklearn.datasets import load_diabetes, load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from support.api import unique


@pytest.fixture(scope="module", autouse=True)
def looked_up_once():
    """MLflow starts a Python of its own for each model, to see what it imports; here once for each kind of model."""
    from mlflow.utils import requirements_utils

    look, found = requirements_utils._capture_imported_modules, {}

    def once(model_uri, flavor, **options):
        if flavor not in found:
            found[flavor] = look(model_uri, flavor, **options)
        return found[flavor]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requirements_utils, "_capture_imported_modules", once)
        yield


@pytest.fixture(scope="module")
def digits():
    x, y = load_digits(return_X_y=True)
    return train_test_split(x[:600], y[:600], random_state=0)


@pytest.fixture(scope="module")
def diabetes():
    x, y = load_diabetes(return_X_y=True, as_frame=True)
    return train_test_split(x, y, random_state=0)


def test_autolog_of_a_classifier(client, experiment, digits):
    x_train, x_test, y_train, y_test = digits
    mlflow.sklearn.autolog()
    with mlflow.start_run(experiment_id=experiment) as run:
        model = LogisticRegression(max_iter=30).fit(x_train, y_train)
        score = model.score(x_test, y_test)
    read = client.get_run(run.info.run_id)
    assert read.data.params["max_iter"] == "30"
    assert 0.9 < read.data.metrics["training_accuracy_score"] <= 1
    assert read.data.metrics["LogisticRegression_score_x_test"] == pytest.approx(score)
    assert read.data.tags["estimator_name"] == "LogisticRegression"
    assert {"train", "eval"} >= {
        tag.value for item in read.inputs.dataset_inputs for tag in item.tags if tag.key == "mlflow.data.context"
    } != set()
    (output,) = read.outputs.model_outputs
    loaded = mlflow.sklearn.load_model(f"models:/{output.model_id}")
    assert (loaded.predict(x_test) == model.predict(x_test)).all()
    assert client.get_logged_model(output.model_id).status == "READY"
    assert "training_confusion_matrix.png" in [item.path for item in client.list_artifacts(run.info.run_id)]


def test_autolog_of_a_regressor(client, experiment, diabetes):
    x_train, x_test, y_train, y_test = diabetes
    mlflow.sklearn.autolog()
    with mlflow.start_run(experiment_id=experiment) as run:
        model = make_pipeline(StandardScaler(), Ridge(alpha=0.5)).fit(x_train, y_train)
    read = client.get_run(run.info.run_id)
    assert read.data.metrics["training_r2_score"] == pytest.approx(model.score(x_train, y_train))
    assert read.data.params["ridge__alpha"] == "0.5"


def test_autolog_of_a_grid_search_makes_child_runs(client, experiment, diabetes):
    x_train, _, y_train, _ = diabetes
    mlflow.sklearn.autolog(max_tuning_runs=3, log_models=False)
    with mlflow.start_run(experiment_id=experiment) as run:
        GridSearchCV(Ridge(), {"alpha": [0.01, 0.1, 1.0]}, cv=2).fit(x_train, y_train)
    children = client.search_runs([experiment], f"tags.mlflow.parentRunId = '{run.info.run_id}'")
    assert {child.data.params["alpha"] for child in children} == {"0.01", "0.1", "1.0"}
    assert all("mean_test_score" in child.data.metrics for child in children)
    assert "best_alpha" in client.get_run(run.info.run_id).data.params


def test_a_model_goes_to_the_registry_and_back(client, experiment, digits):
    x_train, x_test, y_train, _ = digits
    name = unique("digits")
    model = RandomForestClassifier(n_estimators=8, random_state=0).fit(x_train, y_train)
    with mlflow.start_run(experiment_id=experiment) as run:
        info = mlflow.sklearn.log_model(model, name="model", registered_model_name=name,
                                        signature=infer_signature(x_train, model.predict(x_train)),
                                        skops_trusted_types=["sklearn.tree._tree.Tree"])
    assert int(info.registered_model_version) == 1
    client.set_registered_model_alias(name, "champion", 1)
    version = client.get_model_version_by_alias(name, "champion")
    assert (version.run_id, int(version.version)) == (run.info.run_id, 1)
    for uri in [f"models:/{name}@champion", f"models:/{name}/1", f"models:/{name}/latest", info.model_uri]:
        loaded = mlflow.pyfunc.load_model(uri)
        assert (loaded.predict(x_test) == model.predict(x_test)).all(), uri
    assert loaded.metadata.signature is not None


def test_a_second_version_takes_the_alias(client, experiment, diabetes):
    x_train, x_test, y_train, _ = diabetes
    name = unique("diabetes")
    models = [Ridge(alpha).fit(x_train, y_train) for alpha in (0.1, 10.0)]
    for version, model in enumerate(models, 1):
        with mlflow.start_run(experiment_id=experiment):
            mlflow.sklearn.log_model(model, name="model", registered_model_name=name)
        client.set_registered_model_alias(name, "champion", version)
    loaded = mlflow.sklearn.load_model(f"models:/{name}@champion")
    assert numpy.allclose(loaded.predict(x_test), models[1].predict(x_test))
    assert [int(v.version) for v in client.search_model_versions(f"name = '{name}'", order_by=["version_number ASC"])] == [1, 2]


def test_a_python_model_with_artifacts(client, experiment, tmp_path):
    (tmp_path / "offset.txt").write_text("41")

    class Adder(mlflow.pyfunc.PythonModel):
        def load_context(self, context):
            with open(context.artifacts["offset"]) as file:
                self.offset = int(file.read())

        def predict(self, context, model_input, params=None):
            return model_input + self.offset

    with mlflow.start_run(experiment_id=experiment):
        info = mlflow.pyfunc.log_model(name="adder", python_model=Adder(), artifacts={"offset": str(tmp_path / "offset.txt")},
                                       input_example=pandas.DataFrame({"x": [1]}), pip_requirements=["mlflow"])
    answer = mlflow.pyfunc.load_model(info.model_uri).predict(pandas.DataFrame({"x": [1, 2]}))
    assert answer["x"].tolist() == [42, 43]


def test_a_model_is_registered_from_its_run(client, experiment, diabetes):
    x_train, _, y_train, _ = diabetes
    name = unique("later")
    with mlflow.start_run(experiment_id=experiment) as run:
        mlflow.sklearn.log_model(Ridge().fit(x_train, y_train), name="model")
    version = mlflow.register_model(f"runs:/{run.info.run_id}/model", name)
    assert (int(version.version), version.status) == (1, "READY")
    assert mlflow.pyfunc.load_model(f"models:/{name}/1")


def test_evaluation(client, experiment, digits):
    x_train, x_test, y_train, y_test = digits
    frame = pandas.DataFrame(x_test, columns=[f"p{index}" for index in range(x_test.shape[1])])
    model = LogisticRegression(max_iter=30).fit(x_train, y_train)
    frame["prediction"], frame["target"] = model.predict(x_test), y_test
    with mlflow.start_run(experiment_id=experiment) as run:
        mlflow.models.evaluate(data=frame, predictions="prediction", targets="target", model_type="classifier",
                               evaluator_config={"log_explainer": False})
    assert client.get_run(run.info.run_id).data.metrics["accuracy_score"] == pytest.approx(model.score(x_test, y_test))
