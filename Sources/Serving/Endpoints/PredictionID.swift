import ApusKernel

/// Names one prediction, in the answer, in the inference log and for feedback.
///
/// 32 lower-case hexadecimal digits: 48 bits of the time in milliseconds since 1970, 16 bits of the deployment that
/// answered, 64 random bits. Identifiers sort by time, and a reward finds its deployment even where the prediction was
/// not logged.
package struct PredictionID: Hashable, Sendable, CustomStringConvertible {
    /// The text on the wire.
    package let text: String
    /// When the request came, in milliseconds since 1970.
    package let milliseconds: Int64
    /// The low 16 bits of ``Deployment/number``.
    package let deployment: UInt16

    /// Makes a new one.
    package init(milliseconds: Int64, deployment: UInt16, random: UInt64 = .random(in: .min ... .max)) {
        self.milliseconds = milliseconds & 0xFFFF_FFFF_FFFF
        self.deployment = deployment
        let high = UInt64(truncatingIfNeeded: self.milliseconds) << 16 | UInt64(deployment)
        text = String(unsafeUninitializedCapacity: 32) { buffer in
            for index in 0..<32 {
                let word = index < 16 ? high : random
                buffer[index] = Hexadecimal.digit(UInt8(truncatingIfNeeded: word >> UInt64(60 - (index % 16) * 4)))
            }
            return 32
        }
    }

    /// Reads one that a client sends back; nil when it is none.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 32 else { return nil }
        var high: UInt64 = 0
        for (index, byte) in bytes.enumerated() {
            guard let digit = Hexadecimal.value(of: byte), byte == Hexadecimal.digit(digit) else { return nil }
            if index < 16 { high = high << 4 | UInt64(digit) }
        }
        self.text = text
        milliseconds = Int64(high >> 16)
        deployment = UInt16(truncatingIfNeeded: high)
    }

    package var description: String { text }
}
