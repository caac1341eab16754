package import ApusJSON

/// The type of a column, a property or a parameter, as MLflow's signatures name them.
///
/// - SeeAlso: `DataType`, `Array`, `Object`, `Map` and `AnyType` in MLflow's `mlflow/types/schema.py`.
package indirect enum SignatureType: Sendable, Equatable {
    /// A type of one value.
    package enum Scalar: String, Sendable, CaseIterable {
        case boolean, integer, long, float, double, string, binary, datetime
    }

    /// A named part of an object.
    package struct Property: Sendable, Equatable {
        package let name: String
        package let type: SignatureType
        package let isRequired: Bool

        /// A part that values may lack unless it `isRequired`.
        package init(name: String, type: SignatureType, isRequired: Bool) {
            self.name = name
            self.type = type
            self.isRequired = isRequired
        }
    }

    case scalar(Scalar)
    case array(SignatureType)
    case object([Property])
    case map(SignatureType)
    /// Anything that JSON holds.
    case any

    /// Reads `{"type": …}`; the depth is that of the JSON, which its parser bounds.
    ///
    /// - Throws: ``ServingError`` `modelFailed` for a type that MLflow does not have.
    package init(_ value: JSONValue) throws {
        let name = value["type"]?.string ?? value["dtype"]?.string ?? ""
        if let scalar = Scalar(rawValue: name) {
            self = .scalar(scalar)
            return
        }
        switch name {
        case "array":
            guard let items = value["items"] else { throw Self.unknown("array without items") }
            self = .array(try SignatureType(items))
        case "sparkml vector": self = .array(.scalar(.double))
        case "map":
            guard let values = value["values"] else { throw Self.unknown("map without values") }
            self = .map(try SignatureType(values))
        case "object":
            guard let members = value["properties"]?.members else { throw Self.unknown("object without properties") }
            self = .object(
                try members.map { member in
                    Property(
                        name: member.name,
                        type: try SignatureType(member.value),
                        isRequired: member.value["required"]?.bool ?? true
                    )
                }
            )
        case "any": self = .any
        default: throw Self.unknown(name)
        }
    }

    private static func unknown(_ name: String) -> ServingError {
        .modelFailed("The model's signature has an unknown type: '\(name)'.")
    }

    /// The name in messages.
    package var name: String {
        switch self {
        case .scalar(let scalar): scalar.rawValue
        case .array(let items): "array(\(items.name))"
        case .object: "object"
        case .map(let values): "map(\(values.name))"
        case .any: "any"
        }
    }
}

extension SignatureType.Scalar {
    /// The type of a tensor that holds such values; texts, bytes and times are all ``TensorDatatype/bytes``.
    package var datatype: TensorDatatype {
        switch self {
        case .boolean: .bool
        case .integer: .int32
        case .long: .int64
        case .float: .fp32
        case .double: .fp64
        case .string, .binary, .datetime: .bytes
        }
    }
}
