import ApusJSON
import Tracking

extension JSONWriter {
    /// Writes tags as an object.
    mutating func tagObject(_ name: StaticString, _ tags: [KeyValue]) {
        key(name)
        object { json in
            for tag in tags {
                json.key(text: tag.key)
                json.string(tag.value)
            }
        }
    }

    /// Writes a text as a member, or null.
    mutating func nullableMember(_ name: StaticString, _ value: String?) {
        key(name)
        if let value { string(value) } else { null() }
    }
}

/// A JSON object as text, for payloads of events.
func eventPayload(_ write: (inout JSONWriter) -> Void) -> String {
    var json = JSONWriter()
    json.object(write)
    return String(decoding: json.bytes, as: UTF8.self)
}
