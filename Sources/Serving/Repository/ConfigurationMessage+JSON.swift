import ApusJSON

extension ConfigurationMessage {
    /// Fields that are maps: an object in JSON, and a repeated pair of key and value in protobuf.
    private static let maps: Set<String> = ["parameters", "inputs", "metric_tags", "cc_model_filenames"]

    /// Reads a configuration that is written as JSON, as clients give it when they ask to load a model.
    ///
    /// - Throws: ``ConfigurationError``.
    init(json text: String) throws {
        var text = text
        self = try text.withUTF8 { bytes in
            guard let document = try? JSONDocument(parsing: UnsafeRawBufferPointer(bytes)),
                let members = document.root.members
            else { throw ConfigurationError(.init(), "the configuration is no JSON object") }
            return Self.message(members)
        }
    }

    // The reader of JSON bounds the depth.
    private static func message(_ members: JSONValue.Members) -> ConfigurationMessage {
        var message = ConfigurationMessage()
        for member in members {
            let name = snakeCase(member.name)
            if maps.contains(name), let entries = member.value.members {
                for entry in entries {
                    guard let value = node(entry.value) else { continue }
                    let fields = [
                        Field(name: "key", node: .text(entry.name), place: .init()),
                        Field(name: "value", node: value, place: .init()),
                    ]
                    message.fields.append(Field(name: name, node: .message(.init(fields: fields)), place: .init()))
                }
            } else if let elements = member.value.elements {
                for element in elements {
                    guard let node = node(element) else { continue }
                    message.fields.append(Field(name: name, node: node, place: .init()))
                }
            } else if let node = node(member.value) {
                message.fields.append(Field(name: name, node: node, place: .init()))
            }
        }
        return message
    }

    private static func node(_ value: JSONValue) -> ConfigurationNode? {
        if let members = value.members { return .message(message(members)) }
        if let text = value.string { return .text(text) }
        if let bool = value.bool { return .word(bool ? "true" : "false") }
        if let integer = value.integer { return .number("\(integer)") }
        if let double = value.double { return .number("\(double)") }
        return nil
    }

    /// Protobuf's JSON may have `maxBatchSize` for `max_batch_size`.
    private static func snakeCase(_ name: String) -> String {
        guard name.utf8.contains(where: { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }) else { return name }
        return name.reduce(into: "") { $0 += $1.isUppercase ? "_\($1.lowercased())" : String($1) }
    }
}
