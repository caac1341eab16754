import Tracking

/// What makes a registered model a prompt.
///
/// - SeeAlso: `mlflow/prompt/constants.py`.
enum Prompt {
    static let markerKey = "mlflow.prompt.is_prompt"
    static let textKey = "mlflow.prompt.text"
    static let typeKey = "_mlflow_prompt_type"
    /// A prompt's text is a tag, so its source says nothing.
    static let sources: Set<String> = ["dummy-source", "prompt-template"]

    /// Whether the tags mark a prompt; of equal keys the last counts.
    static func isMarked(_ tags: [KeyValue]) -> Bool {
        tags.last { $0.key == markerKey }?.value.lowercased() == "true"
    }
}
