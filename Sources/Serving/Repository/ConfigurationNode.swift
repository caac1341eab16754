/// A value in a model's configuration, whether it was written as protobuf's text or as JSON.
package enum ConfigurationNode: Equatable {
    /// In quotes.
    case text(String)
    /// `true`, `TYPE_FP32`.
    case word(String)
    /// As it was written.
    case number(String)
    case message(ConfigurationMessage)

    /// For messages to people.
    var kind: String {
        switch self {
        case .text: "a text"
        case .word(let word): "'\(word)'"
        case .number(let number): number
        case .message: "a message"
        }
    }
}

/// Named values, in order; a repeated field stands several times.
package struct ConfigurationMessage: Equatable {
    package struct Field: Equatable {
        package let name: String
        package let node: ConfigurationNode
        package let place: ConfigurationPlace
    }

    package var fields: [Field] = []
    package var place = ConfigurationPlace()
}

/// Where something stands.
package struct ConfigurationPlace: Equatable {
    /// From 1; 0 where it is not known.
    package var line = 0
    /// In bytes, from 1.
    package var column = 0

    package init(line: Int = 0, column: Int = 0) {
        self.line = line
        self.column = column
    }
}

/// What is wrong with a model's configuration.
package struct ConfigurationError: Error, Equatable, CustomStringConvertible {
    package let place: ConfigurationPlace
    package let reason: String

    init(_ place: ConfigurationPlace, _ reason: String) {
        self.place = place
        self.reason = reason
    }

    package var description: String {
        place.line > 0 ? "line \(place.line), column \(place.column): \(reason)" : reason
    }
}

// MARK: - Typed access

extension ConfigurationMessage {
    /// - Throws: ``ConfigurationError`` when a field has none of these names, so that a typing error is not overlooked.
    func allow(_ names: Set<String>, in message: String) throws {
        for field in fields where !names.contains(field.name) {
            throw ConfigurationError(field.place, "\(message) has no field '\(field.name)'")
        }
    }

    /// The fields of that name; the last one counts where only one may stand.
    func all(_ name: String) -> [Field] { fields.filter { $0.name == name } }

    package func text(_ name: String) throws -> String? {
        guard let field = all(name).last else { return nil }
        guard case .text(let text) = field.node else {
            throw ConfigurationError(field.place, "'\(name)' must be a text in quotes, not \(field.node.kind)")
        }
        return text
    }

    /// A name of an enumeration; JSON has it in quotes.
    func word(_ name: String) throws -> String? {
        guard let field = all(name).last else { return nil }
        switch field.node {
        case .word(let word), .text(let word): return word
        default: throw ConfigurationError(field.place, "'\(name)' must be a name, not \(field.node.kind)")
        }
    }

    func bool(_ name: String) throws -> Bool? {
        guard let field = all(name).last else { return nil }
        switch field.node {
        case .word("true"), .word("True"), .word("t"), .number("1"): return true
        case .word("false"), .word("False"), .word("f"), .number("0"): return false
        default: throw ConfigurationError(field.place, "'\(name)' must be true or false, not \(field.node.kind)")
        }
    }

    package func integer(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
        try all(name).last.map { try Self.integer($0, in: range) }
    }

    package func integers(_ name: String, in range: ClosedRange<Int>) throws -> [Int] {
        try all(name).map { try Self.integer($0, in: range) }
    }

    package func message(_ name: String) throws -> ConfigurationMessage? { try messages(name).last }

    package func messages(_ name: String) throws -> [ConfigurationMessage] {
        try all(name).map { field in
            guard case .message(let message) = field.node else {
                throw ConfigurationError(field.place, "'\(name)' must be a message in braces, not \(field.node.kind)")
            }
            return message
        }
    }

    /// The entries of a map.
    func entries(_ name: String) throws -> [(key: String, value: ConfigurationMessage)] {
        try messages(name).map { entry in
            try entry.allow(["key", "value"], in: "'\(name)'")
            guard let key = try entry.text("key") else {
                throw ConfigurationError(entry.place, "'\(name)' lacks a key")
            }
            return (key, try entry.message("value") ?? ConfigurationMessage(place: entry.place))
        }
    }

    private static func integer(_ field: Field, in range: ClosedRange<Int>) throws -> Int {
        let text: String
        switch field.node {
        // JSON has 64-bit numbers in quotes.
        case .number(let number), .text(let number): text = number
        default: throw ConfigurationError(field.place, "'\(field.name)' must be a whole number, not \(field.node.kind)")
        }
        let isNegative = text.hasPrefix("-")
        let digits = text.drop { $0 == "-" }.lowercased()
        let magnitude: Int? =
            digits.hasPrefix("0x")
            ? Int(digits.dropFirst(2), radix: 16)
            : digits.count > 1 && digits.hasPrefix("0") ? Int(digits, radix: 8) : Int(digits)
        guard let magnitude, magnitude >= 0 else {
            throw ConfigurationError(field.place, "'\(field.name)' must be a whole number, not \(field.node.kind)")
        }
        let value = isNegative ? -magnitude : magnitude
        guard range.contains(value) else {
            let bounds = "from \(range.lowerBound) to \(range.upperBound)"
            throw ConfigurationError(field.place, "'\(field.name)' must be \(bounds), not \(value)")
        }
        return value
    }
}
