package import ApusJSON
package import ApusTable

/// A value as YAML and JSON have them; objects keep the order of their members.
package indirect enum SuiteValue: Sendable, Hashable {
    case scalar(TableValue)
    case list([SuiteValue])
    case object([Member])

    /// A name and its value.
    package struct Member: Sendable, Hashable {
        package let name: String
        package let value: SuiteValue

        package init(_ name: String, _ value: SuiteValue) {
            self.name = name
            self.value = value
        }
    }

    package static let null = SuiteValue.scalar(.null)

    package static func text(_ text: String) -> SuiteValue { .scalar(.text(text)) }
    package static func bool(_ value: Bool) -> SuiteValue { .scalar(.boolean(value)) }
    package static func integer(_ value: Int) -> SuiteValue { .scalar(.integer(Int64(value))) }
    package static func number(_ value: Double) -> SuiteValue { .scalar(.number(value)) }
    package static func values(_ values: [TableValue]) -> SuiteValue { .list(values.map { .scalar($0) }) }
    package static func texts(_ texts: [String]) -> SuiteValue { .list(texts.map { .text($0) }) }

    /// The member of that name; nil when there is none or this is no object.
    package subscript(name: String) -> SuiteValue? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.name == name }?.value
    }
}

extension JSONWriter {
    /// Writes a value of a suite; NaN and infinities as strings.
    package mutating func suiteValue(_ value: SuiteValue) {
        switch value {
        case .scalar(let value): tableValue(value)
        case .list(let elements): array(elements) { $0.suiteValue($1) }
        case .object(let members):
            object { json in
                for member in members {
                    json.key(text: member.name)
                    json.suiteValue(member.value)
                }
            }
        }
    }

    /// Writes a cell of a table.
    package mutating func tableValue(_ value: TableValue) {
        switch value {
        case .null: null()
        case .boolean(let value): bool(value)
        case .integer(let value): integer(value)
        case .number(let value): double(value)
        case .text(let value): string(value)
        }
    }
}
