/// How a caller wants the outputs.
package struct RequestedOutputs: Sendable {
    /// Whether an output of which nothing else is said comes as binary data.
    var isBinary = false
    var isBinaryByName: [String: Bool] = [:]
    /// How many of the best classes are wanted instead of the numbers; 0 for the numbers.
    var classesByName: [String: Int] = [:]
    /// Whether numbers that are not finite are written as `NaN` and `Infinity` instead of `null`.
    var allowsTokens = false

    func isBinary(_ name: String) -> Bool { isBinaryByName[name] ?? isBinary }
}
