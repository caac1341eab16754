import Tracking

/// What an `MLmodel` file tells of a model that Python runs.
enum PythonMetadata {
    /// Modules whose models answer each row by itself, so that the rows of several requests may go together.
    ///
    /// A model of the user's own may look at all rows at once.
    private static let rowWise: Set<String> = [
        "mlflow.sklearn", "mlflow.xgboost", "mlflow.lightgbm", "mlflow.catboost", "mlflow.pytorch",
        "mlflow.tensorflow", "mlflow.keras", "mlflow.onnx",
    ]
    /// Functions that are told something about each row; `score`, for one, tells something about all of them.
    private static let rowWiseFunctions: Set<String> = [
        "predict", "predict_proba", "predict_log_proba", "predict_joint_log_proba",
    ]

    /// - Throws: ``ServingError`` for a signature that MLflow would not load either.
    static func metadata(of file: ModelFile, maximumBatchSize: Int?) throws -> ModelMetadata {
        let facts = file.flavors.first { $0.name == "python_function" }?.facts ?? []
        let module = facts.first { $0.name == "loader_module" }?.value ?? ""
        let function = facts.first { $0.name == "predict_fn" }?.value ?? "predict"
        let isRowWise = rowWise.contains(module) && rowWiseFunctions.contains(function)
        let signature = try Signature(file)
        return ModelMetadata(
            platform: "mlflow_pyfunc",
            inputs: signature?.inputPorts ?? [],
            outputs: signature?.outputPorts ?? [],
            maximumBatchSize: maximumBatchSize ?? (isRowWise ? PythonEngine.defaultBatchSize : 0),
            isTable: signature?.isTable ?? false,
            signature: signature
        )
    }
}
