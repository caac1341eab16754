import ApusJSON

/// From where the next import of a source goes on: a small JSON object of texts.
///
/// It is committed to the dataset in the same version as the files that it tells of, so one is never there without the
/// other, whatever stops the import and whoever makes the next one.
package struct ConnectorState: Sendable, Hashable {
    /// The most bytes of the JSON.
    package static let maximumBytes = 1 << 20

    /// The kind of connector, such as `http`.
    package let kind: String
    /// Of the meaning of the values, per kind.
    package let version: Int
    package var values: [String: String]

    package init(kind: String, version: Int, values: [String: String] = [:]) {
        self.kind = kind
        self.version = version
        self.values = values
    }

    /// Reads what ``json`` made; nil for anything else.
    package init?(parsing bytes: [UInt8]) {
        guard bytes.count <= Self.maximumBytes,
            let document = try? bytes.withUnsafeBytes({ try JSONDocument(parsing: $0) }),
            let kind = document.root["kind"]?.string,
            let version = document.root["version"]?.integer.flatMap({ Int(exactly: $0) }),
            let members = document.root["values"]?.members
        else { return nil }
        self.init(kind: kind, version: version)
        for member in members {
            guard let value = member.value.string else { return nil }
            values[member.name] = value
        }
    }

    /// The state as it is stored.
    package var json: [UInt8] {
        var json = JSONWriter()
        json.object { json in
            json.key("kind")
            json.string(kind)
            json.key("version")
            json.integer(Int64(version))
            json.key("values")
            json.object { json in
                for (name, value) in values.sorted(by: { $0.key < $1.key }) {
                    json.key(text: name)
                    json.string(value)
                }
            }
        }
        return json.bytes + [UInt8(ascii: "\n")]
    }
}
