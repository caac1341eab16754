import ArgumentParser

/// `key=value` on the command line; the value may hold further equals signs and may be empty.
package struct KeyValueArgument: ExpressibleByArgument, Sendable, Equatable {
    package let key: String
    package let value: String

    package init?(argument: String) {
        guard let equals = argument.firstIndex(of: "="), equals != argument.startIndex else { return nil }
        key = String(argument[..<equals])
        value = String(argument[argument.index(after: equals)...])
    }
}
