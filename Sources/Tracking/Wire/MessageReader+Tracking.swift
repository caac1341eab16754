package import ApusGateway
import ApusKernel

extension MessageReader {
    /// Reads a list of `{key, value}`; a value that is missing is the empty text.
    package func pairs(_ name: StaticString) throws -> [KeyValue] {
        try messages(name).map { message in
            KeyValue(key: try message.requiredString("key"), value: try message.string("value") ?? "")
        }
    }

    /// The run's identifier under its present or its old name.
    package func runID() throws -> String {
        if let id = try string("run_id"), !id.isEmpty { return id }
        if let id = try string("run_uuid"), !id.isEmpty { return id }
        throw missing("run_id")
    }
}
