import Foundation
import Serving

/// Models of MLflow for the tests, made once by the Python that `APUS_PYTHON` names.
enum PythonModels {
    /// Whether there is a Python with MLflow; `scripts/test` says so.
    static var areThere: Bool { interpreter != nil }

    /// What `APUS_PYTHON` names; nil when it is not set, or empty.
    static let interpreter = ProcessInfo.processInfo.environment["APUS_PYTHON"].flatMap { $0.isEmpty ? nil : $0 }

    /// The folder that holds them, made when first asked for.
    static let folder: Result<String, any Error> = Result {
        let folder = try TestFolder().path
        let program = "\(folder)/make.py"
        try Data(source.utf8).write(to: URL(fileURLWithPath: program))
        let variables = ["HOME": folder, "MLFLOW_DISABLE_TELEMETRY": "true", "PATH": "/usr/bin:/bin"]
        _ = try Program(interpreter ?? "", [program, folder], variables: variables, folder: folder)
            .run(limit: 300)
        return folder
    }

    static func path(_ name: String) throws -> String { "\(try folder.get())/\(name)" }

    /// Options that keep what workers leave in a folder of the tests.
    static func options(_ change: (inout PythonOptions) -> Void = { _ in }) throws -> PythonOptions {
        var options = PythonOptions()
        options.folder = "\(try folder.get())/apus"
        options.maximumWorkers = 1
        change(&options)
        return options
    }

    private static let source = #"""
        import os, sys, warnings
        warnings.filterwarnings("ignore")
        import mlflow, numpy as np, pandas as pd
        from mlflow.models import infer_signature
        from sklearn.compose import make_column_transformer
        from sklearn.linear_model import LinearRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import OneHotEncoder, StandardScaler

        folder = sys.argv[1]
        # Finding out what a model needs takes longer than everything else.
        plain = {"pip_requirements": ["mlflow"]}
        table = pd.DataFrame({"size": [1.0, 2.0, 3.0, 4.0], "kind": ["a", "b", "a", "b"]})
        target = 10 * table["size"] + np.where(table["kind"] == "b", 5.0, 0.0)
        pipeline = make_pipeline(
            make_column_transformer((StandardScaler(), ["size"]), (OneHotEncoder(), ["kind"])), LinearRegression()
        ).fit(table, target)
        mlflow.sklearn.save_model(
            pipeline, f"{folder}/pipeline", signature=infer_signature(table, pipeline.predict(table)), **plain
        )

        class Odd(mlflow.pyfunc.PythonModel):
            """Does what it is told by its input."""

            def predict(self, context, model_input, params=None):
                import os, socket, sys, time
                word = str(model_input["word"].iloc[0])
                factor = (params or {}).get("factor", 1)
                if word == "die":
                    os._exit(3)
                if word == "hang":
                    time.sleep(600)
                if word == "hog":
                    return [len(bytearray(8 << 30))]
                if word == "fail":
                    raise RuntimeError("a secret path")
                if word == "talk":
                    print("hello from the model")
                    print("and from its errors", file=sys.stderr)
                if word == "read":
                    return [open(model_input["path"].iloc[0]).read()]
                if word == "connect":
                    socket.create_connection(("127.0.0.1", int(model_input["path"].iloc[0])), 2)
                if word == "environment":
                    return [" ".join(sorted(os.environ))]
                if word == "frame":
                    return pd.DataFrame({"n": [1, 2], "t": ["x", "y"]})
                if word == "nested":
                    return {"a": [1, "two", None]}
                return [f"{word} {factor}"]

        example = pd.DataFrame({"word": ["x"], "path": ["x"]})
        mlflow.pyfunc.save_model(
            f"{folder}/odd",
            python_model=Odd(),
            signature=infer_signature(example, ["x"], params={"factor": 1}),
            **plain,
        )
        """#
}
