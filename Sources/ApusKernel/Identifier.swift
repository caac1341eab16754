/// A wire identifier that knows what it identifies.
///
/// `Identifier<Run>` cannot be passed where `Identifier<Experiment>` is due.
package struct Identifier<Subject>: Hashable, Sendable, CustomStringConvertible {
    /// The text on the wire.
    package let rawValue: String

    package init(_ rawValue: String) {
        self.rawValue = rawValue
    }

    package var description: String { rawValue }
}

/// Makes new identifiers; passed in so that tests can make them predictable.
package protocol IdentifierSource: Sendable {
    /// 32 lower-case hexadecimal digits, unique.
    func hex32() -> String
    /// A number in `0..<upperBound`.
    func below(_ upperBound: Int) -> Int
}

/// Identifiers from the system's random generator, in the shape of version-4 UUIDs without hyphens.
package struct RandomIdentifiers: IdentifierSource {
    package init() {}

    package func hex32() -> String {
        var high = UInt64.random(in: .min ... .max)
        var low = UInt64.random(in: .min ... .max)
        high = (high & ~0xF000) | 0x4000
        low = (low & ~(0xC000 << 48)) | (0x8000 << 48)
        return String(unsafeUninitializedCapacity: 32) { buffer in
            for index in 0..<32 {
                let word = index < 16 ? high : low
                let nibble = UInt8(truncatingIfNeeded: word >> UInt64(60 - (index % 16) * 4)) & 0xF
                buffer[index] = nibble < 10 ? 0x30 + nibble : 0x57 + nibble
            }
            return 32
        }
    }

    package func below(_ upperBound: Int) -> Int {
        Int.random(in: 0..<max(1, upperBound))
    }
}
