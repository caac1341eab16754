import ApusGateway
import ApusJSON
import ApusKernel

/// Reads the body of `log-batch`, the busiest of all endpoints.
///
/// Walks the parsed text once, without looking fields up by name, because a body has up to a thousand metrics.
enum LogBatchReader {
    static func read(_ message: MessageReader) throws -> LogBatch {
        var batch = LogBatch(runID: try message.requiredString("run_id"))
        if let metrics = try message.json("metrics") {
            guard let elements = metrics.elements else { throw message.typeError("metrics", metrics) }
            batch.metrics.reserveCapacity(Limits.metricsPerBatch)
            var lastKey = ""
            for element in elements {
                // One more than allowed is enough to tell; the rest of a huge body is not read.
                guard batch.metrics.count <= 100_000 else { break }
                batch.metrics.append(try metric(element, batch.metrics.count, &lastKey))
            }
        }
        batch.params = try message.pairs("params")
        batch.tags = try message.pairs("tags")
        return batch
    }

    private static func metric(_ element: JSONValue, _ index: Int, _ lastKey: inout String) throws -> MetricPoint {
        guard let members = element.members else { throw invalid(element, "metrics[\(index)]") }
        var key: String?
        var value: Double?
        var timestamp: Int64?
        var step: Int64 = 0
        var modelID: String?
        var datasetName: String?
        var datasetDigest: String?
        for member in members where !member.value.isNull {
            if member.isNamed("key") {
                guard let bytes = member.value.bytes else { throw invalid(member.value, "metrics[\(index)].key") }
                // Points often come in rows of one key: the text is made once.
                key = lastKey.utf8.elementsEqual(bytes) ? lastKey : String(decoding: bytes, as: UTF8.self)
            } else if member.isNamed("value") {
                value = ProtoJSON.double(member.value)
                if value == nil { throw invalid(member.value, "metrics[\(index)].value") }
            } else if member.isNamed("timestamp") {
                timestamp = integer(member.value)
                if timestamp == nil { throw invalid(member.value, "metrics[\(index)].timestamp") }
            } else if member.isNamed("step") {
                guard let number = integer(member.value) else { throw invalid(member.value, "metrics[\(index)].step") }
                step = number
            } else if member.isNamed("model_id") || member.isNamed("modelId") {
                modelID = member.value.string
            } else if member.isNamed("dataset_name") || member.isNamed("datasetName") {
                datasetName = member.value.string
            } else if member.isNamed("dataset_digest") || member.isNamed("datasetDigest") {
                datasetDigest = member.value.string
            }
        }
        guard let key, !key.isEmpty else { throw missing("metrics[\(index)].key") }
        guard let value else { throw missing("metrics[\(index)].value") }
        guard let timestamp else { throw missing("metrics[\(index)].timestamp") }
        lastKey = key
        return MetricPoint(
            key: key,
            value: value,
            timestamp: timestamp,
            step: step,
            model: try modelReference(modelID, datasetName, datasetDigest)
        )
    }

    /// The logged model that a point belongs to, if it names one.
    static func modelReference(
        _ id: String?,
        _ dataset: String?,
        _ digest: String?
    ) throws -> MetricPoint.ModelReference? {
        guard (dataset ?? "").isEmpty == (digest ?? "").isEmpty else {
            throw RequestError.invalid("Both dataset_name and dataset_digest must be provided if one is provided")
        }
        guard let id, !id.isEmpty else { return nil }
        return MetricPoint.ModelReference(
            modelID: id,
            datasetName: dataset.flatMap { $0.isEmpty ? nil : $0 },
            datasetDigest: digest.flatMap { $0.isEmpty ? nil : $0 }
        )
    }

    private static func integer(_ value: JSONValue) -> Int64? {
        value.integer ?? value.string.flatMap { Int64($0) }
    }

    private static func missing(_ path: String) -> RequestError {
        .invalid(
            "Missing value for required parameter '\(path)'. "
                + "See the API docs for more information about request parameters."
        )
    }

    private static func invalid(_ value: JSONValue, _ path: String) -> RequestError {
        .invalid(
            "Invalid value \(ProtoJSON.shown(value)) for parameter '\(path)' supplied:  "
                + "Hint: Value was of type '\(ProtoJSON.pythonType(value))'. "
                + "See the API docs for more information about request parameters."
        )
    }
}
