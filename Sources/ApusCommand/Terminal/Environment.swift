import Glibc

/// The environment variables, passed in so that tests can set them.
package struct Environment: Sendable {
    private let values: [String: String]?

    /// Variables of this process.
    package static let process = Environment(values: nil)

    private init(values: [String: String]?) {
        self.values = values
    }

    package init(_ values: [String: String]) {
        self.values = values
    }

    /// The value of a variable; nil when it is not set.
    package subscript(name: String) -> String? {
        if let values { return values[name] }
        return getenv(name).map { String(cString: $0) }
    }

    /// The value of the first of these variables that is set to something, and its name.
    package func first(of names: [String]) -> (name: String, value: String)? {
        for name in names {
            if let value = self[name], !value.isEmpty { return (name, value) }
        }
        return nil
    }
}
