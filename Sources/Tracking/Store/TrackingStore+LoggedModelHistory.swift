import ApusDatabase
import ApusJSON
import ApusKernel

/// A model as clients before MLflow 3 log it: a line in a tag of its run.
package struct LegacyModel: Sendable {
    /// What is kept of the model's description, as a JSON object.
    let json: [UInt8]

    private static let requiredFields = ["artifact_path", "flavors", "run_id", "utc_time_created"]
    private static let keptFields = ["run_id", "artifact_path", "utc_time_created", "model_uuid"]

    /// Reads the description that a client sends.
    ///
    /// - Throws: `INVALID_PARAMETER_VALUE` for a text that is not JSON or lacks one of the mandatory fields.
    package init(parsing text: String) throws {
        var text = text
        json = try text.withUTF8 { bytes in
            guard let document = try? JSONDocument(parsing: UnsafeRawBufferPointer(bytes)),
                document.root.kind == .object
            else {
                let shown = String(decoding: bytes.prefix(1_000), as: UTF8.self)
                throw RequestError.invalid("Malformed model info. \n \(shown) \n is not a valid JSON.")
            }
            return try Self.summary(of: document.root)
        }
    }

    private static func summary(of model: JSONValue) throws -> [UInt8] {
        let names = Set(model.members?.map(\.name) ?? [])
        let missing = requiredFields.filter { !names.contains($0) }
        guard missing.isEmpty else {
            let shown = missing.map { "'\($0)'" }.joined(separator: ", ")
            throw RequestError.invalid("Model json is missing mandatory fields: {\(shown)}")
        }
        var writer = JSONWriter()
        writer.object { json in
            for member in model.members.map(Array.init) ?? [] where keptFields.contains(member.name) {
                json.key(text: member.name)
                json.value(member.value)
            }
            json.key("flavors")
            json.object { json in
                for flavor in model["flavors"]?.members.map(Array.init) ?? [] {
                    json.key(text: flavor.name)
                    write(flavor: flavor.value, to: &json)
                }
            }
        }
        return writer.bytes
    }

    /// A flavour without its `config`, which may hold anything.
    private static func write(flavor: JSONValue, to json: inout JSONWriter) {
        guard let members = flavor.members else { return json.value(flavor) }
        json.object { json in
            for member in members where !member.isNamed("config") {
                json.key(text: member.name)
                json.value(member.value)
            }
        }
    }
}

extension TrackingStore {
    /// The tag that holds a run's models as a JSON array.
    private static let historyTag = "mlflow.log-model.history"
    /// The most bytes in that tag.
    private static let maximumHistoryBytes = 1 << 20

    /// Appends a model to the history tag of an active run.
    package func recordLegacyModel(run id: String, _ model: LegacyModel) async throws {
        try await database.write { transaction in
            try transaction.lock("run/\(id)")
            let run = try Self.activeRun(id, transaction)
            let stored = try transaction.first(
                "SELECT value FROM tags WHERE run_id = ? AND key = ?",
                [.integer(run.key), .text(Self.historyTag)]
            ) { $0.text(0) }
            let history = try Self.appending(model, to: stored)
            guard history.utf8.count <= Self.maximumHistoryBytes else {
                throw RequestError.invalid(
                    "The tag '\(Self.historyTag)' of a run can hold at most \(Self.maximumHistoryBytes) bytes."
                )
            }
            try Self.setTags([KeyValue(key: Self.historyTag, value: history)], on: run.key, transaction)
        }
    }

    private static func appending(_ model: LegacyModel, to history: String?) throws -> String {
        var history = history ?? "[]"
        var writer = JSONWriter(capacity: history.utf8.count + model.json.count + 2)
        try history.withUTF8 { bytes in
            guard let document = try? JSONDocument(parsing: UnsafeRawBufferPointer(bytes)),
                let models = document.root.elements
            else { throw RequestError.invalid("The run's tag '\(historyTag)' is not a JSON array.") }
            writer.beginArray()
            for model in models { writer.value(model) }
            writer.raw(json: model.json)
            writer.endArray()
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
