extension JSONWriter {
    /// Writes any JSON value again; the parser bounds how deep it is.
    package mutating func value(_ value: JSONValue) {
        switch value.kind {
        case .string: string(value.string ?? "")
        case .array:
            beginArray()
            if let elements = value.elements {
                for element in elements { self.value(element) }
            }
            endArray()
        case .object:
            object { json in
                guard let members = value.members else { return }
                for member in members {
                    json.key(text: member.name)
                    json.value(member.value)
                }
            }
        case .bool: bool(value.bool ?? false)
        case .integer: integer(value.integer ?? 0)
        case .unsigned: unsigned(value.unsigned ?? 0)
        case .double: double(value.double ?? 0)
        case .null: null()
        }
    }
}
